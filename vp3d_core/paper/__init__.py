# SPDX-License-Identifier: GPL-3.0-or-later
"""The experiments of Pavllo et al., CVPR 2019, on Human3.6M, HumanEva-I or one's own data. Needs torch.

Written from the paper. Lengths in metres; 3D in OpenCV's camera axes, joint 0 absolute and the others
relative to it; 2D in screen units: x from -1 to 1 over the picture's width, the aspect kept.
"""

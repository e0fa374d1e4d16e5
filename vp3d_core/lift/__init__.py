# SPDX-License-Identifier: GPL-3.0-or-later
"""From 2D keypoints to 3D joints and the root's path."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch MMPose's weights, or import them from files: what ``install.py weights`` and ``vp3d weights`` run."""

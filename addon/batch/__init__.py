# SPDX-License-Identifier: GPL-3.0-or-later
"""Headless: videos to .blend, FBX, GLB, BVH and USD, as ``blender --command vp3d`` and ``headless.py``."""

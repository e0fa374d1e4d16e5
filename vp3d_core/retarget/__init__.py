# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring a motion onto any rig: numpy on rest matrices, no bpy."""

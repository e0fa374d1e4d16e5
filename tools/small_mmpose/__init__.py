# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains a narrow RTMPose and RTMDet on rendered people, for the tests of the MMPose detector."""

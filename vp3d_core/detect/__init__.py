# SPDX-License-Identifier: GPL-3.0-or-later
"""From frames to the 2D keypoints of each person: detectors, keypoint files, tracking, selection."""

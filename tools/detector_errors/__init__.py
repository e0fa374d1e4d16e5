# SPDX-License-Identifier: GPL-3.0-or-later
"""Fits what MediaPipe's errors owe to pose and view, on rendered people, for training the lifter."""

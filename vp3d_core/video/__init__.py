# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading videos with true times, and writing the overlay's."""

from .frame_writer import FrameWriter
from .read_ahead import read_ahead
from .reader import VideoInfo, probe, read_frames
from .sparse import read_sparse

__all__ = ["FrameWriter", "VideoInfo", "probe", "read_ahead", "read_frames", "read_sparse"]

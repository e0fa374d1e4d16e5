# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that can go wrong in the user's world.

VP3DError
├── InputError
│   ├── VideoReadError        no video, empty, no video stream, unreadable
│   ├── NoPersonFound         no person could be followed
│   ├── KeypointFileError     a keypoint file is not what it claims to be
│   ├── MotionFormatError     a motion, BVH or mocap file cannot be read
│   ├── SkeletonMismatch      keypoints or joints in an order that was not expected
│   └── OutputError           the output cannot be written (permissions, disk full)
├── WorkerError
│   ├── WorkerNotInstalled
│   ├── WorkerCrashed
│   ├── ProtocolError
│   └── Cancelled
└── ModelError
    ├── WeightsMissing
    ├── WeightsCorrupt
    └── DeviceOutOfMemory

A message says what was found and what was expected; ``hint`` says what to do.
ValueError and TypeError are for mistakes of the programmer.
"""

__all__ = [
    "Cancelled",
    "DeviceOutOfMemory",
    "InputError",
    "KeypointFileError",
    "ModelError",
    "MotionFormatError",
    "NoPersonFound",
    "OutputError",
    "ProtocolError",
    "SkeletonMismatch",
    "VP3DError",
    "VideoReadError",
    "WeightsCorrupt",
    "WeightsMissing",
    "WorkerCrashed",
    "WorkerError",
    "WorkerNotInstalled",
]


class VP3DError(Exception):
    """Root of all errors a user can meet.

    Args:
        message: What was found and what was expected.
        hint: What the user can do about it, or "".
    """

    code = "error"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(VP3DError):
    """The user's input cannot be used."""

    code = "input"


class VideoReadError(InputError):
    """The file is no video, is empty, or has no video stream that can be decoded."""

    code = "video_read"


class NoPersonFound(InputError):
    """No person was found that could be followed."""

    code = "no_person"


class KeypointFileError(InputError):
    """A file of 2D keypoints cannot be read."""

    code = "keypoint_file"


class MotionFormatError(InputError):
    """A motion, BVH or mocap file cannot be read."""

    code = "motion_format"


class SkeletonMismatch(InputError):
    """Keypoints or joints come in another order than was expected."""

    code = "skeleton"


class OutputError(InputError):
    """The output cannot be written."""

    code = "output"


class WorkerError(VP3DError):
    """The worker process failed."""

    code = "worker"


class WorkerNotInstalled(WorkerError):
    """The worker environment, or a package in it, is missing."""

    code = "worker_missing"


class WorkerCrashed(WorkerError):
    """The worker ended without a last message."""

    code = "worker_crashed"


class ProtocolError(WorkerError):
    """The worker said something that is not in the protocol."""

    code = "protocol"


class Cancelled(WorkerError):
    """The user cancelled."""

    code = "cancelled"


class ModelError(VP3DError):
    """A model cannot be loaded or run."""

    code = "model"


class WeightsMissing(ModelError):
    """The weights are not on this machine."""

    code = "weights_missing"


class WeightsCorrupt(ModelError):
    """The weights' hash or content is not what was expected."""

    code = "weights_corrupt"


class DeviceOutOfMemory(ModelError):
    """The device has not enough memory."""

    code = "device_memory"

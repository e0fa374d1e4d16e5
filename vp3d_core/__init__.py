# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion capture from ordinary video: the core, without Blender.

Importing this package needs the standard library only; the data types need numpy; torch, OpenCV,
SciPy, MMPose and MediaPipe are imported inside the functions of the worker that use them.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"

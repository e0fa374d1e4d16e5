# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture of the X display, with libX11 and zlib alone: under a software GL Blender's own is black."""

from __future__ import annotations

import ctypes
import os
import struct
import zlib
from pathlib import Path

ZPIXMAP = 2
ALL_PLANES = 0xFFFFFFFF


class XImage(ctypes.Structure):
    """The head of Xlib's XImage."""

    _fields_ = (
        ("width", ctypes.c_int),
        ("height", ctypes.c_int),
        ("xoffset", ctypes.c_int),
        ("format", ctypes.c_int),
        ("data", ctypes.c_void_p),
        ("byte_order", ctypes.c_int),
        ("bitmap_unit", ctypes.c_int),
        ("bitmap_bit_order", ctypes.c_int),
        ("bitmap_pad", ctypes.c_int),
        ("depth", ctypes.c_int),
        ("bytes_per_line", ctypes.c_int),
        ("bits_per_pixel", ctypes.c_int),
    )


def grab(path: Path) -> None:
    """Write what the display shows as PNG; the display has 32 bits a pixel, as Xvfb's has."""
    lib = ctypes.CDLL("libX11.so.6")
    lib.XOpenDisplay.restype = ctypes.c_void_p
    lib.XDefaultRootWindow.restype = ctypes.c_ulong
    lib.XDefaultRootWindow.argtypes = [ctypes.c_void_p]
    lib.XGetImage.restype = ctypes.POINTER(XImage)
    lib.XGetImage.argtypes = [ctypes.c_void_p, ctypes.c_ulong, *[ctypes.c_int] * 2, *[ctypes.c_uint] * 2,
                              ctypes.c_ulong, ctypes.c_int]  # fmt: skip
    for function in (lib.XDisplayWidth, lib.XDisplayHeight):
        function.argtypes = [ctypes.c_void_p, ctypes.c_int]
    lib.XCloseDisplay.argtypes = [ctypes.c_void_p]
    display = lib.XOpenDisplay(os.environ["DISPLAY"].encode())
    width, height = lib.XDisplayWidth(display, 0), lib.XDisplayHeight(display, 0)
    root = lib.XDefaultRootWindow(display)
    image = lib.XGetImage(display, root, 0, 0, width, height, ALL_PLANES, ZPIXMAP).contents
    raw = ctypes.string_at(image.data, image.bytes_per_line * height)
    lib.XCloseDisplay(display)
    rows: list[bytes] = []
    for y in range(height):
        line = raw[y * image.bytes_per_line : y * image.bytes_per_line + width * 4]
        rgb = bytearray(width * 3)
        rgb[0::3], rgb[1::3], rgb[2::3] = line[2::4], line[1::4], line[0::4]
        rows.append(b"\0" + bytes(rgb))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 6)), (b"IEND", b"")]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

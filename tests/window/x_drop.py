# SPDX-License-Identifier: GPL-3.0-or-later
"""Drops a file onto a window as a file manager does: the source's side of XDND, with libX11 alone.

Source: freedesktop.org, "Drag-and-Drop Protocol for the X Window System", version 5.
"""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path
from typing import Any

VERSION = 5
CLIENT_MESSAGE, SELECTION_REQUEST, SELECTION_NOTIFY = 33, 30, 31
ATOM_TYPE, REPLACE = 4, 0  # XA_ATOM, PropModeReplace
ANY_TYPE = 0
PATIENCE_S = 30.0
STEP_S = 0.02

Window = Atom = Time = ctypes.c_ulong
# Fields with which Xlib's events begin, and those of a request for a selection and of the answer.
EVENT_HEAD = (
    ("type", ctypes.c_int),
    ("serial", ctypes.c_ulong),
    ("send_event", ctypes.c_int),
    ("display", ctypes.c_void_p),
)
SELECTION = (
    ("requestor", Window),
    ("selection", Atom),
    ("target", Atom),
    ("property", Atom),
    ("time", Time),
)


class ClientMessage(ctypes.Structure):
    """Xlib's XClientMessageEvent with 32-bit data."""

    _fields_ = (
        *EVENT_HEAD,
        ("window", Window),
        ("message_type", Atom),
        ("format", ctypes.c_int),
        ("data", ctypes.c_long * 5),
    )


class SelectionRequest(ctypes.Structure):
    """Xlib's XSelectionRequestEvent."""

    _fields_ = (
        *EVENT_HEAD,
        ("owner", Window),
        *SELECTION,
    )


class SelectionNotify(ctypes.Structure):
    """Xlib's XSelectionEvent."""

    _fields_ = (
        *EVENT_HEAD,
        *SELECTION,
    )


class Event(ctypes.Union):
    """Xlib's XEvent."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("client", ClientMessage),
        ("request", SelectionRequest),
        ("notify", SelectionNotify),
        ("pad", ctypes.c_long * 24),
    )


class DropSource:
    """A client of the X server that has a file to drop.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._uri = (path.absolute().as_uri() + "\r\n").encode()
        self._lib = _libx11()
        self._display = self._lib.XOpenDisplay(os.environ["DISPLAY"].encode())
        self._root = self._lib.XDefaultRootWindow(self._display)
        self._window = self._lib.XCreateSimpleWindow(self._display, self._root, 0, 0, 1, 1, 0, 0, 0)
        self._lib.XSetSelectionOwner(self._display, self._atom("XdndSelection"), self._window, 0)

    def drop(self, x: int, y: int) -> None:
        """Drag the file over a place of the screen, drop it there, and wait until it is taken.

        Args:
            x: px from the left of the screen.
            y: px from its top.
        """
        target = self._aware_window(self._root)
        if not target:
            raise AssertionError("no window takes drops")
        self._send(target, "XdndEnter", VERSION << 24, self._atom("text/uri-list"), 0, 0)
        for near in (8, 0):  # over the place, as a mouse that comes to rest there
            place = (x + near) << 16 | y
            self._send(target, "XdndPosition", 0, place, 0, self._atom("XdndActionCopy"))
            self._answer_until("XdndStatus")
        self._send(target, "XdndDrop", 0, 0, 0, 0)
        self._answer_until("XdndFinished")
        self._lib.XCloseDisplay(self._display)

    def _atom(self, name: str) -> int:
        return self._lib.XInternAtom(self._display, name.encode(), 0)

    def _aware_window(self, window: int) -> int:
        """Return the first window in a tree that takes drops, or 0."""
        if self._has_property(window, "XdndAware"):
            return window
        root, parent, count = Window(), Window(), ctypes.c_uint()
        children = ctypes.POINTER(Window)()
        self._lib.XQueryTree(
            self._display, window, ctypes.byref(root), ctypes.byref(parent), ctypes.byref(children),
            ctypes.byref(count),
        )  # fmt: skip
        found = (self._aware_window(children[number]) for number in range(count.value))
        return next((child for child in found if child), 0)

    def _has_property(self, window: int, name: str) -> bool:
        kind, form, count, left = Atom(), ctypes.c_int(), ctypes.c_ulong(), ctypes.c_ulong()
        data = ctypes.c_void_p()
        self._lib.XGetWindowProperty(
            self._display, window, self._atom(name), 0, 1, 0, ANY_TYPE, ctypes.byref(kind),
            ctypes.byref(form), ctypes.byref(count), ctypes.byref(left), ctypes.byref(data),
        )  # fmt: skip
        return bool(kind.value)

    def _send(self, target: int, name: str, *data: int) -> None:
        event = Event()
        event.client.type, event.client.window, event.client.format = CLIENT_MESSAGE, target, 32
        event.client.message_type = self._atom(name)
        event.client.data[:] = (self._window, *data)
        self._lib.XSendEvent(self._display, target, 0, 0, ctypes.byref(event))
        self._lib.XFlush(self._display)

    def _answer_until(self, name: str) -> None:
        """Give the file's address to whom asks for it, until a message comes."""
        wanted, end_s, event = self._atom(name), time.monotonic() + PATIENCE_S, Event()
        while time.monotonic() < end_s:
            if not self._lib.XPending(self._display):
                time.sleep(STEP_S)
                continue
            self._lib.XNextEvent(self._display, ctypes.byref(event))
            if event.type == SELECTION_REQUEST:
                self._give(event.request)
            elif event.type == CLIENT_MESSAGE and event.client.message_type == wanted:
                return
        raise TimeoutError(f"{name} did not come")

    def _give(self, request: SelectionRequest) -> None:
        self._lib.XChangeProperty(
            self._display, request.requestor, request.property, request.target, 8, REPLACE,
            self._uri, len(self._uri),
        )  # fmt: skip
        event = Event()
        event.notify.type, event.notify.requestor = SELECTION_NOTIFY, request.requestor
        event.notify.selection, event.notify.target = request.selection, request.target
        event.notify.property, event.notify.time = request.property, request.time
        self._lib.XSendEvent(self._display, request.requestor, 0, 0, ctypes.byref(event))
        self._lib.XFlush(self._display)


def _libx11() -> Any:
    """Return libX11 with the types of what is called: pointers do not fit into ctypes' int."""
    lib = ctypes.CDLL("libX11.so.6")
    pointer, integer, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    types: dict[str, tuple[Any, list[Any]]] = {
        "XOpenDisplay": (pointer, [text]),
        "XCloseDisplay": (integer, [pointer]),
        "XDefaultRootWindow": (Window, [pointer]),
        "XCreateSimpleWindow": (
            Window,
            [pointer, Window, *[integer] * 2, *[ctypes.c_uint] * 3, *[Window] * 2],
        ),
        "XSetSelectionOwner": (integer, [pointer, Atom, Window, Time]),
        "XInternAtom": (Atom, [pointer, text, integer]),
        "XQueryTree": (integer, [pointer, Window, *[pointer] * 4]),
        "XGetWindowProperty": (
            integer,
            [pointer, Window, Atom, ctypes.c_long, ctypes.c_long, integer, Atom, *[pointer] * 5],
        ),
        "XSendEvent": (integer, [pointer, Window, integer, ctypes.c_long, pointer]),
        "XChangeProperty": (integer, [pointer, Window, Atom, Atom, integer, integer, text, integer]),
        "XPending": (integer, [pointer]),
        "XNextEvent": (integer, [pointer, pointer]),
        "XFlush": (integer, [pointer]),
    }
    for name, (result, arguments) in types.items():
        function = getattr(lib, name)
        function.restype, function.argtypes = result, arguments
    return lib

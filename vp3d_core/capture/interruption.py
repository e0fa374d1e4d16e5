# SPDX-License-Identifier: GPL-3.0-or-later
"""Ctrl-C and a closed stdin, both turned into a KeyboardInterrupt in the main thread; and the way out."""

from __future__ import annotations

import _thread
import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import NoReturn

from ..protocol import Event

__all__ = ["EXIT_CANCELLED", "Interruption", "leave"]

EXIT_CANCELLED = 130  # what shells report for a command that SIGINT ended: 128 + 2


class Interruption:
    """Asks a capture to stop.

    The first request raises KeyboardInterrupt in the main thread; as a library may swallow it, the next
    event raises it again. While a module is imported only the next event raises it: from there compiled
    modules turn it into another error, or abort. A second Ctrl-C ends the process at once.
    """

    def __init__(self) -> None:
        self.requested = False

    def listen(self) -> None:
        """Take over SIGINT; call from the main thread."""
        signal.signal(signal.SIGINT, self._on_sigint)

    def watch_stdin(self) -> None:
        """Interrupt when stdin is closed: the parent cancels, or is no more."""
        threading.Thread(target=_wait_for_stdin, name="watch stdin", daemon=True).start()

    def guard(self, emit: Callable[[Event], None]) -> Callable[[Event], None]:
        """Return ``emit`` with a check before each event."""

        def emit_unless_requested(event: Event) -> None:
            if self.requested:
                raise KeyboardInterrupt
            emit(event)

        return emit_unless_requested

    @staticmethod
    def ignore() -> None:
        """Let nothing interrupt the last lines any more."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _on_sigint(self, number: int, frame: FrameType | None) -> None:
        del number
        if self.requested:
            os._exit(EXIT_CANCELLED)
        self.requested = True
        if not _is_importing(frame):
            raise KeyboardInterrupt


def leave(code: int) -> NoReturn:
    """End the process at once, with nothing left to say or to write.

    Taking torch, MediaPipe and their threads down in good order takes a second, and somebody waits.
    """
    with contextlib.suppress(OSError):  # a full disk
        sys.stdout.flush()
        logging.shutdown()
        sys.stderr.flush()
    os._exit(code)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _wait_for_stdin() -> None:
    # os.read and not sys.stdin: a daemon thread that holds its lock makes Python abort at exit.
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass  # a stdin that cannot be read is as good as closed
    if hasattr(signal, "pthread_kill"):  # also wakes the main thread from a system call
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    else:
        _thread.interrupt_main()

# SPDX-License-Identifier: GPL-3.0-or-later
"""The standard streams of a process that was started without some (``>&-``). Runs on Python 3.9."""

from __future__ import annotations

import os
import sys

__all__ = ["open_missing_streams", "write_to_nowhere"]


def open_missing_streams() -> None:
    """Point each standard stream that is closed to nowhere, before a file that is opened takes its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)
        os.set_inheritable(number, True)
        setattr(sys, name, os.fdopen(number, "w" if number else "r", encoding="utf-8", closefd=False))


def write_to_nowhere() -> None:
    """Send what is still printed nowhere: a flush into a closed pipe or onto a full disk would complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        os.dup2(nowhere, number)
    os.close(nowhere)

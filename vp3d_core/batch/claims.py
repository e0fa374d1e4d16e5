# SPDX-License-Identifier: GPL-3.0-or-later
"""Who works on a clip: a file in its folder, so that machines that share the folder never do the same clip.

A claim is made with O_EXCL, which holds on network file systems too, and kept alive by its time of change.
It is stale when it was not kept alive for some minutes, or at once when its process on this machine is gone.
Times are compared on the file server's clock only. Standard library only.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from ..output_file import output_error, temporary_path

__all__ = ["CLAIM_NAME", "EXPIRY_S", "Claim", "ClaimHolder", "claim_clip"]

CLAIM_NAME = "claim.json"
TAKEOVER_NAME = "claim.takeover"
EXPIRY_S = 300.0  # without a sign of life
HEARTBEAT_S = 20.0  # between signs of life: many fit into the expiry, as a busy Blender may skip some


@dataclass(frozen=True, slots=True)
class ClaimHolder:
    """Who holds a claim.

    Attributes:
        machine: Names the machine (and the container) the process number is valid on.
        host: Its name for people.
        pid: Of the process.
        token: Of this very claim.
        attempt: 1, or more when earlier holders died over the clip.
    """

    machine: str
    host: str
    pid: int
    token: str
    attempt: int = 1


class Claim:
    """A claim that this process holds; it is kept alive by a thread until ``release``.

    Args:
        path: The claim file, which exists.
        holder: This process.
    """

    def __init__(self, path: Path, holder: ClaimHolder) -> None:
        self._path = path
        self.holder = holder
        self._ended = threading.Event()
        threading.Thread(target=self._keep_alive, name="claim", daemon=True).start()

    def is_held(self) -> bool:
        """Return whether nobody has taken the claim over meanwhile."""
        current = read_holder(self._path)
        return current is not None and current.token == self.holder.token

    def release(self) -> None:
        """Give the clip free."""
        self._ended.set()
        if self.is_held():
            self._path.unlink(missing_ok=True)

    def _keep_alive(self) -> None:
        while not self._ended.wait(HEARTBEAT_S):
            try:
                os.utime(self._path)
            except OSError:
                continue  # a network folder may be away for a while


def claim_clip(folder: Path, *, expiry_s: float = EXPIRY_S) -> Claim | ClaimHolder:
    """Claim a clip for this process.

    Args:
        folder: The clip's output folder, which exists.
        expiry_s: Seconds after which a claim without a sign of life is taken over.

    Returns:
        The claim, or who holds it.

    Raises:
        OutputError: If the folder cannot be written.
    """
    path = folder / CLAIM_NAME
    mine = ClaimHolder(_machine(), platform.node() or "?", os.getpid(), secrets.token_hex(8))
    if _create(path, mine):
        return Claim(path, mine)
    other = read_holder(path)
    if not _is_stale(path, other, expiry_s=expiry_s):
        return other or ClaimHolder("", "?", 0, "")
    return _take_over(path, mine, expiry_s=expiry_s)


def read_holder(path: Path) -> ClaimHolder | None:
    """Return who holds a claim, or None when there is none or it is not whole (yet)."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        return ClaimHolder(
            str(values["machine"]),
            str(values["host"]),
            int(values["pid"]),
            str(values["token"]),
            int(values["attempt"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _create(path: Path, holder: ClaimHolder) -> bool:
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    except FileExistsError:
        return False
    except OSError as error:
        raise output_error(path, error) from error
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(_text(holder))
    return True


def _text(holder: ClaimHolder) -> str:
    values = {name: getattr(holder, name) for name in ("machine", "host", "pid", "token", "attempt")}
    return json.dumps(values) + "\n"


def _take_over(path: Path, mine: ClaimHolder, *, expiry_s: float) -> Claim | ClaimHolder:
    """Replace a stale claim; of several who try, the one that makes the takeover file may."""
    lock = path.with_name(TAKEOVER_NAME)
    if not _create(lock, mine):
        if _age_s(lock) > expiry_s:  # its maker died within a moment
            lock.unlink(missing_ok=True)
        return read_holder(lock) or mine
    try:
        other = read_holder(path)
        if not _is_stale(path, other, expiry_s=expiry_s):
            return other or mine
        attempt = 1 if other is None else other.attempt + 1
        mine = ClaimHolder(mine.machine, mine.host, mine.pid, mine.token, attempt)
        temporary = temporary_path(path)
        temporary.write_text(_text(mine), encoding="utf-8")
        os.replace(temporary, path)
        return Claim(path, mine)
    except OSError as error:
        raise output_error(path, error) from error
    finally:
        lock.unlink(missing_ok=True)


def _is_stale(path: Path, holder: ClaimHolder | None, *, expiry_s: float) -> bool:
    if holder is not None and holder.machine == _machine() and not _is_alive(holder.pid):
        return True
    return _age_s(path) > expiry_s


def _age_s(path: Path) -> float:
    """Return the seconds since a file was changed, by the clock of its file system; 0 when it is gone."""
    clock = temporary_path(path)
    try:
        clock.touch()
        return clock.stat().st_mtime - path.stat().st_mtime
    except OSError:
        return 0.0
    finally:
        clock.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    if sys.platform == "win32":
        return True  # there, asking with signal 0 would end it: its claim expires instead
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _machine() -> str:
    """Return what tells this machine, this start of it, and this container from others."""
    parts = [platform.node()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    except OSError:
        return parts[0]  # no Linux: the name alone has to do
    return " ".join(parts)

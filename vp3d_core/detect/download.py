# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads that go on where they stopped and are checked by their hash. Standard library only."""

from __future__ import annotations

import http.client
import ipaddress
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import OutputError, WeightsCorrupt, WeightsMissing
from ..file_hash import file_sha256

__all__ = ["download"]

CHUNK_BYTES = 1 << 18
TIMEOUT_S = 30.0  # without a byte
HTTP_PARTIAL, HTTP_RANGE_NOT_SATISFIABLE = 206, 416

Progress = Callable[[int, "int | None"], None]


def download(
    url: str, path: Path, *, sha256_prefix: str, hint: str = "", on_progress: Progress | None = None
) -> str:
    """Fetch a file; a ``.part`` file beside it keeps what has arrived, and a second call goes on from there.

    Args:
        url: An https address, or one on this machine itself.
        path: Where the file goes, once it is whole and its hash is right; its folder must exist.
        sha256_prefix: How the file's sha256 must begin, in hexadecimal.
        hint: What the user can do when the network fails.
        on_progress: Called with the bytes that are here and the whole size, None where it is unknown.

    Returns:
        The file's sha256.

    Raises:
        WeightsMissing: The network failed; what has arrived is kept.
        WeightsCorrupt: What arrived has another hash; it is removed.
        OutputError: The file cannot be written.
    """
    _check_address(url)
    part = path.with_name(path.name + ".part")
    try:
        _fetch(url, part, hint=hint, on_progress=on_progress)
        digest = file_sha256(part)
        if not digest.startswith(sha256_prefix):
            part.unlink()
            raise WeightsCorrupt(
                f"{url} arrived with sha256 {digest[:16]}…, expected {sha256_prefix}…; it was removed",
                hint=f"Run it again. {hint}".strip(),
            )
        os.replace(part, path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written: {error.strerror or error}",
            hint="Free some space on the disk, or set VP3D_HOME to another folder.",
        ) from error
    return digest


def _check_address(url: str) -> None:
    """Raise ValueError unless an address is https, or on this machine, where nobody can listen in between."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        return
    raise ValueError(f"{url} is not an https address")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _HttpsRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]  # noqa: PLR0913
        """Refuse to be led away from https."""
        _check_address(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _fetch(url: str, part: Path, *, hint: str, on_progress: Progress | None) -> None:
    """Append what is missing to the part file."""
    have = part.stat().st_size if part.exists() else 0
    response = _open(url, have, hint=hint)
    if (
        response is None
    ):  # the server has nothing after `have`: it is whole, or too long, which the hash tells
        return
    with response:
        if response.status != HTTP_PARTIAL:
            have = 0
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdecimal() else None
        with part.open("ab" if have else "wb") as file:
            for chunk in _chunks(response, url, hint=hint):
                file.write(chunk)
                have += len(chunk)
                if on_progress is not None:
                    on_progress(have, total)
    if total is not None and have < total:
        raise _network_error(url, f"the connection ended after {have} of {total} bytes", hint)


def _open(url: str, have: int, *, hint: str) -> http.client.HTTPResponse | None:
    request = urllib.request.Request(url, headers={"User-Agent": "vp3d"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        return urllib.request.build_opener(_HttpsRedirects).open(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError as error:
        error.close()
        if have and error.code == HTTP_RANGE_NOT_SATISFIABLE:
            return None
        raise _network_error(url, f"the server answered {error.code} {error.reason}", hint) from error
    except (urllib.error.URLError, http.client.HTTPException, OSError, ValueError) as error:
        raise _network_error(url, str(getattr(error, "reason", error)), hint) from error


def _chunks(response: http.client.HTTPResponse, url: str, *, hint: str) -> Iterator[bytes]:
    while True:
        try:
            chunk = response.read(CHUNK_BYTES)
        except (http.client.HTTPException, OSError) as error:
            raise _network_error(url, f"the connection broke: {error}", hint) from error
        if not chunk:
            return
        yield chunk


def _network_error(url: str, reason: str, hint: str) -> WeightsMissing:
    return WeightsMissing(
        f"{url} cannot be fetched: {reason}", hint=f"Run it again when online. {hint}".strip()
    )

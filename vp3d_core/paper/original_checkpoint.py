# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads an original VideoPose3D checkpoint in a process of its own. Standard library only.

Such a file is a pickle with a RandomState of NumPy beside the weights, in torch's old format or in its zip
format. The unpickler (``detect/checkpoint_reader.py``) imports and calls nothing that the file names. The
process around it has no site packages, may open no other file, and is refused network, processes and further
imports, should that ever fail.
"""

from __future__ import annotations

import json
import os
import pickle
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, cast

from ..detect.checkpoint_reader import (
    MAX_PICKLE_BYTES,
    NumberType,
    StoredTensor,
    TensorView,
    WeightsUnpickler,
    read_archive,
    read_tensor,
    write_safetensors,
)
from ..errors import VP3DError, WeightsCorrupt, WeightsMissing

__all__ = ["convert_in_own_process", "read_original"]

MODELS = ("model_pos", "model_traj")
TIMEOUT_S = 300
LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # torch's number for files without a zip archive
_REFUSED = (
    "socket.", "subprocess.", "ctypes.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn",
    "os.startfile", "pty.", "import", "code.", "exec", "compile",
)  # fmt: skip


class _LegacyUnpickler(WeightsUnpickler):
    """Notes every storage of an old file: their numbers follow the pickle, without names of types."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.types: dict[str, NumberType] = {}

    def persistent_load(self, pid: Any, /) -> object:
        """Answer ("storage", type, key, location, count, view)."""
        if isinstance(pid, tuple) and len(pid) >= 3 and isinstance(pid[1], NumberType):
            if len(pid) > 5 and pid[5] is not None:
                raise pickle.UnpicklingError("a storage is a part of another")
            self.types[str(pid[2])] = pid[1]
        return super().persistent_load(pid)


def read_original(path: Path) -> tuple[dict[str, StoredTensor], int]:
    """Read ``model_pos`` and, where it is more than None, ``model_traj``.

    Returns:
        Tensors named "model_pos.expand_conv.weight" and so on, and the number of epochs (0 if it is not
        said).

    Raises:
        WeightsCorrupt: The file is no such checkpoint.
    """
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return _models(*read_archive(archive))
        with path.open("rb") as file:
            return _models(*_read_legacy(file))
    except (OSError, zipfile.BadZipFile, pickle.UnpicklingError, struct.error, KeyError, ValueError,
    TypeError,
            AttributeError, IndexError, EOFError, RuntimeError, MemoryError) as error:  # fmt: skip
        # A pickle that was tampered with fails in many ways; all mean the same to the user.
        raise WeightsCorrupt(
            f"{path} is not a VideoPose3D checkpoint that can be read: {type(error).__name__}: {error}",
            hint="Give the .bin file that VideoPose3D wrote or that you downloaded.",
        ) from error


def _read_legacy(file: BinaryIO) -> tuple[object, Callable[[TensorView], bytes]]:
    if WeightsUnpickler(file).load() != LEGACY_MAGIC:
        raise ValueError("it is neither a zip archive nor one of torch's old files")
    WeightsUnpickler(file).load()  # the format's version
    system = WeightsUnpickler(file).load()
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise ValueError("the numbers are not little-endian")
    unpickler = _LegacyUnpickler(file)
    content: object = unpickler.load()
    keys = WeightsUnpickler(file).load()
    if file.tell() > MAX_PICKLE_BYTES or not isinstance(keys, list):
        raise ValueError("the list of storages is missing")
    places = _storage_places(file, cast(list[object], keys), unpickler.types)

    def stored(view: TensorView) -> bytes:
        start, length = places[view.storage.key]
        file.seek(start)
        return file.read(length)

    return content, stored


def _storage_places(
    file: BinaryIO, keys: list[object], types: Mapping[str, NumberType]
) -> dict[str, tuple[int, int]]:
    """Return where each storage begins and how long it is, in bytes."""
    places: dict[str, tuple[int, int]] = {}
    place = file.tell()
    for key in keys:
        file.seek(place)
        (count,) = struct.unpack("<q", file.read(8))
        length = count * types[str(key)].width
        if count < 0:
            raise ValueError(f"a storage has {count} numbers")
        places[str(key)] = (place + 8, length)
        place += 8 + length
    return places


def _models(content: object, stored: Callable[[TensorView], bytes]) -> tuple[dict[str, StoredTensor], int]:
    if not isinstance(content, dict) or not isinstance(content.get("model_pos"), dict):
        raise ValueError("it has no 'model_pos'")
    tensors: dict[str, StoredTensor] = {}
    for model in MODELS:
        weights = content.get(model)
        if weights is None:  # a model trained with labels only
            continue
        if not isinstance(weights, dict):
            raise ValueError(f"{model!r} holds no weights")
        for name, view in cast(dict[object, object], weights).items():
            if not isinstance(name, str) or not isinstance(view, TensorView):
                raise ValueError(f"entry {name!r} of {model!r} is not a tensor")
            # Copies that DataParallel made are named module.*
            tensors[f"{model}.{name.removeprefix('module.')}"] = read_tensor(stored(view), view)
    epoch = content.get("epoch")
    return tensors, epoch if type(epoch) is int else 0


def convert_in_own_process(path: Path, out: Path) -> int:
    """Write the weights of an original checkpoint as safetensors, reading it in a restricted process.

    Returns:
        Epochs that it was trained for.

    Raises:
        WeightsMissing: There is no such file.
        WeightsCorrupt: It cannot be read.
    """
    if not path.is_file():
        raise WeightsMissing(f"There is no file {path}", hint="Give the checkpoint's path.")
    root = Path(__file__).resolve().parents[2]
    start = f"import sys; sys.path.insert(0, sys.argv[1]); from {__name__} import main; main()"
    # Windows starts no Python without SYSTEMROOT; nothing else is handed on.
    environment = {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", start, str(root), str(path.resolve()), str(out.resolve())],
            capture_output=True, text=True, timeout=TIMEOUT_S, env=environment, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise WeightsCorrupt(f"Reading {path} took more than {TIMEOUT_S} s") from error
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise WeightsCorrupt(f"Reading {path} ended with {done.returncode}: {done.stderr[-500:]}") from error
    if "error" in answer:
        raise WeightsCorrupt(answer["error"], hint=answer["hint"])
    return int(answer["epochs"])


def _restrict(source: str, target_folder: str) -> None:
    """Refuse what reading needs not; cannot be undone in this process."""
    zipfile.ZipFile.__name__.encode("cp437")  # names in archives: its codec is imported now

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(_REFUSED):
            raise RuntimeError(f"{event} is refused while a checkpoint is read")
        if event == "open":
            name, mode = str(arguments[0]), arguments[1]
            is_read = mode is not None and not set(str(mode)) & set("wax+")
            if name != source and (is_read or Path(name).parent != Path(target_folder)):
                raise RuntimeError(f"opening {name} is refused while a checkpoint is read")

    sys.addaudithook(refuse)


def main() -> None:
    """Read argv[2], write argv[3]; answer with one JSON object on stdout."""
    source, target = sys.argv[2], Path(sys.argv[3])
    _restrict(source, str(target.parent))
    try:
        tensors, epochs = read_original(Path(source))
        write_safetensors(target, tensors, metadata={})
        answer: dict[str, object] = {"epochs": epochs}
    except VP3DError as error:
        answer = {"error": error.message, "hint": error.hint}
    sys.stdout.write(json.dumps(answer))

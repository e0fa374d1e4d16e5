# SPDX-License-Identifier: GPL-3.0-or-later
"""The official MMPose checkpoints: which are here, which of them are taken, fetching and importing them.

Standard library only: install.py uses it on a bare Python. A checkpoint is kept as safetensors in the weights
folder, converted once by checkpoint_reader.py, which runs none of the code that a .pth file can hold.
"""

from __future__ import annotations

import json
import shutil
import struct
from collections.abc import Callable, Iterable
from pathlib import Path

from ..errors import InputError, OutputError, WeightsCorrupt, WeightsMissing
from ..file_hash import file_sha256
from ..output_file import replaced_when_done
from ..user_folders import weights_folder
from .checkpoint_reader import read_state_dict, write_safetensors
from .download import download
from .mmpose_catalogue import CATALOGUE, POSE_MODELS, Checkpoint, Role

__all__ = [
    "CATALOGUE",
    "DEFAULT_NAMES",
    "checkpoint",
    "fetch",
    "import_file",
    "installed",
    "missing",
    "mmpose_folder",
    "models",
    "origin",
    "path_of",
    "Role",
    "require",
    "usable",
]

BASE_ADDRESS = "https://download.openmmlab.com/mmpose/v1/projects/"
# What is fetched when nothing is named: the best that runs at a usable rate on a CPU.
DEFAULT_PERSON, DEFAULT_POSE = DEFAULT_NAMES = ("rtmdet-nano", "rtmpose-m-halpe26")
MAX_HEADER_BYTES = 16 * 2**20

Progress = Callable[[str, int, "int | None"], None]


def mmpose_folder() -> Path:
    """Return the folder of the converted weights; it need not exist."""
    return weights_folder() / "mmpose"


def path_of(name: str) -> Path:
    """Return where a model's weights are, or would be."""
    return mmpose_folder() / f"{name}.safetensors"


def checkpoint(name: str) -> Checkpoint:
    """Return a catalogue entry by name; InputError when there is none."""
    for entry in CATALOGUE:
        if entry.name == name:
            return entry
    known = ", ".join(entry.name for entry in CATALOGUE)
    raise InputError(f"There is no model named {name!r}", hint=f"Known are {known}.")


def installed(role: Role | None = None) -> list[str]:
    """Return the names of the models that are on this machine, in the catalogue's order."""
    return [entry.name for entry in CATALOGUE if role in (None, entry.role) and path_of(entry.name).is_file()]


def models(pose: str | None = None, *, person: str | None = None) -> tuple[str, ...]:
    """Return the models that find people, whether they are here or not: a person finder and a pose model.

    RTMO needs no person finder and comes alone. Of a kind that is not named the most accurate one that is
    here is taken, RTMO only where nothing better is complete, and a default one where there is none.

    Args:
        pose: Name of a "pose" or "one-pass" model, or None.
        person: Name of a person finder, or None; not used with RTMO.

    Raises:
        InputError: There is no model of that name, or it is of another role.
    """
    pose = pose or _preferred_pose()
    role = checkpoint(pose).role
    if role == "person":
        raise InputError(
            f"{pose} is a person model, expected a pose model", hint=f"Name one of {', '.join(POSE_MODELS)}."
        )
    if role == "one-pass":
        return (pose,)
    person = person or [DEFAULT_PERSON, *installed("person")][-1]
    if checkpoint(person).role != "person":
        finders = ", ".join(entry.name for entry in CATALOGUE if entry.role == "person")
        raise InputError(f"{person} is no person finder", hint=f"Name one of {finders}.")
    return person, pose


def _preferred_pose() -> str:
    one_pass = installed("one-pass")
    if one_pass and not (installed("pose") and installed("person")):
        return one_pass[-1]
    return [DEFAULT_POSE, *installed("pose")][-1]


def missing(pose: str | None = None) -> list[str]:
    """Return which of ``models`` are not here: nothing when MMPose can be used, with that pose model."""
    return [name for name in models(pose) if not path_of(name).is_file()]


def usable() -> list[str]:
    """Return the pose models that can be used with what is here."""
    return [name for name in POSE_MODELS if not missing(name)]


def require(name: str) -> Path:
    """Return the path of a model's weights.

    Raises:
        InputError: There is no model of that name.
        WeightsMissing: Its weights are not on this machine.
    """
    entry = checkpoint(name)
    path = path_of(name)
    if not path.is_file():
        raise WeightsMissing(f"The weights of {name} are not in {mmpose_folder()}", hint=_hint(entry))
    return path


def fetch(
    names: Iterable[str] = DEFAULT_NAMES,
    *,
    on_progress: Progress | None = None,
    base_address: str = BASE_ADDRESS,
) -> list[Path]:
    """Fetch checkpoints that are not here yet and convert them; a second call goes on where one stopped.

    Args:
        names: Names from the catalogue.
        on_progress: Called with the model's name, the bytes that are here, and the size or None.
        base_address: Where OpenMMLab's files are, or a mirror of them: https, ending in "/".

    Returns:
        Where each model's weights are.

    Raises:
        WeightsMissing: The network failed.
        WeightsCorrupt: A file's hash is wrong, or its content is no checkpoint.
        OutputError: The weights folder cannot be written.
    """
    entries = [checkpoint(name) for name in names]
    for entry in entries:
        if path_of(entry.name).is_file():
            continue
        _make_folder()
        fetched = mmpose_folder() / entry.file_name
        tell = None if on_progress is None else _naming(entry.name, on_progress)
        digest = _kept_sha256(fetched, entry) or download(
            base_address + entry.address,
            fetched,
            sha256_prefix=entry.sha256_prefix,
            hint=_hint(entry),
            on_progress=tell,
        )
        _convert(fetched, entry, sha256=digest)
        fetched.unlink()
    return [path_of(entry.name) for entry in entries]


def _kept_sha256(fetched: Path, entry: Checkpoint) -> str | None:
    """Return the sha256 of a checkpoint that was fetched whole and not converted any more, or None."""
    digest = file_sha256(fetched) if fetched.is_file() else ""
    return digest if digest.startswith(entry.sha256_prefix) else None


def import_file(path: Path | str, *, name: str | None = None) -> Path:
    """Convert a checkpoint that is already on this machine into the weights folder.

    Args:
        path: An official .pth file, told by its hash; or a .safetensors file out of another weights folder.
        name: The model it is for, for a checkpoint of one's own (fine-tuned with MMPose); then any
            hash is taken.

    Returns:
        Where the weights are now.

    Raises:
        InputError: There is no such file or no model of that name.
        WeightsCorrupt: The file is none of the catalogue's, or it is no checkpoint.
        OutputError: The weights folder cannot be written.
    """
    path = Path(path)
    if not path.is_file():
        found = f"{path} is a folder, not a file" if path.is_dir() else f"There is no file {path}"
        raise InputError(found, hint="Give the .pth file of a checkpoint.")
    if path.suffix == ".safetensors":
        return _take_over(path, name)
    digest = file_sha256(path)
    entry = checkpoint(name) if name is not None else _recognise(path, digest)
    _make_folder()
    _convert(path, entry, sha256=digest)
    return path_of(entry.name)


def origin(path: Path) -> dict[str, str]:
    """Return what converted weights say about themselves: "model", "source" and "sha256" of the .pth file.

    Raises:
        WeightsCorrupt: The file is not one that was converted here, or it is cut short.
    """
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(length, MAX_HEADER_BYTES)))
        about = header.pop("__metadata__")
        size = 8 + length + max(entry["data_offsets"][1] for entry in header.values())
        found = {key: str(about[key]) for key in ("model", "source", "sha256")}
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsCorrupt(
            f"{path} holds no weights that were converted by VP3D", hint="Import the .pth file instead."
        ) from error
    if path.stat().st_size != size:
        raise WeightsCorrupt(
            f"{path} has {path.stat().st_size} bytes, expected {size}", hint="Fetch or import it again."
        )
    return found


def _convert(source: Path, entry: Checkpoint, *, sha256: str) -> None:
    metadata = {"model": entry.name, "source": source.name, "sha256": sha256}
    write_safetensors(path_of(entry.name), read_state_dict(source), metadata=metadata)


def _take_over(path: Path, name: str | None) -> Path:
    model = origin(path)["model"]
    if name not in (None, model):
        raise InputError(f"{path} holds the weights of {model}, not of {name}", hint="Leave the name out.")
    target = path_of(checkpoint(model).name)
    _make_folder()
    with replaced_when_done(target) as temporary:
        shutil.copyfile(path, temporary)
    return target


def _recognise(path: Path, digest: str) -> Checkpoint:
    for entry in CATALOGUE:
        if digest.startswith(entry.sha256_prefix):
            return entry
    for entry in CATALOGUE:
        if path.name == entry.file_name:
            raise WeightsCorrupt(
                f"{path} has sha256 {digest[:8]}…, expected {entry.sha256_prefix}…: it is damaged",
                hint=f"Fetch {BASE_ADDRESS}{entry.address} again.",
            )
    names = ", ".join(entry.name for entry in CATALOGUE)
    raise WeightsCorrupt(
        f"{path} with sha256 {digest[:8]}… is none of the {len(CATALOGUE)} checkpoints that VP3D knows",
        hint=f"For a checkpoint of your own, say which model it is for: {names}.",
    )


def _make_folder() -> None:
    try:
        mmpose_folder().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"{mmpose_folder()} cannot be made: {error.strerror or error}",
            hint="Set VP3D_HOME to a folder that you may write to.",
        ) from error


def _hint(entry: Checkpoint) -> str:
    further = "" if entry.name in DEFAULT_NAMES else f" --model {entry.name}"
    return (
        f"Run 'python install.py weights{further}' with internet; or fetch {BASE_ADDRESS}{entry.address} "
        f"on another machine, then 'python install.py weights --from-file {entry.file_name}'."
    )


def _naming(name: str, on_progress: Progress) -> Callable[[int, int | None], None]:
    return lambda done, total: on_progress(name, done, total)

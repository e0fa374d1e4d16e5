# SPDX-License-Identifier: GPL-3.0-or-later
"""The weights folder: what is fetched, what is imported, and that a checkpoint cannot run anything."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import os
import pickle
import struct
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vp3d_core.detect import mmpose_weights
from vp3d_core.detect.checkpoint_reader import read_state_dict
from vp3d_core.detect.download import download
from vp3d_core.detect.mmpose_catalogue import CATALOGUE, POSE_MODELS, Checkpoint
from vp3d_core.errors import InputError, WeightsCorrupt, WeightsMissing


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("VP3D_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


class GlobalName:
    """Pickled as a bare name, whatever it stands for: torch is not needed to write its checkpoints."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


PlainPickler: Any = pickle._Pickler  # type: ignore[attr-defined]  # the C one cannot write bare names


class CheckpointPickler(PlainPickler):
    dispatch = PlainPickler.dispatch.copy()

    def save_name(self, value: GlobalName) -> None:
        self.write(b"c" + f"{value.module}\n{value.name}\n".encode())

    dispatch[GlobalName] = save_name

    def persistent_id(self, obj: object) -> object:
        return obj if isinstance(obj, tuple) and obj[:1] == ("storage",) else None


class Call:
    """Pickled as a call of a global name."""

    def __init__(self, module: str, name: str, *arguments: object) -> None:
        self.name, self.arguments = GlobalName(module, name), arguments


def save_call(pickler: CheckpointPickler, value: Call) -> None:
    pickler.save(value.name)
    pickler.save(value.arguments)
    pickler.write(pickle.REDUCE)


CheckpointPickler.dispatch[Call] = save_call


def tensor(key: str, shape: tuple[int, ...], strides: tuple[int, ...], *, offset: int = 0) -> Call:
    storage = ("storage", GlobalName("torch", "FloatStorage"), key, "cpu", 24)
    return Call("torch._utils", "_rebuild_tensor_v2", storage, offset, shape, strides, False, OrderedDict())


def write_checkpoint(
    path: Path, content: object, storages: dict[str, bytes], *, compressed: bool = False
) -> Path:
    file = io.BytesIO()
    CheckpointPickler(file, protocol=2).dump(content)
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with zipfile.ZipFile(path, "w", kind) as archive:
        archive.writestr("archive/data.pkl", file.getvalue())
        for key, data in storages.items():
            archive.writestr(f"archive/data/{key}", data)
    return path


NUMBERS = np.arange(24, dtype="<f4")


def good_checkpoint(path: Path, **more: object) -> Path:
    state = OrderedDict(
        {
            "conv.weight": tensor("0", (2, 3, 4), (12, 4, 1)),
            "conv.bias": tensor("0", (2,), (1,), offset=5),
            "conv.last": tensor("0", (2, 3, 4), (12, 1, 3)),
            "steps": tensor("0", (), (), offset=7),
        }
    )
    return write_checkpoint(path, {"state_dict": state, **more}, {"0": NUMBERS.tobytes()})


def test_tensors_come_out_as_they_were_stored(tmp_path):
    tensors = read_state_dict(good_checkpoint(tmp_path / "a.pth"))
    assert tensors["conv.weight"].data == NUMBERS.tobytes()
    assert tensors["conv.bias"].data == NUMBERS[5:7].tobytes()
    strided = np.lib.stride_tricks.as_strided(NUMBERS, (2, 3, 4), (48, 4, 12))
    assert tensors["conv.last"].data == strided.tobytes()
    assert tensors["conv.last"].shape == (2, 3, 4)
    assert (tensors["steps"].shape, tensors["steps"].data) == ((), NUMBERS[7:8].tobytes())


def test_a_checkpoint_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    calls = [
        Call("os", "system", "touch vp3d_was_here"),
        Call("builtins", "eval", "open('vp3d_was_here', 'w')"),
        Call("builtins", "getattr", GlobalName("os", "environ"), "clear"),
        Call("pathlib", "Path", "vp3d_was_here"),
    ]
    path = good_checkpoint(tmp_path / "bad.pth", meta={"calls": calls}, message_hub=calls[0])
    assert set(read_state_dict(path)) == {"conv.weight", "conv.bias", "conv.last", "steps"}
    assert not (tmp_path / "vp3d_was_here").exists()
    assert os.environ


def test_foreign_things_among_the_weights_are_refused(tmp_path):
    path = write_checkpoint(tmp_path / "a.pth", {"state_dict": {"w": Call("os", "getcwd")}}, {})
    with pytest.raises(WeightsCorrupt, match="'w' of the state_dict is not a tensor"):
        read_state_dict(path)


@pytest.mark.parametrize(
    ("shape", "strides"),
    [((5, 5), (5, 1)), ((10**12,), (0,)), ((2, -1), (1, 1)), ((2,), (1, 1)), ((2,), (30,))],
)
def test_tensors_that_do_not_fit_their_storage(tmp_path, shape, strides):
    state = {"w": tensor("0", shape, strides)}
    path = write_checkpoint(tmp_path / "a.pth", {"state_dict": state}, {"0": NUMBERS.tobytes()})
    with pytest.raises(WeightsCorrupt):
        read_state_dict(path)


def test_compressed_storages_are_refused(tmp_path):
    state = {"w": tensor("0", (24,), (1,))}
    path = write_checkpoint(tmp_path / "a.pth", state, {"0": NUMBERS.tobytes()}, compressed=True)
    with pytest.raises(WeightsCorrupt, match="compressed"):
        read_state_dict(path)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"\x80\x02}q\x00."])
def test_files_that_are_no_checkpoint(tmp_path, content):
    (tmp_path / "a.pth").write_bytes(content)
    with pytest.raises(WeightsCorrupt, match=r"a\.pth is not a PyTorch checkpoint"):
        read_state_dict(tmp_path / "a.pth")


def test_catalogue_is_consistent():
    names = [entry.name for entry in CATALOGUE]
    assert len(set(names)) == len(names)
    assert set(mmpose_weights.DEFAULT_NAMES) <= set(names)
    assert all(len(entry.sha256_prefix) == 8 for entry in CATALOGUE)
    for role in ("pose", "one-pass"):  # the last one that is here is taken as the most accurate
        accuracies = [next(iter(entry.metrics.values())) for entry in CATALOGUE if entry.role == role]
        assert accuracies == sorted(accuracies)
    assert set(POSE_MODELS) == {entry.name for entry in CATALOGUE if entry.role in ("pose", "one-pass")}


def put(*names: str) -> None:
    """Stand-ins for converted weights: only whether they are there is looked at."""
    for name in names:
        mmpose_weights.path_of(name).parent.mkdir(parents=True, exist_ok=True)
        mmpose_weights.path_of(name).write_bytes(b"")


@pytest.mark.parametrize(
    ("here", "models", "missing"),
    [
        ([], ("rtmdet-nano", "rtmpose-m-halpe26"), ["rtmdet-nano", "rtmpose-m-halpe26"]),
        (["rtmdet-m"], ("rtmdet-m", "rtmpose-m-halpe26"), ["rtmpose-m-halpe26"]),
        (["rtmpose-t-halpe26"], ("rtmdet-nano", "rtmpose-t-halpe26"), ["rtmdet-nano"]),
        (["rtmdet-nano", "rtmpose-t-halpe26"], ("rtmdet-nano", "rtmpose-t-halpe26"), []),
        # What was fetched beyond the default is meant to be used.
        (
            ["rtmdet-nano", "rtmpose-m-halpe26", "rtmpose-l-halpe26"],
            ("rtmdet-nano", "rtmpose-l-halpe26"),
            [],
        ),
        (
            ["rtmdet-nano", "rtmdet-m", "rtmpose-m-halpe26", "rtmpose-x-halpe26-384"],
            ("rtmdet-m", "rtmpose-x-halpe26-384"),
            [],
        ),
        (["rtmo-t"], ("rtmo-t",), []),
        (["rtmo-t", "rtmo-s"], ("rtmo-s",), []),
        # Halpe-26 has feet, RTMO has not: it is taken where it alone is complete.
        (["rtmo-l", "rtmdet-nano", "rtmpose-t-halpe26"], ("rtmdet-nano", "rtmpose-t-halpe26"), []),
        (["rtmo-t", "rtmpose-m-halpe26"], ("rtmo-t",), []),
        (["rtmo-t", "rtmdet-nano"], ("rtmo-t",), []),
    ],
)
def test_which_models_are_taken(here, models, missing):
    put(*here)
    assert mmpose_weights.models() == models
    assert mmpose_weights.missing() == missing


def test_a_named_model_is_taken_whatever_else_is_here():
    put("rtmdet-nano", "rtmpose-m-halpe26", "rtmo-t")
    assert mmpose_weights.models("rtmo-t") == ("rtmo-t",)
    assert mmpose_weights.models("rtmpose-s-halpe26") == ("rtmdet-nano", "rtmpose-s-halpe26")
    assert mmpose_weights.models(person="rtmdet-m") == ("rtmdet-m", "rtmpose-m-halpe26")
    assert mmpose_weights.missing("rtmo-t") == []
    assert mmpose_weights.missing("rtmo-s") == ["rtmo-s"]
    assert mmpose_weights.usable() == ["rtmpose-m-halpe26", "rtmo-t"]
    mmpose_weights.path_of("rtmdet-nano").unlink()
    assert mmpose_weights.usable() == ["rtmo-t"]


def test_a_model_of_another_role_is_refused():
    with pytest.raises(InputError, match="rtmdet-m is a person model, expected a pose model") as caught:
        mmpose_weights.models("rtmdet-m")
    assert "rtmo-t" in caught.value.hint
    with pytest.raises(InputError, match="rtmo-t is no person finder") as caught:
        mmpose_weights.models(person="rtmo-t")
    assert "rtmdet-nano" in caught.value.hint
    with pytest.raises(InputError, match="no model named 'rtmo'"):
        mmpose_weights.models("rtmo")


def test_import_with_a_name_makes_safetensors(tmp_path):
    source = good_checkpoint(tmp_path / "mine.pth")
    assert mmpose_weights.missing() == list(mmpose_weights.DEFAULT_NAMES)
    path = mmpose_weights.import_file(source, name="rtmpose-t-halpe26")
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    start, end = header["conv.weight"]["data_offsets"]
    assert content[8 + length + start : 8 + length + end] == NUMBERS.tobytes()
    about = mmpose_weights.origin(path)
    assert about["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert mmpose_weights.missing() == ["rtmdet-nano"]
    assert mmpose_weights.installed("pose") == ["rtmpose-t-halpe26"]


def test_converted_weights_move_to_another_machine(tmp_path, monkeypatch):
    path = mmpose_weights.import_file(good_checkpoint(tmp_path / "mine.pth"), name="rtmdet-m")
    monkeypatch.setenv("VP3D_HOME", str(tmp_path / "other"))
    copy = mmpose_weights.import_file(path)
    assert copy.read_bytes() == path.read_bytes()
    assert copy != path
    copy.write_bytes(copy.read_bytes()[:-4])
    with pytest.raises(WeightsCorrupt, match="bytes, expected"):
        mmpose_weights.origin(copy)


def test_an_unknown_file_is_not_taken_without_a_name(tmp_path):
    with pytest.raises(WeightsCorrupt, match="none of the 13 checkpoints"):
        mmpose_weights.import_file(good_checkpoint(tmp_path / "mine.pth"))
    named = good_checkpoint(tmp_path / mmpose_weights.checkpoint("rtmdet-m").file_name)
    with pytest.raises(WeightsCorrupt, match="expected 235e8209…: it is damaged"):
        mmpose_weights.import_file(named)
    with pytest.raises(InputError, match="no file"):
        mmpose_weights.import_file(tmp_path / "none.pth")
    with pytest.raises(InputError, match="no model named 'x'"):
        mmpose_weights.import_file(named, name="x")


def test_missing_weights_say_how_to_get_them_offline():
    with pytest.raises(WeightsMissing) as caught:
        mmpose_weights.require("rtmpose-s-halpe26")
    assert "--from-file rtmpose-s_simcc" in caught.value.hint
    assert "install.py weights --model rtmpose-s-halpe26'" in caught.value.hint
    with pytest.raises(WeightsMissing) as caught:
        mmpose_weights.require("rtmpose-m-halpe26")
    assert "install.py weights'" in caught.value.hint


class Server(http.server.BaseHTTPRequestHandler):
    content = b""
    ranges: list[str]
    stop_after: int | None = None
    honours_ranges = True

    def do_GET(self):
        asked = self.headers.get("Range", "")
        type(self).ranges.append(asked)
        start = int(asked[len("bytes=") : -1]) if asked and self.honours_ranges else 0
        if self.path.endswith("/absent.pth"):
            self.send_error(404)
            return
        if self.path.endswith("/moved.pth"):
            self.send_response(302)
            self.send_header("Location", "http://example.org/a.pth")
            self.end_headers()
            return
        if start >= len(self.content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(self.content) - start))
        self.end_headers()
        body = self.content[start:]
        self.wfile.write(body if self.stop_after is None else body[: self.stop_after])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        pass


@pytest.fixture
def server() -> Iterator[tuple[str, type[Server]]]:
    class Handler(Server):
        content = os.urandom(300_000)
        ranges: list[str] = []  # noqa: RUF012

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}/", Handler
        running.shutdown()
        thread.join()


def prefix(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]


def test_download_goes_on_where_it_stopped(tmp_path, server):
    address, handler = server
    handler.stop_after = 100_000
    target = tmp_path / "a.pth"
    with pytest.raises(WeightsMissing, match="of 300000 bytes|connection broke"):
        download(address + "a.pth", target, sha256_prefix=prefix(handler.content), hint="Do this.")
    assert not target.exists()
    assert (tmp_path / "a.pth.part").stat().st_size == 100_000
    handler.stop_after = None
    seen: list[tuple[int, int | None]] = []
    digest = download(
        address + "a.pth",
        target,
        sha256_prefix=prefix(handler.content),
        on_progress=lambda done, total: seen.append((done, total)),
    )
    assert digest == hashlib.sha256(handler.content).hexdigest()
    assert target.read_bytes() == handler.content
    assert handler.ranges == ["", "bytes=100000-"]
    assert seen[-1] == (300_000, 300_000)
    assert list(tmp_path.glob("*.part")) == []


@pytest.mark.parametrize(("kept", "ranges"), [(300_000, True), (100_000, False)])
def test_download_with_a_whole_part_or_a_server_without_ranges(tmp_path, server, kept, ranges):
    address, handler = server
    handler.honours_ranges = ranges
    (tmp_path / "a.pth.part").write_bytes(handler.content[:kept])
    download(address + "a.pth", tmp_path / "a.pth", sha256_prefix=prefix(handler.content))
    assert (tmp_path / "a.pth").read_bytes() == handler.content


def test_a_damaged_download_is_removed(tmp_path, server):
    address, _handler = server
    with pytest.raises(WeightsCorrupt, match="expected 00000000"):
        download(address + "a.pth", tmp_path / "a.pth", sha256_prefix="00000000")
    assert list(tmp_path.iterdir()) == [tmp_path / "home"] or list(tmp_path.iterdir()) == []


def test_absent_moved_or_unreachable(tmp_path, server):
    address, _handler = server
    for name, reason in (("absent.pth", "404"), ("moved.pth", "not an https address")):
        with pytest.raises(WeightsMissing, match=reason):
            download(address + name, tmp_path / "a.pth", sha256_prefix="0")
    with pytest.raises(WeightsMissing, match="cannot be fetched") as caught:
        download("http://127.0.0.1:9/a.pth", tmp_path / "a.pth", sha256_prefix="0", hint="Do this.")
    assert "Do this." in caught.value.hint


@pytest.mark.parametrize("address", ["http://example.org/a", "file:///etc/passwd", "ftp://127.0.0.1/a"])
def test_only_https_leaves_this_machine(tmp_path, address):
    with pytest.raises(ValueError, match="not an https address"):
        download(address, tmp_path / "a", sha256_prefix="0")


def test_fetch_converts_and_a_second_one_is_free(tmp_path, server, monkeypatch):
    address, handler = server
    handler.content = good_checkpoint(tmp_path / "a.pth").read_bytes()
    published = Checkpoint(
        "rtmpose-t-halpe26", "pose", "c.py", f"x/rtmpose-t-{prefix(handler.content)}.pth", {}
    )
    monkeypatch.setattr(mmpose_weights, "CATALOGUE", (published,))
    told: list[str] = []
    paths = mmpose_weights.fetch(
        ["rtmpose-t-halpe26"], base_address=address, on_progress=lambda name, *_sizes: told.append(name)
    )
    assert paths == [mmpose_weights.path_of("rtmpose-t-halpe26")]
    assert mmpose_weights.origin(paths[0])["sha256"].startswith(prefix(handler.content))
    assert set(told) == {"rtmpose-t-halpe26"}
    assert [file.name for file in paths[0].parent.iterdir()] == ["rtmpose-t-halpe26.safetensors"]
    mmpose_weights.fetch(["rtmpose-t-halpe26"], base_address=address)
    assert len(handler.ranges) == 1


def test_what_was_fetched_is_not_fetched_again_when_converting_it_was_interrupted(
    tmp_path, server, monkeypatch
):
    address, handler = server
    handler.content = good_checkpoint(tmp_path / "a.pth").read_bytes()
    entry = Checkpoint("rtmpose-t-halpe26", "pose", "c.py", f"x/rtmpose-t-{prefix(handler.content)}.pth", {})
    monkeypatch.setattr(mmpose_weights, "CATALOGUE", (entry,))

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(mmpose_weights, "write_safetensors", interrupt)
        with pytest.raises(KeyboardInterrupt):
            mmpose_weights.fetch([entry.name], base_address=address)
    (path,) = mmpose_weights.fetch([entry.name], base_address=address)
    assert len(handler.ranges) == 1
    assert [file.name for file in path.parent.iterdir()] == [path.name]

    path.unlink()
    (path.parent / entry.file_name).write_bytes(b"something else")
    mmpose_weights.fetch([entry.name], base_address=address)
    assert len(handler.ranges) == 2

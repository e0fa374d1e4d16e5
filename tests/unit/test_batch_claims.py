# SPDX-License-Identifier: GPL-3.0-or-later
"""Two processes never work on the same clip, and one that died holds nothing up."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vp3d_core.batch import claims
from vp3d_core.batch.claims import CLAIM_NAME, Claim, ClaimHolder, claim_clip
from vp3d_core.errors import OutputError

ROOT = Path(__file__).resolve().parents[2]
CLAIM_EACH = """
import sys
from pathlib import Path
from vp3d_core.batch.claims import Claim, claim_clip
print("ready", flush=True)
sys.stdin.readline()
folders = sorted(Path(sys.argv[1]).iterdir())
mine = [folder.name for folder in folders if isinstance(claim_clip(folder), Claim)]
print(*mine, flush=True)
sys.stdin.readline()
"""


def claimed(folder: Path, **options: float) -> Claim:
    """A claim that is had."""
    claim = claim_clip(folder, **options)
    assert isinstance(claim, Claim)
    return claim


def read_line(process: subprocess.Popen[str]) -> str:
    """The next line that a process prints."""
    assert process.stdout
    return process.stdout.readline().strip()


def edit(folder: Path, **values: object) -> None:
    """Change a claim as another machine would have written it."""
    path = folder / CLAIM_NAME
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **values}), encoding="utf-8")


def test_a_claim_is_had_once_and_again_when_it_was_released(tmp_path: Path) -> None:
    first = claimed(tmp_path)
    holder = claim_clip(tmp_path)
    assert isinstance(holder, ClaimHolder)
    assert holder.pid == os.getpid()
    first.release()
    assert not list(tmp_path.iterdir())
    claimed(tmp_path).release()


def test_processes_that_start_together_share_the_clips_out(tmp_path: Path) -> None:
    expected = [f"{number:02d}" for number in range(40)]
    for name in expected:
        (tmp_path / name).mkdir()
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM_EACH, str(tmp_path)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )
        for _ in range(3)
    ]  # fmt: skip
    try:
        assert [read_line(worker) for worker in workers] == ["ready"] * 3
        for worker in workers:
            assert worker.stdin
            worker.stdin.write("go\n")
            worker.stdin.flush()
        found = [read_line(worker).split() for worker in workers]
    finally:
        for worker in workers:
            worker.communicate("end\n", timeout=60)
    assert sorted(name for names in found for name in names) == expected


def test_the_claim_of_a_process_that_is_gone_is_taken_over_at_once(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    claimed(tmp_path)
    edit(tmp_path, pid=dead.pid)
    claim = claimed(tmp_path)
    assert claim.holder.attempt == 2
    claim.release()


def test_another_machines_claim_expires_without_a_sign_of_life(tmp_path: Path) -> None:
    first = claimed(tmp_path)
    edit(tmp_path, machine="another", host="node7", pid=1)
    holder = claim_clip(tmp_path, expiry_s=60)
    assert isinstance(holder, ClaimHolder)
    assert holder.host == "node7"
    long_ago_s = time.time() - 61
    os.utime(tmp_path / CLAIM_NAME, (long_ago_s, long_ago_s))
    second = claimed(tmp_path, expiry_s=60)
    assert second.is_held()
    assert not first.is_held()
    first.release()  # the loser takes nothing away
    assert second.is_held()
    second.release()


def test_a_claim_is_kept_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "HEARTBEAT_S", 0.01)
    claim = claimed(tmp_path)
    os.utime(tmp_path / CLAIM_NAME, (0, 0))
    deadline_s = time.monotonic() + 10
    while (tmp_path / CLAIM_NAME).stat().st_mtime == 0:
        assert time.monotonic() < deadline_s
        time.sleep(0.01)
    claim.release()


def test_a_half_written_claim_counts_as_held_until_it_expires(tmp_path: Path) -> None:
    (tmp_path / CLAIM_NAME).touch()
    assert isinstance(claim_clip(tmp_path, expiry_s=60), ClaimHolder)
    os.utime(tmp_path / CLAIM_NAME, (0, 0))
    claimed(tmp_path, expiry_s=60).release()


def test_a_folder_that_is_gone_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        claim_clip(tmp_path / "gone")

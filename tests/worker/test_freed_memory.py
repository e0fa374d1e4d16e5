# SPDX-License-Identifier: GPL-3.0-or-later
"""What a capture frees is given back, also from between what it keeps."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
import weakref
from pathlib import Path

import pytest

from vp3d_core.capture.freed_memory import cycles_collected

HOLES = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from vp3d_core.capture.freed_memory import give_back_freed_memory, return_large_arrays

def resident_mb():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 / 1e6

return_large_arrays()
before = resident_mb()
kept, freed = [], []
for _ in range(400):
    freed.append(np.ones(25_000))  # 0.2 MB: small enough to lie on the heap
    kept.append(np.ones(100))
filled = resident_mb() - before
freed.clear()
left = resident_mb() - before
give_back_freed_memory()
print(filled, left, resident_mb() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are left alone")
def test_holes_between_kept_arrays_go_back_to_the_system() -> None:
    checkout = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", HOLES, str(checkout)], capture_output=True, text=True, check=True, timeout=120
    )
    filled, left, given_back = (float(word) for word in done.stdout.split())
    assert filled > 70
    assert left > 60  # without a word the holes stay
    assert given_back < 10


class Ring:
    """Refers to itself, as what MediaPipe leaves does."""

    def __init__(self) -> None:
        self.itself = self


def test_cycles_of_the_block_are_collected_and_collection_goes_on_as_before() -> None:
    with pytest.raises(KeyboardInterrupt) as interrupted, cycles_collected():
        raise KeyboardInterrupt(weakref.ref(Ring()))
    assert interrupted.value.args[0]() is None
    assert gc.get_freeze_count() == 0

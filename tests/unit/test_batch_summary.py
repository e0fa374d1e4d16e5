# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from vp3d_core.batch.summary import describe_files


def test_the_table_names_files_in_short() -> None:
    people = tuple(f"walk-{number}{suffix}" for number in range(1, 7) for suffix in (".fbx", ".bvh"))
    assert describe_files(("walk.blend", *people[:4])) == "walk (.blend), walk-1, walk-2 (.fbx .bvh)"
    assert describe_files(people) == "walk-1, walk-2, walk-3, ..., walk-6 (.fbx .bvh)"
    assert describe_files(()) == ""

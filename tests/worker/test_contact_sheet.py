# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheet of stick figures by which mocap is checked by eye."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from tests.mocap_files import bvh_text, walking
from vp3d_core.train import command
from vp3d_core.train.mocap_rigs import RIGS


def test_every_clip_is_a_row_of_figures(tmp_path: Path) -> None:
    rig = next(rig for rig in RIGS if rig.name == "snu")
    for name in ("a", "b"):
        (tmp_path / f"{name}.bvh").write_text(bvh_text(rig, walking(30)))
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    sheet = tmp_path / "sheet.png"
    assert command.run(parser.parse_args([str(tmp_path), "-o", str(tmp_path), "--sheet", str(sheet)])) == 0
    picture = cv2.imread(str(sheet))
    assert picture is not None
    upper, lower = np.array_split(picture.astype(int), 2)
    for row in (upper, lower):  # left blue, right red
        blue_over_red = row[..., 0] - row[..., 2]
        assert (blue_over_red > 60).sum() > 200
        assert (blue_over_red < -60).sum() > 200
    assert not (tmp_path / "bank.npz").exists()

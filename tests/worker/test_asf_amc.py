# SPDX-License-Identifier: GPL-3.0-or-later
"""Acclaim skeletons and motions: bones, axes and rotations, worked out beside the code under test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vp3d_core.errors import MotionFormatError
from vp3d_core.rotations import matrix_from_quat
from vp3d_core.skeletons import JOINTS
from vp3d_core.train.asf_amc import asf_kinematics, parse_amc, parse_asf
from vp3d_core.train.mocap import read_mocap

LEG_ASF = """# a leg
:version 1.10
:name leg
:units
  mass 1.0
  length 0.45
  angle deg
:root
  order TX TY TZ RX RY RZ
  axis XYZ
  position 0 0 0
  orientation 0 0 0
:bonedata
  begin
    id 1
    name femur
    direction 0 -1 0
    length 4
    axis 0 0 20 XYZ
    dof rx ry rz
    limits (-160.0 20.0)
           (-70.0 70.0)
           (-60.0 70.0)
  end
  begin
    id 2
    name tibia
    direction 0 -1 0
    length 3
    axis 10 -30 40 XYZ
    dof rx
    limits (-10.0 170.0)
  end
  begin
    id 3
    name foot
    direction 0 0 1
    length 1
    axis 0 0 0 XYZ
  end
:hierarchy
  begin
    root femur
    femur tibia
    tibia foot
  end
"""
# Bones of a person in a T-pose, y up and facing +z; the left is +x. ASF units of 0.0564 m.
UNIT_M = 0.056444
SIDE_BONES = (
    ("hipjoint", "root", (1.4, 0.0, 0.0)),
    ("femur", "hipjoint", (0.0, -7.4, 0.0)),
    ("tibia", "femur", (0.0, -7.4, 0.0)),
    ("foot", "tibia", (0.0, -1.0, 2.3)),
    ("toes", "foot", (0.0, 0.0, 0.8)),
    ("clavicle", "thorax", (3.2, 0.0, 0.0)),
    ("humerus", "clavicle", (5.0, 0.0, 0.0)),
    ("radius", "humerus", (4.4, 0.0, 0.0)),
    ("wrist", "radius", (0.8, 0.0, 0.0)),
    ("hand", "wrist", (0.7, 0.0, 0.0)),
    ("fingers", "hand", (0.5, 0.0, 0.0)),
)
MIDDLE_BONES = (
    ("thorax", "root", (0.0, 8.7, 0.0)),
    ("lowerneck", "thorax", (0.0, 0.4, 0.0)),
    ("upperneck", "lowerneck", (0.0, 1.4, 0.0)),
    ("head", "upperneck", (0.0, 1.5, 0.0)),
)


def person_asf() -> str:
    bones = list(MIDDLE_BONES)
    for side, sign in (("l", 1.0), ("r", -1.0)):
        for name, parent, (x, y, z) in SIDE_BONES:
            above = parent if parent in ("root", "thorax") else side + parent
            bones.append((side + name, above, (sign * x, y, z)))
    lines = [":version 1.10", ":root", "  order TX TY TZ RX RY RZ", "  axis XYZ", ":bonedata"]
    for i, (name, _, vector) in enumerate(bones):
        length = float(np.linalg.norm(vector))
        direction = " ".join(f"{value / length:.6f}" for value in vector)
        lines += ["  begin", f"    id {i + 1}", f"    name {name}", f"    direction {direction}"]
        lines += [f"    length {length:.6f}", "    axis 0 0 0 XYZ", "    dof rx ry rz", "  end"]
    lines += [":hierarchy", "  begin", *(f"    {parent} {name}" for name, parent, _ in bones), "  end"]
    return "\n".join(lines) + "\n"


def test_an_unturned_skeleton_is_its_directions() -> None:
    frames = parse_amc(":FULLY-SPECIFIED\n:DEGREES\n1\nroot 1 2 3 0 0 0\n")
    names, positions, turns = asf_kinematics(parse_asf(LEG_ASF), frames)
    assert names == ("root", "femur", "tibia", "foot", "foot_end")
    expected = [[1, 2, 3], [1, 2, 3], [1, -2, 3], [1, -5, 3], [1, -5, 4]]
    assert np.allclose(positions[0], expected)
    assert np.allclose(matrix_from_quat(turns[0]), np.eye(3))


def test_a_turn_is_about_the_bones_own_axes() -> None:
    amc = ":DEGREES\n1\nroot 0 0 0 10 20 30\nfemur 15 25 35\ntibia 60\n"
    _, positions, turns = asf_kinematics(parse_asf(LEG_ASF), parse_amc(amc))

    def xyz(*angles_deg: float) -> np.ndarray:
        """The file's XYZ: about the fixed x first, then y, then z."""
        x, y, z = (
            Rotation.from_rotvec(np.radians(a) * np.eye(3)[i]).as_matrix() for i, a in enumerate(angles_deg)
        )
        return z @ y @ x

    root = xyz(10, 20, 30)
    femur_axis, tibia_axis = xyz(0, 0, 20), xyz(10, -30, 40)
    femur = root @ femur_axis @ xyz(15, 25, 35) @ femur_axis.T
    tibia = femur @ tibia_axis @ xyz(60, 0, 0) @ tibia_axis.T
    knee = femur @ [0, -4, 0]
    ankle = knee + tibia @ [0, -3, 0]
    assert np.allclose(matrix_from_quat(turns[0]), [root, femur, tibia, tibia, tibia])
    assert np.allclose(positions[0], [[0, 0, 0], [0, 0, 0], knee, ankle, ankle + tibia @ [0, 0, 1]])


def test_a_knee_worked_by_hand() -> None:
    # The femur's x axis is turned by 20 degrees about z; 90 degrees about it bring the bone's end to +-z.
    amc = ":DEGREES\n1\nroot 0 0 0 0 0 0\nfemur 90 0 0\ntibia 0\n"
    _, positions, _ = asf_kinematics(parse_asf(LEG_ASF), parse_amc(amc))
    along = np.array([np.cos(np.radians(20)), np.sin(np.radians(20)), 0.0])
    down = np.array([0.0, -4.0, 0.0])
    kept = along * (down @ along)
    assert np.allclose(positions[0, 2], kept + np.cross(along, down))


def test_a_person_stands_and_faces_forward(tmp_path: Path) -> None:
    (tmp_path / "07.asf").write_text(person_asf())
    height = 7.4 * 2 + 1.0
    frames = "".join(f"{i + 1}\nroot {0.1 * i} {height} 0 0 0 0\n" for i in range(40))
    (tmp_path / "07_01.amc").write_text(":FULLY-SPECIFIED\n:DEGREES\n" + frames)
    clip = read_mocap(tmp_path / "07_01.amc", name="cmu_asfamc/07/07_01.amc")
    assert len(clip.joints) == 20  # 120 Hz to 60

    def place(joint: str) -> np.ndarray:
        return clip.joints[0, JOINTS.index(joint)]

    for pair in ("hip", "knee", "ankle", "toe", "shoulder", "wrist", "ear"):
        assert place(f"left_{pair}")[0] - place(f"right_{pair}")[0] > 0.1
    assert place("nose")[1] < place("left_ear")[1] - 0.05  # file's +z is -y here
    assert place("left_toe")[1] < place("left_heel")[1] - 0.1
    assert place("left_toe")[2] == pytest.approx(0.02, abs=0.01)
    assert place("head_top")[2] == pytest.approx(1.70, abs=0.08)
    thigh = np.linalg.norm(place("left_hip") - place("left_knee"))
    assert thigh == pytest.approx(0.491 * 1.70 / 2, abs=0.01)


def test_what_is_no_acclaim_is_refused() -> None:
    with pytest.raises(MotionFormatError, match="legs.asf is no ASF"):
        parse_asf("HIERARCHY", source="legs.asf")
    with pytest.raises(MotionFormatError, match="walk.amc is no AMC"):
        parse_amc(":DEGREES\n", source="walk.amc")

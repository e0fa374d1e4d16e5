# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from tests.unit.retarget.rigs import family_rig
from vp3d_core.retarget import rig_map as rig_map_file
from vp3d_core.retarget.auto_map import guess_map
from vp3d_core.retarget.rig_errors import BoneNotFound, RigMapFormatError, RigMapIncomplete
from vp3d_core.retarget.rig_map import RigMap, rig_map_from_json, rig_map_to_json
from vp3d_core.retarget.rig_maps import FAMILIES
from vp3d_core.retarget.roles import REQUIRED_ROLES


@pytest.fixture
def rigify():
    return family_rig(next(family for family in FAMILIES if family.name == "rigify"))


def test_a_map_survives_its_file(rigify, tmp_path):
    wanted = RigMap(
        guess_map(rigify).bones,
        {"head": 0.5},
        "rigify",
        {("torso", "neck_follow"): 1.0},
        {("a", "b"): 0.0},
        {("c", "d"): 0.5},
        {"ORG-shoulder.L": "shoulder.L"},
    )
    rig_map_file.save(tmp_path / "map é.json", wanted)
    found = rig_map_file.load(tmp_path / "map é.json")
    assert dict(found.bones) == dict(wanted.bones)
    assert found.sure_of("head") == 0.5
    assert found.family == "rigify"
    for name in ("fk_properties", "ik_properties", "root_properties", "follows"):
        assert dict(getattr(found, name)) == dict(getattr(wanted, name))


def test_a_bone_that_is_not_there_is_named_with_the_closest(rigify):
    wrong = guess_map(rigify).with_bones("left_upper_arm", ["upper_arm.L"])
    with pytest.raises(
        BoneNotFound, match=r"'upper_arm.L' is not in 'Rigify' \(\d+ bones\); closest 'upper_arm_fk.L'"
    ) as told:
        wrong.check(rigify)
    assert told.value.hint == "Choose it under Rig Mapping."


def test_what_is_missing_is_listed(rigify):
    rig_map = guess_map(rigify).with_bones("left_thigh", ()).with_bones("right_shin", ())
    assert rig_map.missing == ("left_thigh", "right_shin")
    assert rig_map.overall_confidence == 0.0
    with pytest.raises(RigMapIncomplete, match="2 of the 9 bones .* Left thigh, Right shin"):
        rig_map.check(rigify)


def test_what_the_user_chose_is_sure(rigify):
    rig_map = RigMap({"head": ("head",)}, {"head": 0.4}).with_bones("head", ["neck"])
    assert rig_map.sure_of("head") == 1.0
    assert rig_map.sure_of("neck") == 0.0
    assert len(REQUIRED_ROLES) == 9


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no JSON"),
        ("[]", "holds 'no format name', expected 'vp3d.rig_map'"),
        ('{"format": "vp3d.motion", "version": 1}', "holds 'vp3d.motion'"),
        (
            '{"format": "vp3d.rig_map", "version": 2}',
            "is version 2 of vp3d.rig_map, this program reads version 1",
        ),
        ('{"format": "vp3d.rig_map", "version": 1}', "is no valid rig map"),
        ('{"format": "vp3d.rig_map", "version": 1, "bones": {"tail": ["a"]}}', "role 'tail' is unknown"),
        ('{"format": "vp3d.rig_map", "version": 1, "bones": {"head": "a"}}', "needs a list of bones"),
        ('{"format": "vp3d.rig_map", "version": 1, "bones": {"head": [1]}}', "1 is no name"),
        (
            '{"format": "vp3d.rig_map", "version": 1, "bones": {}, "confidence": {"head": 7}}',
            "expected 0 to 1",
        ),
    ],
)
def test_what_is_no_map_is_refused(text, message):
    with pytest.raises(RigMapFormatError, match=message):
        rig_map_from_json(text)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(RigMapFormatError, match="cannot be read"):
        rig_map_file.load(tmp_path / "none.json")


def test_json_is_readable(rigify):
    assert '"left_upper_arm": [\n' in rig_map_to_json(guess_map(rigify))

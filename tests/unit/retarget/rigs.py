# SPDX-License-Identifier: GPL-3.0-or-later
"""Rigs of every family, built from its names: a body in A- or T-pose, bones rolled at random."""

from __future__ import annotations

import dataclasses

import numpy as np

from vp3d_core.arrays import Array
from vp3d_core.retarget.rig import BoneCurves, Rig
from vp3d_core.retarget.rig_family import RigFamily
from vp3d_core.retarget.rig_pose import pose_matrices
from vp3d_core.retarget.roles import LIMBS, SIDES
from vp3d_core.rotations import matrix_from_quat, normalize, quat_from_axis_angle, quat_rotate

CHAIN = {
    "root": "",
    "centre": "root",
    "pelvis": "centre",
    "spine": "pelvis",
    "neck": "spine",
    "head": "neck",
    **{
        role: parent
        for limb in LIMBS
        for role, parent in zip(
            limb, (("spine" if "clavicle" in limb[0] else "pelvis"), *limb[:-1]), strict=True
        )
    },
    **{f"{side}_heel": f"{side}_foot" for side in SIDES},
}


def body_points(*, arm_down_deg: float) -> dict[str, tuple[Array, Array]]:
    """Return where each role starts and ends, m: broad hips, short shins, high ankles; facing -y."""
    points = {
        "root": ((0, 0, 0), (0, 0.2, 0)),
        "centre": ((0, 0.02, 1.0), (0, 0.02, 1.1)),
        "pelvis": ((0, 0.02, 1.0), (0, 0.02, 1.1)),
        "spine": ((0, 0.02, 1.1), (0, 0.04, 1.48)),
        "neck": ((0, 0.04, 1.48), (0, 0.0, 1.6)),
        "head": ((0, 0.0, 1.6), (0, 0.0, 1.82)),
    }
    result = {role: (np.array(a, dtype=float), np.array(b, dtype=float)) for role, (a, b) in points.items()}
    for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
        flip = np.array([sign, 1.0, 1.0])
        down = quat_from_axis_angle(np.array([0.0, 1.0, 0.0]), np.radians(arm_down_deg))
        shoulder = np.array([0.2, 0.04, 1.45])
        arm = [
            shoulder + quat_rotate(down, np.array([x, y, 0.0]))
            for x, y in ((0, 0), (0.3, 0.01), (0.54, 0), (0.64, 0))
        ]
        leg = [np.array(p) for p in ((0.11, 0.02, 0.97), (0.12, 0.01, 0.5), (0.13, 0.04, 0.11))]
        foot = [np.array(p) for p in ((0.15, -0.1, 0.03), (0.16, -0.17, 0.02))]
        lines = {
            "clavicle": (np.array([0.02, 0.03, 1.44]), shoulder),
            "upper_arm": (arm[0], arm[1]),
            "forearm": (arm[1], arm[2]),
            "hand": (arm[2], arm[3]),
            "thigh": (leg[0], leg[1]),
            "shin": (leg[1], leg[2]),
            "foot": (leg[2], foot[0]),
            "toe": (foot[0], foot[1]),
            "heel": (np.array([0.13, 0.09, 0.02]), np.array([0.13, 0.12, 0.02])),
        }
        result |= {f"{side}_{part}": (a * flip, b * flip) for part, (a, b) in lines.items()}
    return result


def family_rig(
    family: RigFamily,
    *,
    arm_down_deg: float = 0.0,
    seed: int = 0,
    world: Array | None = None,
    scale: float = 1.0,
) -> Rig:
    """Return a rig with a family's names; its armature is in units of 1 / scale m."""
    rng = np.random.default_rng(seed)
    points = body_points(arm_down_deg=arm_down_deg)
    names_by_role = family.names_by_role()
    rows: list[tuple[str, str, Array, Array]] = []
    last: dict[str, str] = {}
    for role, parent_role in CHAIN.items():
        names = [family.prefixes[-1] + name.split("|")[0] for name in names_by_role.get(role, ())]
        names = [name for name in names if name and name not in {row[0] for row in rows}]
        while parent_role and parent_role not in last:
            parent_role = CHAIN[parent_role]
        above = last.get(parent_role, "")
        start, end = points[role]
        for k, name in enumerate(names):
            a, b = (start + (end - start) * share / len(names) for share in (k, k + 1))
            rows.append((name, above, a / scale, b / scale))
            above = name
        if above:
            last[role] = above
    return rig_from_rows(family.label, rows, rng=rng, world=world)


def rig_from_rows(
    label: str,
    rows: list[tuple[str, str, Array, Array]],
    *,
    rng: np.random.Generator,
    world: Array | None = None,
) -> Rig:
    """Return a rig of bones (name, parent, head, tail), rolled at random."""
    names = [row[0] for row in rows]
    count = len(rows)
    matrices = np.tile(np.eye(4), (count, 1, 1))
    for k, (_, _, head, tail) in enumerate(rows):
        y = normalize(tail - head)
        x = normalize(np.cross(y, rng.normal(size=3)))
        matrices[k, :3, :3] = np.stack([x, y, np.cross(x, y)], axis=-1)
        matrices[k, :3, 3] = head
    yes, no = np.ones(count, dtype=bool), np.zeros(count, dtype=bool)
    return Rig(
        label,
        tuple(names),
        tuple(names.index(row[1]) if row[1] else -1 for row in rows),
        matrices,
        np.array([np.linalg.norm(row[3] - row[2]) for row in rows]),
        np.eye(4) if world is None else world,
        yes,
        no,
        yes,
        ("QUATERNION",) * count,
    )


def object_matrix(
    *, yaw_deg: float = 0.0, pitch_deg: float = 0.0, scale: float = 1.0, at: Array | None = None
) -> Array:
    """Return world_from_armature of an object."""
    turn = matrix_from_quat(quat_from_axis_angle(np.array([0.0, 0.0, 1.0]), np.radians(yaw_deg)))
    tilt = matrix_from_quat(quat_from_axis_angle(np.array([1.0, 0.0, 0.0]), np.radians(pitch_deg)))
    world = np.eye(4)
    world[:3, :3] = turn @ tilt * scale
    world[:3, 3] = 0.0 if at is None else at
    return world


def world_heads(rig: Rig, curves: BoneCurves) -> dict[str, Array]:
    """Return the bones' heads (T, 3) in the world."""
    heads = pose_matrices(rig, curves)[..., :3, 3] @ rig.world_from_armature[:3, :3].T
    if curves.object_locations is not None:
        assert curves.object_rotations is not None
        scale = np.cbrt(np.linalg.det(rig.world_from_armature[:3, :3]))
        local = pose_matrices(rig, curves)[..., :3, 3] * scale
        heads = quat_rotate(curves.object_rotations[:, None], local) + curves.object_locations[:, None]
    else:
        heads = heads + rig.world_from_armature[:3, 3]
    return {name: heads[:, k] for k, name in enumerate(rig.bone_names)}


def unnamed(rig: Rig) -> Rig:
    """Return a rig whose names say nothing."""
    return dataclasses.replace(rig, bone_names=tuple(f"Bone.{k:03d}" for k in range(len(rig.bone_names))))

# SPDX-License-Identifier: GPL-3.0-or-later
"""A rig's rest pose as a body: where each role starts, where it points, which way the body faces. numpy only.

Body axes are those of a Motion at rest: x to the person's left, y backwards, z up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..arrays import Array
from ..rotations import normalize
from .rig import Rig
from .rig_errors import RigNotUsable
from .rig_map import RigMap
from .roles import LIMBS, SIDES

__all__ = ["RestBody", "rest_body"]

_SNAP = np.cos(np.radians(25.0))  # a body this close to an axis of its space stands along that axis
# How far a limb's last bone may point away from where such bones point: imported rigs have tails anywhere.
_PLAUSIBLE = np.cos(np.radians(60.0))
_FLOOR_AT_ORIGIN = 0.12  # a lowest point this near to the origin, in leg lengths, stands on it
_SOLE_THICKNESS = 0.024  # from toe and heel joints down to the floor, in leg lengths (0.02 m of 0.83 m)


@dataclass(frozen=True, slots=True, eq=False)
class RestBody:
    """A body at rest, in world axes (the object's rotation and scale included).

    Attributes:
        heads: Role to (3,) where its first bone starts, world units.
        ends: Role to (3,) where its last bone ends; absent when the rig does not tell.
        frame: (3, 3) world_from_body rotation.
        hip_centre: (3,) between the thighs' heads.
        leg_length: Thigh plus shin, world units.
        floor: (3,) the point of the floor below the hip centre.
        heels: Side to (3,), where the rig shows them.
    """

    heads: Mapping[str, Array]
    ends: Mapping[str, Array]
    frame: Array
    hip_centre: Array
    leg_length: float
    floor: Array
    heels: Mapping[str, Array]

    def direction(self, role: str) -> Array | None:
        """Return the (3,) unit direction of a role, or None where the rig does not tell."""
        if role not in self.heads or role not in self.ends:
            return None
        way = self.ends[role] - self.heads[role]
        return normalize(way) if float(np.linalg.norm(way)) > 1e-6 * self.leg_length else None

    def height(self, point: Array) -> float:
        """Return how far a point (3,) is above the floor."""
        return float((point - self.floor) @ self.frame[:, 2])


def rest_body(rig: Rig, rig_map: RigMap) -> RestBody:
    """Measure the body that a rig makes in its rest pose.

    Raises:
        RigNotUsable: when legs have no length, or the object is mirrored or flat.
    """
    world = np.asarray(rig.world_from_armature, dtype=np.float64)
    if not np.linalg.det(world[:3, :3]) > 0:
        raise RigNotUsable(
            f"{rig.name!r} is mirrored or flat: its object's scale has determinant "
            f"{np.linalg.det(world[:3, :3]):.3g}, expected more than 0",
            hint="Give the armature object a positive scale.",
        )
    heads = {
        role: world[:3, :3] @ rig.armature_from_bone[rig.index(names[0]), :3, 3] + world[:3, 3]
        for role, names in rig_map.bones.items()
    }
    local = {
        role: rig.armature_from_bone[rig.index(names[0]), :3, 3] for role, names in rig_map.bones.items()
    }
    turn = world[:3, :3] / np.linalg.norm(world[:3, :3], axis=0)
    frame = turn @ _body_frame(rig.name, local)
    ends = _ends(rig, rig_map, heads, world, -frame[:, 1])
    hip_centre = (heads["left_thigh"] + heads["right_thigh"]) / 2
    leg = _leg_length(rig.name, heads, ends)
    floor = _floor(heads, ends, frame, hip_centre, leg, world[:3, 3])
    return RestBody(heads, ends, frame, hip_centre, leg, floor, _heels(rig, rig_map, ends, world))


def _body_frame(name: str, heads: Mapping[str, Array]) -> Array:
    """Return armature_from_body (3, 3), snapped to the armature's axes where it is near them."""
    hips = (heads["left_thigh"] + heads["right_thigh"]) / 2
    shins = (heads["left_shin"] + heads["right_shin"]) / 2
    top = next((heads[role] for role in ("head", "neck", "left_upper_arm") if role in heads), hips)
    up = _snapped(normalize(top - hips) + normalize(hips - shins))
    across = heads["left_thigh"] - heads["right_thigh"] + heads["left_upper_arm"] - heads["right_upper_arm"]
    left = _snapped(normalize(across - up * (across @ up)))
    left = normalize(left - up * (left @ up))
    if not up.any() or not left.any():
        raise RigNotUsable(
            f"{name!r} has no upright rest pose: its hips, shins and shoulders lie in one place",
            hint="Choose the bones under Rig Mapping.",
        )
    return np.stack([left, np.cross(up, left), up], axis=1)


def _snapped(direction: Array) -> Array:
    direction = normalize(direction)
    axis = int(np.argmax(np.abs(direction)))
    if abs(direction[axis]) < _SNAP:
        return direction
    return np.eye(3)[axis] * np.sign(direction[axis])


def _ends(
    rig: Rig, rig_map: RigMap, heads: Mapping[str, Array], world: Array, forward: Array
) -> dict[str, Array]:
    ends: dict[str, Array] = {}
    for limb in LIMBS:
        present = [role for role in limb if role in heads]
        for role, following in zip(present, present[1:], strict=False):
            ends[role] = heads[following]
        if not present:
            continue
        last = present[-1]
        expected = forward
        if len(present) > 1 and not last.endswith(("foot", "toe")):
            expected = normalize(ends[present[-2]] - heads[present[-2]])
        end = _free_end(rig, rig_map.bones[last][-1], world, expected)
        if end is not None:
            ends[last] = end
    return ends


def _free_end(rig: Rig, bone_name: str, world: Array, expected: Array) -> Array | None:
    """Return where the last bone of a limb ends: at its knuckles, else at its tail, if either is plausible.

    ``expected`` is the unit direction (3,) in which it may point, more or less.
    """
    bone = rig.index(bone_name)
    start = rig.armature_from_bone[bone, :3, 3]
    reach = 0.02 * rig.lengths[bone]
    children = [
        child
        for child, parent in enumerate(rig.parents)
        if parent == bone and np.linalg.norm(rig.armature_from_bone[child, :3, 3] - start) > reach
    ]
    tail = start + rig.armature_from_bone[bone, :3, 1] * rig.lengths[bone]
    points = _onward(rig, start, children, np.linalg.inv(world[:3, :3]) @ expected)
    for point in (*points, tail):
        way = world[:3, :3] @ (point - start)
        if normalize(way) @ expected > _PLAUSIBLE:
            return world[:3, :3] @ point + world[:3, 3]
    return None


def _onward(rig: Rig, start: Array, children: list[int], expected: Array) -> list[Array]:
    """Return the point (3,) at which a limb's last bone hands on: its middle finger, or the middle of all.

    The thumb does not count, nor what points away from where the bone may point (heels).
    """
    heads = {child: rig.armature_from_bone[child, :3, 3] for child in children}
    onward = [c for c in children if normalize(heads[c] - start) @ normalize(expected) > _PLAUSIBLE]
    fingers = [c for c in onward if "thumb" not in rig.bone_names[c].lower()]
    chosen = [c for c in fingers if "mid" in rig.bone_names[c].lower()] or fingers
    return [np.mean([heads[c] for c in chosen], axis=0)] if chosen else []


def _heels(rig: Rig, rig_map: RigMap, ends: Mapping[str, Array], world: Array) -> dict[str, Array]:
    """Return the heels: where a bone that marks one starts, or ends when it starts at the ankle."""
    heels: dict[str, Array] = {}
    for side in SIDES:
        name, ankle = rig_map.last(f"{side}_heel"), ends.get(f"{side}_shin")
        if name is None or ankle is None:
            continue
        bone = rig.index(name)
        head = rig.armature_from_bone[bone, :3, 3]
        tail = head + rig.armature_from_bone[bone, :3, 1] * rig.lengths[bone]
        points = [world[:3, :3] @ point + world[:3, 3] for point in (head, tail)]
        far = float(np.linalg.norm(points[0] - ankle)) > 0.3 * float(np.linalg.norm(points[1] - points[0]))
        heels[side] = points[0] if far else points[1]
    return heels


def _leg_length(name: str, heads: Mapping[str, Array], ends: Mapping[str, Array]) -> float:
    lengths = [
        sum(float(np.linalg.norm(ends[role] - heads[role])) for role in (f"{side}_thigh", f"{side}_shin"))
        for side in SIDES
        if f"{side}_shin" in ends
    ]
    if not lengths or min(lengths) <= 1e-9:
        raise RigNotUsable(
            f"{name!r} has legs of no length", hint="Choose thighs, shins and feet under Rig Mapping."
        )
    return float(np.mean(lengths))


def _floor(
    heads: Mapping[str, Array],
    ends: Mapping[str, Array],
    frame: Array,
    hips: Array,
    leg: float,
    origin: Array,
) -> Array:
    """Return the floor's point below the hips: the object's origin, unless the feet stand elsewhere."""
    up = frame[:, 2]
    points = [
        place[role]
        for side in SIDES
        for role in (f"{side}_foot", f"{side}_toe")
        for place in (heads, ends)
        if role in place
    ]
    points += [ends[f"{side}_shin"] for side in SIDES if f"{side}_shin" in ends]
    lowest = min(float((point - origin) @ up) for point in points)
    level = 0.0 if abs(lowest) < _FLOOR_AT_ORIGIN * leg else lowest - _SOLE_THICKNESS * leg
    return hips + up * (level - float((hips - origin) @ up))

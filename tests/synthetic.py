# SPDX-License-Identifier: GPL-3.0-or-later
"""A made-up walking person, the camera that films them and what a good detector would see."""

from __future__ import annotations

import numpy as np

from vp3d_core.arrays import Array
from vp3d_core.camera import Camera, intrinsics_from_focal
from vp3d_core.keypoints import Keypoints2D, Track
from vp3d_core.motion import CONTACT_JOINTS, Motion, MotionSkeleton, forward_kinematics
from vp3d_core.pose import Pose3D, Trajectory
from vp3d_core.rotations import quat_continuous, quat_from_axis_angle, quat_multiply, quat_rotate
from vp3d_core.skeletons import JOINTS, MOTION_SKELETON_NAMES, MOTION_SKELETON_PARENTS, SLOTS

# Where the joints of a person of 1.70 m are in the rest pose: m, x to the person's left, facing -y.
REST_POSITIONS: dict[str, tuple[float, float, float]] = {
    "pelvis": (0.0, 0.0, 0.93),
    "spine": (0.0, 0.0, 1.15),
    "thorax": (0.0, 0.01, 1.40),
    "neck": (0.0, 0.01, 1.40),
    "head": (0.0, -0.01, 1.56),
    "nose": (0.0, -0.11, 1.55),
    "head_top": (0.0, 0.0, 1.70),
    "ear": (0.075, -0.01, 1.56),
    "clavicle": (0.0, 0.01, 1.40),
    "shoulder": (0.17, 0.01, 1.38),
    "elbow": (0.45, 0.01, 1.38),
    "wrist": (0.69, 0.01, 1.38),
    "hand": (0.77, 0.0, 1.38),
    "hip": (0.09, 0.0, 0.91),
    "knee": (0.09, 0.0, 0.49),
    "ankle": (0.09, 0.02, 0.08),
    "toe": (0.10, -0.15, 0.02),
    "heel": (0.09, 0.07, 0.02),
}
# The joint that shows where a slot of another name is.
JOINT_OF_SLOT = {
    "left_eye": "nose", "right_eye": "nose", "neck": "thorax", "mid_hip": "pelvis",
    "left_big_toe": "left_toe", "left_small_toe": "left_toe",
    "right_big_toe": "right_toe", "right_small_toe": "right_toe",
}  # fmt: skip
FLOOR_BAND_M = 0.03  # a toe or heel below this stands on the floor: they are 0.02 above it at rest
X_AXIS, Y_AXIS, Z_AXIS = np.eye(3)


def walking_motion(
    seed: int = 0,
    *,
    num_frames: int = 60,
    frame_rate_hz: float = 30.0,
    image_size: tuple[int, int] = (1280, 720),
) -> Motion:
    """Return a person who walks past a camera, stance foot fixed to the floor.

    Args:
        seed: Varies heading, cadence, phase and camera.
        num_frames: Number of frames.
        frame_rate_hz: Frames per second.
        image_size: (width, height) px of the camera.
    """
    rng = np.random.default_rng(seed)
    skeleton = _skeleton()
    times_s = np.arange(num_frames) / frame_rate_hz
    phase = 2 * np.pi * rng.uniform(0.8, 1.0) * times_s + rng.uniform(0, 2 * np.pi)
    rotations = _walking_rotations(skeleton, phase, heading_rad=rng.uniform(-np.pi, np.pi))
    root = _root_on_floor(skeleton, rotations)
    joints = forward_kinematics(skeleton, root, rotations)[0]
    feet = joints[:, [skeleton.names.index(name) for name in CONTACT_JOINTS]]
    speed = np.linalg.norm(np.gradient(feet, axis=0), axis=-1) * frame_rate_hz
    return Motion(
        skeleton=skeleton,
        root_positions=root,
        rotations=rotations,
        contacts=((feet[..., 2] < FLOOR_BAND_M) & (speed < 0.3)).astype(np.float64),
        confidence=np.clip(rng.normal(0.85, 0.08, rotations.shape[:2]), 0.0, 1.0),
        frame_rate_hz=frame_rate_hz,
        camera=_camera_beside(root, rng, image_size),
        image_size=image_size,
        meta={"source": f"walking_motion({seed})"},
    )


def true_pose(motion: Motion) -> tuple[Pose3D, Trajectory]:
    """Return what a lifter without errors would find: pose and path in camera axes."""
    assert motion.camera is not None
    joints = motion.camera.camera_points(motion.joints_world()[:, : len(JOINTS.points)])
    sigma, up = np.full(joints.shape[:2], 0.03), motion.camera.world_from_camera[2, :3]
    pose = Pose3D(
        joints - joints[:, :1], motion.times_s, sigma, motion.contacts, np.tile(up, (len(joints), 1))
    )
    return pose, Trajectory(joints[:, 0])


def seen_keypoints(motion: Motion, seed: int = 0, *, noise_px: float = 2.0) -> Keypoints2D:
    """Return the slots that a detector would see: projected joints with noise, a hidden arm now and then."""
    assert motion.camera is not None
    assert motion.image_size is not None
    rng = np.random.default_rng(seed)
    columns = [motion.skeleton.names.index(JOINT_OF_SLOT.get(slot, slot)) for slot in SLOTS.points]
    xy = motion.camera.project_world_points(motion.joints_world()[:, columns])
    scores = np.clip(rng.normal(0.8, 0.1, xy.shape[:2]), 0.05, 1.0)
    xy = xy + rng.normal(0.0, noise_px, xy.shape)
    hidden = slice(len(xy) // 3, len(xy) // 2)
    arm = [SLOTS.index(name) for name in ("right_elbow", "right_wrist", "right_hand")]
    xy[hidden, arm], scores[hidden, arm] = np.nan, 0.0
    return Keypoints2D(xy, scores, motion.times_s, motion.image_size, SLOTS)


def seen_track(keypoints: Keypoints2D, *, track_id: int = 1, first_frame: int = 0) -> Track:
    """Return the track of keypoints, one frame each, with a gap of a few frames."""
    frames = first_frame + np.arange(len(keypoints.times_s))
    boxes = np.concatenate(
        [np.nanmin(keypoints.xy, axis=1) - 20, np.nanmax(keypoints.xy, axis=1) + 20], axis=-1
    )
    found = np.zeros(len(frames), dtype=np.int64)
    found[len(frames) // 2 : len(frames) // 2 + 5] = -1
    return Track(track_id, frames, boxes, found)


def look_at(eye: Array, target: Array) -> Array:
    """Return world_from_camera (4, 4) of a level camera at ``eye`` (3,) m that looks at ``target``."""
    forward = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(forward, Z_AXIS)
    right = right / np.linalg.norm(right)
    world_from_camera = np.eye(4)
    world_from_camera[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=-1)
    world_from_camera[:3, 3] = eye
    return world_from_camera


def rest_position(name: str) -> Array:
    """Return where a joint is in the rest pose: (3,) m."""
    side, _, part = name.partition("_")
    if part in REST_POSITIONS:
        return np.array(REST_POSITIONS[part]) * [-1.0 if side == "right" else 1.0, 1.0, 1.0]
    return np.array(REST_POSITIONS[name])


def _skeleton() -> MotionSkeleton:
    positions = np.array([rest_position(name) for name in MOTION_SKELETON_NAMES])
    offsets = np.array(
        [positions[j] - positions[parent] if parent >= 0 else np.zeros(3)
         for j, parent in enumerate(MOTION_SKELETON_PARENTS)]
    )  # fmt: skip
    return MotionSkeleton(MOTION_SKELETON_NAMES, MOTION_SKELETON_PARENTS, offsets)


def _walking_rotations(skeleton: MotionSkeleton, phase: Array, *, heading_rad: float) -> Array:
    """Return local rotations (T, J, 4) of a walk; turning about +x swings a limb backwards."""
    rotations = np.zeros((len(phase), len(skeleton.names), 4))
    rotations[..., 0] = 1.0

    def turn(name: str, axis: Array, angles_rad: Array | float) -> None:
        j = skeleton.names.index(name)
        q = quat_from_axis_angle(axis, np.broadcast_to(angles_rad, phase.shape))
        rotations[:, j] = quat_multiply(q, rotations[:, j])

    turn("pelvis", Z_AXIS, heading_rad)
    for side, shift, sign in (("left", 0.0, 1.0), ("right", np.pi, -1.0)):
        swing = np.sin(phase + shift)
        lifted = np.maximum(0.0, -np.cos(phase + shift))  # bent while the leg comes forward
        hip, knee = 0.35 * swing - 0.35 * lifted, 0.08 + 1.0 * lifted
        turn(f"{side}_hip", X_AXIS, hip)
        turn(f"{side}_knee", X_AXIS, knee)
        # Level, but for the heel that strikes first and the toe that leaves last.
        turn(f"{side}_ankle", X_AXIS, -hip - knee + 0.2 * swing**3)
        turn(f"{side}_shoulder", Y_AXIS, sign * 1.35)
        turn(f"{side}_shoulder", X_AXIS, -0.35 * swing)
        turn(f"{side}_elbow", Z_AXIS, -sign * (0.30 + 0.15 * swing))
    turn("spine", Z_AXIS, 0.10 * np.sin(phase))
    return quat_continuous(rotations)


def _root_on_floor(skeleton: MotionSkeleton, rotations: Array) -> Array:
    """Return the root's path (T, 3) m for which the lowest foot point stands still on the floor."""
    joints = forward_kinematics(skeleton, np.zeros((len(rotations), 3)), rotations)[0]
    feet = joints[:, [skeleton.names.index(name) for name in CONTACT_JOINTS]]
    lowest = feet[..., 2].argmin(axis=1)
    steps = np.zeros((len(rotations), 3))
    before, after = np.arange(len(rotations) - 1), np.arange(1, len(rotations))
    steps[1:] = feet[before, lowest[1:]] - feet[after, lowest[1:]]
    root = np.cumsum(steps, axis=0)
    root[:, 2] = 0.02 - feet[..., 2].min(axis=1)
    return root


def _camera_beside(root: Array, rng: np.random.Generator, image_size: tuple[int, int]) -> Camera:
    """Return a camera 4 to 5 m beside the middle of a path, at eye height."""
    middle = (root[0] + root[-1]) / 2
    along = root[-1] - root[0]
    side = quat_rotate(quat_from_axis_angle(Z_AXIS, np.array(rng.uniform(0.6, 2.4))), along * [1.0, 1.0, 0.0])
    eye = middle + side / np.linalg.norm(side) * rng.uniform(4.0, 5.0)
    eye[2] = rng.uniform(1.3, 1.8)
    intrinsics = intrinsics_from_focal(0.9 * image_size[0], image_size=image_size)
    return Camera(intrinsics, None, look_at(eye, middle))

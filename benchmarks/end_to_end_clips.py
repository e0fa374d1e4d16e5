# SPDX-License-Identifier: GPL-3.0-or-later
"""The clips of benchmarks/end_to_end.py: what is done, by whom, and how it is filmed.

All motions are trials that the lifter's training held out (``vp3d_core.train.splits``). The names say what is
done and from where; far, high and low are the camera's. No clip was chosen, or left out, by its result.
"""

from __future__ import annotations

from tools.render_person.scene import (
    CameraDescription,
    MotionPart,
    PersonDescription,
    Place,
    SceneDescription,
    Wardrobe,
)

__all__ = ["CLIPS"]

LANDSCAPE, PORTRAIT = (640, 360), (360, 640)
HEIGHTS_M: dict[Wardrobe, float] = {"man": 1.78, "woman": 1.65, "worker": 1.84, "dark_man": 1.72}


def _clip(
    name: str,
    motion: MotionPart,
    wardrobe: Wardrobe,
    seen: tuple[float, float, float, float | None],
    *,
    rate_hz: int,
    place: Place = "room",
    image_size: tuple[int, int] = LANDSCAPE,
) -> SceneDescription:
    """Return a clip with one person.

    ``seen`` is the camera's azimuth (degrees), height (m), 35-mm equivalent (mm) and
    distance (m; None for as near as the picture holds all of it).
    """
    azimuth_deg, height_m, focal_mm, distance_m = seen
    camera = CameraDescription(focal_mm, distance_m, azimuth_deg, height_m)
    person = PersonDescription((motion,), wardrobe, "mixamo", height_m=HEIGHTS_M[wardrobe])
    return SceneDescription(name, (person,), camera, rate_hz, image_size=image_size, place=place)


CLIPS = (
    _clip("walk_front", MotionPart("cmu_asfamc/02/02_01.amc"), "man", (0.0, 1.4, 28.0, None), rate_hz=30),
    _clip(
        "walk_side_far",
        MotionPart("cmu_actions/test_walking_1.bvh"),
        "woman",
        (90.0, 1.6, 30.0, 9.0),
        rate_hz=24,
        place="yard",
    ),
    _clip(
        "walk_back",
        MotionPart("cmu_actions/train_walking_27.bvh"),
        "worker",
        (180.0, 1.5, 26.0, None),
        rate_hz=60,
        place="yard",
    ),
    _clip(
        "run_side",
        MotionPart("cmu_asfamc/02/02_03.amc"),
        "woman",
        (90.0, 1.3, 28.0, None),
        rate_hz=60,
        place="yard",
    ),
    _clip(
        "stride_oblique_low",
        MotionPart("cmu_subjects_iclone/007/007_12.bvh"),
        "dark_man",
        (35.0, 0.5, 26.0, None),
        rate_hz=24,
        place="yard",
    ),
    _clip(
        "turn_high",
        MotionPart("snu_walking/rawmotion/woddy2_spiral_ffffast_left.bvh", 4.0, 8.0),
        "man",
        (30.0, 3.2, 26.0, None),
        rate_hz=30,
        place="yard",
    ),
    _clip(
        "dribble_turn",
        MotionPart("cmu_subjects/06/06_12.bvh", 1.0, 5.0),
        "dark_man",
        (0.0, 1.5, 35.0, None),
        rate_hz=24,
    ),
    _clip(
        "crouch_oblique",
        MotionPart("cmu_asfamc/02/02_06.amc", 1.0, 5.0),
        "worker",
        (35.0, 1.4, 28.0, None),
        rate_hz=30,
    ),
    _clip(
        "dance_oblique",
        MotionPart("cmu_asfamc/131/131_04.amc", 4.0, 8.0),
        "woman",
        (20.0, 1.5, 28.0, None),
        rate_hz=24,
    ),
    _clip(
        "dance_leap",
        MotionPart("cmu_subjects/05/05_18.bvh", 10.0, 13.5),
        "woman",
        (-40.0, 1.2, 28.0, None),
        rate_hz=60,
    ),
    _clip(
        "salsa_back_low",
        MotionPart("cmu_dance/salsa/26.bvh", 10.0, 14.0),
        "man",
        (150.0, 0.5, 35.0, None),
        rate_hz=30,
    ),
    _clip(
        "jump_front",
        MotionPart("cmu_asfamc/02/02_04.amc", 0.0, 2.5),
        "man",
        (10.0, 1.3, 26.0, None),
        rate_hz=60,
        image_size=PORTRAIT,
    ),
    _clip(
        "jump_back_high",
        MotionPart("cmu_actions/test_jumping_1.bvh", 4.0, 7.5),
        "worker",
        (160.0, 2.6, 28.0, None),
        rate_hz=30,
    ),
    _clip(
        "punch_front_near",
        MotionPart("cmu_asfamc/02/02_05.amc", 5.0, 9.0),
        "dark_man",
        (15.0, 1.5, 26.0, None),
        rate_hz=30,
        image_size=PORTRAIT,
    ),
    _clip(
        "window_front",
        MotionPart("cmu_actions/test_washwindow_1.bvh", 1.0, 5.0),
        "woman",
        (0.0, 1.6, 35.0, None),
        rate_hz=24,
    ),
    _clip(
        "karate_low",
        MotionPart("cmu_asfamc/135/135_06.amc", 2.0, 6.0),
        "man",
        (-15.0, 0.6, 28.0, None),
        rate_hz=30,
        place="yard",
    ),
)

# SPDX-License-Identifier: GPL-3.0-or-later
"""The official MMPose checkpoints that VP3D can use: data only. Standard library only.

Source: the metafiles of MMPose 1.3.2 and its RTMPose project page. Metrics are the publisher's: AUC and
PCK@0.1 ("Mean@0.1") on Body8 for Halpe-26 models, AP on COCO for RTMO. Licence of the weights: Apache-2.0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["CATALOGUE", "POSE_MODELS", "Checkpoint", "Role"]

Role = Literal["person", "pose", "one-pass"]


@dataclass(frozen=True)
class Checkpoint:
    """One published checkpoint.

    Attributes:
        name: VP3D's name for it.
        role: "person" finds boxes, "pose" finds Halpe-26 keypoints in a box, "one-pass" COCO-17 in a picture.
        config: Path inside ``mmpose/.mim`` of the installed package.
        address: Path below the base address of OpenMMLab's downloads.
        metrics: As published.
    """

    name: str
    role: Role
    config: str
    address: str
    metrics: dict[str, float]

    @property
    def file_name(self) -> str:
        """The published file's name."""
        return self.address.rsplit("/", 1)[1]

    @property
    def sha256_prefix(self) -> str:
        """The eight hexadecimal digits that begin the file's sha256, which its name ends with."""
        match = re.search(r"-([0-9a-f]{8})(_[0-9]{8})?\.pth$", self.address)
        if match is None:
            raise ValueError(f"{self.address} does not name its hash")
        return match[1]


# Of each role from the fastest to the most accurate.
# fmt: off
CATALOGUE: tuple[Checkpoint, ...] = (
    Checkpoint(
        "rtmdet-nano", "person",
        "demo/mmdetection_cfg/rtmdet_nano_320-8xb32_coco-person.py",
        "rtmpose/rtmdet_nano_8xb32-100e_coco-obj365-person-05d8511e.pth",
        {},
    ),
    Checkpoint(
        "rtmdet-m", "person",
        "demo/mmdetection_cfg/rtmdet_m_640-8xb32_coco-person.py",
        "rtmposev1/rtmdet_m_8xb32-100e_coco-obj365-person-235e8209.pth",
        {},
    ),
    Checkpoint(
        "rtmpose-t-halpe26", "pose",
        "configs/body_2d_keypoint/rtmpose/body8/rtmpose-t_8xb1024-700e_body8-halpe26-256x192.py",
        "rtmposev1/rtmpose-t_simcc-body7_pt-body7-halpe26_700e-256x192-6020f8a6_20230605.pth",
        {"AUC": 0.664, "Mean@0.1": 0.919},
    ),
    Checkpoint(
        "rtmpose-s-halpe26", "pose",
        "configs/body_2d_keypoint/rtmpose/body8/rtmpose-s_8xb1024-700e_body8-halpe26-256x192.py",
        "rtmposev1/rtmpose-s_simcc-body7_pt-body7-halpe26_700e-256x192-7f134165_20230605.pth",
        {"AUC": 0.682, "Mean@0.1": 0.93},
    ),
    Checkpoint(
        "rtmpose-m-halpe26", "pose",
        "configs/body_2d_keypoint/rtmpose/body8/rtmpose-m_8xb512-700e_body8-halpe26-256x192.py",
        "rtmposev1/rtmpose-m_simcc-body7_pt-body7-halpe26_700e-256x192-4d3e73dd_20230605.pth",
        {"AUC": 0.719, "Mean@0.1": 0.947},
    ),
    Checkpoint(
        "rtmpose-l-halpe26", "pose",
        "configs/body_2d_keypoint/rtmpose/body8/rtmpose-l_8xb512-700e_body8-halpe26-256x192.py",
        "rtmposev1/rtmpose-l_simcc-body7_pt-body7-halpe26_700e-256x192-2abb7558_20230605.pth",
        {"AUC": 0.732, "Mean@0.1": 0.954},
    ),
    Checkpoint(
        "rtmpose-m-halpe26-384", "pose",
        "configs/body_2d_keypoint/rtmpose/body8/rtmpose-m_8xb512-700e_body8-halpe26-384x288.py",
        "rtmposev1/rtmpose-m_simcc-body7_pt-body7-halpe26_700e-384x288-89e6428b_20230605.pth",
        {"AUC": 0.736, "Mean@0.1": 0.952},
    ),
    Checkpoint(
        "rtmpose-l-halpe26-384", "pose",
        "configs/body_2d_keypoint/rtmpose/body8/rtmpose-l_8xb512-700e_body8-halpe26-384x288.py",
        "rtmposev1/rtmpose-l_simcc-body7_pt-body7-halpe26_700e-384x288-734182ce_20230605.pth",
        {"AUC": 0.744, "Mean@0.1": 0.956},
    ),
    Checkpoint(
        "rtmpose-x-halpe26-384", "pose",
        "configs/body_2d_keypoint/rtmpose/body8/rtmpose-x_8xb256-700e_body8-halpe26-384x288.py",
        "rtmposev1/rtmpose-x_simcc-body7_pt-body7-halpe26_700e-384x288-7fb6e239_20230606.pth",
        {"AUC": 0.748, "Mean@0.1": 0.957},
    ),
    Checkpoint(
        "rtmo-t", "one-pass",
        "configs/body_2d_keypoint/rtmo/body7/rtmo-t_8xb32-600e_body7-416x416.py",
        "rtmo/rtmo-t_8xb32-600e_body7-416x416-f48f75cb_20231219.pth",
        {"AP": 0.574},
    ),
    Checkpoint(
        "rtmo-s", "one-pass",
        "configs/body_2d_keypoint/rtmo/body7/rtmo-s_8xb32-600e_body7-640x640.py",
        "rtmo/rtmo-s_8xb32-600e_body7-640x640-dac2bf74_20231211.pth",
        {"AP": 0.686},
    ),
    Checkpoint(
        "rtmo-m", "one-pass",
        "configs/body_2d_keypoint/rtmo/body7/rtmo-m_16xb16-600e_body7-640x640.py",
        "rtmo/rtmo-m_16xb16-600e_body7-640x640-39e78cc4_20231211.pth",
        {"AP": 0.726},
    ),
    Checkpoint(
        "rtmo-l", "one-pass",
        "configs/body_2d_keypoint/rtmo/body7/rtmo-l_16xb16-600e_body7-640x640.py",
        "rtmo/rtmo-l_16xb16-600e_body7-640x640-b37118ce_20231211.pth",
        {"AP": 0.748},
    ),
)
# fmt: on

# What a capture can name: "mmpose:" and one of these.
POSE_MODELS = tuple(entry.name for entry in CATALOGUE if entry.role != "person")

# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from vp3d_core.capture.camera_choice import camera_from_settings
from vp3d_core.capture.progress import Progress
from vp3d_core.errors import InputError
from vp3d_core.settings import CaptureSettings

SIZE = (384, 288)


@pytest.mark.parametrize(("focal_px", "fov"), [(1.0, "179.4"), (16.0, "170.5"), (1e6, "0.022")])
def test_a_focal_length_that_no_lens_has_is_refused(focal_px: float, fov: str) -> None:
    told = rf"of {focal_px:.12g} px is a field of view of {fov} degrees in a picture 384 px wide"
    with pytest.raises(InputError, match=told) as caught:
        camera_from_settings(CaptureSettings(focal_px=focal_px), SIZE, Progress(None, ()))
    assert "expected 16.8 px (170 degrees) to 22188 px (2000 mm)" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("size", [SIZE, (288, 384), (4000, 500)])
@pytest.mark.parametrize(
    "settings",
    [
        CaptureSettings(fov_deg=170.0),
        CaptureSettings(fov_deg=5.0),
        CaptureSettings(focal_mm=3.0),
        CaptureSettings(focal_mm=2000.0),
    ],
)
def test_whatever_else_the_settings_allow_is_taken(settings: CaptureSettings, size: tuple[int, int]) -> None:
    camera, origin = camera_from_settings(settings, size, Progress(None, ()))
    assert camera.intrinsics[0, 0] > 0
    assert origin in ("fov_deg", "focal_mm")

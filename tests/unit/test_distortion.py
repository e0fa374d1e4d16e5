# SPDX-License-Identifier: GPL-3.0-or-later
"""Undoing a lens's distortion, up to where the model can be inverted."""

from __future__ import annotations

import numpy as np
import pytest

from vp3d_core.camera import distort, undistort

LENSES = {  # k1 k2 p1 p2 k3, and how far from the middle (x/z) the model is one to one
    "phone": ([0.05, -0.08, 0.001, -0.001, 0.02], 1.0),
    "action camera": ([-0.3, 0.1, 0.002, -0.001, 0.0], 1.1),
    "strong barrel": ([-0.35, 0.0, 0.0, 0.0, 0.0], 0.95),
    "pincushion": ([0.3, 0.0, 0.0, 0.0, 0.0], 1.1),
}


@pytest.mark.parametrize("lens", LENSES)
def test_undistorted_rays_are_those_that_were_distorted(lens: str) -> None:
    values, reach = LENSES[lens]
    angles, radii = np.meshgrid(np.linspace(0.0, 2 * np.pi, 33), np.linspace(0.0, reach, 40))
    rays = np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=-1).astype(np.float64)
    np.testing.assert_allclose(undistort(distort(rays, np.array(values)), np.array(values)), rays, atol=1e-6)


def test_beyond_where_a_lens_folds_over_rays_stay_finite() -> None:
    rays = np.linspace(-3.0, 3.0, 61)[:, None] * np.array([1.0, 0.5])
    assert np.isfinite(undistort(rays, np.array([-0.35, 0.0, 0.0, 0.0, 0.0]))).all()

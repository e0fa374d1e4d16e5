# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for all tests; the data behind them is in ``synthetic`` and ``clips``."""

from __future__ import annotations

import pytest

from tests import synthetic
from vp3d_core.motion import Motion


@pytest.fixture(scope="session")
def walking_motion() -> Motion:
    """A person who walks past a camera: 29 joints, 60 frames at 30 fps."""
    return synthetic.walking_motion(1)

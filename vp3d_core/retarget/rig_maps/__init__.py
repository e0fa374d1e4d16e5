# SPDX-License-Identifier: GPL-3.0-or-later
"""Families of rigs by the names of their bones: data only, one file a family."""

from __future__ import annotations

from ..rig_family import RigFamily
from . import mixamo, vp3d

__all__ = ["FAMILIES"]

FAMILIES: tuple[RigFamily, ...] = (vp3d.FAMILY, mixamo.FAMILY)

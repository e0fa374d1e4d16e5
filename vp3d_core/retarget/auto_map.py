# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the roles of a rig's bones by itself."""

from __future__ import annotations

from .family_match import match_family
from .rig import Rig
from .rig_map import RigMap

__all__ = ["guess_map"]


def guess_map(rig: Rig) -> RigMap:
    """Say which bone of a rig has which role, and how sure that is.

    Args:
        rig: The rig; a motion's skeleton as ``rig_from_skeleton`` gives it will do.

    Returns:
        The map; what was not found is in its ``missing``.
    """
    match = match_family(rig)
    return match.rig_map if match is not None else RigMap({})

# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of ``kinematics.fit_skeleton``: body, joint rotations, contacts, foot lock. numpy only."""

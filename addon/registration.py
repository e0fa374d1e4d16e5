# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules of the add-on in the order in which they are registered."""

from __future__ import annotations

from . import (
    capture,
    capture_panel,
    icons,
    job_drawing,
    job_list,
    job_runner,
    jobs_panel,
    operators,
    preferences,
    properties,
    retarget_panel,
    retarget_properties,
    session,
    worker_environment,
)
from .batch import command as batch_command

__all__ = ["MODULES"]

MODULES = (
    session,
    preferences,
    retarget_properties,
    properties,
    icons,
    job_runner,
    job_list,
    worker_environment,
    capture,
    operators,
    capture_panel,
    jobs_panel,
    retarget_panel,
    job_drawing,
    batch_command,
)

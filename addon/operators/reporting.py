# SPDX-License-Identifier: GPL-3.0-or-later
"""How operators tell of errors: a report with what was found and what to do, and CANCELLED."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

import bpy

from ...vp3d_core.errors import VP3DError
from ..hints import hint_in_blender

__all__ = ["invoke_reports_errors", "report_error", "reports_errors"]

OperatorT = TypeVar("OperatorT", bound=bpy.types.Operator)
Execute = Callable[[OperatorT, bpy.types.Context], "set[str] | None"]
Invoke = Callable[[OperatorT, bpy.types.Context, bpy.types.Event], "set[str] | None"]


def reports_errors(execute: Execute[OperatorT]) -> Callable[[OperatorT, bpy.types.Context], set[str]]:
    """Make an execute of a function that may raise VP3DError and need not return anything."""

    @wraps(execute)
    def execute_and_report(operator: OperatorT, context: bpy.types.Context) -> set[str]:
        try:
            return execute(operator, context) or {"FINISHED"}
        except VP3DError as error:
            return report_error(operator, error)

    return execute_and_report


def invoke_reports_errors(
    invoke: Invoke[OperatorT],
) -> Callable[[OperatorT, bpy.types.Context, bpy.types.Event], set[str]]:
    """Do the same for an invoke: Blender counts the arguments."""

    @wraps(invoke)
    def invoke_and_report(
        operator: OperatorT, context: bpy.types.Context, event: bpy.types.Event
    ) -> set[str]:
        try:
            return invoke(operator, context, event) or {"FINISHED"}
        except VP3DError as error:
            return report_error(operator, error)

    return invoke_and_report


def report_error(operator: bpy.types.Operator, error: VP3DError) -> set[str]:
    """Tell of an error and return CANCELLED."""
    hint = hint_in_blender(error.code, error.hint)
    # The popup shows two lines; the status bar joins them, without a blank of its own.
    operator.report({"ERROR"}, f"{error.message}. \n{hint}" if hint else error.message)
    return {"CANCELLED"}

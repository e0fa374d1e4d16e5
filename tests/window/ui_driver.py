# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives a real Blender's user interface with simulated events, from inside.

A scenario is a generator; every ``yield seconds`` gives the event loop time. Blender is started with
``--enable-event-simulate`` and ``--python SCENARIO``; the process ends with 0 when the scenario does, with 1
when it raises. A second timer measures how long the main loop was ever kept from running.
"""

from __future__ import annotations

import os
import sys
import time
import traceback
from collections.abc import Callable, Generator
from pathlib import Path

import bpy
import x_screenshot

Scenario = Generator[float, None, None]
PULSE_S = 0.002
HOVER_STEP_PX = 6
SHOTS_VARIABLE = "VP3D_SHOTS"  # folder for screenshots; without it none are made


class NotFound(AssertionError):
    """A button or property is not where it should be."""


class Pulse:
    """How long the main loop was kept from running: by the clock, and by the main thread's own work.

    On a machine that is busy with other things the second is the one to look at.
    """

    def __init__(self) -> None:
        # By the clock and by CPU time, which need not be the same gap. No more is kept: Python's garbage
        # collector would look at it, and be measured.
        self.longest_s = (0.0, 0.0)
        self._last_s = (time.perf_counter(), time.thread_time())

    @property
    def longest_ms(self) -> str:
        """The same in words."""
        wall_s, cpu_s = self.longest_s
        return f"{1000 * wall_s:.0f} ms by the clock, {1000 * cpu_s:.0f} ms of CPU time"

    def start(self) -> None:
        """Measure from now on."""
        self.reset()
        bpy.app.timers.register(self._beat, persistent=True)

    def reset(self) -> None:
        """Forget what was measured."""
        self.longest_s = (0.0, 0.0)
        self._last_s = (time.perf_counter(), time.thread_time())

    def _beat(self) -> float:
        now_s = (time.perf_counter(), time.thread_time())
        self.longest_s = (
            max(self.longest_s[0], now_s[0] - self._last_s[0]),
            max(self.longest_s[1], now_s[1] - self._last_s[1]),
        )
        self._last_s = now_s
        return PULSE_S


class UI:
    """The first window of a running Blender."""

    def __init__(self) -> None:
        self.position = (0, 0)
        self.pulse = Pulse()

    @property
    def window(self) -> bpy.types.Window:
        """The first window; another file brings another one."""
        return bpy.context.window_manager.windows[0]

    def area(self, kind: str = "VIEW_3D") -> bpy.types.Area:
        """Return the largest area of a kind."""
        areas = [area for area in self.window.screen.areas if area.type == kind]
        return max(areas, key=lambda area: area.width * area.height)

    def region(self, kind: str = "UI", area: str = "VIEW_3D") -> bpy.types.Region:
        """Return a region of the largest area of a kind."""
        return next(region for region in self.area(area).regions if region.type == kind)

    def override(self, region: str = "UI", area: str = "VIEW_3D"):
        """Return a context override for a region."""
        return bpy.context.temp_override(
            window=self.window,
            screen=self.window.screen,
            area=self.area(area),
            region=self.region(region, area),
        )

    def event(self, kind: str, value: str, **modifiers: bool) -> None:
        """Send an event to the place where the mouse is."""
        self.window.event_simulate(
            type=kind, value=value, x=self.position[0], y=self.position[1], **modifiers
        )

    def move(self, x: float, y: float) -> None:
        """Move the mouse; y counts from the bottom."""
        self.position = (int(x), int(y))
        self.event("MOUSEMOVE", "NOTHING")

    def click(self, x: float, y: float) -> Scenario:
        """Click at a place."""
        self.move(x, y)
        yield 0.15
        self.event("LEFTMOUSE", "PRESS")
        yield 0.1
        self.event("LEFTMOUSE", "RELEASE")
        yield 0.3

    def key(self, kind: str, **modifiers: bool) -> Scenario:
        """Press a key with the mouse over the 3D viewport."""
        window = self.region("WINDOW")
        self.move(window.x + window.width / 3, window.y + window.height / 3)
        yield 0.1
        self.event(kind, "PRESS", **modifiers)
        yield 0.05
        self.event(kind, "RELEASE", **modifiers)
        yield 0.3

    def open_tab(self, category: str = "Mocap") -> Scenario:
        """Open the sidebar at a tab."""
        self.area().spaces.active.show_region_ui = True
        yield 0.7
        self.region().active_panel_category = category
        yield 0.7

    def raise_panel(self, name: str) -> None:
        """Open a panel and put it on top; call it before its tab is opened.

        Where headers are to be clicked differs between versions, so the classes are registered anew.
        """
        kinds = [getattr(bpy.types, each) for each in dir(bpy.types) if each.startswith("VP3D_PT_")]
        panel = getattr(bpy.types, name)
        children = [kind for kind in kinds if getattr(kind, "bl_parent_id", "") == name]
        for kind in (*children, panel):
            bpy.utils.unregister_class(kind)
        panel.bl_options, panel.bl_order = set(), -1
        for kind in (panel, *children):
            bpy.utils.register_class(kind)

    def find(self, operator: str, *, region: str = "UI", area: str = "VIEW_3D", column: float = 0.5):
        """Look for an operator's button by hovering, and return where it is; a greyed-out one is not found.

        Args:
            operator: As in "vp3d.capture_video".
            region: Kind of region.
            area: Kind of area.
            column: Where in the region's width to look, 0 to 1.
        """
        there = self.region(region, area)
        x = there.x + int(there.width * column)
        for y in range(there.y + there.height - 4, there.y + 4, -HOVER_STEP_PX):
            self.move(x, y)
            yield 0.02
            if self._operator_here(region, area).startswith(f"bpy.ops.{operator}("):
                return (x, y - HOVER_STEP_PX // 2)
        raise NotFound(f"no button of {operator} can be clicked in {area} {region}")

    def press(self, operator: str, *, column: float = 0.5) -> Scenario:
        """Look for an operator's button in the sidebar and click it."""
        place = yield from self.find(operator, column=column)
        yield from self.click(*place)

    def wait_until(self, condition: Callable[[], bool], *, within_s: float, what: str) -> Scenario:
        """Wait until a condition holds."""
        end_s = time.monotonic() + within_s
        while not condition():
            if time.monotonic() > end_s:
                raise TimeoutError(f"{what}: not within {within_s:g} s")
            yield 0.1

    def shot(self, name: str) -> None:
        """Take a screenshot, where they are wanted."""
        folder = os.environ.get(SHOTS_VARIABLE)
        if folder:
            x_screenshot.grab(Path(folder) / f"{name}.png")

    def _operator_here(self, region: str, area: str) -> str:
        with self.override(region, area):
            if not bpy.ops.ui.copy_python_command_button.poll():
                return ""
            manager = bpy.context.window_manager
            manager.clipboard = ""
            try:
                bpy.ops.ui.copy_python_command_button()
            except RuntimeError:
                return ""
            return str(manager.clipboard)


def say(*words: object) -> None:
    """Write a line that the test that started Blender finds in its output."""
    sys.stdout.write("[ui] " + " ".join(str(word) for word in words) + "\n")
    sys.stdout.flush()


def run(scenario: Callable[[UI], Scenario], *, limit_s: float = 240.0) -> None:
    """Run a scenario once Blender's window is there, then end the process."""
    bpy.context.preferences.view.show_splash = False
    started_s = time.monotonic()
    ui = UI()
    steps: list[Scenario] = []

    def tick() -> float:
        try:
            if not steps:
                ui.pulse.start()
                steps.append(scenario(ui))
            if time.monotonic() - started_s > limit_s:
                raise TimeoutError(f"the scenario took more than {limit_s:g} s")
            return next(steps[0]) or 0.0
        except StopIteration:
            say(f"done in {time.monotonic() - started_s:.1f} s")
            code = 0
        except BaseException:  # noqa: BLE001  whatever it is ends the process with 1
            traceback.print_exc()
            ui.shot("failed")
            code = 1
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # quitting Blender always gives 0

    bpy.app.timers.register(tick, first_interval=1.0, persistent=True)

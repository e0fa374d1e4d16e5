# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure how long the interface is kept from running; ``benchmarks/ui_block.py`` starts it."""

import functools
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import addon_utils
import bpy
from ui_driver import UI, Scenario, run, say

EXTENSION = "bl_ext.user_default.vp3d"
IDLE_S = 20.0


class Stopwatch:
    """How long calls of the add-on's functions take, wall and CPU, s."""

    def __init__(self) -> None:
        self.calls: dict[str, list[tuple[float, float]]] = {}

    def watch(self, owner: Any, name: str, title: str) -> None:
        """Time a function from now on."""
        function: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(function)
        def timed(*words: Any, **named: Any) -> Any:
            before = (time.perf_counter(), time.thread_time())
            try:
                return function(*words, **named)
            finally:
                after = (time.perf_counter(), time.thread_time())
                self.calls.setdefault(title, []).append((after[0] - before[0], after[1] - before[1]))

        setattr(owner, name, timed)

    def watch_draw(self, panel: Any, title: str) -> None:
        """Time a panel's draw from now on; Blender counts its arguments."""
        self.watch(panel, "draw", title)
        timed = panel.draw
        panel.draw = lambda self, context: timed(self, context)

    def report(self) -> None:
        """Say median and maximum of each function."""
        for title, calls in self.calls.items():
            cpu = [each for _, each in calls]
            say(
                f"{title}: {len(calls)} calls, CPU median {1000 * statistics.median(cpu):.2f} ms, longest "
                f"{1000 * max(cpu):.2f} ms; by the clock {1000 * max(wall for wall, _ in calls):.2f} ms"
            )


def scenario(ui: UI) -> Scenario:
    addon_utils.enable(EXTENSION, default_set=True)
    session, chosen = bpy.context.window_manager.vp3d, bpy.context.scene.vp3d
    say("Blender", bpy.app.version_string)
    yield from ui.open_tab()
    bpy.ops.vp3d.choose_video(filepath=os.environ["VP3D_CLIP"])
    yield from ui.wait_until(lambda: session.preview_count > 1, within_s=60, what="preview")
    yield 2.0
    ui.pulse.reset()
    yield IDLE_S
    say(f"main loop, idle for {IDLE_S:g} s: longest gap {ui.pulse.longest_ms}")

    watch = Stopwatch()
    modules = {name: sys.modules[f"{EXTENSION}.addon.{name}"] for name in ("job_runner", "capture")}
    watch.watch(modules["job_runner"], "_tick", "poll")
    watch.watch(modules["capture"], "_finish", "end of the capture")
    watch.watch_draw(bpy.types.VP3D_PT_capture, "drawing the panel")
    bpy.context.preferences.addons[EXTENSION].preferences.import_when_done = False
    ui.pulse.reset()
    began_s = time.monotonic()
    watch.watch(modules["job_runner"], "start", "starting the worker")
    bpy.ops.vp3d.capture_video("INVOKE_DEFAULT")
    yield from ui.wait_until(lambda: session.jobs[0].status != "in_use", within_s=300, what="capture")
    assert session.jobs[0].status == "done", session.message
    say(f"main loop, capturing for {time.monotonic() - began_s:.0f} s: longest gap {ui.pulse.longest_ms}")
    watch.report()

    ui.pulse.reset()
    began_s, began_cpu_s = time.perf_counter(), time.thread_time()
    bpy.ops.vp3d.import_job("EXEC_DEFAULT", True)
    wall_s, cpu_s = time.perf_counter() - began_s, time.thread_time() - began_cpu_s
    frames = int(chosen.retarget.source.animation_data.action.frame_range[1])
    say(f"importing {frames} frames: {1000 * wall_s:.0f} ms by the clock, {1000 * cpu_s:.0f} ms of CPU time")
    yield 1.0


run(scenario, limit_s=500.0)

# SPDX-License-Identifier: GPL-3.0-or-later
"""How near the demo's capture came to the truth: a small table, and a picture of the overlay.

``python -m vp3d_core.accuracy.demo_report MOTION TRUTH --overlay OVERLAY --picture PNG``: what install.py
demo runs with the worker's Python.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .. import motion_file
from ..errors import VP3DError
from ..output_file import replaced_when_done
from ..video import probe, read_frames
from .comparison import Accuracy, compare_motion
from .ground_truth import load_truth

__all__ = ["main", "save_picture", "table_lines"]

ROWS, COLUMNS = 2, 3  # of the picture
CELL_WIDTH_PX = 480


def main(words: Sequence[str] | None = None) -> int:
    """Print the table and write the picture; return the exit code."""
    parser = argparse.ArgumentParser(prog="demo_report", description=__doc__)
    parser.add_argument("motion", type=Path)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--overlay", type=Path, required=True)
    parser.add_argument("--picture", type=Path, required=True)
    options = parser.parse_args(words)
    try:
        found = compare_motion(motion_file.load(options.motion), load_truth(options.truth))
        save_picture(options.picture, options.overlay)
    except VP3DError as error:
        sys.stderr.write(f"Error: {error.message}\n{error.hint}".rstrip() + "\n")
        return 1
    sys.stdout.write("\n".join(table_lines(found)) + "\n")
    return 0


def table_lines(found: Accuracy) -> list[str]:
    """Return the table, a line for each figure."""
    pose, world = found.pose, found.world
    rows = [
        ("frames with a pose", f"{100 * found.coverage:.0f} %", ""),
        ("MPJPE", f"{1000 * pose.mpjpe_m:.0f} mm", "mean error of the joints, seen from the hips"),
        ("P-MPJPE", f"{1000 * pose.p_mpjpe_m:.0f} mm", "the same, with turn and size forgiven"),
        ("root path", f"{100 * world.root_m:.0f} cm", f"mean error over {world.path_m:.1f} m of path"),
        (
            "root path, aligned",
            f"{100 * world.root_aligned_m:.0f} cm",
            "place and heading of the first frame forgiven",
        ),
        (
            "foot slide",
            f"{100 * world.slide_m_s:.1f} cm/s",
            f"of feet that stand; the real ones move at {100 * world.true_slide_m_s:.1f} cm/s",
        ),
        ("feet in the floor", f"{1000 * world.penetration_m:.0f} mm", "mean depth of the lowest point"),
        ("vertical", f"{world.up_deg:.1f} degrees", "error of which way is up"),
    ]
    return [f"  {name:<20}{value:>12}   {text}".rstrip() for name, value, text in rows]


def save_picture(path: Path, overlay: Path) -> None:
    """Write six frames of the overlay as one PNG.

    Args:
        path: The PNG.
        overlay: The video.

    Raises:
        VideoReadError: The video cannot be read.
        OutputError: The PNG cannot be written.
    """
    import cv2

    info = probe(overlay)
    count = info.frame_count or max(1, round(info.duration_s * info.average_rate_hz))
    wanted = np.linspace(0.06, 0.94, ROWS * COLUMNS) * (count - 1)
    size = (CELL_WIDTH_PX, round(CELL_WIDTH_PX * info.height / info.width))
    rows = wanted.round().astype(int).tolist()
    cells = [
        cv2.resize(frame.rgb, size, interpolation=cv2.INTER_AREA)
        for frame in read_frames(overlay)
        if frame.index in rows
    ]
    cells += [np.zeros((size[1], size[0], 3), np.uint8)] * (ROWS * COLUMNS - len(cells))
    sheet = np.vstack([np.hstack(cells[row * COLUMNS : (row + 1) * COLUMNS]) for row in range(ROWS)])
    _, encoded = cv2.imencode(".png", np.ascontiguousarray(sheet[..., ::-1]))
    with replaced_when_done(path) as temporary:
        temporary.write_bytes(encoded.tobytes())


if __name__ == "__main__":
    raise SystemExit(main())

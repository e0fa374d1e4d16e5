# SPDX-License-Identifier: GPL-3.0-or-later
"""Entry of ``python -m tools.render_person``."""

from .cli import run_and_leave

run_and_leave()

# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tools.small_mmpose``."""

from .cli import main

raise SystemExit(main())

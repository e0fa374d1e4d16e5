# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tools.detector_errors``."""

from .cli import main

raise SystemExit(main())

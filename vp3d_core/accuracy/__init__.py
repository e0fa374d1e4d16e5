# SPDX-License-Identifier: GPL-3.0-or-later
"""Captures compared with what is known to be true. numpy only."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""Training and evaluation of the lifter. Needs torch; never imported by a capture."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""A rendered person: video of a moving MakeHuman body with exact ground truth. See README.md."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""One capture from command line or job file to files: stages, cache, progress, cancellation."""

# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person looks at after a capture: the overlay video and the report."""

# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules of the house that scripts check: who includes whom, sizes, names."""

# SPDX-License-Identifier: GPL-2.0-or-later
"""The lab: a virtual machine (L1) in which hv.ko is loaded and tested."""

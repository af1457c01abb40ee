# SPDX-License-Identifier: GPL-2.0-only
kmod-compat := eventfd guest_work gup hrtimer slat_account

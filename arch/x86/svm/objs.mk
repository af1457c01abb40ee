# SPDX-License-Identifier: GPL-2.0-only
arch-x86-svm := hw bitmap ctl run exits ops enter

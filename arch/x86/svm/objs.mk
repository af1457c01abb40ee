# SPDX-License-Identifier: GPL-2.0-only
ifneq ($(HV_NEXT),)
arch-x86-svm := hw bitmap ctl run exits ops enter
endif

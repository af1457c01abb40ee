# SPDX-License-Identifier: GPL-2.0-only
# See arch/x86/objs.mk.
ifneq ($(HV_NEXT),)
arch-x86-mmu := root host map zap fault wrprot track
endif

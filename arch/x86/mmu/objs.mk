# SPDX-License-Identifier: GPL-2.0-only
arch-x86-mmu := root host map zap fault wrprot track

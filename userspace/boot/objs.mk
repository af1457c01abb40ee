# SPDX-License-Identifier: GPL-2.0-or-later
userspace-boot := arena bootmenu fsid grub_cmd grub_env grub_lex grub_run grub_search grub_test loader bls extlinux

#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# lengths.sh [instances [seed]]: build and run lengths.c, if Zydis is there

cd "$(dirname "$0")/../.." || exit 1
if [ ! -e /usr/include/Zydis/Zydis.h ]; then
	echo "libzydis-dev is not installed"
	exit 77
fi
mkdir -p build/insn
gcc -std=gnu11 -O2 -Wall -Wextra -I. -Iinclude -Iinclude/uapi -o build/insn/lengths \
	selftests/insn/lengths.c arch/x86/lib/insn_decode*.c -lZydis || exit 1
exec build/insn/lengths "$@"

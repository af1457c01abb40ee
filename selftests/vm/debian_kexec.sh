#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# debian_kexec.sh COUNT [SEED]: debian_kexec_test.py in the lab on a fresh Debian
# disk, which is looked at afterwards by us, by QEMU and by e2fsck.

folder=$(mktemp -d build/kexec.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
./scripts/demo-disk "$folder" || exit 1
./scripts/lab --mem 2G --timeout $((300 * ($1 + 2))) -- selftests/vm/debian_kexec_test.py "$folder" "$@" || exit
build/bin/hvctl disk check "$folder/debian.vhd" &&
	qemu-img convert -f vpc -O raw "$folder/debian.vhd" "$folder/raw" &&
	e2fsck -fn "$folder/raw?offset=1048576"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# bootdebian.sh: GRUB comes up from a fresh copy of the demo's disk on an emulated PC. In the lab the disk boots
# itself, through its own GRUB configuration, to the log-in prompt; inside, another kernel becomes the
# default and a reboot takes it.

cd "$(dirname "$0")/../.." || exit 1
folder=build/vm-bootdebian
rm -rf "$folder"
./scripts/demo-disk "$folder" || exit 1
# What the first sectors do on a machine with a BIOS: the menu comes.
qemu-system-x86_64 -M pc -m 512 -display none -serial "file:$folder/bios.log" -snapshot \
	-drive "file=$folder/debian.vhd,format=vpc,if=ide" -no-reboot &
bios=$!
for _ in $(seq 120); do
	grep -q 'GNU GRUB' "$folder/bios.log" 2>/dev/null && break
	kill -0 $bios 2>/dev/null || break
	sleep 1
done
kill $bios 2>/dev/null
wait $bios 2>/dev/null
status=0
grep -q 'GNU GRUB' "$folder/bios.log" || {
	echo "not ok - GRUB did not come up on an emulated PC"
	status=1
}
./scripts/lab --timeout 1350 -- selftests/vm/bootdebian_test.py "$folder/debian.vhd" || status=1
rm -rf "$folder"
exit $status

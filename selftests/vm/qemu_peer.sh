#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The bare images that use the test devices find the same in QEMU, whose devices those are.
for image in hello testdev; do
	timeout 50 qemu-system-x86_64 -nodefaults -display none -serial stdio -cpu max -m 64 -no-reboot \
		-device pc-testdev -device isa-debug-exit,iobase=0xf4,iosize=4 \
		-kernel build/guest/$image.elf -append "answer=42 exit=85" </dev/null
	status=$?
		[ $status = 171 ] || { echo "not ok - $image: status $status, wanted 171"; exit 1; }
	echo "ok - $image"
done

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module loads, unloads and loads again, five times.
set -e
for i in $(seq 5); do
	rmmod hv
	[ ! -e /sys/module/hv ]
	insmod hv.ko
	[ -e /sys/module/hv ]
done

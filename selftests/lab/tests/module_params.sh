#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each off switch switches off: alone, and all at once; a guest runs without the feature.
set -e

bits()
{
	build/api/features_test bits
}

all=
full=$(bits)
for p in /sys/module/hv/parameters/*; do
	p=${p##*/}
	rmmod hv
	insmod hv.ko "$p=0"
	now=$(bits)
	printf '%-16s %s of %s\n' "$p=0" "$now" "$full"
	[ $((now & ~full)) = 0 ] || { echo "module_params: $p=0 adds features" >&2; exit 1; }
	build/api/features_test || { echo "module_params: no guest runs with $p=0" >&2; exit 1; }
	all="$all $p=0"
done
rmmod hv
# shellcheck disable=SC2086
insmod hv.ko $all
[ "$(bits)" = 0x1 ] || { echo "module_params: not all off: $(bits)" >&2; exit 1; }
build/api/features_test
rmmod hv
insmod hv.ko
[ "$(bits)" = "$full" ]

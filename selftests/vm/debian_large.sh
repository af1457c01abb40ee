#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# debian_large.sh [IMAGE.vhd]: one Debian disk under its own kernel with 4 vCPUs
# and 5 GiB of memory, then under Debian's cloud kernel: each time all of what the
# demo does. IMAGE: as guest-image --include linux-image-cloud-amd64 made it.

folder=$(mktemp -d build/large.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
image=$1
if [ -z "$image" ]; then
	image=$folder/debian.vhd
	# shellcheck source=/dev/null
	suite=$(. /etc/os-release; echo "$VERSION_CODENAME")
	./scripts/guest-image --include linux-image-cloud-amd64 "$suite" "$image" || exit 1
fi
base=${image%.vhd}

visit() {
	local name=$1
	shift
	./scripts/lab --mem 7G --timeout 800 -- scripts/demo-debian --disk "$image" \
		--kernel "$base$name.vmlinuz" --initrd "$base$name.initrd" --seconds 780 "$@"
}

visit "" --cpus 4 --memory 5G || exit
visit .cloud --cpus 2 || exit
build/bin/hvctl disk check "$image" &&
	qemu-img convert -f vpc -O raw "$image" "$folder/raw" &&
	e2fsck -fn "$folder/raw?offset=1048576"

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# cold.sh SECONDS COMMAND...: the command works on a machine that has nothing,
# in the time a newcomer was promised. The machine is a minimal Debian root
# made with this machine's own apt configuration; in it lies a fresh clone of
# what is committed here, and no cache. Making the root is not counted.
limit=$1
shift
top=$PWD
root=$(mktemp -d "${TMPDIR:-/var/tmp}/hv-cold.XXXXXX") || exit 1
trap 'rm -rf --one-file-system "$root"' EXIT
# shellcheck source=/dev/null
. /etc/os-release

sources=$(find /etc/apt -maxdepth 2 -name '*.list' -o -maxdepth 2 -name '*.sources')
# shellcheck disable=SC2086
if ! mmdebstrap --quiet --variant=minbase --include=ca-certificates,git,kmod,udev \
	"$VERSION_CODENAME" "$root/r" $sources >"$root/log" 2>&1; then
	tail -n 20 "$root/log"
	echo "cold: mmdebstrap made no root from this machine's apt configuration"
	exit 1
fi
git clone -q "file://$top" "$root/r/srv/hv" || exit 1
cp /etc/resolv.conf "$root/r/etc/resolv.conf"

# Mounts of its own, gone with the last process in it; so are the processes.
start=$SECONDS
unshare --mount --pid --fork --kill-child bash -c '
	root=$1; limit=$2; shift 2
	mount -t proc proc "$root/proc" && mount --rbind /sys "$root/sys" &&
	mount --rbind /dev "$root/dev" && mount -t tmpfs tmpfs "$root/run" || exit 1
	env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb LANG=C.UTF-8 \
		timeout -k 10 "$limit" chroot "$root" sh -c "cd /srv/hv && exec \"\$@\"" sh "$@"
' cold "$root/r" "$limit" "$@" </dev/null
status=$?
spent=$((SECONDS - start))
echo "cold: $*: status $status after $spent s of $limit s"
exit $status

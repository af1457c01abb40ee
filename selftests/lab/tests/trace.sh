#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# hvctl trace in L1: events of the VM named and of no other, chosen events, JSON; the
# instance is gone afterwards; without permission the error names the remedy. And who is
# traced goes on.
top=$(cd "$(dirname "$0")/../../.." && pwd)
tool=$top/build/bin/hvctl
guest=$top/build/guest/echo.elf
. "$top/selftests/cli/ok.sh"
dir=$(mktemp -d)
chmod 755 "$dir"
export HV_RUNTIME_DIR=$dir/run
cd "$dir" || exit 1
mountpoint -q /sys/kernel/tracing || mount -t tracefs nodev /sys/kernel/tracing || exit 1
hv() { timeout 60 "$tool" "$@"; }
id() { hv show "$1" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])'; }
trap 'hv kill a b >/dev/null 2>&1' EXIT

hv start -k "$guest" -n a -m 32M >/dev/null && hv start -k "$guest" -n b -m 32M >/dev/null || exit 1
a=$(id a) b=$(id b)
[ "$a" != "$b" ] || { echo "not ok - two VMs have one number: $a"; failed=1; }
# trace FILE OPTION...: of a, while both do things.
trace()
{
	local out=$1 pid
	shift
	hv trace a "$@" >"$out" 2>&1 &
	pid=$!
	for _ in $(seq 60); do
		hv pause a b >/dev/null; hv resume a b >/dev/null
		kill -0 $pid 2>/dev/null || break
	done
	wait $pid
}
trace all -c 20 || { echo "not ok - trace failed: $(cat all)"; failed=1; }
ok 0 "20 lines" "^20$" grep -c . all
ok 0 "of VM a" "vm=$a " cat all
ok 1 "of no other VM" "^0$" grep -cvE "vm=$a " all
trace ioctls -c 4 --event hv_ioctl --json || { echo "not ok - trace --event failed: $(cat ioctls)"; failed=1; }
ok 0 "one event, as JSON" "ok" python3 -c '
import json
docs = [json.loads(line) for line in open("ioctls")]
assert len(docs) == 4 and all(d["event"] == "hv_ioctl" and f"vm='"$a"' " in d["text"] + " " for d in docs), docs
print("ok")'
ok 2 "no such event" "has no event 'none'" hv trace a --event none
ok 3 "no such VM" "no VM named" hv trace none
ok 0 "the end of its time" "" hv trace a -t 200ms
ok 2 "no instance is left" "No such file" ls /sys/kernel/tracing/instances/hvctl-*
# Who may not use /dev/hv has no VM: one without a CPU will do.
mkdir mine && chown nobody mine && echo k >k
ok 8 "not permitted: the remedy" "sudo hvctl trace x" setpriv --reuid nobody --clear-groups bash -c "
	export HV_RUNTIME_DIR=$dir/mine
	$top/build/cli/hvctl start -k $dir/k -n x -m 16M >/dev/null
	$top/build/cli/hvctl trace x
	code=\$?
	$top/build/cli/hvctl kill x >/dev/null
	exit \$code"
ok 0 "both go on" "^b +running" hv list
exit $failed

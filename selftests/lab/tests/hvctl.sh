#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every verb of hvctl on real guests in L1, as an ordinary member of group hv:
# build/guest/echo.elf gives back what is typed and powers off when the button is
# pressed. Root gets a short round, and who is not in the group a clear answer.
top=$(cd "$(dirname "$0")/../../.." && pwd)
tool=$top/build/bin/hvctl
guest=$top/build/guest/echo.elf
self=$(realpath "$0")
. "$top/selftests/cli/ok.sh"

hv() { timeout 30 "$tool" "$@"; }

# soon WHAT COMMAND...: it holds within ten seconds.
soon()
{
	local what=$1
	shift
	for _ in $(seq 50); do
		"$@" && { echo "ok - $who: $what"; return; }
		sleep 0.2
	done
	echo "not ok - $who: not so: $what"
	failed=1
}

# typed NAME TEXT WHAT COMMAND...: with TEXT typed on its console, WHAT holds soon.
typed()
{
	local name=$1 text=$2 pid
	shift 2
	timeout 15 "$tool" console -q "$name" < <(printf '%s' "$text") >/dev/null 2>&1 &
	pid=$!
	soon "$@"
	kill $pid 2>/dev/null
	wait $pid
}

# printed NAME TEXT [COUNT]: so often by the guest.
printed() { [ "$(hv logs --console "$1" | grep -oF "$2" | wc -l)" = "${3:-1}" ]; }

gone() { ! hv list -q | grep -qx "$1"; }
empty() { [ -z "$(hv list -q)" ]; }

verbs()
{
	who=$(id -un)
	dir=$(mktemp -d)
	export HV_RUNTIME_DIR=$dir/run
	cd "$dir" || exit 1
	ok 0 "version" "^hv.ko .*(amd|intel)" hv version
	ok 0 "start" "^a$" hv start -k "$guest" -n a -m 32M
	ok 0 "start another" "^vm1$" hv start -k "$guest" -m 32M -c 2 -a deaf=1
	ok 0 "list has a" "^a +running +1 +32M" hv list
	ok 0 "list has vm1" "^vm1 +running +2 +32M" hv list
	soon "the guest came up" printed a "echo guest"
	typed a hello "it echoes" printed a hello
	ok 0 "stats" "[a-z]+\.[a-z_.]+ +[1-9]" hv stats a
	ok 0 "pause" "" hv pause a
	ok 0 "is paused" "^state +paused" hv show a
	typed a late "a paused guest does not echo" printed a late 0
	ok 4 "stop while paused" "it is paused" hv stop a
	ok 0 "resume" "" hv resume a
	typed a more "the guest goes on" printed a more
	ok 0 "reset" "" hv reset a
	soon "the guest starts again" printed a "echo guest" 2
	typed a '!' "it resets itself" printed a "echo guest" 3
	ok 0 "stop by the button" "" hv stop a -t 10
	ok 0 "cause in the log" "power-off|powered off|S5" hv logs a
	ok 9 "a deaf guest" "did not power off" hv stop vm1 -t 1
	ok 0 "kill" "" hv kill vm1
	ok 0 "cause in the log of the killed" "hvctl kill|killed" hv logs vm1
	ok 0 "start paused" "^p$" hv start -k "$guest" -n p -m 32M --paused
	ok 0 "nothing printed yet" "^state +paused" hv show p
	soon "a paused guest prints nothing" printed p echo 0
	hv resume p
	soon "it does when resumed" printed p "echo guest"
	(sleep 1; hv kill p) &
	ok 0 "wait" "^p: killed" hv wait p
	wait
	ok 0 "no-reboot" "^n$" hv start -k "$guest" -n n -m 32M --no-reboot
	typed n '#' "a triple fault ends it" gone n
	ok 0 "triple fault in the log" "triple" hv logs n
	ok 15 "exit with guest" "" bash -c "printf '\$' | timeout 20 '$tool' run -k '$guest' -m 32M --test-devices --exit-with-guest"
	ok 7 "not a kernel" "passwd" hv run -k /etc/passwd
	ok 7 "not enough memory" "." hv run -k "$guest" -m 1K
	ok 0 "start to be killed" "^k$" hv start -k "$guest" -n k -m 32M
	kill -9 "$(hv show k | sed -n 's/^pid *//p')"
	soon "kill -9 leaves an empty list" empty
	[ -z "$(hv list -q)" ] && [ -z "$(ls run | grep -v '\.log$')" ] ||
		{ echo "not ok - kill -9 leaves something"; hv list; ls run; failed=1; }
	cd / && rm -rf "$dir"
}

# What hv.ko announces, through libnl.
events()
{
	who=events
	dir=$(mktemp -d)
	export HV_RUNTIME_DIR=$dir/run
	hv events -t 15 --json >"$dir/out" 2>"$dir/err" &
	sleep 1
	hv start -k "$guest" -n seen -m 32M >/dev/null
	hv kill seen
	sleep 1
	kill $! 2>/dev/null
	wait
	for event in vm-created vcpu-created vcpu-started vm-destroyed; do
		grep -q "\"event\":\"$event\".*\"name\":\"seen\"" "$dir/out" ||
			{ echo "not ok - no event $event"; cat "$dir/out" "$dir/err"; failed=1; break; }
	done
	rm -rf "$dir"
}

if [ "$1" = verbs ]; then
	verbs
	exit $failed
fi
ls -l /dev/hv
who=root
export HV_RUNTIME_DIR=/tmp/root
ok 0 "start" "^r$" hv start -k "$guest" -n r -m 32M
ok 0 "list" "^r +running" hv list
ok 0 "kill" "" hv kill r
events
getent group hv >/dev/null || { echo "not ok - there is no group hv"; exit 1; }
setpriv --reuid nobody --regid nogroup --groups "$(getent group hv | cut -d: -f3)" \
	env HOME=/tmp "$self" verbs || failed=1
# Without HV_RUNTIME_DIR: the user's own directory, /run/hv if it may be used, or one in /tmp, and it says so.
who=directories
unset HV_RUNTIME_DIR XDG_RUNTIME_DIR
member="setpriv --reuid nobody --regid nogroup --groups $(getent group hv | cut -d: -f3)"
ok 0 "neither: in /tmp, told" "using /tmp/hv-" $member timeout 30 "$tool" start -k "$guest" -n t -m 32M
[ -S "/tmp/hv-$(id -u nobody)/t.sock" ] || { echo "not ok - no socket in /tmp/hv-UID"; failed=1; }
ok 0 "kill there" "" $member timeout 30 "$tool" kill t
install -d -m 1770 -g hv /run/hv
ok 0 "in /run/hv" "^r$" $member timeout 30 "$tool" start -k "$guest" -n r -m 32M
[ -S /run/hv/r.sock ] || { echo "not ok - no socket in /run/hv"; failed=1; }
ok 0 "root reaches it" "^r +running" hv list
ok 0 "kill by root" "" hv kill r
who=stranger
ok 8 "not in group hv" "group hv" setpriv --reuid nobody --regid nogroup --clear-groups \
	env HV_RUNTIME_DIR=/tmp/stranger "$tool" run -k "$guest"
exit $failed

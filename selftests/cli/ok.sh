# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by tests of hvctl: one command, what it must say and return.
failed=0

# ok CODE WHAT PATTERN COMMAND...: exit code, and a line of stdout or stderr; $who
# runs it, if that is set.
ok()
{
	local want=$1 what=${who:+$who: }$2 pattern=$3 out code
	shift 3
	out=$("$@" 2>&1 </dev/null)
	code=$?
	if [ $code != "$want" ] || ! grep -qE -- "$pattern" <<<"$out"; then
		echo "not ok - $what: exit code $code, wanted $want and /$pattern/:"
		sed 's/^/    /' <<<"$out"
		failed=1
	else
		echo "ok - $what"
	fi
}

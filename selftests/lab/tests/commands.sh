#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The commands everybody relies on are there and explain themselves, and
# .ci/run is scripts/check with its options.
failed=0

fail()
{
	echo "$*"
	failed=1
}

for c in setup demo check bench lab; do
	out=$(./scripts/$c --help 2>&1) || fail "scripts/$c --help: status $?"
	grep -q "$c" <<<"$out" || fail "scripts/$c --help does not name it: $out"
done

# The same list shows that it is check that was called, with its options.
want=$(./scripts/check --list --quick)
got=$(.ci/run --list --quick | grep -v '^setup: ')
[ -n "$want" ] && [ "$want" = "$got" ] || fail ".ci/run --list --quick is not scripts/check's: $got"
.ci/run --no-such-option >/dev/null 2>&1 && fail ".ci/run takes --no-such-option"

# Each option that the README and the documents promise.
for o in --quick --long --lab --kernel --only; do
	grep -q -- "$o" <<<"$(./scripts/check --help)" || fail "scripts/check has no $o"
done
for o in --json --only --vector --lab; do
	grep -q -- "$o" <<<"$(./scripts/bench --help)" || fail "scripts/bench has no $o"
done
for o in --lab --counted --cpus --kernel; do
	grep -q -- "$o" <<<"$(./scripts/lab --help)" || fail "scripts/lab has no $o"
done
exit $failed

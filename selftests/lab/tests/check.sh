#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# scripts/check tells passes from failures of every kind, goes on after an L1
# that broke, and holds the acceptance table against the outcome.
failed=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat >"$dir/tests.cfg" <<'CFG'
[t.good]
command = true
[t.bad]
command = echo said before; exit 4
[t.late]
command = sleep 60
timeout = 1
[t.skipper]
command = exit 77
[e.once]
emulator = yes
command = echo run; test -e "$FIRST" || { touch "$FIRST"; exit 3; }
[e.warns]
emulator = yes
command = echo "lab: kernel log: WARNING: CPU: 0"; exit 222
[t.may]
command = exit 77
may_skip = no such thing here
[t.noskip]
command = true
skip = the mirror lacks it
[l.first]
kind = lab
module = no
command = echo 1 passed; echo c >/proc/sysrq-trigger; sleep 9
timeout = 20
[l.second]
kind = lab
module = no
command = test $$ -gt 1
[l.warns]
kind = lab
module = no
command = echo "<4>WARNING: CPU: 0 PID: 1 at a/b.c:1" >/dev/kmsg
[l.may_warn]
kind = lab
module = no
command = echo "<4>WARNING: CPU: 0 PID: 1 at a/b.c:1" >/dev/kmsg
log = WARNING: .* at a/b\.c
[l.late]
kind = lab
module = no
command = sleep 60
timeout = 1
[l.once]
kind = lab
module = no
command = echo run; test -e "$FIRST" || { touch "$FIRST"; exit 3; }
[l.twice]
kind = lab
module = no
command = exit 5
[l.third]
kind = lab
module = no
command = exit 6
CFG
first=$PWD/build/check.$$.first		# the work tree alone outlives an L1
sed -i "s|\$FIRST|$first|g" "$dir/tests.cfg"
trap 'rm -rf "$dir" "$first"' EXIT
printf 'a\tclaim\tt.good\tdone\nb\tclaim\tt.gone\tdone\nc\tclaim\tt.bad\tdone\n' >"$dir/acceptance.tsv"
printf 'd\tclaim\tt.may\tdone\ne\tclaim\t-\topen\nf\tclaim\t-\tdone\n' >>"$dir/acceptance.tsv"

out=$(./scripts/check --no-build --manifest "$dir/tests.cfg" --acceptance "$dir/acceptance.tsv" \
	--strict --only '^[tl]\.')
[ $? = 1 ] || { echo "exit status is not 1"; failed=1; }

has()
{
	grep -qE -- "$1" <<<"$out" || { echo "missing: $1"; failed=1; }
}

hasnt()
{
	! grep -qE -- "$1" <<<"$out" || { echo "not expected: $1"; failed=1; }
}

hasnt 'once more|ran twice'
has '^not ok [0-9]+ - l\.once #'
has '^ok [0-9]+ - t\.good #'
has '^not ok [0-9]+ - t\.bad #'
has '^# +\| said before'
has '^not ok [0-9]+ - t\.late #'
has 'did not end in 1 s'
has '^not ok [0-9]+ - t\.skipper #'
has '^ok [0-9]+ - t\.may # SKIP no such thing here'
has '^ok [0-9]+ - t\.noskip # SKIP the mirror lacks it'
has '^not ok [0-9]+ - l\.first #'
has 'L1 panicked'
has '^ok [0-9]+ - l\.second #'
has '^not ok [0-9]+ - l\.warns #'
has '^ok [0-9]+ - l\.may_warn #'
has '^not ok [0-9]+ - l\.late #'
has 'b is done but its test t\.gone does not exist'
has 'c is done but its test t\.bad failed'
has 'd is done but its test t\.may is skipped'
has 'f is done but names no test'
[ "$(tail -n 1 <<<"$out")" = "3 passed, 10 failed, 2 skipped" ] ||
	{ echo "last line: $(tail -n 1 <<<"$out")"; failed=1; }
[ $failed = 0 ] || echo "$out"

# A second run (ADR 4): for a test that failed alone, for two of a whole run, never after a
# complaint of L1's kernel.
rm -f "$first"
printf 'e\tclaim\t-\topen\n' >"$dir/acceptance.tsv"
out=$(./scripts/check --no-build --manifest "$dir/tests.cfg" --acceptance "$dir/acceptance.tsv" \
	--only '^l\.(first|warns|once|twice|third)')
[ $? = 1 ] || { echo "exit status of the second is not 1"; failed=1; }
hasnt 'l\.(first|warns|third) failed, and is run once more'
has '^# l\.once failed, and is run once more in a new L1'
has '^ok [0-9]+ - l\.once #'
has '^# ran twice: l\.once: the second time it passed'
has '^not ok [0-9]+ - l\.twice #'
has '^# ran twice: l\.twice: the second time it failed'
has '^not ok [0-9]+ - l\.third #'
[ "$(tail -n 1 <<<"$out")" = "2 passed, 4 failed, 0 skipped" ] ||
	{ echo "last line: $(tail -n 1 <<<"$out")"; failed=1; }
has '^# failed: l\.twice$'
rm -f "$first"
out2=$(./scripts/check --no-build --manifest "$dir/tests.cfg" --acceptance "$dir/acceptance.tsv" --only '^(e|t.bad)')
for want in '^# ran twice: e\.once: the second time it passed' '^not ok [0-9]+ - e\.warns' '^2 passed, 2 failed, 0 skipped'; do
	grep -qE "$want" <<<"$out2" || { echo "missing: $want in"; echo "$out2"; failed=1; }
done
[ "$(grep -c 'once more' <<<"$out2")" = 1 ] || { echo "more than e.once was run again: $out2"; failed=1; }
[ -s build/check/l.once.first.log ] || { echo "no log of the first run"; failed=1; }
[ $failed = 0 ] || echo "$out"
exit $failed

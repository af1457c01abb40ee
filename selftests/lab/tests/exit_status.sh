#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Output, exit status and the first line come through; labs that do not exist
# here say so.
. selftests/lab/tests/expect.sh

expect 3 "said by the command" "and its errors" -- --no-hv -- \
	sh -c 'echo said by the command; echo and its errors >&2; exit 3'
expect 224 "arrives with the Intel backend" -- --lab vmx -- true
expect 223 "no kernel 1.2.3" -- --kernel 1.2.3 -- true
first=$(./scripts/lab --no-hv -- sh -c 'read x; kill -TERM $$' </dev/zero 2>/dev/null)
[ $? = 143 ] || { echo "killed by signal 15: status is not 143"; failed=1; }
case $first in
"lab: svm: QEMU "*"; Linux "*) ;;
*) echo "first line: $first"; failed=1 ;;
esac
exit $failed

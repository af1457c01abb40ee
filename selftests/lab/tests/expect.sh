# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by tests of scripts/lab: what it must say and return.
failed=0

# expect STATUS TEXT... -- LAB-ARGUMENTS: the run ends with STATUS and its
# output holds every TEXT.
expect()
{
	local want=$1 out status text
	local texts=()
	shift
	while [ "$1" != -- ]; do
		texts+=("$1")
		shift
	done
	shift
	out=$(./scripts/lab "$@" 2>&1)
	status=$?
	[ "$status" = "$want" ] || {
		echo "lab $*: status $status, wanted $want"
		failed=1
	}
	for text in "${texts[@]}"; do
		case $out in
		*"$text"*) ;;
		*)
			echo "lab $*: does not say: $text"
			failed=1
			;;
		esac
	done
	[ $failed = 0 ] || echo "$out"
}

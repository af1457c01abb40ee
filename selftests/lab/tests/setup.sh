#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# scripts/setup does nothing when nothing is missing, says what it would
# install when something is, and asks for root; scripts/demo says beforehand
# what it will do and where.
failed=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"

# run STATUS PATTERN COMMAND...
run()
{
	local want=$1 pattern=$2 out status
	shift 2
	out=$("$@" 2>&1)
	status=$?
	if [ $status != "$want" ] || ! grep -qE -- "$pattern" <<<"$out"; then
		echo "$*: status $status, wanted $want; no line like: $pattern"
		echo "$out"
		failed=1
	fi
}

# An apt that must not be called.
cat >"$dir/apt-get" <<'X'
#!/bin/sh
echo "apt-get was called: $*"
exit 9
X
chmod 755 "$dir/apt-get"
run 0 '^setup: ready for run build test$' env PATH="$dir:$PATH" ./scripts/setup
run 2 'not a step' ./scripts/setup everything

# A dpkg that knows no package: everything is missing.
printf '#!/bin/sh\nexit 1\n' >"$dir/dpkg-query"
chmod 755 "$dir/dpkg-query"
run 0 '^setup: to install for build: .*\bgcc\b' env PATH="$dir:$PATH" ./scripts/setup --dry-run build
# The tree may lie where nobody gets in, as in /root.
mkdir "$dir/tree" && cp -r scripts "$dir/tree" && chmod -R a+rX "$dir/tree" || exit 1
run 1 'run: sudo scripts/setup build' setpriv --reuid nobody --regid nogroup --clear-groups \
	env PATH="$dir:$PATH" "$dir/tree/scripts/setup" build
run 1 'apt-get failed' env PATH="$dir:$PATH" ./scripts/setup build
run 0 'to install for run build test: .*qemu-system-x86' env PATH="$dir:$PATH" ./scripts/demo --dry-run
rm "$dir/dpkg-query"

# Debian's own packages, each known to this machine's apt.
all=$(cat scripts/packages/*.list | sed 's/#.*//' | sort -u)
known=$(apt-cache show $all 2>/dev/null | sed -n 's/^Package: //p' | sort -u)
for p in $all; do
	grep -qx "$p" <<<"$known" || { echo "no package $p"; failed=1; }
done

run 0 "build in $PWD" ./scripts/demo --dry-run
run 0 "keep .* in ${HV_CACHE:-/var/cache/hv}" ./scripts/demo --dry-run
run 0 "nothing is loaded into this machine's kernel" ./scripts/demo --dry-run
run 0 "load hv.ko into this machine's kernel" ./scripts/demo --hw --dry-run
run 2 'unknown option' ./scripts/demo --nonsense
exit $failed

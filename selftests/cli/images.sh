#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# images.sh: what scripts/guest-image does with its words, with odd names, and when the disk is full, and
# scripts/demo-disk when several want it at once. The tools that make the root and the disk are stand-ins
# here; boot.debian has the real ones.
failed=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
top=$PWD
mkdir "$dir/bin" "$dir/tmp" "$dir/out"
export TMPDIR=$dir/tmp

tool() { printf '#!/bin/bash\n%s\n' "$2" >"$dir/bin/$1" && chmod 755 "$dir/bin/$1"; }
# shellcheck disable=SC2016
tool mmdebstrap 'for a; do case $a in */root) root=$a ;; esac; done
mkdir -p "$root"/boot/grub/i386-pc "$root"/usr/lib/grub/i386-pc
for f in boot/vmlinuz-1 boot/initrd.img-1 boot/grub/i386-pc/core.img usr/lib/grub/i386-pc/boot.img; do
	echo x >"$root/$f"
done'
tool mke2fs 'exit 0'
tool id 'echo 0'
# shellcheck disable=SC2016
tool qemu-img 'for a; do out=$a; done
case $out in */*) ;; *) echo "qemu-img: unknown protocol" >&2; exit 1 ;; esac
echo x >"$out"
[ -z "$FULL" ]'

# run STATUS PATTERN WORDS...
run()
{
	local want=$1 pattern=$2 out status
	shift 2
	out=$(cd "$dir/out" && PATH="$dir/bin:$PATH" timeout 20 "$top/scripts/guest-image" "$@" 2>&1)
	status=$?
	if [ $status != "$want" ] || ! grep -qE -- "$pattern" <<<"$out"; then
		echo "guest-image $*: status $status, wanted $want; no line like: $pattern"
		echo "$out"
		failed=1
	fi
}

left() # WHAT PATTERN...: the folder has just these, and nothing is left of the work
{
	local have
	have=$(cd "$dir/out" && LC_ALL=C ls -A | tr '\n' ' ')$(ls -A "$dir/tmp")
	[ "$have" = "$2" ] || { echo "$1: there are '$have', wanted '$2'"; failed=1; }
	rm -f "$dir"/out/*
}

run 2 '^guest-image: --size needs a value' --size
run 2 '^guest-image: --include needs a value' --size 1G --include
run 2 'unknown option' --sise 3G bookworm x.vhd
run 2 '^guest-image ' bookworm
left 'wrong words' ''
run 0 'a:b.vhd \(3G' bookworm a:b.vhd
left 'a name with a colon' 'a:b.initrd a:b.vhd a:b.vmlinuz '
run 0 'x.vhd \(1G' --size 1G bookworm "$dir/out/x.vhd"
left 'a full path' 'x.initrd x.vhd x.vmlinuz '
FULL=1 run 1 '' bookworm "$dir/out/x.vhd"
left 'a full disk' ''

# Two that want the demo's disk at once: it is made once, and both get all of it.
mkdir -p "$dir/tree/scripts"
cp scripts/demo-disk "$dir/tree/scripts/"
cat >"$dir/tree/scripts/guest-image" <<'X'
#!/bin/bash
mkdir "$TMPDIR/busy" || exit 1
sleep 1
for part in vhd vmlinuz initrd; do echo "$part" >"${2%.vhd}.$part"; done
rmdir "$TMPDIR/busy"
echo made >>"$TMPDIR/made"
X
chmod 755 "$dir/tree/scripts/guest-image"
for n in 1 2 3; do
	HV_CACHE=$dir/cache "$dir/tree/scripts/demo-disk" "$dir/out/$n" >"$dir/log.$n" 2>&1 &
done
wait
for n in 1 2 3; do
	[ "$(cat "$dir/out/$n"/debian.{vhd,vmlinuz,initrd} 2>&1 | tr '\n' ' ')" = "vhd vmlinuz initrd " ] ||
		{ echo "demo-disk $n:"; cat "$dir/log.$n"; failed=1; }
done
[ "$(wc -l <"$dir/tmp/made")" = 1 ] || { echo "the disk was made more than once"; failed=1; }
exit $failed

#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each thing that keeps hv from working, faked below HV_SYSROOT: hv-doctor and
# scripts/setup name it with cause and remedy, and say nothing of it otherwise.
failed=0
root=$(mktemp -d)
trap 'umount -q "$root/cache" 2>/dev/null; rm -rf "$root"' EXIT
export HV_SYSROOT=$root HV_CACHE=$root/cache
unset CI
efi=sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c

put()
{
	mkdir -p "$root/$(dirname "$1")"
	printf "$2" >"$root/$1"
}

# A machine with nothing wrong.
healthy()
{
	rm -rf "${root:?}"/*
	put proc/sys/kernel/osrelease '9.9.9-hv\n'
	put proc/cpuinfo 'processor\t: 0\nflags\t\t: fpu svm npt\n'
	put proc/self/cgroup '0::/a/b\n'
	put sys/fs/cgroup/a/memory.max 'max\n'
	put sys/kernel/security/lockdown '[none] integrity confidentiality\n'
	put lib/modules/9.9.9-hv/build/Makefile ''
	put lib/modules/9.9.9-hv/build/include/generated/utsrelease.h \
		'#define UTS_RELEASE "9.9.9-hv"\n'
	put dev/hv ''
	mkdir -p "$root/cache"
	chmod 755 "$root"
}

# say WHAT LINE-PATTERN [COMMAND...]: the doctor says one line like that.
say()
{
	local what=$1 want=$2 out cli
	shift 2
	out=$("$@" build/bin/hv-doctor 2>&1)
	if [ $? != 1 ] || ! grep -qE "$want" <<<"$out" || [ "$(wc -l <<<"$out")" != 1 ]; then
		echo "$what: wanted one line like: $want; got:"
		echo "${out:-(nothing)}"
		failed=1
	fi
	# hvctl doctor says the same in its own layout.
	cli=$("$@" build/bin/hvctl doctor --quiet 2>&1 |
		sed -E 'N; s/\n *-> /: /; s/^(problem|note) +//')
	[ "$cli" = "$out" ] || { echo "$what: hvctl doctor says: $cli"; failed=1; }
}

make -s build/bin/hv-doctor build/bin/hvctl || exit 1
ulimit -l 8192

healthy
build/bin/hv-doctor || { echo "a healthy machine: not found healthy"; failed=1; }

healthy; put $efi '\006\000\000\000\001'
say "Secure Boot" '^secure-boot: .*signed.*: .*mokutil'

healthy; put sys/kernel/security/lockdown 'none [integrity] confidentiality\n'
say "lockdown" '^lockdown: .*locked down \(integrity\).*: sign'

healthy; put sys/module/module/parameters/sig_enforce 'Y\n'
say "sig_enforce" '^lockdown: .*sig_enforce.*: sign'

healthy; rm -r "$root/lib"
say "no headers" '^headers: no headers .*9\.9\.9-hv.*: apt install linux-headers-9\.9\.9-hv'

healthy; put lib/modules/9.9.9-hv/build/include/generated/utsrelease.h '#define UTS_RELEASE "8.8.8"\n'
say "other headers" '^headers: .*are those of 8\.8\.8: apt install --reinstall'

healthy; put proc/cpuinfo 'processor\t: 0\nflags\t\t: fpu\n'
say "no VT" '^vt: .*neither svm nor vmx: .*firmware'

healthy; put proc/cpuinfo 'processor\t: 0\nflags\t\t: fpu hypervisor\n'
say "no VT in a guest" '^vt: .*neither svm nor vmx: .*nesting'

healthy; put proc/cpuinfo 'processor\t: 0\nflags\t\t: fpu svm nptx\n'
say "no nested paging" '^vt: .*svm without npt.*: .*nested paging'

healthy; put proc/cpuinfo 'processor\t: 0\nflags\t\t: fpu vmx\n'
say "Intel" '^vt: .*VT-x.*: use the lab'

healthy; truncate -s 3221291284 "$root/msr.tmp"; mkdir -p "$root/dev/cpu/0"
mv "$root/msr.tmp" "$root/dev/cpu/0/msr"; printf '\020\0\0\0\0\0\0\0' >>"$root/dev/cpu/0/msr"
say "SVM off in the firmware" '^vt: .*SVMDIS.*: .*firmware'

healthy; put sys/module/kvm_amd/refcnt '1\n'; mkdir -p "$root/proc/77/fd"
put proc/77/comm 'qemu\n'; ln -s /dev/kvm "$root/proc/77/fd/5"
say "KVM in use" '^kvm: kvm_amd holds .*qemu \(77\): .*modprobe -r kvm_amd'

healthy; put sys/module/kvm_intel/refcnt '0\n'; put sys/module/kvm/parameters/enable_virt_at_load 'Y\n'
say "KVM at load" '^kvm: kvm_intel holds .*loaded.*: .*kvm.enable_virt_at_load=0'

healthy; rm "$root/dev/hv"
say "not loaded" '^device: there is no /dev/hv.*: insmod'

healthy; chmod 660 "$root/dev/hv"
say "not a member of hv" '^device: nobody may not open /dev/hv: .*adduser nobody hv' \
	setpriv --reuid nobody --regid nogroup --clear-groups env HV_CACHE=/tmp

healthy
say "memlock" '^memlock: .*64 KiB.*: ulimit -l' prlimit --memlock=65536:65536

healthy; put sys/fs/cgroup/a/memory.max '104857600\n'
say "cgroup memory" '^cgroup: cgroup /a limits memory to 100 MiB: .*systemd-run'

healthy; put sys/fs/cgroup/a/b/pids.max '20\n'
say "cgroup pids" '^cgroup: cgroup /a/b limits it to 20 .*: .*pids\.max'

healthy; mount -t tmpfs -o noexec tmpfs "$root/cache"
say "noexec cache" '^cache: .*noexec: set HV_CACHE'
HV_SYSROOT=$root ./scripts/setup test >"$root/out" 2>&1
[ $? = 3 ] && grep -q 'setup: cache: .*noexec' "$root/out" ||
	{ echo "setup does not stop at a noexec cache:"; cat "$root/out"; failed=1; }
umount "$root/cache"

healthy; mount -t tmpfs -o size=1M tmpfs "$root/cache"
say "full cache" '^cache: .*MiB left.*: set HV_CACHE'
umount "$root/cache"

healthy; put $efi '\006\000\000\000\001'
./scripts/setup run build >"$root/out" 2>&1
[ $? = 0 ] && grep -q 'setup: note .*: secure-boot: ' "$root/out" ||
	{ echo "setup does not mention Secure Boot:"; cat "$root/out"; failed=1; }
exit $failed

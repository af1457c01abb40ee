#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside L1: the bench guest on hv, then on KVM, in this one boot. hv goes first and
# leaves, because only one of the two may have the CPU's extension. Given a word for the
# guest, each side's kernel symbols are left in build/bench, too.
set -e
symbols() { [ -z "$word" ] || cat /proc/kallsyms >"build/bench/kallsyms.$1"; }
word=$1
image=build/guest/bench.elf
echo "SIDE hv"
symbols hv
build/bench/drive hv $image $word
rmmod hv
modprobe kvm_amd 2>/dev/null || modprobe kvm_intel
echo "SIDE kvm"
symbols kvm
build/bench/drive kvm $image $word

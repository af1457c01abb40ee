#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Inside L1: the bench guest on hv, then on KVM, in this one boot. hv goes first and
# leaves, because only one of the two may have the CPU's extension.
set -e
image=build/guest/bench.elf
echo "SIDE hv"
build/bench/drive hv $image
rmmod hv
modprobe kvm_amd 2>/dev/null || modprobe kvm_intel
echo "SIDE kvm"
build/bench/drive kvm $image

# SPDX-License-Identifier: GPL-2.0-or-later
userspace-doctor := doctor fields machine_probe kvm_probe user_probe

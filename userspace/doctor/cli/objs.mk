# SPDX-License-Identifier: GPL-2.0-or-later
userspace-doctor-cli := main
userspace-doctor-cli-prog := hv-doctor
userspace-doctor-cli-libs := doctor

# SPDX-License-Identifier: GPL-2.0-or-later
userspace-hvctl-opt := parse keys help man completion

# SPDX-License-Identifier: GPL-2.0-or-later
userspace-devices := device uart rtc acpi_pm testdev

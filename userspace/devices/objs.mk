# SPDX-License-Identifier: GPL-2.0-or-later
userspace-devices := device uart rtc acpi_pm testdev
userspace-devices += scsi scsi_inquiry scsi_mode scsi_disk scsi_dvd
userspace-devices += storvsp storvsp_queue storvsp_table storvsp_save storvsp_proto storvsp_io
userspace-devices += ic ic_link
userspace-devices += kvp kvp_sweep kvp_store kvp_msg
userspace-devices += netvsp netvsp_queue netvsp_nvsp netvsp_rndis netvsp_oid netvsp_buffer netvsp_tx netvsp_rx netvsp_frame netvsp_save

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI fixed hardware: PM1a event and control blocks, the reset register, the power button. */
#ifndef HV_DEVICES_ACPI_PM_H
#define HV_DEVICES_ACPI_PM_H

#include "dev_services.h"

/* Offsets from the port base; the FADT is built from them. */
#define ACPI_PM_EVT		0x0	/* 4 bytes: status, enable */
#define ACPI_PM_CNT		0x4	/* 2 bytes */
#define ACPI_PM_RESET		0x8	/* 1 byte */
#define ACPI_PM_LEN		0xc

#define ACPI_PM_RESET_VALUE	0x01	/* written to ACPI_PM_RESET */
#define ACPI_PM_S5_TYPE		5	/* SLP_TYP of soft off; \_S5 holds it */
#define ACPI_PM_NO_BOOT_TYPE	6	/* in no table: the boot image's soft off when nothing can be started */

/* 0 or -ENOMEM. */
int acpi_pm_create(struct device **out, struct dev_services *ds, uint16_t port, unsigned int sci);

/* Press the power button: PWRBTN_STS and, if the guest enabled it, the SCI. Any thread. */
void acpi_pm_press(struct device *d);

#endif

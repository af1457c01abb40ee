/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things lie in a guest: the one place for addresses, ports and interrupt lines.
 *
 * "Generation 2" style: no PIC, PIT, 8042, VGA or PCI. RAM is one run from 0 (the old video and BIOS
 * holes are RAM too, reserved in the map the guest gets, so that probing them costs no exit), with a
 * hole of 128 MiB below 4 GiB.
 */
#ifndef HV_VMM_LAYOUT_H
#define HV_VMM_LAYOUT_H

#include "config.h"

#define LAYOUT_HOLE		0xf8000000ULL	/* RAM below 4 GiB ends here at the latest */
#define LAYOUT_HIGH		0x100000000ULL	/* and goes on here */
#define LAYOUT_IOAPIC		0xfec00000U
#define LAYOUT_LAPIC		0xfee00000U

#define LAYOUT_UART_PORT	0x3f8
#define LAYOUT_UART_GSI		4
#define LAYOUT_RTC_PORT		0x70
#define LAYOUT_RTC_GSI		8
#define LAYOUT_PM_PORT		0x400
#define LAYOUT_SCI_GSI		9
#define LAYOUT_GENID_GSI	10

/* The first MiB. Boot data lies in conventional memory, ACPI tables where RSDP is searched for. */
#define LAYOUT_EBDA		0x9fc00U	/* usable RAM ends here */
#define LAYOUT_ACPI		0xe0000U
#define LAYOUT_ACPI_BYTES	0x20000U
#define LAYOUT_GENID		0xff000U	/* the last page of that: the generation id */
#define LAYOUT_KERNEL		0x100000U

#define LAYOUT_RANGES		(VMM_NODES_MAX + 1)

/* A run of RAM: one memory slot. */
struct layout_range {
	uint64_t	gpa;
	uint64_t	bytes;
	uint64_t	offset;		/* of its first byte within all of guest memory */
	int		node;		/* virtual node, -1: the guest has none */
	int		host_node;	/* -1: not bound */
};

struct layout {
	unsigned int		nr;
	struct layout_range	range[LAYOUT_RANGES];
};

/* Where a checked configuration's memory lies. */
void layout_build(struct layout *l, const struct vmm_config *cfg);

#endif

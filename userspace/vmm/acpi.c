// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ACPI tables (ACPI 6.4): RSDP, XSDT, FADT, FACS, DSDT, MADT, and SRAT and SLIT with virtual nodes.
 *
 * Fixed hardware rather than the hardware-reduced model: it costs a stock kernel about twenty port
 * accesses at boot, and gives it the power button, S5 and reset through registers it has always known.
 * Everything it would probe for is declared absent: legacy devices, 8042, VGA, the PIC, the PM timer.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "devices/acpi_pm.h"
#include "devices/rtc.h"
#include "acpi.h"
#include "aml.h"

/* FADT flags (table 5.10) and boot architecture flags (table 5.11) */
#define FADT_WBINVD		(1u << 0)
#define FADT_PROC_C1		(1u << 2)
#define FADT_NO_SLEEP_BUTTON	(1u << 5)
#define FADT_NO_FIXED_RTC	(1u << 6)
#define FADT_RESET		(1u << 10)
#define BOOT_NO_VGA		(1u << 2)

#define MADT_LAPIC		0
#define MADT_IOAPIC		1
#define MADT_OVERRIDE		2
#define MADT_LAPIC_NMI		4
#define MADT_X2APIC		9
#define MADT_LEVEL_HIGH		0x000d
#define XAPIC_IDS		255	/* ids below fit the 8-bit entries */

#define SRAT_CPU		0
#define SRAT_MEMORY		1
#define SRAT_X2APIC		2

#define VMBUS_WINDOW		LAYOUT_HOLE
#define VMBUS_WINDOW_BYTES	0x6000000ULL	/* to 0xfe000000, below the APICs */

struct tables {
	struct bytes	b;
	uint64_t	gpa;		/* of b.buf */
	uint64_t	list[8];	/* tables the XSDT names */
	unsigned int	nr;
};

static void zeroes(struct bytes *b, unsigned int n)
{
	while (n--)
		bytes_le(b, 0, 1);
}

static void checksum(uint8_t *p, size_t len, size_t at)
{
	uint8_t sum = 0;
	size_t i;

	p[at] = 0;
	for (i = 0; i < len; i++)
		sum += p[i];
	p[at] = -sum;
}

/* A table's header; table_end() fills length and checksum in. Return: its start. */
static size_t table_begin(struct tables *t, const char *sig, uint8_t revision)
{
	size_t start;

	bytes_pad(&t->b, 16);
	start = t->b.len;
	bytes_put(&t->b, sig, 4);
	bytes_le(&t->b, 0, 4);
	bytes_le(&t->b, revision, 1);
	bytes_le(&t->b, 0, 1);
	bytes_put(&t->b, "HVVMM ", 6);
	bytes_put(&t->b, "HVGEN2  ", 8);
	bytes_le(&t->b, 1, 4);
	bytes_put(&t->b, "HV  ", 4);
	bytes_le(&t->b, 1, 4);
	return start;
}

static void table_end(struct tables *t, size_t start, bool listed)
{
	uint32_t len = t->b.len - start;

	if (t->b.overflow)
		return;
	memcpy(t->b.buf + start + 4, &len, 4);
	checksum(t->b.buf + start, len, 9);
	if (listed)
		t->list[t->nr++] = t->gpa + start;
}

/* ---- DSDT ---- */

static void dsdt_uart(struct bytes *b)
{
	struct aml_resources r;
	size_t d = aml_device(b, "COM1");

	aml_name(b, "_HID");
	aml_eisaid(b, "PNP0501");
	aml_name(b, "_UID");
	aml_int(b, 1);
	aml_name(b, "_CRS");
	aml_resources(&r);
	aml_io(&r, LAYOUT_UART_PORT, 8);
	aml_irq(&r, LAYOUT_UART_GSI, false);
	aml_resources_end(b, &r);
	aml_end(b, d);
}

static void dsdt_rtc(struct bytes *b)
{
	struct aml_resources r;
	size_t d = aml_device(b, "RTC_");

	aml_name(b, "_HID");
	aml_eisaid(b, "PNP0B00");
	aml_name(b, "_CRS");
	aml_resources(&r);
	aml_io(&r, LAYOUT_RTC_PORT, 2);
	aml_irq(&r, LAYOUT_RTC_GSI, false);
	aml_resources_end(b, &r);
	aml_end(b, d);
}

/* The node of a CPU, -1 without virtual nodes. */
static int cpu_node(const struct vmm_config *cfg, unsigned int cpu)
{
	unsigned int i;

	for (i = 0; i < cfg->nodes; i++)
		if (cpu >= cfg->node[i].cpu_first &&
		    cpu < (unsigned int)cfg->node[i].cpu_first + cfg->node[i].cpu_count)
			return i;
	return -1;
}

static void dsdt_cpu(struct bytes *b, const struct vmm_config *cfg, unsigned int cpu)
{
	static const char digit[] = "0123456789ABCDEF";
	char name[5] = { 'C', digit[cpu >> 8 & 15], digit[cpu >> 4 & 15], digit[cpu & 15] };
	size_t d = aml_device(b, name);
	int node = cpu_node(cfg, cpu);

	aml_name(b, "_HID");
	aml_string(b, "ACPI0007");
	aml_name(b, "_UID");
	aml_int(b, cpu);
	if (node >= 0) {
		aml_name(b, "_PXM");
		aml_int(b, node);
	}
	aml_end(b, d);
}

/* Linux takes the windows from the parent's _CRS, and needs one of the device's own, if empty. */
static void dsdt_vmbus(struct bytes *b, const struct layout *l)
{
	const struct layout_range *last = &l->range[l->nr - 1];
	uint64_t high = last->gpa + last->bytes;
	struct aml_resources r;
	size_t mod, dev;

	high = (high < LAYOUT_HIGH ? LAYOUT_HIGH : high) + (1ULL << 30) - 1;
	high &= ~((1ULL << 30) - 1);
	mod = aml_device(b, "VMOD");
	aml_name(b, "_HID");
	aml_string(b, "ACPI0004");
	aml_name(b, "_UID");
	aml_int(b, 0);
	aml_name(b, "_CRS");
	aml_resources(&r);
	aml_window(&r, VMBUS_WINDOW, VMBUS_WINDOW_BYTES);
	aml_window(&r, high, 1ULL << 36);
	aml_resources_end(b, &r);
	dev = aml_device(b, "VMBS");
	aml_name(b, "_HID");
	aml_string(b, "VMBus");
	aml_name(b, "_UID");
	aml_int(b, 0);
	aml_name(b, "_DDN");
	aml_string(b, "VMBUS");
	aml_name(b, "_STA");
	aml_int(b, 0xf);
	aml_name(b, "_CRS");
	aml_resources(&r);
	aml_resources_end(b, &r);
	aml_end(b, dev);
	aml_end(b, mod);
}

/*
 * The generation id and the event that tells of a new one (ACPI 6.4, 5.6.9: Generic Event Device). Linux knows the
 * device by its _HID, Windows by its _CID and _DDN.
 */
static void dsdt_genid(struct bytes *b)
{
	struct aml_resources r;
	size_t d = aml_device(b, "VGEN"), part;

	aml_name(b, "_HID");
	aml_string(b, "VMGENCTR");
	aml_name(b, "_CID");
	aml_string(b, "VM_Gen_Counter");
	aml_name(b, "_DDN");
	aml_string(b, "VM_Gen_Counter");
	aml_name(b, "ADDR");
	part = aml_package(b, 2);
	aml_int(b, LAYOUT_GENID);
	aml_int(b, 0);
	aml_end(b, part);
	aml_end(b, d);
	d = aml_device(b, "GEVT");
	aml_name(b, "_HID");
	aml_string(b, "ACPI0013");
	aml_name(b, "_UID");
	aml_int(b, 0);
	aml_name(b, "_CRS");
	aml_resources(&r);
	aml_irq(&r, LAYOUT_GENID_GSI, false);
	aml_resources_end(b, &r);
	part = aml_method(b, "_EVT", 1);
	aml_notify(b, "VGEN", 0x80);
	aml_end(b, part);
	aml_end(b, d);
}

static uint64_t dsdt_put(struct tables *t, const struct vmm_config *cfg, const struct layout *l,
			 unsigned int flags)
{
	size_t start = table_begin(t, "DSDT", 2), scope, pkg;
	struct bytes *b = &t->b;
	unsigned int i;

	aml_name(b, "\\_S5_");
	pkg = aml_package(b, 4);
	aml_int(b, ACPI_PM_S5_TYPE);
	for (i = 0; i < 3; i++)
		aml_int(b, 0);
	aml_end(b, pkg);
	scope = aml_scope(b, "\\_SB_");
	dsdt_uart(b);
	dsdt_rtc(b);
	dsdt_genid(b);
	for (i = 0; i < cfg->cpus; i++)
		dsdt_cpu(b, cfg, i);
	if (flags & ACPI_F_VMBUS)
		dsdt_vmbus(b, l);
	aml_end(b, scope);
	table_end(t, start, false);
	return t->gpa + start;
}

/* ---- static tables ---- */

static uint64_t facs_put(struct tables *t)
{
	size_t start;

	bytes_pad(&t->b, 64);
	start = t->b.len;
	bytes_put(&t->b, "FACS", 4);
	bytes_le(&t->b, 64, 4);
	zeroes(&t->b, 24);		/* signature, vectors, lock, flags */
	bytes_le(&t->b, 2, 1);		/* version */
	zeroes(&t->b, 31);
	return t->gpa + start;
}

/* Generic address structure (table 5.1) of an I/O port. */
static void gas_put(struct bytes *b, uint16_t port, uint8_t bytes)
{
	bytes_le(b, bytes ? 1 : 0, 1);
	bytes_le(b, bytes * 8, 1);
	bytes_le(b, 0, 1);
	bytes_le(b, bytes > 2 ? 3 : bytes, 1);
	bytes_le(b, bytes ? port : 0, 8);
}

static void fadt_put(struct tables *t, uint64_t facs, uint64_t dsdt)
{
	size_t start = table_begin(t, "FACP", 6);
	struct bytes *b = &t->b;

	bytes_le(b, facs, 4);
	bytes_le(b, dsdt, 4);
	bytes_le(b, 0, 1);
	bytes_le(b, 0, 1);				/* preferred profile: unspecified */
	bytes_le(b, LAYOUT_SCI_GSI, 2);
	zeroes(b, 8);					/* no SMI: ACPI mode is always on */
	bytes_le(b, LAYOUT_PM_PORT + ACPI_PM_EVT, 4);
	bytes_le(b, 0, 4);
	bytes_le(b, LAYOUT_PM_PORT + ACPI_PM_CNT, 4);
	zeroes(b, 20);					/* PM1b, PM2, PM timer, GPE0, GPE1 */
	bytes_le(b, 4, 1);				/* PM1 event length */
	bytes_le(b, 2, 1);				/* PM1 control length */
	zeroes(b, 6);
	bytes_le(b, 0x0fff, 2);				/* no C2 */
	bytes_le(b, 0x0fff, 2);				/* no C3 */
	zeroes(b, 6);					/* flush size and stride, duty */
	bytes_le(b, RTC_CENTURY << 16, 3);		/* day and month alarm: none */
	bytes_le(b, BOOT_NO_VGA, 2);
	bytes_le(b, 0, 1);
	bytes_le(b, FADT_WBINVD | FADT_PROC_C1 | FADT_NO_SLEEP_BUTTON | FADT_NO_FIXED_RTC | FADT_RESET, 4);
	gas_put(b, LAYOUT_PM_PORT + ACPI_PM_RESET, 1);
	bytes_le(b, ACPI_PM_RESET_VALUE, 1);
	bytes_le(b, 0, 2);
	bytes_le(b, 4, 1);				/* minor version: 6.4 */
	bytes_le(b, 0, 8);				/* FIRMWARE_CTRL above is used */
	bytes_le(b, dsdt, 8);
	gas_put(b, LAYOUT_PM_PORT + ACPI_PM_EVT, 4);
	gas_put(b, 0, 0);
	gas_put(b, LAYOUT_PM_PORT + ACPI_PM_CNT, 2);
	zeroes(b, 5 * 12);				/* PM1b, PM2, PM timer, GPE0, GPE1 */
	zeroes(b, 2 * 12);				/* sleep registers of the reduced model */
	zeroes(b, 8);					/* hypervisor vendor */
	table_end(t, start, true);
}

static void madt_put(struct tables *t, const struct vmm_config *cfg)
{
	size_t start = table_begin(t, "APIC", 5);
	struct bytes *b = &t->b;
	unsigned int i;

	bytes_le(b, LAYOUT_LAPIC, 4);
	bytes_le(b, 0, 4);				/* PCAT_COMPAT clear: there is no PIC */
	for (i = 0; i < cfg->cpus; i++) {
		if (i < XAPIC_IDS) {
			bytes_le(b, MADT_LAPIC | 8 << 8, 2);
			bytes_le(b, i, 1);
			bytes_le(b, i, 1);
			bytes_le(b, 1, 4);
		} else {
			bytes_le(b, MADT_X2APIC | 16 << 8, 2);
			bytes_le(b, 0, 2);
			bytes_le(b, i, 4);
			bytes_le(b, 1, 4);
			bytes_le(b, i, 4);
		}
	}
	bytes_le(b, MADT_IOAPIC | 12 << 8, 2);
	bytes_le(b, 0, 2);
	bytes_le(b, LAYOUT_IOAPIC, 4);
	bytes_le(b, 0, 4);
	bytes_le(b, MADT_OVERRIDE | 10 << 8, 2);
	bytes_le(b, 0, 1);
	bytes_le(b, LAYOUT_SCI_GSI, 1);
	bytes_le(b, LAYOUT_SCI_GSI, 4);
	bytes_le(b, MADT_LEVEL_HIGH, 2);
	bytes_le(b, MADT_LAPIC_NMI | 6 << 8, 2);	/* LINT1 is NMI on every CPU */
	bytes_le(b, 0xff, 1);
	bytes_le(b, 0, 2);
	bytes_le(b, 1, 1);
	table_end(t, start, true);
}

static void srat_cpu(struct bytes *b, unsigned int cpu, unsigned int node)
{
	if (cpu < XAPIC_IDS) {
		bytes_le(b, SRAT_CPU | 16 << 8, 2);
		bytes_le(b, node & 0xff, 1);
		bytes_le(b, cpu, 1);
		bytes_le(b, 1, 4);
		zeroes(b, 8);
	} else {
		bytes_le(b, SRAT_X2APIC | 24 << 8, 2);
		bytes_le(b, 0, 2);
		bytes_le(b, node, 4);
		bytes_le(b, cpu, 4);
		bytes_le(b, 1, 4);
		zeroes(b, 8);
	}
}

static void srat_put(struct tables *t, const struct vmm_config *cfg, const struct layout *l)
{
	size_t start = table_begin(t, "SRAT", 3);
	struct bytes *b = &t->b;
	unsigned int i;

	bytes_le(b, 1, 4);
	zeroes(b, 8);
	for (i = 0; i < cfg->cpus; i++)
		srat_cpu(b, i, cpu_node(cfg, i));
	for (i = 0; i < l->nr; i++) {
		bytes_le(b, SRAT_MEMORY | 40 << 8, 2);
		bytes_le(b, l->range[i].node, 4);
		bytes_le(b, 0, 2);
		bytes_le(b, l->range[i].gpa, 8);
		bytes_le(b, l->range[i].bytes, 8);
		bytes_le(b, 0, 4);
		bytes_le(b, 1, 4);
		zeroes(b, 8);
	}
	table_end(t, start, true);
}

static void slit_put(struct tables *t, const struct vmm_config *cfg)
{
	size_t start = table_begin(t, "SLIT", 1);
	unsigned int i, j;

	bytes_le(&t->b, cfg->nodes, 8);
	for (i = 0; i < cfg->nodes; i++)
		for (j = 0; j < cfg->nodes; j++)
			bytes_le(&t->b, cfg->distance[i][j] ? cfg->distance[i][j] :
				 i == j ? 10 : 20, 1);
	table_end(t, start, true);
}

/* RSDP (table 5.3): 36 bytes reserved at the start, filled in last. */
#define RSDP_BYTES 36

static void rsdp_fill(uint8_t *p, uint64_t xsdt)
{
	static const uint8_t head[] = "RSD PTR \0HVVMM \2";
	const uint32_t len = RSDP_BYTES;

	memset(p, 0, RSDP_BYTES);
	memcpy(p, head, 16);
	memcpy(p + 20, &len, 4);
	memcpy(p + 24, &xsdt, 8);
	checksum(p, 20, 8);
	checksum(p, RSDP_BYTES, 32);
}

int acpi_build(const struct vmm_config *cfg, const struct layout *layout, unsigned int flags,
	       uint64_t gpa, uint8_t *buf, size_t len)
{
	struct tables t = { .b = { buf, len, 0, false }, .gpa = gpa };
	uint64_t facs, dsdt;
	unsigned int i;
	size_t xsdt;

	if (len < RSDP_BYTES)
		return -E2BIG;
	zeroes(&t.b, RSDP_BYTES);
	facs = facs_put(&t);
	dsdt = dsdt_put(&t, cfg, layout, flags);
	fadt_put(&t, facs, dsdt);
	madt_put(&t, cfg);
	if (cfg->nodes) {
		srat_put(&t, cfg, layout);
		slit_put(&t, cfg);
	}
	xsdt = table_begin(&t, "XSDT", 1);
	for (i = 0; i < t.nr; i++)
		bytes_le(&t.b, t.list[i], 8);
	table_end(&t, xsdt, false);
	if (t.b.overflow)
		return -E2BIG;
	rsdp_fill(buf, gpa + xsdt);
	return t.b.len;
}

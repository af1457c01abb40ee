// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ACPI tables: checksums and references, and iasl's opinion: each table is disassembled and compiled
 * again without a warning. With a folder as argument the tables are left there.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/unit.h"
#include "vmm/acpi.h"

static uint8_t buf[LAYOUT_ACPI_BYTES];

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t s = 0;

	while (len--)
		s += *p++;
	return s;
}

static uint32_t le32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static uint64_t le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

static const uint8_t *table_at(uint64_t gpa)
{
	CHECK(gpa >= LAYOUT_ACPI && gpa < LAYOUT_ACPI + sizeof(buf) - 36);
	return buf + (gpa - LAYOUT_ACPI);
}

/* Find a table through RSDP and XSDT; the DSDT through the FADT. */
static const uint8_t *table_find(const char *sig)
{
	const uint8_t *xsdt = table_at(le64(buf + 24));
	unsigned int i, n = (le32(xsdt + 4) - 36) / 8;

	for (i = 0; i < n; i++) {
		const uint8_t *t = table_at(le64(xsdt + 36 + 8 * i));

		if (!memcmp(t, sig, 4))
			return t;
		if (!memcmp(sig, "DSDT", 4) && !memcmp(t, "FACP", 4))
			return table_at(le64(t + 140));
	}
	return NULL;
}

static void iasl_check(const char *dir, const char *sig)
{
	const uint8_t *t = table_find(sig);
	char path[256], cmd[1024];
	FILE *f;

	CHECK(t != NULL);
	if (!t)
		return;
	CHECK_EQ(sum(t, le32(t + 4)), 0);
	snprintf(path, sizeof(path), "%s/%s.dat", dir, sig);
	f = fopen(path, "wb");
	CHECK(f != NULL);
	if (!f)
		return;
	fwrite(t, 1, le32(t + 4), f);
	fclose(f);
	/* iasl wants a vendor and hex digits in every _HID; "VMBus" and "VMGENCTR" are what Linux's drivers match. */
	snprintf(cmd, sizeof(cmd), "cd %s && iasl -d %s.dat >%s.out 2>&1 "
		 "&& sed -i 's/VMBus/MSFT1000/;s/VMGENCTR/MSFT1001/' %s.dsl && iasl -ve -we %s.dsl >>%s.out 2>&1 "
		 "&& grep -q ' 0 Errors, 0 Warnings, 0 Remarks' %s.out && ! grep -i error %s.dsl",
		 dir, sig, sig, sig, sig, sig, sig, sig);
	CHECK_EQ(system(cmd), 0);
}

static int holds(const uint8_t *t, const char *word)
{
	uint32_t i, len = le32(t + 4), n = (uint32_t)strlen(word);

	for (i = 0; i + n <= len; i++)
		if (!memcmp(t + i, word, n))
			return 1;
	return 0;
}

/* Linux loads hv_vmbus for a device "VMBus" or "VMBUS", Windows for "MSFT1000". */
static void vmbus_check(unsigned int flags)
{
	static const char * const ids[] = { "VMBus", "VMBUS", "VMBS", "MSFT1000" };
	const uint8_t *dsdt = table_find("DSDT");
	unsigned int i, found = 0;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		found += holds(dsdt, ids[i]);
	CHECK_EQ(found > 0, (flags & ACPI_F_VMBUS) != 0);
}

static void case_check(const char *dir, const struct vmm_config *cfg, unsigned int flags, int have_iasl)
{
	static const char * const sigs[] = { "DSDT", "FACP", "APIC", "SRAT", "SLIT" };
	struct layout layout;
	unsigned int i;
	int len;

	layout_build(&layout, cfg);
	memset(buf, 0xee, sizeof(buf));
	len = acpi_build(cfg, &layout, flags, LAYOUT_ACPI, buf, sizeof(buf));
	CHECK(len > 0);
	CHECK_EQ(memcmp(buf, "RSD PTR ", 8), 0);
	CHECK_EQ(sum(buf, 20), 0);
	CHECK_EQ(sum(buf, 36), 0);
	CHECK_EQ(le32(table_find("FACP") + 4), 276);
	CHECK_EQ(memcmp(table_at(le32(table_find("FACP") + 36)), "FACS", 4), 0);
	vmbus_check(flags);
	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]) - (cfg->nodes ? 0 : 2); i++)
		if (have_iasl)
			iasl_check(dir, sigs[i]);
	if (!cfg->nodes)
		CHECK(!table_find("SRAT"));
	/* Every shorter buffer is refused, none is overrun (the sanitizer watches). */
	for (i = 0; i < (unsigned int)len; i += 7) {
		uint8_t *small = malloc(i ? i : 1);

		CHECK_EQ(acpi_build(cfg, &layout, flags, LAYOUT_ACPI, small, i), -7);
		free(small);
	}
}

int main(int argc, char **argv)
{
	char tmp[] = "/tmp/acpi_test.XXXXXX", cmd[64];
	const char *dir = argc > 1 ? argv[1] : mkdtemp(tmp);
	int have_iasl = !system("command -v iasl >/dev/null");
	struct vmm_config cfg;

	if (!have_iasl)
		printf("iasl (package acpica-tools) is missing: structure checked, not disassembled\n");
	vmm_config_init(&cfg);
	case_check(dir, &cfg, 0, have_iasl);
	cfg.cpus = 4;
	cfg.nodes = 2;
	cfg.memory = 6ULL << 30;
	cfg.node[0] = (struct vmm_node){ 4ULL << 30, 0, 2, -1 };
	cfg.node[1] = (struct vmm_node){ 2ULL << 30, 2, 2, -1 };
	case_check(dir, &cfg, ACPI_F_VMBUS, have_iasl);
	cfg.cpus = VMM_CPUS_MAX;
	cfg.nodes = 0;
	case_check(dir, &cfg, ACPI_F_VMBUS, have_iasl);
	if (argc <= 1) {
		snprintf(cmd, sizeof(cmd), "rm -r %s", tmp);
		if (system(cmd))
			return 1;
	}
	return unit_done();
}

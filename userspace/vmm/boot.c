// SPDX-License-Identifier: GPL-2.0-or-later
/* From fresh memory to a vCPU that can run: kernel, tables, registers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "acpi.h"
#include "machine_impl.h"

/* Segment attributes in VMCB form (hv_x86.h) */
#define ATTR_CODE64	0x0a9b	/* execute, read, accessed; L, G */
#define ATTR_CODE32	0x0c9b	/* DB, G */
#define ATTR_DATA	0x0c93
#define ATTR_TSS	0x008b
#define ATTR_LDT	0x0082

#define CR0_PE		0x00000001ULL
#define CR0_ET		0x00000010ULL
#define CR0_PG		0x80000000ULL
#define CR4_PAE		0x00000020ULL
#define EFER_LME	0x00000100ULL
#define EFER_LMA	0x00000400ULL

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI };

static void gdt_put(struct machine *m)
{
	const uint64_t gdt[4] = {
		[LOAD_CODE_SEL / 8] = m->load.entry.long_mode ? 0x00af9b000000ffffULL :
							       0x00cf9b000000ffffULL,
		[LOAD_DATA_SEL / 8] = 0x00cf93000000ffffULL,
	};

	memcpy(load_at(&m->load.ram, LOAD_GDT, sizeof(gdt)), gdt, sizeof(gdt));
}

static int sregs_set(struct machine *m)
{
	const struct load_entry *e = &m->load.entry;
	struct hv_rec_sregs s;
	uint32_t len = sizeof(s), version;
	int ret = libhv_state_get(m->vcpu[0].fd, HV_REC_VCPU_SREGS, 0, &s, &len, &version);
	unsigned int i;

	if (ret)
		return ret;
	for (i = HV_SEG_ES; i <= HV_SEG_GS; i++)
		s.seg[i] = (struct hv_rec_seg){ 0, 0xffffffff, LOAD_DATA_SEL, ATTR_DATA };
	s.seg[HV_SEG_CS].selector = LOAD_CODE_SEL;
	s.seg[HV_SEG_CS].attr = e->long_mode ? ATTR_CODE64 : ATTR_CODE32;
	s.seg[HV_SEG_TR] = (struct hv_rec_seg){ 0, 0xffff, 0, ATTR_TSS };
	s.seg[HV_SEG_LDTR] = (struct hv_rec_seg){ 0, 0xffff, 0, ATTR_LDT };
	s.gdt = (struct hv_rec_dt){ .base = LOAD_GDT, .limit = 31 };
	s.idt = (struct hv_rec_dt){ .base = 0, .limit = 0 };
	s.cr0 = CR0_PE | CR0_ET | (e->long_mode ? CR0_PG : 0);
	s.cr3 = e->long_mode ? LOAD_PAGES : 0;
	s.cr4 = e->long_mode ? CR4_PAE : 0;
	s.efer = e->long_mode ? EFER_LME | EFER_LMA : 0;
	return libhv_state_set(m->vcpu[0].fd, HV_REC_VCPU_SREGS, 0, &s, len, version);
}

static int regs_set(struct machine *m)
{
	const struct load_entry *e = &m->load.entry;
	struct hv_rec_regs r = { .rip = e->rip, .rflags = 2 };
	uint32_t len = sizeof(r), version;
	struct hv_rec_regs old;
	int ret = libhv_state_get(m->vcpu[0].fd, HV_REC_VCPU_REGS, 0, &old, &len, &version);

	if (ret)
		return ret;
	r.gpr[RAX] = e->eax;
	r.gpr[RBX] = e->ebx;
	r.gpr[RSI] = e->rsi;
	r.gpr[RSP] = LOAD_STACK;
	return libhv_state_set(m->vcpu[0].fd, HV_REC_VCPU_REGS, 0, &r, sizeof(r), version);
}

int boot_prepare(struct machine *m)
{
	struct load_job *job = &m->load;
	unsigned int i;
	int ret;

	job->ram.layout = &m->layout;
	for (i = 0; i < m->layout.nr; i++)
		job->ram.host[i] = mem_host(m->mem, i);
	job->cmdline = m->cfg->append ? m->cfg->append : "";
	job->rsdp = LAYOUT_ACPI;
	ret = load_run(job);
	if (ret)
		return ret;
	ret = acpi_build(m->cfg, &m->layout, ACPI_F_VMBUS, LAYOUT_ACPI,
			 load_at(&job->ram, LAYOUT_ACPI, LAYOUT_ACPI_BYTES), LAYOUT_GENID - LAYOUT_ACPI);
	if (ret < 0) {
		snprintf(m->err, sizeof(m->err), "ACPI tables do not fit their %u bytes",
			 LAYOUT_GENID - LAYOUT_ACPI);
		return ret;
	}
	genid_put(m);
	gdt_put(m);
	ret = sregs_set(m);
	if (!ret)
		ret = regs_set(m);
	if (ret)
		snprintf(m->err, sizeof(m->err), "cannot set the boot registers: %s", strerror(-ret));
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * paging.c - every paging mode and page size: reads and writes of memory through it, and of
 * a device (the I/O APIC's select register), by instructions the hypervisor has to walk the
 * guest's tables for. Accessed and dirty bits follow (APM vol. 2, chapter 5).
 */
#include "guest.h"
#include "boot.h"

#define RAM		0x2000000u	/* a multiple of 4 MiB, unused by the image */
#define DEVICE		0xfec00000u	/* a multiple of 4 MiB too */
#define RAM_AT		0x40000000u	/* where the tables show them */
#define DEVICE_AT	0x80000000u
#define GB		0x40000000u

#define CR4_PSE		(1u << 4)
#define CR4_PAE		(1u << 5)
#define PTE		3u		/* present, writable */
#define LARGE		0x80u
#define ACCESSED	0x20u
#define DIRTY		0x40u

/* One set of tables at a time. */
static u32 pd32[1024] __attribute__((aligned(4096)));
static u32 pt32[4][1024] __attribute__((aligned(4096)));
static u64 pml4[512] __attribute__((aligned(4096)));
static u64 pdpt[512] __attribute__((aligned(4096)));
static u64 pd64[3][512] __attribute__((aligned(4096)));
static u64 pt64[6][512] __attribute__((aligned(4096)));

static u32 low(const void *p)
{
	return (u32)(uintptr_t)p;
}

/* The first 8 MiB as they are, the memory, the device. */
static void tables_32(bool large)
{
	static const struct {
		u32 at, to;
	} maps[] = { { 0, 0 }, { 4u << 20, 4u << 20 }, { RAM_AT, RAM }, { DEVICE_AT, DEVICE } };
	u32 i, j;

	memset(pd32, 0, sizeof(pd32));
	for (i = 0; i < 4; i++) {
		pd32[maps[i].at >> 22] = large ? maps[i].to | LARGE | PTE : low(pt32[i]) | PTE;
		for (j = 0; j < 1024; j++)
			pt32[i][j] = (maps[i].to + j * 4096) | PTE;
	}
}

enum size { SIZE_4K, SIZE_LARGE, SIZE_1G };

/* For PAE the third level takes no permissions: their places are reserved there. */
static void tables_64(enum size size, u32 third)
{
	static const u32 to[] = { 0, RAM, DEVICE };
	u32 i, j, k;

	pml4[0] = low(pdpt) | PTE;
	for (i = 0; i < 3; i++) {
		pdpt[i] = size == SIZE_1G ? (to[i] & ~(GB - 1)) | LARGE | PTE : low(pd64[i]) | third;
		for (j = 0; j < 4; j++) {
			u32 base = to[i] + j * (2u << 20);
			u64 *pt = pt64[i ? 3 + i : j];

			pd64[i][j] = 0;
			if (i && j)
				continue;
			pd64[i][j] = size == SIZE_LARGE ? base | LARGE | PTE : low(pt) | PTE;
			for (k = 0; k < 512; k++)
				pt[k] = (base + k * 4096) | PTE;
		}
	}
}

static volatile u32 *ram(void)
{
	return (volatile u32 *)(uintptr_t)RAM;
}

static volatile u32 *device(void)
{
	return (volatile u32 *)(uintptr_t)DEVICE;
}

/* What the accesses left, seen through the start-up code's own tables. */
static void results(const char *mode, u32 loaded, u32 selected, u64 leaf_ram, u64 leaf_device)
{
	print("# %s\n", mode);
	check_eq(loaded, 0x11223344, "memory is read");
	check_eq(ram()[1], 0x55667788, "and written");
	check_eq(selected, 8, "a device is written, added to and read");
	check_eq(ram()[2], 8, "and copied from by a string instruction");
	check_eq(*device(), 8, "it is the device that is meant");
	check(leaf_ram & ACCESSED && leaf_ram & DIRTY, "accessed and dirty: memory");
	check(leaf_device & ACCESSED && leaf_device & DIRTY, "accessed and dirty: device");
}

static void prepare(void)
{
	ram()[0] = 0x11223344;
	ram()[1] = 0;
	ram()[2] = 0;
	*device() = 0;
}

static void mode_32(const char *name, u32 cr3, u32 cr4, const void *leaf_ram,
		    const void *leaf_device, u32 ram_at, u32 device_at)
{
	static struct mode32_op ops[8];
	u32 i = 0;

	prepare();
	ops[i++] = (struct mode32_op) { MODE32_LOAD, ram_at, 0 };
	ops[i++] = (struct mode32_op) { MODE32_STORE, ram_at + 4, 0x55667788 };
	ops[i++] = (struct mode32_op) { MODE32_STORE, device_at, 3 };
	ops[i++] = (struct mode32_op) { MODE32_ADD, device_at, 5 };
	ops[i++] = (struct mode32_op) { MODE32_LOAD, device_at, 0 };
	ops[i++] = (struct mode32_op) { MODE32_COPY, device_at, ram_at + 8 };
	ops[i++] = (struct mode32_op) { MODE32_END, 0, 0 };
	mode32_run(cr3, cr4, ops);
	results(name, ops[0].val, ops[4].val, leaf_ram ? *(const u32 *)leaf_ram : ~0u,
		leaf_device ? *(const u32 *)leaf_device : ~0u);
}

static void mode_64(const char *name, const u64 *leaf_ram, const u64 *leaf_device, u32 ram_at,
		    u32 device_at)
{
	volatile u32 *r = (volatile u32 *)(uintptr_t)ram_at;
	volatile u32 *d = (volatile u32 *)(uintptr_t)device_at;
	u32 loaded, selected;
	u64 was = read_cr3();
	volatile void *to = r + 2;
	const volatile void *from = d;

	prepare();
	write_cr3((uintptr_t)pml4);
	loaded = r[0];
	r[1] = 0x55667788;
	*d = 3;
	__asm__ volatile("addl $5, %0" : "+m"(*d) : : "cc");
	selected = *d;
	__asm__ volatile("movsl" : "+S"(from), "+D"(to) : : "memory");
	write_cr3(was);
	results(name, loaded, selected, *leaf_ram, *leaf_device);
}

void main(void)
{
	const u32 top = GB - 1;

	mode_32("protected mode, no paging", 0, 0, NULL, NULL, RAM, DEVICE);
	tables_32(false);
	mode_32("32-bit paging, 4 KiB", low(pd32), 0, &pt32[2][0], &pt32[3][0], RAM_AT, DEVICE_AT);
	tables_32(true);
	mode_32("32-bit paging, 4 MiB", low(pd32), CR4_PSE, &pd32[RAM_AT >> 22],
		&pd32[DEVICE_AT >> 22], RAM_AT, DEVICE_AT);
	tables_64(SIZE_4K, 1);
	mode_32("PAE paging, 4 KiB", low(pdpt), CR4_PAE, &pt64[4][0], &pt64[5][0], RAM_AT, DEVICE_AT);
	tables_64(SIZE_LARGE, 1);
	mode_32("PAE paging, 2 MiB", low(pdpt), CR4_PAE, &pd64[1][0], &pd64[2][0], RAM_AT, DEVICE_AT);
	tables_64(SIZE_4K, PTE);
	mode_64("4-level paging, 4 KiB", &pt64[4][0], &pt64[5][0], RAM_AT, DEVICE_AT);
	tables_64(SIZE_LARGE, PTE);
	mode_64("4-level paging, 2 MiB", &pd64[1][0], &pd64[2][0], RAM_AT, DEVICE_AT);
	tables_64(SIZE_1G, PTE);
	mode_64("4-level paging, 1 GiB", &pdpt[1], &pdpt[2], RAM_AT | (RAM & top),
		DEVICE_AT | (DEVICE & top));
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bzImage by its 64-bit entry (Linux Documentation/x86/boot.rst, "64-bit Boot Protocol").
 *
 * The image goes to 1 MiB or right behind a small initrd there; it is relocatable, realigns itself and
 * decompresses itself to its preferred address or a random one above. Memory that boot data and kernel
 * touch anyway is packed: one more huge page to clear costs as much as reading 2 MiB.
 */
#include <errno.h>
#include <string.h>

#include "load.h"

#define SETUP_START	0x1f1	/* the setup header, at the same offset in boot_params */
#define SETUP_SECTS	0x1f1
#define SYSSIZE		0x1f4
#define BOOT_FLAG	0x1fe
#define JUMP_LEN	0x201	/* the header ends at 0x202 + this byte */
#define MAGIC		0x202
#define VERSION		0x206
#define TYPE_OF_LOADER	0x210
#define LOADFLAGS	0x211
#define RAMDISK_IMAGE	0x218
#define RAMDISK_SIZE	0x21c
#define CMD_LINE_PTR	0x228
#define INITRD_ADDR_MAX	0x22c
#define ALIGNMENT	0x230
#define RELOCATABLE	0x234
#define XLOADFLAGS	0x236
#define CMDLINE_SIZE	0x238
#define PREF_ADDRESS	0x258
#define INIT_SIZE	0x260
#define SETUP_MAX	0x290	/* boot_params has this much room for it; files are longer */

/* boot_params (Documentation/x86/zero-page.rst) */
#define BP_RSDP		0x070
#define BP_E820_NR	0x1e8
#define BP_E820		0x2d0

#define PROTOCOL_MIN	0x020c	/* xloadflags */
#define LOADED_HIGH	0x01
#define XLF_KERNEL_64	0x01
#define ENTRY_64	0x200

#define LOW_INITRD	(1U << 20)	/* the largest that goes below the image */

#define MIB		(1ULL << 20)
#define GIB		(1ULL << 30)

static uint64_t field(const struct load_job *job, unsigned int off, unsigned int bytes)
{
	uint64_t v = 0;

	memcpy(&v, job->head + off, bytes);
	return v;
}

bool load_is_bzimage(const struct load_job *job)
{
	return job->head_len >= SETUP_MAX && field(job, BOOT_FLAG, 2) == 0xaa55 &&
	       !memcmp(job->head + MAGIC, "HdrS", 4);
}

struct image {
	uint64_t	offset, size;	/* protected-mode part in the file */
	uint64_t	at;		/* where it goes */
	uint64_t	end;		/* first address above everything the kernel needs at first */
};

static int header_check(struct load_job *job, struct image *im)
{
	const struct load_file *f = &job->kernel;
	uint64_t sects = field(job, SETUP_SECTS, 1), version = field(job, VERSION, 2);
	uint64_t pref = field(job, PREF_ADDRESS, 8), init = field(job, INIT_SIZE, 4);
	uint64_t align = field(job, ALIGNMENT, 4), start;

	if (version < PROTOCOL_MIN)
		return load_bad(job, f, "boot protocol %llu.%02llu is too old, 2.12 is the first with a "
				"64-bit entry", (unsigned long long)version >> 8,
				(unsigned long long)version & 0xff);
	if (!(field(job, XLOADFLAGS, 2) & XLF_KERNEL_64))
		return load_bad(job, f, "xloadflags: no 64-bit entry (a 32-bit kernel?)");
	if (!(field(job, LOADFLAGS, 1) & LOADED_HIGH))
		return load_bad(job, f, "loadflags: not a bzImage (loads below 1 MiB)");
	if (!field(job, RELOCATABLE, 1))
		return load_bad(job, f, "relocatable_kernel: the kernel cannot be moved");
	im->offset = ((sects ? sects : 4) + 1) * 512;
	im->size = field(job, SYSSIZE, 4) * 16;
	if (im->size <= ENTRY_64)
		return load_bad(job, f, "syssize: %llu bytes hold no kernel", (unsigned long long)im->size);
	/* syssize counts 16-byte units and may round up beyond the end. */
	if (im->offset + im->size > f->size && im->offset + im->size - f->size < 16)
		im->size = f->size - im->offset;
	if (im->offset > f->size || im->size > f->size - im->offset)
		return load_bad(job, f, "syssize: the kernel ends at byte %llu, the file has %llu: truncated?",
				(unsigned long long)(im->offset + im->size), (unsigned long long)f->size);
	if (!init || pref >= GIB || init >= GIB)
		return load_bad(job, f, "init_size or pref_address: 0x%llx bytes at 0x%llx is beyond 1 GiB",
				(unsigned long long)init, (unsigned long long)pref);
	if (!align || align & (align - 1) || align > GIB)
		return load_bad(job, f, "kernel_alignment: 0x%llx is no power of two up to 1 GiB",
				(unsigned long long)align);
	im->at = LAYOUT_KERNEL;
	if (job->initrd.path && job->initrd.size <= LOW_INITRD)
		im->at += (job->initrd.size + 4095) & ~4095ULL;
	/* It runs where it lies, rounded up, but not below its preferred address. */
	start = (im->at + align - 1) & ~(align - 1);
	im->end = (start > pref ? start : pref) + init;
	if (im->end < im->at + im->size)
		im->end = im->at + im->size;
	if (im->end > load_low_ram(&job->ram))
		return load_bad(job, f, "needs %llu MiB of memory to start, the VM has %llu MiB: give it more",
				(unsigned long long)(im->end + MIB - 1) / MIB,
				(unsigned long long)load_low_ram(&job->ram) / MIB);
	return 0;
}

static void put(uint8_t *at, uint64_t value, unsigned int bytes)
{
	memcpy(at, &value, bytes);
}

static int cmdline_put(struct load_job *job)
{
	size_t len = strlen(job->cmdline), max = field(job, CMDLINE_SIZE, 4);

	if (max > LOAD_CMDLINE_MAX - 1)
		max = LOAD_CMDLINE_MAX - 1;
	if (len > max)
		return load_bad(job, &job->kernel, "command line: %zu bytes, this kernel takes %zu", len, max);
	memcpy(load_at(&job->ram, LOAD_CMDLINE, len + 1), job->cmdline, len + 1);
	return 0;
}

static void params_put(struct load_job *job)
{
	uint8_t *bp = load_at(&job->ram, LOAD_PARAMS, 4096);
	size_t end = MAGIC + job->head[JUMP_LEN];
	struct load_e820 map[LOAD_E820_MAX];
	unsigned int i, n;

	if (end > SETUP_MAX)
		end = SETUP_MAX;
	memset(bp, 0, 4096);
	memcpy(bp + SETUP_START, job->head + SETUP_START, end - SETUP_START);
	put(bp + TYPE_OF_LOADER, 0xff, 1);
	put(bp + CMD_LINE_PTR, LOAD_CMDLINE, 4);
	put(bp + RAMDISK_IMAGE, job->initrd_gpa, 4);
	put(bp + RAMDISK_SIZE, job->initrd_gpa ? job->initrd.size : 0, 4);
	put(bp + BP_RSDP, job->rsdp, 8);
	n = load_e820(&job->ram, map);
	put(bp + BP_E820_NR, n, 1);
	for (i = 0; i < n; i++) {
		put(bp + BP_E820 + 20 * i, map[i].addr, 8);
		put(bp + BP_E820 + 20 * i + 8, map[i].size, 8);
		put(bp + BP_E820 + 20 * i + 16, map[i].type, 4);
	}
}

/* The first GiB, one to one, in 2 MiB pages; the kernel's decompressor maps what else it needs. */
static void pages_put(struct load_job *job)
{
	uint64_t *t = (uint64_t *)load_at(&job->ram, LOAD_PAGES, 3 * 4096);
	unsigned int i;

	memset(t, 0, 2 * 4096);
	t[0] = (LOAD_PAGES + 4096) | 3;
	t[512] = (LOAD_PAGES + 8192) | 3;
	for (i = 0; i < 512; i++)
		t[1024 + i] = (uint64_t)i << 21 | 0x83;
}

int load_bzimage(struct load_job *job)
{
	struct image im = { 0 };
	int ret = header_check(job, &im);

	if (!ret)
		ret = load_to_guest(job, &job->kernel, im.offset, im.size, im.at, "kernel");
	if (!ret)
		ret = cmdline_put(job);
	/* Below or far above, never right behind the image: the decompressor's own data begins there. */
	if (!ret)
		ret = load_initrd(job, LAYOUT_KERNEL, im.at, im.end, field(job, INITRD_ADDR_MAX, 4));
	if (ret)
		return ret;
	params_put(job);
	pages_put(job);
	job->entry = (struct load_entry){
		.long_mode = true, .rip = im.at + ENTRY_64, .rsi = LOAD_PARAMS,
	};
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Multiboot version 1 images (Multiboot Specification 0.6.96), ELF or with the address fields; the
 * initrd becomes the one module. Bare test guests come this way.
 */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "elf_image.h"

#define MB_MAGIC	0x1badb002u
#define MB_BOOT_MAGIC	0x2badb002u

/* header flags */
#define MB_ALIGN	(1u << 0)	/* modules on page boundaries: they always are */
#define MB_MEMORY	(1u << 1)	/* wants memory information: always given */
#define MB_VIDEO	(1u << 2)
#define MB_ADDRESSES	(1u << 16)
#define MB_MUST_KNOW	0xffffu		/* unknown bits here must be refused */

/* information flags */
#define MBI_MEMORY	(1u << 0)
#define MBI_CMDLINE	(1u << 2)
#define MBI_MODULES	(1u << 3)
#define MBI_MMAP	(1u << 6)
#define MBI_LOADER	(1u << 9)

struct mb_header {
	uint32_t magic, flags, checksum;
	uint32_t header_addr, load_addr, load_end, bss_end, entry;
};

struct mb_info {
	uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
	uint32_t syms[4], mmap_length, mmap_addr, drives[2], config, loader_name;
	uint32_t rest[11];
};

struct mb_module {
	uint32_t start, end, string, reserved;
};

struct mb_mmap {
	uint32_t size;
	uint64_t addr, len;
	uint32_t type;
} __attribute__((packed));

/* Offset of the header within the first 8 KiB, or -1. */
static int header_find(const struct load_job *job, struct mb_header *h)
{
	size_t off;

	for (off = 0; off + 12 <= job->head_len; off += 4) {
		uint32_t w[3];

		memcpy(w, job->head + off, sizeof(w));
		if (w[0] != MB_MAGIC || w[0] + w[1] + w[2])
			continue;
		memset(h, 0, sizeof(*h));
		memcpy(h, job->head + off, job->head_len - off < sizeof(*h) ? job->head_len - off :
		       sizeof(*h));
		return off;
	}
	return -1;
}

bool load_is_multiboot(const struct load_job *job)
{
	struct mb_header h;

	return header_find(job, &h) >= 0;
}

/* The image says itself where its one piece goes. */
static int load_addresses(struct load_job *job, const struct mb_header *h, uint32_t off, uint64_t *end)
{
	const struct load_file *f = &job->kernel;
	uint64_t low = load_low_ram(&job->ram), start, len;

	if (h->load_addr > h->header_addr || h->header_addr - h->load_addr > off)
		return load_bad(job, f, "multiboot load_addr: 0x%x does not go with header_addr 0x%x",
				h->load_addr, h->header_addr);
	start = off - (h->header_addr - h->load_addr);
	if (h->load_end && h->load_end < h->load_addr)
		return load_bad(job, f, "multiboot load_end_addr: 0x%x is below load_addr 0x%x",
				h->load_end, h->load_addr);
	len = h->load_end ? h->load_end - h->load_addr : f->size - start;
	if (h->load_addr < LAYOUT_KERNEL)
		return load_bad(job, f, "multiboot load_addr: 0x%x is below 1 MiB", h->load_addr);
	*end = h->load_addr + len;
	if (h->bss_end > *end)
		*end = h->bss_end;
	if (*end > low)
		return load_bad(job, f, "multiboot image ends at 0x%llx, the VM has %llu MiB below 4 GiB: give "
				"it more memory", (unsigned long long)*end, (unsigned long long)low >> 20);
	if (h->entry < h->load_addr || h->entry >= *end)
		return load_bad(job, f, "multiboot entry_addr: 0x%x lies outside the image", h->entry);
	job->entry.rip = h->entry;
	return load_to_guest(job, f, start, len, h->load_addr, "multiboot image");
}

static int load_segments(struct load_job *job, uint64_t *end)
{
	struct elf_image elf;
	uint64_t lowest;
	int ret;

	if (!load_is_elf(job))
		return load_bad(job, &job->kernel, "multiboot header without address fields, and not ELF");
	ret = elf_read(job, &elf);
	if (!ret)
		ret = elf_load(job, &elf, &lowest, end);
	if (!ret)
		ret = elf_entry(job, &elf, &job->entry.rip);
	if (!ret && job->entry.rip > UINT32_MAX)
		ret = load_bad(job, &job->kernel, "e_entry: 0x%llx is beyond 4 GiB",
			       (unsigned long long)job->entry.rip);
	return ret;
}

/* The convention is program name, then arguments. */
static int cmdline_put(struct load_job *job)
{
	char *at = (char *)load_at(&job->ram, LOAD_CMDLINE, LOAD_CMDLINE_MAX);
	int n = snprintf(at, LOAD_CMDLINE_MAX, "%s %s", job->kernel.path, job->cmdline);

	if (n < 0 || n >= (int)LOAD_CMDLINE_MAX)
		return load_bad(job, &job->kernel, "command line: with the path at most %u bytes",
				LOAD_CMDLINE_MAX - 1);
	return 0;
}

static void info_put(struct load_job *job)
{
	struct mb_info info = {
		.flags = MBI_MEMORY | MBI_CMDLINE | MBI_MMAP | MBI_LOADER,
		.mem_lower = LAYOUT_EBDA / 1024,
		.mem_upper = (load_low_ram(&job->ram) - LAYOUT_KERNEL) / 1024,
		.cmdline = LOAD_CMDLINE, .mods_addr = LOAD_PARAMS + 512,
		.mmap_addr = LOAD_MAP, .loader_name = LOAD_PARAMS + 256,
	};
	uint8_t *params = load_at(&job->ram, LOAD_PARAMS, 4096);
	uint8_t *map_at = load_at(&job->ram, LOAD_MAP, 4096);
	struct load_e820 map[LOAD_E820_MAX];
	unsigned int i, n = load_e820(&job->ram, map);

	for (i = 0; i < n; i++) {
		const struct mb_mmap e = { sizeof(e) - 4, map[i].addr, map[i].size, map[i].type };

		memcpy(map_at + i * sizeof(e), &e, sizeof(e));
	}
	info.mmap_length = n * sizeof(struct mb_mmap);
	if (job->initrd_gpa) {
		/* The string is the module's name, by the same convention. */
		const struct mb_module mod = {
			job->initrd_gpa, job->initrd_gpa + job->initrd.size, LOAD_PARAMS + 1024, 0,
		};

		info.flags |= MBI_MODULES;
		info.mods_count = 1;
		memcpy(params + 512, &mod, sizeof(mod));
		snprintf((char *)params + 1024, 3072, "%s", job->initrd.path);
	}
	memcpy(params, &info, sizeof(info));
	memcpy(params + 256, "hv", 3);
}

int load_multiboot(struct load_job *job)
{
	struct mb_header h;
	int off = header_find(job, &h), ret;
	uint64_t end = 0;

	if (off < 0)
		return load_bad(job, &job->kernel, "no multiboot header");
	if (h.flags & MB_MUST_KNOW & ~(MB_ALIGN | MB_MEMORY))
		return load_bad(job, &job->kernel, "multiboot flags: 0x%x asks for what is not offered%s", h.flags,
				h.flags & MB_VIDEO ? " (a video mode)" : "");
	ret = h.flags & MB_ADDRESSES ? load_addresses(job, &h, off, &end) : load_segments(job, &end);
	if (!ret)
		ret = load_initrd(job, end, ~0ULL, end, 0xffffffff);
	if (!ret)
		ret = cmdline_put(job);
	if (ret)
		return ret;
	info_put(job);
	job->entry.long_mode = false;
	job->entry.eax = MB_BOOT_MAGIC;
	job->entry.ebx = LOAD_PARAMS;
	return 0;
}

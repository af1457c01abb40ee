// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * ELF kernel by its PVH entry: an ELF note names a 32-bit entry point, EBX points to hvm_start_info
 * (Xen's public headers elfnote.h and arch-x86/hvm/start_info.h describe both).
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "elf_image.h"

#define NOTE_PHYS32_ENTRY	18
#define NOTE_BYTES_MAX		65536

#define START_MAGIC		0x336ec578

struct start_info {
	uint32_t magic, version, flags, nr_modules;
	uint64_t modlist, cmdline, rsdp, memmap;
	uint32_t memmap_entries, reserved;
};

struct start_module {
	uint64_t paddr, size, cmdline, reserved;
};

struct start_memmap {
	uint64_t addr, size;
	uint32_t type, reserved;
};

bool load_is_elf(const struct load_job *job)
{
	return job->head_len >= EI_NIDENT && !memcmp(job->head, ELFMAG, SELFMAG) &&
	       (job->head[EI_CLASS] == ELFCLASS32 || job->head[EI_CLASS] == ELFCLASS64);
}

/* Look through one PT_NOTE. Return: 1 found, 0 not here, -errno. */
static int note_search(struct load_job *job, const struct elf_segment *s, uint32_t *entry)
{
	static uint8_t buf[NOTE_BYTES_MAX];	/* one loader runs at a time */
	uint64_t align = s->align == 8 ? 8 : 4, pos = 0;
	int ret;

	if (s->filesz > sizeof(buf))
		return load_bad(job, &job->kernel, "notes: %llu bytes are too many",
				(unsigned long long)s->filesz);
	ret = load_bytes(job, &job->kernel, s->offset, buf, s->filesz, "notes");
	if (ret)
		return ret;
	while (s->filesz - pos >= sizeof(Elf64_Nhdr)) {
		Elf64_Nhdr h;
		uint64_t name = pos + sizeof(h), desc, next;

		memcpy(&h, buf + pos, sizeof(h));
		desc = name + ((h.n_namesz + align - 1) & ~(align - 1));
		next = desc + ((h.n_descsz + align - 1) & ~(align - 1));
		if (desc > s->filesz || h.n_descsz > s->filesz - desc)
			return load_bad(job, &job->kernel, "notes: one runs beyond the end");
		if (h.n_type == NOTE_PHYS32_ENTRY && h.n_namesz == 4 && !memcmp(buf + name, "Xen", 4)) {
			if (h.n_descsz != 4 && h.n_descsz != 8)
				return load_bad(job, &job->kernel, "PVH note: %u bytes", h.n_descsz);
			memcpy(entry, buf + desc, 4);
			return 1;
		}
		if (next > s->filesz)
			break;
		pos = next;
	}
	return 0;
}

static int entry_find(struct load_job *job, const struct elf_image *elf, uint32_t *entry)
{
	unsigned int i;
	int ret;

	for (i = 0; i < elf->nr; i++) {
		if (elf->seg[i].type != PT_NOTE)
			continue;
		ret = note_search(job, &elf->seg[i], entry);
		if (ret)
			return ret < 0 ? ret : 0;
	}
	return load_bad(job, &job->kernel, "has no PVH entry note (CONFIG_PVH): boot the bzImage instead");
}

static void start_info_put(struct load_job *job)
{
	struct start_info info = {
		.magic = START_MAGIC, .version = 1, .nr_modules = job->initrd_gpa ? 1 : 0,
		.modlist = LOAD_MAP, .cmdline = LOAD_CMDLINE, .rsdp = job->rsdp,
		.memmap = LOAD_MAP + sizeof(struct start_module),
	};
	const struct start_module mod = { job->initrd_gpa, job->initrd.size, 0, 0 };
	uint8_t *at = load_at(&job->ram, LOAD_MAP, 4096);
	struct load_e820 map[LOAD_E820_MAX];
	unsigned int i;

	info.memmap_entries = load_e820(&job->ram, map);
	memcpy(at, &mod, sizeof(mod));
	at += sizeof(mod);
	for (i = 0; i < info.memmap_entries; i++, at += sizeof(struct start_memmap)) {
		const struct start_memmap e = { map[i].addr, map[i].size, map[i].type, 0 };

		memcpy(at, &e, sizeof(e));
	}
	memcpy(load_at(&job->ram, LOAD_PARAMS, 4096), &info, sizeof(info));
}

int load_elf_pvh(struct load_job *job)
{
	struct elf_image elf;
	size_t len = strlen(job->cmdline);
	uint64_t lowest, end;
	uint32_t entry = 0;
	int ret;

	ret = elf_read(job, &elf);
	if (!ret)
		ret = entry_find(job, &elf, &entry);
	if (!ret)
		ret = elf_load(job, &elf, &lowest, &end);
	if (ret)
		return ret;
	if (entry < lowest || entry >= end)
		return load_bad(job, &job->kernel, "PVH note: entry 0x%x lies outside the segments", entry);
	if (len >= LOAD_CMDLINE_MAX)
		return load_bad(job, &job->kernel, "command line: %zu bytes, at most %u", len,
				LOAD_CMDLINE_MAX - 1);
	ret = load_initrd(job, end, ~0ULL, end, 0xffffffff);
	if (ret)
		return ret;
	memcpy(load_at(&job->ram, LOAD_CMDLINE, len + 1), job->cmdline, len + 1);
	start_info_put(job);
	job->entry = (struct load_entry){ .rip = entry, .ebx = LOAD_PARAMS };
	return 0;
}

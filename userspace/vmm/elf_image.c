// SPDX-License-Identifier: GPL-2.0-or-later
/* ELF headers and segments. Guest memory is fresh, so what a segment does not fill is zero already. */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "elf_image.h"

static void segment_take(struct elf_image *elf, const uint8_t *p)
{
	struct elf_segment *s = &elf->seg[elf->nr++];

	if (elf->is64) {
		Elf64_Phdr h;

		memcpy(&h, p, sizeof(h));
		*s = (struct elf_segment){ h.p_type, h.p_offset, h.p_paddr, h.p_vaddr, h.p_filesz,
					   h.p_memsz, h.p_align };
	} else {
		Elf32_Phdr h;

		memcpy(&h, p, sizeof(h));
		*s = (struct elf_segment){ h.p_type, h.p_offset, h.p_paddr, h.p_vaddr, h.p_filesz,
					   h.p_memsz, h.p_align };
	}
}

int elf_read(struct load_job *job, struct elf_image *elf)
{
	const struct load_file *f = &job->kernel;
	uint8_t table[ELF_SEGMENTS_MAX * sizeof(Elf64_Phdr)];
	uint64_t phoff;
	unsigned int phnum, phentsize, want, machine, i;
	int ret;

	elf->nr = 0;
	elf->is64 = job->head[EI_CLASS] == ELFCLASS64;
	if (job->head_len < (elf->is64 ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
		return load_bad(job, f, "ELF header: truncated");
	if (elf->is64) {
		Elf64_Ehdr h;

		memcpy(&h, job->head, sizeof(h));
		phoff = h.e_phoff;
		phnum = h.e_phnum;
		phentsize = h.e_phentsize;
		elf->entry = h.e_entry;
		machine = h.e_machine;
		want = sizeof(Elf64_Phdr);
	} else {
		Elf32_Ehdr h;

		memcpy(&h, job->head, sizeof(h));
		phoff = h.e_phoff;
		phnum = h.e_phnum;
		phentsize = h.e_phentsize;
		elf->entry = h.e_entry;
		machine = h.e_machine;
		want = sizeof(Elf32_Phdr);
	}
	if (job->head[EI_DATA] != ELFDATA2LSB || (machine != EM_X86_64 && machine != EM_386))
		return load_bad(job, f, "e_machine: not an x86 program (%u)", machine);
	if (phentsize != want)
		return load_bad(job, f, "e_phentsize: %u, expected %u", phentsize, want);
	if (!phnum || phnum > ELF_SEGMENTS_MAX)
		return load_bad(job, f, "e_phnum: %u, must be 1..%d", phnum, ELF_SEGMENTS_MAX);
	ret = load_bytes(job, f, phoff, table, phnum * want, "program headers");
	for (i = 0; !ret && i < phnum; i++)
		segment_take(elf, table + i * want);
	return ret;
}

int elf_load(struct load_job *job, const struct elf_image *elf, uint64_t *lowest, uint64_t *end)
{
	const struct load_file *f = &job->kernel;
	unsigned int i;
	int ret;

	*lowest = ~0ULL;
	*end = 0;
	for (i = 0; i < elf->nr; i++) {
		const struct elf_segment *s = &elf->seg[i];

		if (s->type != PT_LOAD || !s->memsz)
			continue;
		if (s->filesz > s->memsz)
			return load_bad(job, f, "segment %u: p_filesz 0x%llx is above p_memsz 0x%llx", i,
					(unsigned long long)s->filesz, (unsigned long long)s->memsz);
		if (s->paddr < LAYOUT_KERNEL)
			return load_bad(job, f, "segment %u: p_paddr 0x%llx is below 1 MiB", i,
					(unsigned long long)s->paddr);
		if (s->paddr > LAYOUT_HOLE || s->memsz > load_low_ram(&job->ram) ||
		    s->paddr + s->memsz > load_low_ram(&job->ram))
			return load_bad(job, f, "segment %u: 0x%llx bytes at 0x%llx are beyond the VM's %llu MiB "
					"below 4 GiB: give it more memory", i, (unsigned long long)s->memsz,
					(unsigned long long)s->paddr,
					(unsigned long long)load_low_ram(&job->ram) >> 20);
		ret = load_to_guest(job, f, s->offset, s->filesz, s->paddr, "segment");
		if (ret)
			return ret;
		if (s->paddr < *lowest)
			*lowest = s->paddr;
		if (s->paddr + s->memsz > *end)
			*end = s->paddr + s->memsz;
	}
	if (!*end)
		return load_bad(job, f, "no PT_LOAD segment");
	return 0;
}

int elf_entry(struct load_job *job, const struct elf_image *elf, uint64_t *entry)
{
	unsigned int i;

	for (i = 0; i < elf->nr; i++) {
		const struct elf_segment *s = &elf->seg[i];

		if (s->type == PT_LOAD && elf->entry >= s->vaddr && elf->entry - s->vaddr < s->memsz) {
			*entry = s->paddr + (elf->entry - s->vaddr);
			return 0;
		}
	}
	/* Linked with physical addresses alone. */
	for (i = 0; i < elf->nr; i++) {
		const struct elf_segment *s = &elf->seg[i];

		if (s->type == PT_LOAD && elf->entry >= s->paddr && elf->entry - s->paddr < s->memsz) {
			*entry = elf->entry;
			return 0;
		}
	}
	return load_bad(job, &job->kernel, "e_entry: 0x%llx lies in no segment",
			(unsigned long long)elf->entry);
}

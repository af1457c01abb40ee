/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loadable segments of an ELF executable for x86, 32 or 64 bit. */
#ifndef HV_VMM_ELF_IMAGE_H
#define HV_VMM_ELF_IMAGE_H

#include "load.h"

#define ELF_SEGMENTS_MAX 64

struct elf_segment {
	uint32_t	type;		/* PT_LOAD, PT_NOTE, ... */
	uint64_t	offset, paddr, vaddr, filesz, memsz, align;
};

struct elf_image {
	bool			is64;
	uint64_t		entry;		/* virtual */
	unsigned int		nr;
	struct elf_segment	seg[ELF_SEGMENTS_MAX];
};

/* Read and check the headers. 0 or -EINVAL with @job->err. */
int elf_read(struct load_job *job, struct elf_image *elf);

/*
 * Put every PT_LOAD at its physical address, which must be at least 1 MiB and RAM.
 * @lowest, @end: the first address used and the first one above.
 */
int elf_load(struct load_job *job, const struct elf_image *elf, uint64_t *lowest, uint64_t *end);

/* The entry point as a physical address, by the segment that holds it. -EINVAL: none does. */
int elf_entry(struct load_job *job, const struct elf_image *elf, uint64_t *entry);

#endif

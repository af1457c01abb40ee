/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Direct boot: read a kernel image into fresh guest memory and say how vCPU 0 starts.
 *
 * Images are hostile. Loaders read headers into a buffer of their own and check that copy; what is big
 * goes from the file into guest memory by pread(2), once.
 */
#ifndef HV_VMM_LOAD_H
#define HV_VMM_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "layout.h"

/* Boot data in conventional memory, for all protocols. */
#define LOAD_GDT	0x6000U
#define LOAD_PARAMS	0x7000U		/* boot_params, hvm_start_info or multiboot information */
#define LOAD_CMDLINE	0x8000U		/* up to 4 KiB + 4 KiB: path and command line */
#define LOAD_CMDLINE_MAX 0x2000U
#define LOAD_MAP	0xa000U		/* memory map, module list */
#define LOAD_PAGES	0xb000U		/* page tables, 3 pages */
#define LOAD_STACK	0x90000U

#define LOAD_CODE_SEL	0x10
#define LOAD_DATA_SEL	0x18

#define LOAD_HEAD	8192		/* bytes of the image read to recognize it */

struct load_file {
	const char	*path;
	int		fd;
	uint64_t	size;
};

/* How vCPU 0 starts; the others wait for SIPI. */
struct load_entry {
	bool		long_mode;	/* else 32-bit protected mode without paging; flat segments */
	uint64_t	rip;
	uint64_t	rsi;
	uint32_t	eax, ebx;
};

/* Guest memory before any vCPU runs. */
struct load_ram {
	const struct layout	*layout;
	uint8_t			*host[LAYOUT_RANGES];	/* of each range */
};

struct load_job {
	struct load_ram		ram;
	const char		*cmdline;	/* never NULL */
	uint64_t		rsdp;		/* GPA of the ACPI tables */
	struct load_file	kernel;
	struct load_file	initrd;		/* path NULL: none */
	uint64_t		initrd_gpa;	/* set by load_initrd() */
	uint8_t			*head;		/* first bytes of the kernel, LOAD_HEAD or its size */
	size_t			head_len;
	struct load_entry	entry;		/* result */
	char			*err;		/* one line: file, field, what is wrong */
	size_t			errlen;
};

/*
 * load_open() - open the files named in @job and recognize the kernel's format; they stay open, so that a reset loads the same files
 * again even after the path is gone or out of reach. load_close() closes them.
 * load_run() - load the image into fresh (zero) memory.
 * Return: 0; -EINVAL: the image or the files are not usable; -errno of the host. @job->err tells.
 */
int load_open(struct load_job *job);
int load_run(struct load_job *job);
void load_close(struct load_job *job);

/* ---- for the loaders ---- */

int load_bzimage(struct load_job *job);
int load_elf_pvh(struct load_job *job);
int load_multiboot(struct load_job *job);
/* Do the first bytes look like one? */
bool load_is_bzimage(const struct load_job *job);
bool load_is_elf(const struct load_job *job);
bool load_is_multiboot(const struct load_job *job);

/* Fill @job->err with "PATH: ..." and return -EINVAL. */
int load_bad(struct load_job *job, const struct load_file *file, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Host address of [@gpa, @gpa + @len), NULL unless one range holds all of it. */
uint8_t *load_at(const struct load_ram *ram, uint64_t gpa, uint64_t len);

/* Bytes of RAM below the hole. */
uint64_t load_low_ram(const struct load_ram *ram);

/* Read [@offset, @offset + @len) of @file to @gpa; @what names it in errors. */
int load_to_guest(struct load_job *job, const struct load_file *file, uint64_t offset, uint64_t len,
		  uint64_t gpa, const char *what);
/* Read into host memory. */
int load_bytes(struct load_job *job, const struct load_file *file, uint64_t offset, void *buf,
	       size_t len, const char *what);

/*
 * Place and read the initrd: at @above when it ends before @limit and before the next 2 MiB boundary
 * (in memory that is touched anyway), else as high as RAM below the hole and @max (its last possible
 * address) allow, but not below @floor. Nothing to do without an initrd.
 */
int load_initrd(struct load_job *job, uint64_t above, uint64_t limit, uint64_t floor, uint64_t max);

/* One entry of the memory map a guest gets. Types as in E820: 1 RAM, 2 reserved. */
struct load_e820 {
	uint64_t addr, size;
	uint32_t type;
};
#define LOAD_E820_MAX (LAYOUT_RANGES + 4)
unsigned int load_e820(const struct load_ram *ram, struct load_e820 *map);

#endif

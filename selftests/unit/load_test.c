// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Loaders: small images of every kind built here, each field broken in turn, each image cut at every
 * length; and this machine's own kernel where it has one.
 */
#include <elf.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/unit.h"
#include "vmm/load.h"

#define RAM (64ULL << 20)

static uint8_t *ram;
static struct layout layout;
static char err[512];
static uint8_t image[65536];
static size_t image_len;

static void put(size_t off, uint64_t v, unsigned int bytes)
{
	memcpy(image + off, &v, bytes);
}

/* Run the loader over image[0..len). */
static int load_len(struct load_job *job, size_t len, const char *initrd)
{
	static char path[64];
	int fd = memfd_create("image", 0), ret;

	memset(job, 0, sizeof(*job));
	if (write(fd, image, len) != (ssize_t)len)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	job->ram.layout = &layout;
	job->ram.host[0] = ram;
	job->cmdline = "console=ttyS0";
	job->rsdp = LAYOUT_ACPI;
	job->kernel.path = path;
	job->initrd.path = initrd;
	job->err = err;
	job->errlen = sizeof(err);
	err[0] = 0;
	madvise(ram, RAM, MADV_DONTNEED);
	ret = load_open(job);
	if (!ret)
		ret = load_run(job);
	load_close(job);
	close(fd);
	if (ret && !initrd)
		CHECK_HAS(err, path);	/* every refusal names the file */
	return ret;
}

static int load(struct load_job *job)
{
	return load_len(job, image_len, NULL);
}

/* With one field changed the image is refused with @text; then the field is as before. */
static void broken(size_t off, uint64_t v, unsigned int bytes, const char *text)
{
	uint8_t old[8];
	struct load_job job;

	memcpy(old, image + off, bytes);
	put(off, v, bytes);
	CHECK_EQ(load(&job), -EINVAL);
	CHECK_HAS(err, text);
	memcpy(image + off, old, bytes);
}

/* Cut anywhere, an image is refused; the sanitizer watches. */
static void truncations(size_t whole)
{
	struct load_job job;
	size_t len;

	for (len = 0; len < whole; len += len < 1024 ? 5 : 97)
		CHECK(load_len(&job, len, NULL) == -EINVAL);
}

/* ---- bzImage ---- */

static void bzimage_build(void)
{
	memset(image, 0, sizeof(image));
	image[0x1f1] = 3;			/* setup sectors: payload at 2048 */
	put(0x1f4, (8192 + 0x300) / 16, 4);
	put(0x1fe, 0xaa55, 2);
	image[0x201] = 0x66;
	memcpy(image + 0x202, "HdrS", 4);
	put(0x206, 0x20f, 2);
	image[0x211] = 1;
	put(0x22c, 0x7fffffff, 4);
	put(0x230, 0x200000, 4);
	image[0x234] = 1;
	put(0x236, 1, 2);
	put(0x238, 2047, 4);
	put(0x258, 16 << 20, 8);
	put(0x260, 8 << 20, 4);
	memset(image + 2048, 0x5a, 8192 + 0x300);
	image_len = 2048 + 8192 + 0x300;
}

static void bzimage_check(void)
{
	struct load_job job;
	uint64_t v = 0;

	bzimage_build();
	CHECK_EQ(load(&job), 0);
	CHECK(job.entry.long_mode);
	CHECK_EQ(job.entry.rip, 0x100200);
	CHECK_EQ(job.entry.rsi, LOAD_PARAMS);
	CHECK_EQ(ram[0x100000], 0x5a);
	CHECK_EQ(ram[0x100000 + 8192 + 0x2ff], 0x5a);
	CHECK_EQ(ram[0x100000 + 8192 + 0x300], 0);
	CHECK_EQ(strcmp((char *)ram + LOAD_CMDLINE, "console=ttyS0"), 0);
	memcpy(&v, ram + LOAD_PARAMS + 0x228, 4);
	CHECK_EQ(v, LOAD_CMDLINE);
	memcpy(&v, ram + LOAD_PARAMS + 0x070, 8);
	CHECK_EQ(v, LAYOUT_ACPI);
	CHECK_EQ(ram[LOAD_PARAMS + 0x1e8], 3);
	memcpy(&v, ram + LOAD_PAGES, 8);
	CHECK_EQ(v, LOAD_PAGES + 4096 + 3);

	broken(0x206, 0x20b, 2, "protocol 2.11");
	broken(0x236, 0, 2, "xloadflags");
	broken(0x211, 0, 1, "loadflags");
	broken(0x234, 0, 1, "relocatable");
	broken(0x230, 0, 4, "kernel_alignment");
	broken(0x230, 0x300000, 4, "kernel_alignment");
	broken(0x230, 64 << 20, 4, "give it more");	/* runs at 64 MiB then */
	broken(0x1f4, 0, 4, "syssize");
	broken(0x1f4, 0xffffffff, 4, "syssize");
	broken(0x1f1, 255, 1, "syssize");
	broken(0x258, 1ULL << 40, 8, "pref_address");
	broken(0x258, ~0ULL, 8, "pref_address");
	broken(0x260, 0, 4, "init_size");
	broken(0x260, 60 << 20, 4, "give it more");
	broken(0x238, 4, 4, "command line");
	truncations(image_len - 16);
}

static void initrd_check(void)
{
	char name[] = "/tmp/load_test.XXXXXX";
	int fd = mkstemp(name);
	struct load_job job;

	bzimage_build();
	CHECK_EQ(load_len(&job, image_len, name), -EINVAL);
	CHECK_HAS(err, "empty");
	if (ftruncate(fd, 100000) || pwrite(fd, "first", 5, 0) != 5)
		abort();
	CHECK_EQ(load_len(&job, image_len, name), 0);
	/* Before the kernel; never right behind it: there its decompressor overwrote it. */
	CHECK_EQ(job.initrd_gpa, 0x100000);
	CHECK_EQ(memcmp(ram + 0x100000, "first", 5), 0);
	CHECK_EQ(job.entry.rip, 0x119000 + 0x200);
	CHECK_EQ(ram[0x119000 - 1], 0);
	CHECK_EQ(ram[0x119000], 0x5a);
	if (ftruncate(fd, 1 << 20))
		abort();
	CHECK_EQ(load_len(&job, image_len, name), 0);
	CHECK_EQ(job.initrd_gpa, 0x100000);
	CHECK_EQ(ram[0x200000], 0x5a);
	/* A larger one goes to the end. */
	if (ftruncate(fd, (1 << 20) + 1))
		abort();
	CHECK_EQ(load_len(&job, image_len, name), 0);
	CHECK_EQ(job.initrd_gpa, (RAM - (1 << 20) - 1) & ~4095ULL);
	CHECK_EQ(memcmp(ram + job.initrd_gpa, "first", 5), 0);
	CHECK_EQ(ram[0x100000], 0x5a);
	if (ftruncate(fd, 30 << 20))
		abort();
	CHECK_EQ(load_len(&job, image_len, name), 0);
	CHECK_EQ(job.initrd_gpa, RAM - (30 << 20));
	if (ftruncate(fd, 41 << 20))
		abort();
	CHECK_EQ(load_len(&job, image_len, name), -EINVAL);
	CHECK_HAS(err, "more memory");
	CHECK_EQ(load_len(&job, image_len, "/nonexistent/initrd"), -ENOENT);
	CHECK_HAS(err, "/nonexistent/initrd: cannot open");
	CHECK_EQ(load_len(&job, image_len, "/tmp"), -EINVAL);
	CHECK_HAS(err, "not a regular file");
	close(fd);
	unlink(name);
}

/* ---- ELF with a PVH note ---- */

static void elf_build(void)
{
	Elf64_Ehdr eh = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = 1, .e_entry = 0x1000000,
		.e_phoff = 64, .e_ehsize = 64, .e_phentsize = 56, .e_phnum = 2,
	};
	Elf64_Phdr load = { PT_LOAD, 7, 0x1000, 0xffffffff81000000, 0x1000000, 0x2000, 0x4000, 0x200000 };
	Elf64_Phdr note = { PT_NOTE, 4, 0x200, 0, 0, 32, 32, 4 };
	uint32_t n[8] = { 4, 4, 1, 0x006e6558, 0 /* other note */, 4, 8, 18 };

	memset(image, 0, sizeof(image));
	memcpy(image, &eh, sizeof(eh));
	memcpy(image + 64, &load, sizeof(load));
	memcpy(image + 120, &note, sizeof(note));
	memcpy(image + 0x200, n, sizeof(n));
	memcpy(image + 0x220, "Xen", 4);
	put(0x224, 0x1000100, 8);
	note.p_filesz = 0x2c;
	memcpy(image + 120, &note, sizeof(note));
	memset(image + 0x1000, 0xa5, 0x2000);
	image_len = 0x3000;
}

static void elf_check(void)
{
	struct load_job job;
	uint32_t info[2];

	elf_build();
	CHECK_EQ(load(&job), 0);
	CHECK(!job.entry.long_mode);
	CHECK_EQ(job.entry.rip, 0x1000100);
	CHECK_EQ(job.entry.ebx, LOAD_PARAMS);
	CHECK_EQ(ram[0x1000000], 0xa5);
	CHECK_EQ(ram[0x1002000], 0);
	memcpy(info, ram + LOAD_PARAMS, 8);
	CHECK_EQ(info[0], 0x336ec578);
	CHECK_EQ(info[1], 1);

	broken(18, EM_ARM, 2, "e_machine");
	broken(54, 32, 2, "e_phentsize");
	broken(56, 0, 2, "e_phnum");
	broken(56, 65, 2, "e_phnum");
	broken(32, ~0ULL, 8, "program headers");
	broken(64 + 24, 0x1000, 8, "below 1 MiB");
	broken(64 + 24, ~0ULL - 4096, 8, "beyond the VM");
	broken(64 + 40, ~0ULL, 8, "beyond the VM");
	broken(64 + 40, 0x1000, 8, "p_filesz");
	broken(64 + 8, ~0ULL - 1, 8, "segment");
	broken(64, PT_NULL, 4, "PT_LOAD");
	broken(120 + 32, ~0ULL, 8, "too many");
	broken(120 + 8, 1ULL << 50, 8, "notes");
	broken(120, PT_NULL, 4, "no PVH entry");
	broken(0x200 + 4, 0xffffffff, 4, "beyond the end");
	broken(0x214, 0xfffffff0, 4, "beyond the end");
	broken(0x224, 0x3000000, 4, "outside the segments");
	truncations(image_len);
}

/* ---- multiboot ---- */

static void multiboot_build(uint32_t flags)
{
	memset(image, 0, sizeof(image));
	put(0x40, 0x1badb002, 4);
	put(0x44, flags, 4);
	put(0x48, -(0x1badb002u + flags), 4);
	put(0x4c, 0x200040, 4);			/* header */
	put(0x50, 0x200000, 4);			/* load */
	put(0x54, 0x202000, 4);			/* load end */
	put(0x58, 0x203000, 4);			/* bss end */
	put(0x5c, 0x200100, 4);			/* entry */
	image[0x100] = 0xf4;
	image_len = 0x2000;
}

static void multiboot_check(void)
{
	char name[] = "/tmp/load_test.XXXXXX";
	int fd = mkstemp(name);
	struct load_job job;
	uint32_t info[8];

	multiboot_build(1 << 16 | 3);
	CHECK_EQ(load(&job), 0);
	CHECK_EQ(job.entry.rip, 0x200100);
	CHECK_EQ(job.entry.eax, 0x2badb002);
	CHECK_EQ(ram[0x200100], 0xf4);
	memcpy(info, ram + LOAD_PARAMS, sizeof(info));
	CHECK_EQ(info[1], 639);
	CHECK_EQ(info[2], (RAM >> 10) - 1024);
	CHECK_HAS((char *)ram + info[4], " console=ttyS0");
	if (pwrite(fd, "NR_CPUS=1\n", 10, 0) != 10)
		abort();
	CHECK_EQ(load_len(&job, image_len, name), 0);
	memcpy(info, ram + LOAD_PARAMS, sizeof(info));
	CHECK(info[0] & 8);
	CHECK_EQ(info[5], 1);
	CHECK_EQ(memcmp(ram + 0x203000, "NR_CPUS=1\n", 10), 0);
	close(fd);
	unlink(name);

	broken(0x50, 0x200044, 4, "load_addr");
	broken(0x50, 0x1000, 4, "load_addr");
	broken(0x4c, 0x300000, 4, "load_addr");
	broken(0x54, 0x100, 4, "load_end");
	broken(0x54, 0xfffffff0, 4, "give it more");
	broken(0x58, 0xfffffff0, 4, "give it more");
	broken(0x5c, 0x100, 4, "entry_addr");
	truncations(0x1f00);
	multiboot_build(1 << 16 | 4);
	CHECK_EQ(load(&job), -EINVAL);
	CHECK_HAS(err, "video");
	multiboot_build(3);			/* no addresses, and not ELF */
	CHECK_EQ(load(&job), -EINVAL);
	CHECK_HAS(err, "not ELF");
}

static void other_check(void)
{
	struct load_job job;

	memset(image, 'x', sizeof(image));
	image_len = 30000;
	CHECK_EQ(load(&job), -EINVAL);
	CHECK_HAS(err, "neither a bzImage");
	image_len = 0;
	CHECK_EQ(load(&job), -EINVAL);
}

static void own_kernel_check(void)
{
	struct load_job job = { 0 };
	glob_t g;

	if (glob("/boot/vmlinuz-*", 0, NULL, &g)) {
		printf("no kernel in /boot: only synthetic images\n");
		return;
	}
	job.ram.layout = &layout;
	layout.range[0].bytes = 512 << 20;
	job.ram.host[0] = mmap(NULL, 512 << 20, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	job.cmdline = "quiet";
	job.kernel.path = g.gl_pathv[0];
	job.err = err;
	job.errlen = sizeof(err);
	CHECK_EQ(load_open(&job), 0);
	CHECK_EQ(load_run(&job), 0);
	CHECK_EQ(job.entry.rip, 0x100200);
	load_close(&job);
	munmap(job.ram.host[0], 512 << 20);
	globfree(&g);
}

int main(void)
{
	layout.nr = 1;
	layout.range[0] = (struct layout_range){ 0, RAM, 0, -1, -1 };
	ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ram == MAP_FAILED)
		return 1;
	bzimage_check();
	initrd_check();
	elf_check();
	multiboot_check();
	other_check();
	own_kernel_check();
	return unit_done();
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Kernel images of every format. What is taken starts inside the VM's memory; what is refused says why.
 *
 * Byte 0 of the input chooses the VM (bit 0: less memory, bit 1: two ranges, bit 2: an initrd), the rest
 * is the image.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/load.h"

#define RAM_MAX (64ULL << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *ram;
static int image_fd = -1, initrd_fd = -1;

static void setup(void)
{
	ram = mmap(NULL, RAM_MAX, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	image_fd = memfd_create("image", 0);
	initrd_fd = memfd_create("initrd", 0);
	if (ram == MAP_FAILED || image_fd < 0 || initrd_fd < 0 || ftruncate(initrd_fd, 70000))
		abort();
}

static void layout_choose(struct layout *l, uint8_t choice)
{
	uint64_t bytes = choice & 1 ? 4ULL << 20 : RAM_MAX;

	memset(l, 0, sizeof(*l));
	l->nr = choice & 2 ? 2 : 1;
	l->range[0] = (struct layout_range){ 0, bytes / l->nr, 0, -1, -1 };
	l->range[1] = (struct layout_range){ bytes / 2, bytes / 2, bytes / 2, -1, -1 };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct load_job job = { .cmdline = "console=ttyS0", .rsdp = LAYOUT_ACPI };
	char image[32], initrd[32], err[512];
	struct layout layout;
	int ret;

	if (!ram)
		setup();
	if (!size)
		return 0;
	if (ftruncate(image_fd, 0) || pwrite(image_fd, data + 1, size - 1, 0) != (ssize_t)(size - 1))
		abort();
	layout_choose(&layout, data[0]);
	snprintf(image, sizeof(image), "/proc/self/fd/%d", image_fd);
	snprintf(initrd, sizeof(initrd), "/proc/self/fd/%d", initrd_fd);
	job.ram = (struct load_ram){ &layout, { ram, ram + layout.range[0].bytes } };
	job.kernel.path = image;
	job.initrd.path = data[0] & 4 ? initrd : NULL;
	memset(err, 'x', sizeof(err));
	err[0] = 0;
	job.err = err;
	job.errlen = sizeof(err);
	ret = load_open(&job);
	if (!ret)
		ret = load_run(&job);
	load_close(&job);
	if (ret ? ret != -EINVAL || !err[0] || !memchr(err, 0, sizeof(err)) || strchr(err, '\n') :
		  !load_at(&job.ram, job.entry.rip, 1) || job.entry.rip < LAYOUT_KERNEL)
		abort();
	madvise(ram, RAM_MAX, MADV_DONTNEED);
	return 0;
}

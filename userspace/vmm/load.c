// SPDX-License-Identifier: GPL-2.0-or-later
/* Direct boot: files, guest memory, the memory map, and telling images apart. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "load.h"

#define MIB		(1ULL << 20)
#define HUGE		(2 * MIB)
#define PAGE_UP(x)	(((x) + 4095) & ~4095ULL)

int load_bad(struct load_job *job, const struct load_file *file, const char *fmt, ...)
{
	int n = snprintf(job->err, job->errlen, "%s: ", file->path);
	va_list ap;

	if (n >= 0 && (size_t)n < job->errlen) {
		va_start(ap, fmt);
		vsnprintf(job->err + n, job->errlen - n, fmt, ap);
		va_end(ap);
	}
	return -EINVAL;
}

static int host_error(struct load_job *job, const struct load_file *file, const char *what)
{
	int err = errno;

	snprintf(job->err, job->errlen, "%s: cannot %s: %s", file->path, what, strerror(err));
	return -err;
}

uint8_t *load_at(const struct load_ram *ram, uint64_t gpa, uint64_t len)
{
	const struct layout *l = ram->layout;
	unsigned int i;

	for (i = 0; i < l->nr; i++) {
		const struct layout_range *r = &l->range[i];

		if (gpa >= r->gpa && gpa - r->gpa < r->bytes && len <= r->bytes - (gpa - r->gpa))
			return ram->host[i] + (gpa - r->gpa);
	}
	return NULL;
}

uint64_t load_low_ram(const struct load_ram *ram)
{
	const struct layout *l = ram->layout;
	uint64_t end = 0;
	unsigned int i;

	for (i = 0; i < l->nr && l->range[i].gpa < LAYOUT_HOLE; i++)
		end = l->range[i].gpa + l->range[i].bytes;
	return end;
}

int load_bytes(struct load_job *job, const struct load_file *file, uint64_t offset, void *buf,
	       size_t len, const char *what)
{
	uint8_t *p = buf;
	ssize_t n;

	if (offset > file->size || len > file->size - offset)
		return load_bad(job, file, "%s ends at byte %llu, the file has %llu: truncated?", what,
				(unsigned long long)offset + len, (unsigned long long)file->size);
	while (len) {
		n = pread(file->fd, p, len, offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return host_error(job, file, "read");
		if (!n)
			return load_bad(job, file, "became shorter while it was read");
		p += n;
		offset += n;
		len -= n;
	}
	return 0;
}

int load_to_guest(struct load_job *job, const struct load_file *file, uint64_t offset, uint64_t len,
		  uint64_t gpa, const char *what)
{
	uint64_t done = 0;
	int ret;

	if (gpa + len < gpa)
		return load_bad(job, file, "%s wraps around at 0x%llx", what, (unsigned long long)gpa);
	/* A piece of the image may span two nodes. */
	while (done < len) {
		const struct layout *l = job->ram.layout;
		uint64_t at = gpa + done, n = 0;
		unsigned int i;

		for (i = 0; i < l->nr; i++)
			if (at >= l->range[i].gpa && at - l->range[i].gpa < l->range[i].bytes)
				n = l->range[i].bytes - (at - l->range[i].gpa);
		if (!n)
			return load_bad(job, file, "%s needs memory at 0x%llx..0x%llx, the VM has %llu MiB "
					"below 4 GiB: give it more", what, (unsigned long long)gpa,
					(unsigned long long)(gpa + len - 1),
					(unsigned long long)(load_low_ram(&job->ram) / MIB));
		if (n > len - done)
			n = len - done;
		ret = load_bytes(job, file, offset + done, load_at(&job->ram, at, n), n, what);
		if (ret)
			return ret;
		done += n;
	}
	return 0;
}

int load_initrd(struct load_job *job, uint64_t above, uint64_t limit, uint64_t floor, uint64_t max)
{
	uint64_t size = job->initrd.size, top = load_low_ram(&job->ram), gpa = PAGE_UP(above);
	uint64_t touched = (above + HUGE - 1) & ~(HUGE - 1);

	if (!job->initrd.path)
		return 0;
	if (!size)
		return load_bad(job, &job->initrd, "is empty");
	if (touched > limit)
		touched = limit;
	if (gpa > touched || size > touched - gpa) {
		if (top > max + 1)
			top = max + 1;
		if (size > top || ((top - size) & ~4095ULL) < floor)
			return load_bad(job, &job->initrd, "%llu bytes do not fit between the kernel's end at "
					"%llu MiB and %llu MiB: give the VM more memory",
					(unsigned long long)size,
					(unsigned long long)((floor + MIB - 1) / MIB),
					(unsigned long long)(top / MIB));
		gpa = (top - size) & ~4095ULL;
	}
	job->initrd_gpa = gpa;
	return load_to_guest(job, &job->initrd, 0, size, gpa, "initrd");
}

unsigned int load_e820(const struct load_ram *ram, struct load_e820 *map)
{
	const struct layout *l = ram->layout;
	unsigned int i, n = 0;

	map[n++] = (struct load_e820){ 0, LAYOUT_EBDA, 1 };
	map[n++] = (struct load_e820){ LAYOUT_EBDA, LAYOUT_KERNEL - LAYOUT_EBDA, 2 };
	for (i = 0; i < l->nr; i++) {
		uint64_t gpa = l->range[i].gpa, end = gpa + l->range[i].bytes;

		if (gpa < LAYOUT_KERNEL)
			gpa = LAYOUT_KERNEL;
		if (end <= gpa)
			continue;
		/* Nodes that touch are one run: SRAT tells them apart. */
		if (map[n - 1].type == 1 && map[n - 1].addr + map[n - 1].size == gpa)
			map[n - 1].size += end - gpa;
		else
			map[n++] = (struct load_e820){ gpa, end - gpa, 1 };
	}
	return n;
}

static int file_open(struct load_job *job, struct load_file *f)
{
	struct stat st;

	f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (f->fd < 0)
		return host_error(job, f, "open");
	if (fstat(f->fd, &st))
		return host_error(job, f, "stat");
	if (!S_ISREG(st.st_mode))
		return load_bad(job, f, "is not a regular file");
	f->size = st.st_size;
	return 0;
}

static const struct {
	bool	(*is)(const struct load_job *job);
	int	(*load)(struct load_job *job);
} formats[] = {
	{ load_is_bzimage, load_bzimage },
	{ load_is_multiboot, load_multiboot },
	{ load_is_elf, load_elf_pvh },
};

/* Read the first bytes into @head and find the format. Return: its index, or -errno. */
static int recognize(struct load_job *job, uint8_t *head)
{
	unsigned int i;
	int ret;

	job->head = head;
	job->head_len = job->kernel.size < LOAD_HEAD ? job->kernel.size : LOAD_HEAD;
	ret = load_bytes(job, &job->kernel, 0, head, job->head_len, "header");
	if (ret)
		return ret;
	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i].is(job))
			return i;
	return load_bad(job, &job->kernel, "is neither a bzImage, nor an ELF kernel with a PVH entry, nor a "
			"multiboot image");
}

int load_open(struct load_job *job)
{
	uint8_t head[LOAD_HEAD];
	int ret;

	job->kernel.fd = job->initrd.fd = -1;
	ret = file_open(job, &job->kernel);
	if (!ret && job->initrd.path)
		ret = file_open(job, &job->initrd);
	if (!ret)
		ret = recognize(job, head);
	job->head = NULL;
	if (ret >= 0)
		return 0;
	load_close(job);
	return ret;
}

void load_close(struct load_job *job)
{
	if (job->kernel.fd >= 0)
		close(job->kernel.fd);
	if (job->initrd.fd >= 0)
		close(job->initrd.fd);
	job->kernel.fd = job->initrd.fd = -1;
}

int load_run(struct load_job *job)
{
	uint8_t head[LOAD_HEAD];
	int ret;

	job->initrd_gpa = 0;
	memset(&job->entry, 0, sizeof(job->entry));
	if (load_low_ram(&job->ram) < 2 * LAYOUT_KERNEL)
		return load_bad(job, &job->kernel, "direct boot needs at least 2 MiB of memory");
	ret = recognize(job, head);
	if (ret >= 0)
		ret = formats[ret].load(job);
	job->head = NULL;
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The host's reclaim sees what the guest uses. A memory cgroup is made to give pages up;
 * the host's own accessed bits are cleared before, so what the kernel can know of use comes
 * from the second-level tables, through the mmu notifier.
 *
 * The guest touches one page in 32. The others are mapped along with them (fault-around),
 * and must not look used for that.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include "selftests/lib/flat.h"

#define MIB	(1u << 20)
#define BASE	0x10000000u
#define BYTES	(32 * MIB)
#define PAGES	(BYTES / 4096)
#define APART	32u
#define USED	(PAGES / APART)
#define ROOT	"/tmp/age_test"
#define GROUP	ROOT "/hv_age_test"

static long put(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));
	long ret = n == (ssize_t)strlen(text) ? 0 : -errno;

	if (fd >= 0)
		close(fd);
	return ret;
}

/* Swap in memory: pages can leave. */
static void swap_on(void)
{
	if (system("modprobe zram num_devices=1 && echo 256M >/sys/block/zram0/disksize && "
		   "mkswap /dev/zram0 >/dev/null && swapon /dev/zram0"))
		tap_bail("no swap on zram");
}

static void group_enter(void)
{
	mkdir(ROOT, 0755);
	if (mount("none", ROOT, "cgroup2", 0, NULL))
		tap_bail("cgroup2: %s", strerror(errno));
	put(ROOT "/cgroup.subtree_control", "+memory");
	if (mkdir(GROUP, 0755) || put(GROUP "/cgroup.procs", "0"))
		tap_bail("no memory controller: %s", strerror(errno));
}

static bool resident(const uint64_t *map, uint32_t page)
{
	return map[page] >> 63;
}

static void residency(const void *p, uint64_t *map)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0 || pread(fd, map, PAGES * 8, (off_t)((uintptr_t)p / 4096 * 8)) != PAGES * 8)
		tap_bail("pagemap");
	close(fd);
}

static void use(struct flat *f)
{
	struct flat_regs r = { .edi = BASE, .ecx = USED, .ebx = APART * 4096 };

	if (flat_run(f, FLAT_READ_SWEEP, &r))
		tap_bail("the guest can not read");
}

/* Host accessed bits off: by the kernel's own call, which tells no notifier. */
static void host_forget(void)
{
	if (put("/proc/self/clear_refs", "1"))
		tap_bail("clear_refs");
}

static void reclaim(const char *bytes)
{
	long ret = put(GROUP "/memory.reclaim", bytes);

	if (ret && ret != -EAGAIN)
		tap_bail("memory.reclaim: %ld", ret);
}

struct outcome {
	uint32_t used_out, unused_out;
	uint64_t young, old;
};

static void count(struct flat *f, const void *p, struct outcome *o)
{
	static uint64_t map[PAGES];
	uint32_t i;

	memset(o, 0, sizeof(*o));
	residency(p, map);
	for (i = 0; i < PAGES; i++) {
		if (resident(map, i))
			continue;
		if (i % APART)
			o->unused_out++;
		else
			o->used_out++;
	}
	o->young = flat_stat(f, "aged_young");
	o->old = flat_stat(f, "aged_old");
	tap_note("out: %u of %u used, %u of %u others; asked: %llu young, %llu old", o->used_out,
		 USED, o->unused_out, PAGES - USED, (unsigned long long)o->young,
		 (unsigned long long)o->old);
}

int main(void)
{
	struct outcome idle, busy;
	uint64_t around, young;
	struct flat f;
	char *p;

	swap_on();
	group_enter();
	p = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		tap_bail("no memory");
	madvise(p, BYTES, MADV_NOHUGEPAGE);
	memset(p, 1, BYTES);
	flat_new(&f, 0, 1);
	flat_slot(&f, 1, 0, BASE, BYTES, p);

	around = flat_vcpu_stat(&f, "slat_prefaulted");
	use(&f);
	around = flat_vcpu_stat(&f, "slat_prefaulted") - around;
	tap_ok(around > PAGES / 2, "%llu pages mapped around those used", (unsigned long long)around);
	host_forget();
	reclaim("8M");
	count(&f, p, &busy);
	young = busy.young;
	tap_ok(busy.unused_out >= 512, "pages left (%u)", busy.unused_out);
	tap_ok(busy.used_out <= USED / 32, "but hardly one that the guest uses (%u)", busy.used_out);
	tap_ok(young > 0 && young <= USED, "%llu pages looked used: no more than are",
	       (unsigned long long)young);
	tap_ok(busy.old >= busy.unused_out, "pages mapped along look unused");

	/* Asked once, the bit is gone: what the guest does not touch again is old now. */
	host_forget();
	reclaim("12M");
	count(&f, p, &idle);
	tap_ok(idle.young + idle.old > busy.young + busy.old, "more was asked");
	tap_ok(idle.young <= USED, "without the guest's doing nothing becomes young again");

	/* And a touch makes it young again. */
	use(&f);
	host_forget();
	reclaim("8M");
	count(&f, p, &busy);
	tap_ok(busy.young > idle.young, "used again: young again");
	flat_close(&f);
	munmap(p, BYTES);
	put(ROOT "/cgroup.procs", "0");
	tap_is(rmdir(GROUP) ? -errno : 0, 0, "the group can go");
	umount(ROOT);
	if (system("swapoff /dev/zram0 && echo 1 >/sys/block/zram0/reset"))
		tap_ok(false, "swapoff");
	return tap_done();
}

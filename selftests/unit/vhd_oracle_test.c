// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Images against two other implementations, in both directions and byte for byte: qemu-img, and
 * libvhdi's tools. Sizes that no geometry hits and sizes above 127 GiB are among them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/unit.h"
#include "libvhd/vhd.h"

#define MIB (1ULL << 20)

static char dir[] = "/tmp/vhd_oracle.XXXXXX";
static uint64_t seed = 1;

static uint64_t rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* Run a command in @dir. Return: its status. */
static int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *fmt, ...)
{
	char line[1024], all[1200];
	va_list ap;
	int st;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	snprintf(all, sizeof(all), "cd %s && { %s; } >out 2>&1", dir, line);
	st = system(all);
	if (st) {
		fprintf(stderr, "# %s: status %d\n", line, st);
		snprintf(all, sizeof(all), "sed 's/^/# /' %s/out >&2", dir);
		if (system(all))
			return -1;
	}
	return st;
}

static char *in_dir(const char *name)
{
	static char path[4][128];
	static int i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

static struct vhd *disk_open(const char *name, uint32_t flags)
{
	struct vhd_open_opts o = { .flags = flags };
	struct vhd_err e;
	struct vhd *d;
	int err = vhd_open(&d, in_dir(name), &o, &e);

	if (err)
		fprintf(stderr, "# %s: %s\n", name, e.text);
	CHECK_EQ(err, 0);
	return err ? NULL : d;
}

static void disk_close(struct vhd *d)
{
	struct vhd_err e;

	CHECK_EQ(vhd_close(d, &e), 0);
}

/* Random writes and discards, the same to the disk and to a plain file beside it. */
static void scribble(struct vhd *d, int plain, unsigned int times)
{
	static uint8_t buf[256 * 512];
	uint64_t sectors = vhd_sectors(d);
	unsigned int i, j;

	for (i = 0; i < times; i++) {
		uint64_t n = 1 + rnd() % 256, s = rnd() % sectors;
		struct iovec iov = { buf, 0 };

		if (i < 2)
			s = i ? sectors - 1 : 0;
		if (n > sectors - s)
			n = sectors - s;
		iov.iov_len = n * 512;
		for (j = 0; j < n * 512; j += 8) {
			uint64_t v = rnd();

			memcpy(buf + j, &v, 8);
		}
		if (rnd() % 8 == 0) {
			CHECK_EQ(vhd_zero(d, s, n, VHD_ZERO_UNMAP), 0);
			memset(buf, 0, n * 512);
		} else {
			CHECK_EQ(vhd_write(d, s, &iov, 1, n * 512), 0);
		}
		CHECK_EQ(pwrite(plain, buf, n * 512, s * 512), (ssize_t)(n * 512));
	}
}

/* The disk as we read it into a sparse file. */
static void copy_out(const char *name, const char *to)
{
	static uint8_t buf[1 << 20];
	struct vhd *d = disk_open(name, VHD_OPEN_RDONLY);
	int fd = open(in_dir(to), O_RDWR | O_CREAT | O_TRUNC, 0600);
	uint64_t s = 0, run_len;

	if (!d)
		return;
	CHECK_EQ(ftruncate(fd, vhd_sectors(d) * 512), 0);
	while (s < vhd_sectors(d)) {
		int data = vhd_status(d, s, vhd_sectors(d) - s, &run_len);

		CHECK(data >= 0);
		if (data < 0)
			break;
		if (data) {
			struct iovec iov = { buf, sizeof(buf) };

			if (run_len > sizeof(buf) / 512)
				run_len = sizeof(buf) / 512;
			CHECK_EQ(vhd_read(d, s, &iov, 1, run_len * 512), 0);
			CHECK_EQ(pwrite(fd, buf, run_len * 512, s * 512), (ssize_t)(run_len * 512));
		}
		s += run_len;
	}
	close(fd);
	disk_close(d);
}

static void sound(const char *name)
{
	struct vhd_check c;
	struct vhd_err e;
	int err = vhd_check(in_dir(name), &c, &e);

	if (err)
		fprintf(stderr, "# %s\n", e.text);
	CHECK_EQ(err, 0);
	CHECK_EQ(c.partial, 0);
}

/* Ours, read by the others. @vhdi: libvhdi is asked too; it takes its time over large disks. */
static void ours(enum vhd_format format, uint64_t size, uint32_t block_size, int vhdi)
{
	struct vhd_create_opts o = { .format = format, .size = size, .block_size = block_size };
	int plain = open(in_dir("plain"), O_RDWR | O_CREAT | O_TRUNC, 0600), again;
	struct vhd_err e;
	struct vhd *d;

	unlink(in_dir("our.vhd"));
	CHECK_EQ(vhd_create(in_dir("our.vhd"), &o, &e), 0);
	CHECK_EQ(vhd_create(in_dir("our.vhd"), &o, &e), -EEXIST);
	CHECK_EQ(ftruncate(plain, size), 0);
	for (again = 0; again < 2; again++) {
		d = disk_open("our.vhd", 0);
		if (!d)
			return;
		CHECK_EQ(vhd_sectors(d) * 512, size);
		scribble(d, plain, 40);
		disk_close(d);
	}
	close(plain);
	sound("our.vhd");
	CHECK_EQ(run("qemu-img info -f vpc --output=json our.vhd | grep -q '\"virtual-size\": %llu,'",
		     (unsigned long long)size), 0);
	CHECK_EQ(run("qemu-img compare -f vpc -F raw our.vhd plain"), 0);
	if (vhdi) {
		CHECK_EQ(run("vhdiinfo our.vhd | grep -q '(%llu bytes)'", (unsigned long long)size), 0);
		CHECK_EQ(run("/usr/bin/python3 -c 'import pyvhdi, sys; f = pyvhdi.file(); f.open(\"our.vhd\"); "
			     "sys.exit(f.read(f.get_media_size()) != open(\"plain\", \"rb\").read())'"), 0);
	}
	/* QEMU writes to it, and we read that. */
	CHECK_EQ(run("qemu-io -f vpc -c 'write -P 0x5a 0 64k' -c 'write -P 0xa5 %llu 512' our.vhd && "
		     "qemu-io -f raw -c 'write -P 0x5a 0 64k' -c 'write -P 0xa5 %llu 512' plain",
		     (unsigned long long)size - 512, (unsigned long long)size - 512), 0);
	copy_out("our.vhd", "read");
	CHECK_EQ(run("qemu-img compare -f raw -F raw read plain"), 0);
	sound("our.vhd");
	CHECK_EQ(run("rm -f our.vhd plain read"), 0);
}

/* All of a fixed disk is data, too much to compare: its size and its ends. */
static void large_fixed(uint64_t size)
{
	struct vhd_create_opts o = { .format = VHD_FIXED, .size = size };
	static uint8_t buf[512];
	struct iovec iov = { buf, 512 };
	struct vhd_err e;
	struct vhd *d;

	CHECK_EQ(vhd_create(in_dir("f.vhd"), &o, &e), 0);
	CHECK_EQ(run("qemu-img info -f vpc --output=json f.vhd | grep -q '\"virtual-size\": %llu,' && "
		     "qemu-io -f vpc -c 'write -P 0x77 %llu 512' f.vhd", (unsigned long long)size,
		     (unsigned long long)size - 512), 0);
	d = disk_open("f.vhd", 0);
	if (d) {
		CHECK_EQ(vhd_read(d, size / 512 - 1, &iov, 1, 512), 0);
		CHECK(buf[0] == 0x77 && buf[511] == 0x77);
		CHECK_EQ(vhd_read(d, size / 512, &iov, 1, 512), -ERANGE);
		disk_close(d);
	}
	CHECK_EQ(run("rm f.vhd"), 0);
}

/* QEMU's, read and written by us. */
static void theirs(const char *subformat, const char *force, uint64_t size)
{
	int plain;
	struct vhd *d;

	CHECK_EQ(run("rm -f q.vhd plain; qemu-img create -q -f vpc -o subformat=%s%s q.vhd %llu && "
		     "qemu-io -f vpc -c 'write -P 0x11 1m 3m' -c 'write -P 0x22 100k 7k' q.vhd", subformat,
		     force, (unsigned long long)size), 0);
	CHECK_EQ(run("qemu-img convert -f vpc -O raw q.vhd plain"), 0);
	copy_out("q.vhd", "read");
	CHECK_EQ(run("qemu-img compare -f raw -F raw read plain && test $(stat -c %%s read) = "
		     "$(stat -c %%s plain)"), 0);
	plain = open(in_dir("plain"), O_RDWR);
	d = disk_open("q.vhd", 0);
	if (d) {
		if (force[0])
			CHECK_EQ(vhd_sectors(d) * 512, size);
		scribble(d, plain, 40);
		disk_close(d);
	}
	close(plain);
	sound("q.vhd");
	CHECK_EQ(run("qemu-img compare -f vpc -F raw q.vhd plain"), 0);
	CHECK_EQ(run("rm -f q.vhd plain read"), 0);
}

/* Formats of others: what qemu-img makes is refused with the line that converts it, and the line works. */
static void refused(void)
{
	static const char *const formats[] = { "qcow2", "vmdk", "vdi", "vhdx", "qed", "parallels", "qcow" };
	struct vhd_err e;
	unsigned int i;
	struct vhd *d;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		/* An ending that lies, and a name that a shell would take apart. */
		CHECK_EQ(run("rm -rf sub; mkdir sub && qemu-img create -q -f %s \"sub/it's a.raw\" 4M && "
			     "qemu-io -f %s -c 'write -P 7 1M 64k' \"sub/it's a.raw\"", formats[i],
			     formats[i]), 0);
		CHECK_EQ(vhd_open(&d, in_dir("sub/it's a.raw"), NULL, &e), -EMEDIUMTYPE);
		CHECK_HAS(e.next, formats[i]);
		CHECK_EQ(run("%s && qemu-io -f vpc -c 'read -P 7 1M 64k' \"sub/it's a.vhd\"", e.next), 0);
		/* Not over what is there. */
		CHECK_EQ(vhd_open(&d, in_dir("sub/it's a.raw"), NULL, &e), -EMEDIUMTYPE);
		CHECK_HAS(e.next, "a-2.vhd'");
	}
}

/* QEMU sees our locks, and we see QEMU's. */
static void locks(void)
{
	struct vhd_create_opts o = { .format = VHD_DYNAMIC, .size = 4 * MIB };
	struct vhd_open_opts ro = { .flags = VHD_OPEN_RDONLY };
	struct vhd_err e;
	struct vhd *d;
	char line[200];
	FILE *qemu;
	int i, err = 0;

	CHECK_EQ(vhd_create(in_dir("l.vhd"), &o, &e), 0);
	d = disk_open("l.vhd", 0);
	if (!d)
		return;
	CHECK_EQ(run("! qemu-io -f vpc -c 'read 0 512' l.vhd && ! qemu-io -r -f vpc -c 'read 0 512' l.vhd && "
		     "qemu-img info -U l.vhd"), 0);
	disk_close(d);
	d = disk_open("l.vhd", VHD_OPEN_RDONLY);
	CHECK_EQ(run("! qemu-io -f vpc -c 'write 0 512' l.vhd && qemu-io -r -f vpc -c 'read 0 512' l.vhd"), 0);
	disk_close(d);
	snprintf(line, sizeof(line), "qemu-io -f vpc %s >/dev/null", in_dir("l.vhd"));
	qemu = popen(line, "w");
	for (i = 0; i < 500 && !err; i++) {
		err = vhd_open(&d, in_dir("l.vhd"), NULL, &e);
		if (!err)
			vhd_close(d, NULL);
		usleep(20000);
	}
	CHECK_EQ(err, -EBUSY);
	CHECK_HAS(e.text, "(qemu-io)");
	CHECK_EQ(vhd_open(&d, in_dir("l.vhd"), &ro, &e), -EBUSY);
	CHECK_EQ(pclose(qemu), 0);
	d = disk_open("l.vhd", 0);
	if (d)
		disk_close(d);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	locks();
	ours(VHD_DYNAMIC, 16 * MIB, 0, 1);
	ours(VHD_DYNAMIC, 16 * MIB + 512, 512 << 10, 1);
	ours(VHD_DYNAMIC, 33 * MIB - 7 * 512, 4096, 1);
	ours(VHD_DYNAMIC, 40 * MIB, 32 << 20, 1);
	ours(VHD_DYNAMIC, 130ULL << 30, 0, 0);
	ours(VHD_DYNAMIC, (128ULL << 30) - 12345 * 512, 0, 0);
	ours(VHD_DYNAMIC, VHD_SIZE_MAX, 0, 0);
	/* The most blocks there can be: full and with aligned data it would pass 2^32 sectors. */
	ours(VHD_DYNAMIC, VHD_SIZE_MAX, 512 << 10, 0);
	ours(VHD_FIXED, 16 * MIB, 0, 1);
	ours(VHD_FIXED, 5 * MIB + 3 * 512, 0, 1);
	large_fixed((127ULL << 30) + 512);
	large_fixed(VHD_SIZE_MAX);
	theirs("dynamic", ",force_size=on", 20 * MIB);
	theirs("dynamic", ",force_size=on", 131ULL << 30);
	theirs("dynamic", "", 20 * MIB);
	theirs("dynamic", "", 131ULL << 30);
	theirs("fixed", ",force_size=on", 20 * MIB + 512);
	theirs("fixed", "", 20 * MIB);
	refused();
	CHECK_EQ(run("cd / && rm -rf %s", dir), 0);
	return unit_done();
}

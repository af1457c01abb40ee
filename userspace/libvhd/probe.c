// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What is in a file. Only the content decides: a name's ending is a guess of whoever named it.
 *
 * A VHD is known by its last sector, or, if that is damaged, by the copy in its first one. What a
 * guest can write is only ever the inside of a disk, so a good last footer wins over everything.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "disk.h"

/* Formats we know the signature of, but do not handle. */
static const struct foreign {
	const char	*name;		/* for people */
	const char	*driver;	/* qemu-img's -f; NULL: it cannot read it */
	uint16_t	at;
	uint16_t	len;
	const char	*magic;
} foreign[] = {
	{ "a VHDX disk", "vhdx", 0, 8, "vhdxfile" },
	{ "a qcow2 disk", "qcow2", 0, 8, "QFI\xfb\0\0\0\2" },
	{ "a qcow2 disk", "qcow2", 0, 8, "QFI\xfb\0\0\0\3" },
	{ "a qcow disk", "qcow", 0, 8, "QFI\xfb\0\0\0\1" },
	{ "a QED disk", "qed", 0, 4, "QED\0" },
	{ "a VMDK disk", "vmdk", 0, 4, "KDMV" },
	{ "a VMDK disk", "vmdk", 0, 4, "COWD" },
	{ "a VMDK disk's description", "vmdk", 0, 21, "# Disk DescriptorFile" },
	{ "a VDI disk", "vdi", 64, 4, "\x7f\x10\xda\xbe" },
	{ "a Parallels disk", "parallels", 0, 16, "WithoutFreeSpace" },
	{ "a Parallels disk", "parallels", 0, 16, "WithouFreSpacExt" },
};

/* What was read of a file. */
struct ends {
	uint8_t			first[FOOTER_BYTES], last[FOOTER_BYTES];
	struct footer		ff, lf;
	enum footer_state	fs, ls;
	uint32_t		fsum, lsum;	/* as they should be */
	uint64_t		size, last_at;
};

static int ends_read(struct vhd *d, struct ends *s, struct vhd_err *e)
{
	int err = 0;

	memset(s->first, 0, sizeof(s->first));
	memset(s->last, 0, sizeof(s->last));
	s->fs = s->ls = FOOTER_NONE;
	s->last_at = 0;
	if (s->size >= FOOTER_OLD)
		err = file_read(&d->ops, d->ctx, 0, s->first,
				s->size < FOOTER_BYTES ? s->size : FOOTER_BYTES);
	if (!err && s->size >= FOOTER_BYTES) {
		s->fs = footer_decode(&s->ff, s->first, &s->fsum);
		s->last_at = s->size - FOOTER_BYTES;
		err = file_read(&d->ops, d->ctx, s->last_at, s->last, FOOTER_BYTES);
	}
	if (err)
		return vhd_fail(e, d->name, err, s->last_at, "cannot be read: %s", strerror(-err));
	if (s->size < FOOTER_BYTES)
		return 0;
	s->ls = footer_decode(&s->lf, s->last, &s->lsum);
	if (s->ls == FOOTER_NONE && s->size % VHD_SECTOR == FOOTER_OLD) {
		memmove(s->last, s->last + 1, FOOTER_OLD);
		s->last[FOOTER_OLD] = 0;
		s->ls = footer_decode(&s->lf, s->last, &s->lsum);
		s->last_at = s->size - FOOTER_OLD;
	}
	return 0;
}

static int refuse_foreign(struct vhd *d, const struct foreign *f, struct vhd_err *e)
{
	const char *slash = strrchr(d->name, '/'), *dot = strrchr(d->name, '.');
	size_t stem = dot && dot > (slash ? slash + 1 : d->name) ? (size_t)(dot - d->name) : strlen(d->name);
	char to[sizeof(d->name) + 16], a[320], b[320];
	int n;

	/* qemu-img would write over what is there. */
	snprintf(to, sizeof(to), "%.*s.vhd", (int)stem, d->name);
	for (n = 2; (!access(to, F_OK) || !strcmp(to, d->name)) && n < 100; n++)
		snprintf(to, sizeof(to), "%.*s-%d.vhd", (int)stem, d->name, n);
	vhd_fail(e, d->name, -EMEDIUMTYPE, f->at, "is %s; raw and VHD disks can be used", f->name);
	/* A name that was cut is no name to run a command on. */
	vhd_quote(a, sizeof(a), d->name);
	if (strlen(d->name) == sizeof(d->name) - 1 || strlen(a) > sizeof(a) - 16) {
		vhd_next(e, "qemu-img convert -p -f %s -O vpc -o subformat=dynamic,force_size=on FILE FILE.vhd",
			 f->driver);
		return -EMEDIUMTYPE;
	}
	vhd_next(e, "qemu-img convert -p -f %s -O vpc -o subformat=dynamic,force_size=on %s %s", f->driver,
		 a, vhd_quote(b, sizeof(b), to));
	return -EMEDIUMTYPE;
}

static int raw_probe(struct vhd *d, uint64_t size, struct vhd_err *e)
{
	char quoted[320];

	if (!size)
		return vhd_fail(e, d->name, -EINVAL, 0, "is empty");
	if (size % VHD_SECTOR) {
		vhd_fail(e, d->name, -EINVAL, size, "is no VHD, and as a raw disk its %llu bytes are not a multiple of 512",
			 (unsigned long long)size);
		vhd_next(e, "truncate -s %%512 %s", vhd_quote(quoted, sizeof(quoted), d->name));
		return -EINVAL;
	}
	d->format = VHD_RAW;
	d->sectors = size / VHD_SECTOR;
	return 0;
}

/* A good footer was found: its own fields. */
static int footer_check(struct vhd *d, uint64_t at, struct vhd_err *e)
{
	const struct footer *f = &d->footer;
	uint64_t bytes = footer_disk_size(f);

	if (f->version >> 16 != 1)
		return vhd_fail(e, d->name, -EOPNOTSUPP, at, "VHD version %u.%u is not known",
				f->version >> 16, f->version & 0xffff);
	if (f->type == FOOTER_DIFF) {
		vhd_fail(e, d->name, -EOPNOTSUPP, at,
			 "is a differencing VHD, whose other part is in its parent");
		vhd_next(e, "merge it into its parent first");
		return -EOPNOTSUPP;
	}
	if (f->type != FOOTER_FIXED && f->type != FOOTER_DYNAMIC)
		return vhd_fail(e, d->name, -EUCLEAN, at, "footer at %#llx: disk type %u is not known",
				(unsigned long long)at, f->type);
	if (bytes > VHD_SIZE_MAX)
		return vhd_fail(e, d->name, -EFBIG, at,
				"footer at %#llx: a size of %llu bytes is more than the 2040 GiB of the format",
				(unsigned long long)at, (unsigned long long)bytes);
	if (!bytes || bytes % VHD_SECTOR)
		return vhd_fail(e, d->name, -EUCLEAN, at,
				"footer at %#llx: a size of %llu bytes is no multiple of 512 above 0",
				(unsigned long long)at, (unsigned long long)bytes);
	d->sectors = bytes / VHD_SECTOR;
	d->format = f->type == FOOTER_FIXED ? VHD_FIXED : VHD_DYNAMIC;
	return 0;
}

static int fixed_check(struct vhd *d, const struct ends *s, struct vhd_err *e)
{
	if (d->footer.current_size == s->last_at)
		return 0;
	return vhd_fail(e, d->name, -EUCLEAN, s->last_at,
			"footer at %#llx: the disk has %llu bytes, but %llu are in front of the footer%s",
			(unsigned long long)s->last_at, (unsigned long long)d->footer.current_size,
			(unsigned long long)s->last_at,
			d->footer.current_size > s->last_at ? ": the file was cut" : "");
}

static int bad_footers(struct vhd *d, const struct ends *s, struct vhd_err *e)
{
	bool last = s->ls == FOOTER_BAD;
	uint64_t at = last ? s->last_at : 0;

	vhd_fail(e, d->name, -EUCLEAN, at, "VHD footer at %#llx: checksum %#x should be %#x, and there is no good copy",
		 (unsigned long long)at, footer_stored_sum(last ? s->last : s->first),
		 last ? s->lsum : s->fsum);
	vhd_next(e, "if it is a raw disk that only looks like a VHD, say that its format is raw");
	return -EUCLEAN;
}

/* Which of the two footers holds, and which is to be written again. */
static int vhd_choose(struct vhd *d, const struct ends *s, unsigned int *damage, struct vhd_err *e)
{
	bool last = s->ls == FOOTER_GOOD;
	int err;

	d->footer = last ? s->lf : s->ff;
	memcpy(d->raw_footer, last ? s->last : s->first, FOOTER_BYTES);
	d->footer_last = last;
	err = footer_check(d, last ? s->last_at : 0, e);
	if (err)
		return err;
	if (d->format == VHD_FIXED) {
		if (last)
			return fixed_check(d, s, e);
		return vhd_fail(e, d->name, -EUCLEAN, 0,
				"begins with the footer of a fixed VHD, but does not end with it");
	}
	if (!last)
		*damage |= 2;
	else if (s->fs != FOOTER_GOOD || !footer_same(&s->ff, &s->lf))
		*damage |= 1;
	return 0;
}

int vhd_probe(struct vhd *d, uint64_t size, enum vhd_format want, unsigned int *damage, struct vhd_err *e)
{
	struct ends s = { .size = size };
	unsigned int i;
	int err;

	*damage = 0;
	if (want == VHD_RAW)
		return raw_probe(d, size, e);
	err = ends_read(d, &s, e);
	if (err)
		return err;
	/* A footer of a fixed disk at the start alone is data of a disk, and damage of nothing. */
	if (s.ls == FOOTER_GOOD || (s.fs == FOOTER_GOOD && s.ff.type != FOOTER_FIXED))
		err = vhd_choose(d, &s, damage, e);
	else if (s.ls == FOOTER_BAD || s.fs != FOOTER_NONE)
		err = bad_footers(d, &s, e);
	else {
		for (i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
			if (!memcmp(s.first + foreign[i].at, foreign[i].magic, foreign[i].len))
				return refuse_foreign(d, &foreign[i], e);
		err = raw_probe(d, size, e);
	}
	if (!err && want != VHD_AUTO && d->format != want)
		return vhd_fail(e, d->name, -EMEDIUMTYPE, 0, "is a %s disk, not %s",
				vhd_format_name(d->format), vhd_format_name(want));
	return err;
}

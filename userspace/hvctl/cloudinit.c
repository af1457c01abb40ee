// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The seed of cloud-init's NoCloud source: an ISO 9660 image labelled "cidata" with the files user-data and
 * meta-data. It is made in a memfd: it may hold passwords, and nobody has to clean up.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hvctl/cloudinit.h"
#include "seed/iso.h"

#define NEXT "it is --cloud-init USER-DATA[,META-DATA]"

/* What cloud-init takes for user-data (its documentation, "User-data formats"); anything else it ignores. */
static const char *const kinds[] = {
	"#cloud-config", "#!", "#include", "#part-handler", "#cloud-boothook", "## template:", "#upstart-job",
	"Content-Type:", "MIME-Version:", "\x1f\x8b",
};

static int file_read(struct ctx *ctx, const char *path, char **out, uint32_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	char *data = NULL;
	int ret = 0;

	if (fd < 0 || fstat(fd, &st)) {
		ret = err_sys(&ctx->err, RC_INVALID, errno, NEXT, "option --cloud-init: cannot read %s", path);
	} else if (!S_ISREG(st.st_mode) || st.st_size > ISO_FILE_MAX) {
		ret = err_set(&ctx->err, RC_INVALID, NEXT,
			      "option --cloud-init: %s is not a file of at most 4 MiB", path);
	} else {
		data = malloc((size_t)st.st_size + 1);
		if (!data || read(fd, data, (size_t)st.st_size) != st.st_size)
			ret = err_sys(&ctx->err, RC_FAILED, errno, NULL, "cannot read %s", path);
		else
			data[st.st_size] = 0;
	}
	if (fd >= 0)
		close(fd);
	if (ret) {
		free(data);
		return ret;
	}
	*out = data;
	*len = (uint32_t)st.st_size;
	return 0;
}

static int user_data_check(struct ctx *ctx, const char *path, const char *data)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strncmp(data, kinds[i], strlen(kinds[i])))
			return 0;
	return err_set(&ctx->err, RC_INVALID, "its first line is #cloud-config, or #! for a script",
		       "option --cloud-init: cloud-init would ignore %s, because its first line names no format",
		       path);
}

/*
 * An id that changes with what it is for: cloud-init does its work again then. Names like "12.5" and "no" are
 * strings in YAML only between quotes.
 */
static int meta_make(const struct vmopts *o, const char *data, uint32_t len, char **out, uint32_t *outlen)
{
	uint64_t h = 0xcbf29ce484222325ULL;	/* FNV-1a */
	int n;

	for (uint32_t i = 0; i < len; i++)
		h = (h ^ (uint8_t)data[i]) * 0x100000001b3ULL;
	n = asprintf(out, "instance-id: hv-%s%s%016llx\n%s%s%s", o->name ? o->name : "", o->name ? "-" : "",
		     (unsigned long long)h, o->name ? "local-hostname: \"" : "", o->name ? o->name : "",
		     o->name ? "\"\n" : "");
	*outlen = n > 0 ? (uint32_t)n : 0;
	return n > 0 ? 0 : -1;
}

static int seed_write(struct ctx *ctx, const uint8_t *image, size_t len, char *path)
{
	int fd = memfd_create("cloud-init-seed", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || write(fd, image, len) != (ssize_t)len ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)) {
		if (fd >= 0)
			close(fd);
		return err_sys(&ctx->err, RC_FAILED, errno, NULL, "cannot make the seed of cloud-init");
	}
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return 0;
}

int cloudinit_seed(struct ctx *ctx, const struct vmopts *o, char *path)
{
	const char *value = opt_value(&ctx->line, "cloud-init"), *comma;
	struct iso_file file[2] = { { .name = "meta-data" }, { .name = "user-data" } };
	char user[VMM_PATH_MAX + 1], *udata = NULL, *mdata = NULL;
	uint8_t *image = NULL;
	size_t len;
	int ret;

	*path = 0;
	if (!value || o->unseen)
		return 0;
	comma = strchr(value, ',');
	if ((comma ? (size_t)(comma - value) : strlen(value)) >= sizeof(user) || !*value)
		return err_set(&ctx->err, RC_USAGE, NEXT, "option --cloud-init: no file is named");
	snprintf(user, sizeof(user), "%.*s", comma ? (int)(comma - value) : VMM_PATH_MAX, value);
	ret = file_read(ctx, user, &udata, &file[1].len);
	if (!ret)
		ret = user_data_check(ctx, user, udata);
	if (!ret && comma)
		ret = file_read(ctx, comma + 1, &mdata, &file[0].len);
	else if (!ret && meta_make(o, udata, file[1].len, &mdata, &file[0].len))
		ret = err_sys(&ctx->err, RC_FAILED, ENOMEM, NULL, "cannot make the seed of cloud-init");
	file[0].data = mdata;
	file[1].data = udata;
	if (!ret && iso_make("cidata", file, 2, &image, &len))
		ret = err_sys(&ctx->err, RC_FAILED, ENOMEM, NULL, "cannot make the seed of cloud-init");
	if (!ret)
		ret = seed_write(ctx, image, len, path);
	free(image);
	free(udata);
	free(mdata);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* disk: make, show and check disk images; and which word of it is which function. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "hvctl/cmd.h"
#include "hvctl/cmd_disk.h"
#include "libvhd/vhd.h"

int disk_failed(struct ctx *ctx, const struct vhd_err *e)
{
	int rc = RC_FAILED;

	if (e->code == -EBUSY)
		rc = RC_BUSY;
	else if (e->code == -EMEDIUMTYPE || e->code == -EOPNOTSUPP)
		rc = RC_UNSUPPORTED;
	else if (e->code == -EUCLEAN || e->code == -EFBIG || e->code == -EINVAL ||
		 e->code == -EROFS)
		rc = RC_INVALID;
	return err_set(&ctx->err, rc, e->next[0] ? e->next : NULL, "%s", e->text);
}

static int disk_create(struct ctx *ctx)
{
	static const struct { const char *word; enum vhd_format format; } formats[] = {
		{ "dynamic", VHD_DYNAMIC }, { "fixed", VHD_FIXED }, { "raw", VHD_RAW },
	};
	const char *size = opt_value(&ctx->line, "size"), *block = opt_value(&ctx->line, "block-size");
	const char *word = opt_value(&ctx->line, "format"), *path = ctx->line.arg[1];
	struct vhd_create_opts o = { .format = VHD_DYNAMIC };
	uint64_t block_size = 0;
	struct vhd_err e;

	if (!size)
		return err_set(&ctx->err, RC_USAGE, "give --size, for example --size 20G",
			       "disk create: how large?");
	text_size(size, &o.size);
	if (block)
		text_size(block, &block_size);
	if (block_size > UINT32_MAX)
		block_size = UINT32_MAX;
	o.block_size = (uint32_t)block_size;
	for (unsigned int i = 0; word && i < sizeof(formats) / sizeof(formats[0]); i++)
		if (!strcmp(word, formats[i].word))
			o.format = formats[i].format;
	if (vhd_create(path, &o, &e))
		return disk_failed(ctx, &e);
	if (ctx->json)
		return out_json(ctx, json_pack("{s:s, s:s, s:I}", "path", path, "format",
					       vhd_format_name(o.format), "size", (json_int_t)o.size), false);
	return 0;
}

static json_t *info_json(const char *path, const struct vhd_info *i)
{
	char id[37];

	snprintf(id, sizeof(id), "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		 i->id[0], i->id[1], i->id[2], i->id[3], i->id[4], i->id[5], i->id[6], i->id[7], i->id[8],
		 i->id[9], i->id[10], i->id[11], i->id[12], i->id[13], i->id[14], i->id[15]);
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s, s:s}", "path", path, "format",
			 vhd_format_name(i->format), "size", (json_int_t)i->size, "file_size",
			 (json_int_t)i->file_size, "block_size", (json_int_t)i->block_size, "blocks",
			 (json_int_t)i->blocks, "allocated", (json_int_t)i->allocated, "creator", i->creator,
			 "id", i->format == VHD_RAW ? "" : id);
}

static int disk_info(struct ctx *ctx)
{
	const char *path = ctx->line.arg[1];
	/* Looking does no harm to who uses the disk; what is seen may be old then. */
	const struct vhd_open_opts o = { .flags = VHD_OPEN_RDONLY | VHD_OPEN_NOLOCK };
	char size[32], file[32], block[32];
	struct vhd_info i;
	struct vhd_err e;
	struct vhd *d;

	if (vhd_open(&d, path, &o, &e))
		return disk_failed(ctx, &e);
	vhd_get_info(d, &i);
	vhd_close(d, NULL);
	if (ctx->json)
		return out_json(ctx, info_json(path, &i), false);
	printf("format     %s\n", vhd_format_name(i.format));
	printf("size       %s (%" PRIu64 " bytes)\n", text_size_show(i.size, size, sizeof(size)), i.size);
	printf("file       %s\n", text_size_show(i.file_size, file, sizeof(file)));
	if (i.blocks)
		printf("blocks     %u of %u in use, %s each\n", i.allocated, i.blocks,
		       text_size_show(i.block_size, block, sizeof(block)));
	if (i.format != VHD_RAW)
		printf("creator    %s\n", i.creator);
	return out_end(ctx);
}

static int disk_check(struct ctx *ctx)
{
	const char *path = ctx->line.arg[1];
	struct vhd_check c;
	struct vhd_err e;

	if (vhd_check(path, &c, &e))
		return disk_failed(ctx, &e);
	if (ctx->json)
		return out_json(ctx, json_pack("{s:s, s:I, s:I, s:I, s:I}", "path", path, "errors",
					       (json_int_t)c.errors, "allocated", (json_int_t)c.allocated,
					       "unused", (json_int_t)c.unused, "partial_bitmaps",
					       (json_int_t)c.partial), false);
	if (!ctx->quiet)
		printf("%s: no errors\n", path);
	return out_end(ctx);
}

int cmd_disk(struct ctx *ctx)
{
	static const struct {
		const char	*word;
		unsigned int	min, max;	/* words with this one */
		const char	*args;
		int		(*fn)(struct ctx *ctx);
	} verbs[] = {
		{ "create", 2, 2, "FILE", disk_create },
		{ "info", 2, 2, "FILE", disk_info },
		{ "check", 2, 2, "FILE", disk_check },
		{ "attach", 3, 3, "VM FILE", disk_attach },
		{ "detach", 3, 3, "VM PLACE", disk_detach },
		{ "insert", 3, 3, "VM FILE", disk_insert },
		{ "eject", 2, 3, "VM [PLACE]", disk_eject },
	};

	for (unsigned int i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(ctx->line.arg[0], verbs[i].word))
			continue;
		if (ctx->line.args >= verbs[i].min && ctx->line.args <= verbs[i].max)
			return verbs[i].fn(ctx);
		err_set(&ctx->err, RC_USAGE, NULL, "disk %s takes %s", verbs[i].word, verbs[i].args);
		return err_next(&ctx->err, "write 'hvctl disk %s %s'", verbs[i].word, verbs[i].args);
	}
	return err_set(&ctx->err, RC_USAGE, "hvctl help disk", "disk: unknown operation \"%s\"",
		       ctx->line.arg[0]);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * save: a VM's state into a file; save inspect: what is in one.
 *
 * The VM writes into a file of another name, which becomes FILE when all of it is on disk; then the VM is
 * told to end. What ends earlier leaves no file, and the VM goes on.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "hvctl/client.h"
#include "hvctl/cmd_save.h"
#include "hvctl/rundir.h"
#include "hvctl/stopsig.h"
#include "hvctl/vmopts.h"
#include "vmm/save.h"

#define LOOK_MS		500	/* how often progress is asked for */
#define END_MS		20000

struct target {
	char	path[VMM_PATH_MAX + 1];
	char	part[VMM_PATH_MAX + 16];	/* while it is written */
	int	fd;
};

/* An earlier save may be replaced when asked for, anything else never. */
static int may_replace(struct ctx *ctx, const char *path, bool replace)
{
	char magic[sizeof(STATE_MAGIC) - 1] = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	bool ours;

	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(&ctx->err, RC_FAILED, errno, NULL, "cannot open %s", path);
	if (!replace) {
		close(fd);
		return err_set(&ctx->err, RC_BUSY, "choose another name, or --force", "%s is there already", path);
	}
	/* Its first bytes must say so: a file that begins with zeros may be a disk as well as an unfinished save. */
	ours = !fstat(fd, &st) && S_ISREG(st.st_mode) && pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       !memcmp(magic, STATE_MAGIC, sizeof(magic));
	close(fd);
	return ours ? 0 : err_set(&ctx->err, RC_INVALID, "choose another name", "%s is no saved VM, and is not replaced",
				  path);
}

/* Guest memory holds secrets: for the owner alone. */
static int target_make(struct ctx *ctx, const char *path, bool replace, struct target *t)
{
	int ret = vmopts_absolute(ctx, path, t->path);

	if (!ret)
		ret = may_replace(ctx, t->path, replace);
	if (ret)
		return ret;
	snprintf(t->part, sizeof(t->part), "%s.%d.part", t->path, (int)getpid());
	t->fd = open(t->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (t->fd < 0)
		return err_sys(&ctx->err, RC_FAILED, errno, NULL, "cannot make %s", t->part);
	return 0;
}

static int target_place(struct ctx *ctx, struct target *t)
{
	char dir[VMM_PATH_MAX + 1];
	int fd, ret;

	if (rename(t->part, t->path))
		return err_sys(&ctx->err, RC_FAILED, errno, NULL, "cannot name it %s", t->path);
	t->part[0] = 0;
	strcpy(dir, t->path);
	fd = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret = fd < 0 || fsync(fd) ?
	      err_sys(&ctx->err, RC_FAILED, errno, "the VM stays paused: resume it and remove the file, or kill it",
		      "cannot sync the directory of %s", t->path) : 0;
	if (fd >= 0)
		close(fd);
	return ret;
}

static void progress(const struct ctx *ctx, const char *name)
{
	json_t *reply = NULL, *save;
	struct err ignored = { 0 };
	json_int_t done = 0, total = 0;

	if (ctx->quiet || ctx->json || !isatty(STDERR_FILENO) || client_ask(name, CTL_STATUS, &reply, &ignored))
		return;
	save = json_object_get(reply, "save");
	done = json_integer_value(json_object_get(save, "done"));
	total = json_integer_value(json_object_get(save, "total"));
	if (total > 0)
		fprintf(stderr, "\rsaving %s: %d%%\033[K", name, (int)(done * 100 / total));
	json_decref(reply);
}

/* Until the VM has all of it on disk. A signal hangs up, which cancels. */
static int await_saved(struct ctx *ctx, struct client *c, json_t **reply)
{
	int ret;

	stopsig_catch();
	while ((ret = client_receive(c, reply, NULL, LOOK_MS, &ctx->err)) == RC_TIMEOUT)
		progress(ctx, c->name);
	if (!ctx->quiet && !ctx->json && isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K");
	if (ret == RC_CANCELLED)
		err_set(&ctx->err, ret, NULL, "cancelled; VM '%s' was not saved and goes on", c->name);
	return ret;
}

static int save_to(struct ctx *ctx, const char *name, struct target *t, struct client *c)
{
	bool compress = opt_has(&ctx->line, "compress");
	json_t *reply = NULL;
	int ret;

	ret = client_send_json(c, json_pack("{s:s, s:b}", "verb", ctl_verb_name(CTL_SAVE), "compress", compress), t->fd,
			       &ctx->err);
	if (!ret)
		ret = await_saved(ctx, c, &reply);
	if (ret)
		return ret;
	json_decref(reply);
	ret = target_place(ctx, t);
	if (ret)
		return ret;
	ret = client_send(c, CTL_SAVE_END, 0, &ctx->err);
	if (!ret)
		ret = client_receive(c, &reply, NULL, CLIENT_PATIENCE_MS, &ctx->err);
	json_decref(reply);
	if (!ret && !rundir_await_end(name, END_MS)) {
		err_set(&ctx->err, RC_TIMEOUT, NULL, "VM '%s' is saved, but its process is still there", name);
		ret = err_next(&ctx->err, "hvctl kill --force %s", name);
	}
	return ret;
}

int save_vm(struct ctx *ctx, const char *name, const char *path, bool replace)
{
	struct target t = { .fd = -1 };
	struct client c = { .fd = -1 };
	struct stat st = { 0 };
	int ret = client_open(&c, name, &ctx->err);

	if (!ret)
		ret = target_make(ctx, path, replace, &t);
	if (!ret)
		ret = save_to(ctx, name, &t, &c);
	/* Before the VM hears that nobody waits any more: a save without a file lets it go on. */
	if (t.fd >= 0 && t.part[0])
		unlink(t.part);
	client_close(&c);
	if (t.fd >= 0) {
		if (fstat(t.fd, &st))
			st.st_blocks = 0;
		close(t.fd);
	}
	if (ret || !ctx->json)
		return ret;
	return out_json(ctx, json_pack("{s:s, s:s%, s:I, s:I}", "name", name, "file", t.path, strlen(t.path), "bytes",
				       (json_int_t)st.st_size, "bytes_on_disk", (json_int_t)st.st_blocks * 512), false);
}

/* ---- inspect ---- */

/* What state_chunk_read() says of all memory. */
static int check_memory(struct ctx *ctx, const char *path, struct state_file *f)
{
	struct state_err e = { 0 };

	for (uint64_t n = 0; n < state_chunks(state_header(f)->ram_bytes); n++)
		if (state_chunk_read(f, n, NULL, &e))
			return state_error(ctx, path, &e);
	return 0;
}

static uint64_t memory_used(const struct state_file *f)
{
	uint64_t pages = 0;

	for (uint64_t n = 0; n < state_chunks(state_header(f)->ram_bytes); n++)
		for (unsigned int i = 0; i < STATE_CHUNK_PAGES / 8; i++)
			pages += (uint64_t)__builtin_popcount(state_chunk(f, n)->pages[i]);
	return pages * STATE_PAGE;
}

/* A path is bytes of the user's, maybe no UTF-8: then it is left out. */
static json_t *disks_json(const struct vmm_config *cfg)
{
	json_t *list = json_array();

	for (unsigned int i = 0; i < cfg->disks; i++) {
		const struct vmm_disk *d = &cfg->disk[i];
		json_t *o = json_pack("{s:i, s:i, s:s, s:b}", "controller", d->controller, "unit", d->lun, "type",
				      d->flags & VMM_DISK_DVD ? "dvd" : "disk", "readonly",
				      !!(d->flags & VMM_DISK_READONLY));
		json_t *path = d->path ? json_string(d->path) : NULL;

		if (path)
			json_object_set_new(o, "path", path);
		json_array_append_new(list, o);
	}
	return list;
}

struct looked {
	const struct state_file	*f;
	const struct vmm_config	*cfg;
	struct save_machine	was;
	char			when[32];
	unsigned int		records;
};

static const char *generation_id(const struct save_machine *s, char *out)
{
	for (size_t i = 0; i < sizeof(s->generation_id); i++)
		sprintf(out + 2 * i, "%02x", s->generation_id[i]);
	return out;
}

static int print_json(struct ctx *ctx, const struct looked *l)
{
	const struct state_header *h = state_header(l->f);
	char id[2 * sizeof(l->was.generation_id) + 1];

	return out_json(ctx, json_pack("{s:s, s:i, s:s, s:b, s:i, s:I, s:I, s:I, s:s, s:s, s:i, s:i, s:s, s:o}", "name", l->cfg->name,
				       "format_version", (int)h->version, "saved", l->when, "paused", l->was.paused,
				       "cpus", (int)l->cfg->cpus, "memory", (json_int_t)h->ram_bytes, "memory_used",
				       (json_int_t)memory_used(l->f), "bytes", (json_int_t)h->file_bytes, "compression",
				       h->memory_kind == STATE_MEMORY_ZSTD ? "zstd" : "none", "host_cpu",
				       l->was.host_cpu, "records", (int)l->records, "restores", (int)h->restores,
				       "generation_id", generation_id(&l->was, id), "disks", disks_json(l->cfg)), false);
}

static int print_text(struct ctx *ctx, const struct looked *l)
{
	const struct state_header *h = state_header(l->f);
	char a[32], b[32], c[32];

	printf("name:         %s\n", l->cfg->name);
	printf("saved:        %s%s\n", l->when, l->was.paused ? " (it was paused)" : "");
	printf("CPUs:         %u\n", l->cfg->cpus);
	printf("memory:       %s, %s of it not zero\n", text_size_show(h->ram_bytes, a, sizeof(a)),
	       text_size_show(memory_used(l->f), b, sizeof(b)));
	printf("file:         %s, version %u, %u records%s\n", text_size_show(h->file_bytes, c, sizeof(c)), h->version,
	       l->records, h->memory_kind == STATE_MEMORY_ZSTD ? ", compressed with zstd" : "");
	printf("host's CPU:   %s\n", l->was.host_cpu);
	printf("restored:     %u times\n", h->restores);
	for (unsigned int i = 0; i < l->cfg->disks; i++)
		printf("scsi%u:%-2u      %s\n", l->cfg->disk[i].controller, l->cfg->disk[i].lun,
		       l->cfg->disk[i].path ? l->cfg->disk[i].path : "(no medium)");
	return out_end(ctx);
}

static int look(struct ctx *ctx, const char *path, struct state_file *f)
{
	static char text[VMM_TEXT_MAX + 1];
	static struct vmm_config cfg;
	struct looked l = { .f = f, .cfg = &cfg };
	struct state_record rec;
	size_t pos = 0;
	time_t t;
	struct tm tm;
	int ret = state_config(ctx, path, f, &cfg, text);

	if (ret)
		return ret;
	if (!state_find(f, SAVE_REC_MACHINE, 0, 0, &rec) || save_machine_get(rec.data, rec.len, rec.version, &l.was))
		return err_set(&ctx->err, RC_INVALID, NULL, "%s: corrupt: the record of the machine makes no sense", path);
	while (state_next(f, &pos, &rec))
		l.records++;
	t = (time_t)(l.was.wall_ns / 1000000000u);
	strftime(l.when, sizeof(l.when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm) ? &tm : &(struct tm){ 0 });
	return ctx->json ? print_json(ctx, &l) : print_text(ctx, &l);
}

static int inspect(struct ctx *ctx, const char *path)
{
	struct state_err e = { 0 };
	struct state_file *f;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), ret;

	if (fd < 0)
		return err_sys(&ctx->err, errno == ENOENT ? RC_INVALID : RC_FAILED, errno, NULL, "cannot open %s", path);
	ret = state_open(&f, fd, &e) ? state_error(ctx, path, &e) : 0;
	if (!ret) {
		ret = check_memory(ctx, path, f);
		if (!ret)
			ret = look(ctx, path, f);
		state_close(f);
	}
	close(fd);
	return ret;
}

int cmd_save(struct ctx *ctx)
{
	if (!strcmp(ctx->line.arg[0], "inspect"))
		return inspect(ctx, ctx->line.arg[1]);
	return save_vm(ctx, ctx->line.arg[0], ctx->line.arg[1], opt_has(&ctx->line, "force"));
}

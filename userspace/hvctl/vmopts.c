// SPDX-License-Identifier: GPL-2.0-or-later
/* The options of run and start as a struct vmm_config. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "backends/tty.h"
#include "base/text.h"
#include "hvctl/bootimage.h"
#include "hvctl/cloudinit.h"
#include "hvctl/def/def.h"
#include "hvctl/vmopts.h"

/* The position of @word in the list of its key, which is in the order of the enum. */
static unsigned int word_index(const struct opt_key *key, const char *word)
{
	unsigned int i = 0;

	while (key->words[i] && strcmp(key->words[i], word))
		i++;
	return i;
}

static const struct opt *opt_of(const struct ctx *ctx, const char *name)
{
	for (unsigned int i = 0; i < ctx->line.hits; i++)
		if (!strcmp(ctx->line.hit[i].opt->name, name))
			return ctx->line.hit[i].opt;
	return NULL;
}

/* A number that the parser has seen to be one, up to @max. */
static int number(struct ctx *ctx, const char *what, const char *text, uint64_t max, uint64_t *out)
{
	if (!text_uint(text, max, out))
		return 0;
	err_set(&ctx->err, RC_INVALID, NULL, "%s: %s is too large", what, text);
	return err_next(&ctx->err, "the limit is %llu", (unsigned long long)max);
}

static int host_node(struct ctx *ctx, const char *text, int16_t *out)
{
	uint64_t v;
	int ret = number(ctx, "key host-node", text, INT16_MAX, &v);

	if (!ret)
		*out = (int16_t)v;
	return ret;
}

static int memory(struct ctx *ctx, struct vmopts *o)
{
	const char *value = opt_value(&ctx->line, "memory");
	struct opt_keys keys;
	int ret;

	if (!value)
		return 0;
	ret = opt_keys_parse(ctx->tool, opt_of(ctx, "memory"), value, &keys, &ctx->err);
	for (unsigned int i = 0; !ret && i < keys.n; i++) {
		const struct opt_key *k = keys.kv[i].key;
		const char *v = keys.kv[i].value;

		if (!strcmp(k->name, "size")) {
			ret = text_size(v, &o->cfg.memory) ? RC_USAGE : 0;
			o->sized = true;
		} else if (!strcmp(k->name, "backing")) {
			o->cfg.backing = (uint8_t)word_index(k, v);
		} else {
			ret = host_node(ctx, v, &o->cfg.host_node);
		}
	}
	if (!ret && o->cfg.memory < VMM_MEMORY_MIN) {
		err_set(&ctx->err, RC_INVALID, NULL, "option --memory: %s is less than 1M", value);
		if (o->cfg.memory >= 16)
			err_next(&ctx->err, "did you mean %lluM?", (unsigned long long)o->cfg.memory);
		return RC_INVALID;
	}
	return ret;
}

static int cpus(struct ctx *ctx, struct vmopts *o)
{
	const char *value = opt_value(&ctx->line, "cpus"), *v;
	struct opt_keys keys;
	uint64_t n = 1;
	int ret;

	if (!value)
		return 0;
	ret = opt_keys_parse(ctx->tool, opt_of(ctx, "cpus"), value, &keys, &ctx->err);
	v = opt_keys_value(&keys, "count");
	if (!ret && v)
		ret = number(ctx, "option --cpus", v, VMM_CPUS_MAX, &n);
	if (ret)
		return ret;
	o->cfg.cpus = (uint16_t)n;
	/* The table's own words live as long as the program; @keys does not. */
	v = opt_keys_value(&keys, "model");
	for (const struct opt_key *k = opt_of(ctx, "cpus")->keys; v && k->name; k++)
		if (!strcmp(k->name, "model") && strcmp(v, "host"))
			o->cfg.cpu_model = k->words[word_index(k, v)];
	v = opt_keys_value(&keys, "off");
	if (!v)
		return 0;
	if (strlen(v) >= sizeof(o->cpu_off))
		return err_set(&ctx->err, RC_INVALID, NULL, "option --cpus, key off: the list is too long");
	strcpy(o->cpu_off, v);
	for (char *p = o->cpu_off; *p; p++)
		if (*p == '+')
			*p = ',';
	o->cfg.cpu_off = o->cpu_off;
	return 0;
}

/* "2" or "0-3". */
static int cpu_range(struct ctx *ctx, const char *text, struct vmm_node *node)
{
	char first[16];
	const char *dash = strchr(text, '-');
	uint64_t a, b;

	snprintf(first, sizeof(first), "%.*s", dash ? (int)(dash - text) : 15, text);
	if (text_uint(first, VMM_CPUS_MAX - 1, &a) ||
	    text_uint(dash ? dash + 1 : first, VMM_CPUS_MAX - 1, &b) || b < a)
		return err_set(&ctx->err, RC_USAGE, "write for example cpus=0-3 or cpus=2",
			       "option --numa, key cpus: '%s' is not a range of CPUs", text);
	node->cpu_first = (uint16_t)a;
	node->cpu_count = (uint16_t)(b - a + 1);
	return 0;
}

static int numa_node(struct ctx *ctx, const struct opt *opt, const char *value, struct vmm_node *node)
{
	struct opt_keys keys;
	int ret = opt_keys_parse(ctx->tool, opt, value, &keys, &ctx->err);

	*node = (struct vmm_node){ .host_node = -1 };
	for (unsigned int i = 0; !ret && i < keys.n; i++) {
		const char *name = keys.kv[i].key->name, *v = keys.kv[i].value;

		if (!strcmp(name, "memory"))
			ret = text_size(v, &node->memory) ? RC_USAGE : 0;
		else if (!strcmp(name, "cpus"))
			ret = cpu_range(ctx, v, node);
		else
			ret = host_node(ctx, v, &node->host_node);
	}
	return ret;
}

static int numa(struct ctx *ctx, struct vmopts *o)
{
	const char *value, *mem = opt_value(&ctx->line, "memory");
	uint64_t sum = 0;
	unsigned int at = 0;
	int ret;

	while ((value = opt_next(&ctx->line, "numa", &at))) {
		if (o->cfg.nodes == VMM_NODES_MAX)
			return err_set(&ctx->err, RC_INVALID, NULL, "more than %d --numa nodes", VMM_NODES_MAX);
		ret = numa_node(ctx, opt_of(ctx, "numa"), value, &o->cfg.node[o->cfg.nodes]);
		if (ret)
			return ret;
		sum += o->cfg.node[o->cfg.nodes++].memory;
	}
	if (!o->cfg.nodes)
		return 0;
	if (o->sized && o->cfg.memory != sum)
		return err_set(&ctx->err, RC_INVALID, "leave --memory's size away; the nodes say it",
			       "--memory %s is not the sum of the --numa nodes", mem);
	o->cfg.memory = sum;
	return 0;
}

/* The VM process may have another working directory. */
int vmopts_absolute(struct ctx *ctx, const char *path, char *buf)
{
	size_t n = 0;

	if (path[0] != '/') {
		if (!getcwd(buf, VMM_PATH_MAX))
			return err_sys(&ctx->err, RC_FAILED, errno, NULL, "cannot tell the working directory");
		n = strlen(buf);
		buf[n++] = '/';
	}
	if (n + strlen(path) > VMM_PATH_MAX)
		return err_set(&ctx->err, RC_INVALID, NULL, "the path %s is too long", path);
	strcpy(buf + n, path);
	return 0;
}

static int serial(struct ctx *ctx, struct vmopts *o)
{
	const char *value = opt_value(&ctx->line, "serial"), *path;
	struct opt_keys keys;
	bool needs;
	int ret;

	if (!value)
		return 0;
	ret = opt_keys_parse(ctx->tool, opt_of(ctx, "serial"), value, &keys, &ctx->err);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < keys.n; i++)
		if (!strcmp(keys.kv[i].key->name, "to")) {
			static const uint8_t kinds[] = { VMM_SERIAL_STDIO, VMM_SERIAL_NONE, VMM_SERIAL_PTY,
							 VMM_SERIAL_SOCKET, VMM_SERIAL_FILE };

			o->cfg.serial = kinds[word_index(keys.kv[i].key, keys.kv[i].value)];
		}
	path = opt_keys_value(&keys, "path");
	needs = o->cfg.serial == VMM_SERIAL_SOCKET || o->cfg.serial == VMM_SERIAL_FILE;
	if (needs != !!path)
		return err_set(&ctx->err, RC_USAGE, "write for example --serial file,path=/tmp/console.log",
			       path ? "option --serial: path goes with file and socket only"
				    : "option --serial: path= is missing");
	if (!path)
		return 0;
	o->cfg.serial_path = o->serial;
	return vmopts_absolute(ctx, path, o->serial);
}

int vmopts_place(struct ctx *ctx, const char *text, uint8_t *controller, int *unit)
{
	char number[8] = "0";
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	uint64_t c, u = 0;

	if (len >= 4 && len < 4 + sizeof(number) && !strncmp(text, "scsi", 4)) {
		if (len > 4)
			snprintf(number, sizeof(number), "%.*s", (int)(len - 4), text + 4);
		if (!text_uint(number, VMM_CONTROLLERS_MAX - 1, &c) &&
		    (!colon || !text_uint(colon + 1, VMM_LUNS_MAX - 1, &u))) {
			*controller = (uint8_t)c;
			*unit = colon ? (int)u : -1;
			return 0;
		}
	}
	err_set(&ctx->err, RC_USAGE, NULL, "'%s' is not a place for a disk", text);
	return err_next(&ctx->err, "write scsi, scsi1 or scsi1:3; controllers are 0 to %d, units 0 to %d",
			VMM_CONTROLLERS_MAX - 1, VMM_LUNS_MAX - 1);
}

static int disk_free_unit(const struct vmopts *o, uint8_t controller)
{
	uint64_t used = 0;

	for (unsigned int i = 0; i < o->cfg.disks; i++)
		if (o->cfg.disk[i].controller == controller)
			used |= 1ULL << o->cfg.disk[i].lun;
	for (int unit = 0; unit < VMM_LUNS_MAX; unit++)
		if (!(used >> unit & 1))
			return unit;
	return -1;
}

static int disk(struct ctx *ctx, struct vmopts *o, const struct opt *opt, const char *value)
{
	struct vmm_disk d = { .flags = strcmp(opt->name, "cdrom") ? 0 : VMM_DISK_DVD };
	char path[VMM_PATH_MAX + 1];
	struct opt_keys keys;
	const char *v;
	int unit = -1, ret = opt_keys_parse(ctx->tool, opt, value, &keys, &ctx->err);

	if (!ret && o->cfg.disks == VMM_DISKS_MAX)
		return err_set(&ctx->err, RC_INVALID, NULL, "more than %d disks", VMM_DISKS_MAX);
	if (!ret && (v = opt_keys_value(&keys, "bus")))
		ret = vmopts_place(ctx, v, &d.controller, &unit);
	if (ret)
		return ret;
	v = opt_keys_value(&keys, "readonly");
	if (v && !strcmp(v, "on"))
		d.flags |= VMM_DISK_READONLY;
	v = opt_keys_value(&keys, "aio");
	if (v && !strcmp(v, "threads"))
		d.flags |= VMM_DISK_THREADS;
	v = opt_keys_value(&keys, "format");
	if (v && !strcmp(v, "raw"))
		d.flags |= VMM_DISK_RAW;
	v = opt_keys_value(&keys, "path");
	if (v && *v) {
		ret = vmopts_absolute(ctx, v, path);
		if (ret)
			return ret;
		if (!o->unseen && access(path, R_OK))
			return err_sys(&ctx->err, RC_INVALID, errno, NULL, "cannot read the disk %s", v);
		o->disk[o->cfg.disks] = strdup(path);
		if (!o->disk[o->cfg.disks])
			return err_sys(&ctx->err, RC_FAILED, ENOMEM, NULL, "option --%s", opt->name);
		d.path = o->disk[o->cfg.disks];
	}
	if (unit < 0)
		unit = disk_free_unit(o, d.controller);
	if (unit < 0)
		return err_set(&ctx->err, RC_INVALID, "use another one: bus=scsi1",
			       "controller scsi%u has no free place", d.controller);
	d.lun = (uint8_t)unit;
	o->cfg.disk[o->cfg.disks++] = d;
	return 0;
}

static int seed(struct ctx *ctx, struct vmopts *o)
{
	char path[64];
	int ret = cloudinit_seed(ctx, o, path);

	return ret || !*path ? ret : disk(ctx, o, def_opt("cdrom"), path);
}

/* In the order given, so that the first one is the guest's sda. */
static int disks(struct ctx *ctx, struct vmopts *o)
{
	int ret = 0;

	for (unsigned int i = 0; i < ctx->line.hits && !ret; i++) {
		const struct opt *opt = ctx->line.hit[i].opt;

		if (!strcmp(opt->name, "disk") || !strcmp(opt->name, "cdrom"))
			ret = disk(ctx, o, opt, ctx->line.hit[i].value);
	}
	return ret ? ret : seed(ctx, o);
}

static int append(struct ctx *ctx, struct vmopts *o)
{
	const char *value;
	unsigned int at = 0;
	size_t n = 0;

	while ((value = opt_next(&ctx->line, "append", &at))) {
		size_t len = strlen(value);

		if (n + len + 1 > VMM_CMDLINE_MAX)
			return err_set(&ctx->err, RC_INVALID, NULL,
				       "the kernel's command line is longer than %d bytes", VMM_CMDLINE_MAX);
		if (strchr(value, '\n'))
			return err_set(&ctx->err, RC_INVALID, NULL, "option --append: there is a line break in it");
		if (n)
			o->append[n++] = ' ';
		memcpy(o->append + n, value, len + 1);
		n += len;
	}
	o->cfg.append = n ? o->append : NULL;
	return 0;
}

static int image(struct ctx *ctx, const struct vmopts *o, const char *opt, char *buf, const char **out)
{
	const char *path = opt_value(&ctx->line, opt);
	int ret;

	if (!path)
		return 0;
	ret = vmopts_absolute(ctx, path, buf);
	if (ret)
		return ret;
	*out = buf;
	if (!o->unseen && access(buf, R_OK))
		return err_sys(&ctx->err, RC_INVALID, errno, NULL, "cannot read the %s %s", opt, path);
	return 0;
}

static int flags(struct ctx *ctx, struct vmopts *o)
{
	static const struct { const char *opt; uint32_t flag; } map[] = {
		{ "paused", VMM_F_START_PAUSED }, { "no-reboot", VMM_F_NO_REBOOT },
		{ "test-devices", VMM_F_TEST_DEVICES },
	};
	const char *sandbox = opt_value(&ctx->line, "sandbox");
	const char *escape = opt_value(&ctx->line, "escape");
	int c;

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		if (opt_has(&ctx->line, map[i].opt))
			o->cfg.flags |= map[i].flag;
	if (sandbox && !strcmp(sandbox, "log"))
		o->cfg.flags |= VMM_F_SECCOMP_LOG;
	if (sandbox && !strcmp(sandbox, "off"))
		o->cfg.flags |= VMM_F_NO_SANDBOX;
	if (!escape)
		return 0;
	c = tty_escape_parse(escape);
	if (c < 0)
		return err_set(&ctx->err, RC_USAGE, "write ^a, a single character, or none",
			       "option --escape: '%s' is not a character", escape);
	o->cfg.escape = (uint8_t)c;
	return 0;
}

int vmopts_parse(struct ctx *ctx, struct vmopts *o, enum vmm_serial where)
{
	static int (*const steps[])(struct ctx *, struct vmopts *) = {
		memory, cpus, numa, disks, netopts_parse, serial, append, flags,
	};
	char why[256];
	int ret;

	vmm_config_init(&o->cfg);
	o->cfg.serial = (uint8_t)where;
	o->name = opt_value(&ctx->line, "name");
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		ret = steps[i](ctx, o);
		if (ret)
			return ret;
	}
	if (!opt_has(&ctx->line, "kernel"))
		ret = bootimage_use(ctx, o);
	else if (opt_has(&ctx->line, "boot-menu"))
		ret = err_set(&ctx->err, RC_USAGE, "leave --kernel away: the menu is of the disk's own kernels",
			      "--boot-menu does not go with --kernel");
	else
		ret = image(ctx, o, "kernel", o->kernel, &o->cfg.kernel);
	if (!ret && opt_has(&ctx->line, "kernel"))
		ret = image(ctx, o, "initrd", o->initrd, &o->cfg.initrd);
	if (ret)
		return ret;
	snprintf(o->cfg.name, sizeof(o->cfg.name), "vm");	/* until the name is known */
	if (vmm_config_check(&o->cfg, why, sizeof(why)))
		return err_set(&ctx->err, RC_INVALID, NULL, "%s", why);
	return 0;
}

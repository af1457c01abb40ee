// SPDX-License-Identifier: GPL-2.0-or-later
/* The VM's configuration: defaults, checks, and the text form. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "config.h"

#define MIB (1ULL << 20)

enum field_type { F_U8, F_U16, F_U32, F_U64, F_S16, F_NAME, F_STR };

struct field {
	const char	*key;
	uint8_t		type;
	uint16_t	offset;
};

#define FIELD(name, type) { #name, type, offsetof(struct vmm_config, name) }

static const struct field fields[] = {
	FIELD(name, F_NAME),
	FIELD(flags, F_U32),
	FIELD(cpus, F_U16),
	FIELD(nodes, F_U16),
	FIELD(memory, F_U64),
	FIELD(backing, F_U8),
	FIELD(serial, F_U8),
	FIELD(escape, F_U8),
	FIELD(host_node, F_S16),
	FIELD(kernel, F_STR),
	FIELD(initrd, F_STR),
	FIELD(append, F_STR),
	FIELD(cpu_model, F_STR),
	FIELD(cpu_off, F_STR),
	FIELD(serial_path, F_STR),
};

#define NR_FIELDS (sizeof(fields) / sizeof(fields[0]))

static const char * const cause_names[VMM_END_NR] = {
	[VMM_END_NONE] = "none", [VMM_END_POWEROFF] = "power-off", [VMM_END_RESET] = "reset",
	[VMM_END_DEBUG_EXIT] = "debug-exit", [VMM_END_KILLED] = "killed",
	[VMM_END_TRIPLE_FAULT] = "triple-fault", [VMM_END_CRASHED] = "crashed",
	[VMM_END_HOST_ERROR] = "host-error", [VMM_END_CONFIG] = "config",
	[VMM_END_UNSUPPORTED] = "unsupported", [VMM_END_NO_BOOT] = "no-boot", [VMM_END_SAVED] = "saved",
};

const char *vmm_cause_name(enum vmm_cause cause)
{
	return cause < VMM_END_NR ? cause_names[cause] : "unknown";
}

void vmm_config_init(struct vmm_config *cfg)
{
	memset(cfg, 0, sizeof(*cfg));
	cfg->cpus = 1;
	cfg->memory = 512 * MIB;
	cfg->serial = VMM_SERIAL_STDIO;
	cfg->escape = 0x1d;
	cfg->host_node = -1;
}

/* ---- checks ---- */

#define BAD(...) do { snprintf(err, errlen, __VA_ARGS__); return -EINVAL; } while (0)

static bool name_char(char c, bool first)
{
	bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');

	return alnum || (!first && (c == '.' || c == '_' || c == '-'));
}

static int check_name(const char *name, char *err, size_t errlen)
{
	size_t i, len = strnlen(name, VMM_NAME_MAX + 1);

	if (len > VMM_NAME_MAX)
		BAD("name: longer than %d bytes", VMM_NAME_MAX);
	for (i = 0; i < len; i++)
		if (!name_char(name[i], i == 0))
			BAD("name: only letters, digits, '.', '_' and '-', and a letter or digit first");
	return 0;
}

static int check_string(const char *key, const char *s, size_t max, char *err, size_t errlen)
{
	if (!s)
		return 0;
	if (strnlen(s, max + 1) > max)
		BAD("%s: longer than %zu bytes", key, max);
	if (strchr(s, '\n'))
		BAD("%s: holds a line break", key);
	return 0;
}

static int check_nodes(const struct vmm_config *cfg, char *err, size_t errlen)
{
	uint64_t sum = 0;
	unsigned int i, j, cpu = 0;

	if (cfg->nodes > VMM_NODES_MAX)
		BAD("nodes: at most %d", VMM_NODES_MAX);
	for (i = 0; i < cfg->nodes; i++) {
		const struct vmm_node *n = &cfg->node[i];

		if (!n->memory || n->memory > VMM_MEMORY_MAX || n->memory % (2 * MIB))
			BAD("node %u: memory must be a multiple of 2 MiB, not 0", i);
		if (n->cpu_count && n->cpu_first != cpu)
			BAD("node %u: CPUs must be given to nodes in order, without gaps", i);
		cpu += n->cpu_count;
		sum += n->memory;
		if (n->host_node < -1 || n->host_node > 1023)
			BAD("node %u: host node out of range 0..1023", i);
		for (j = 0; j < cfg->nodes; j++)
			if (cfg->distance[i][j] && (cfg->distance[i][j] < 10 ||
						    (i == j) != (cfg->distance[i][j] == 10)))
				BAD("node %u: distance to itself is 10, to others 11..255", i);
	}
	if (cfg->nodes && cpu != cfg->cpus)
		BAD("nodes: hold %u CPUs of %u", cpu, cfg->cpus);
	if (cfg->nodes && sum != cfg->memory)
		BAD("nodes: their memory is %llu MiB of %llu MiB", (unsigned long long)(sum / MIB),
		    (unsigned long long)(cfg->memory / MIB));
	return 0;
}

static int check_disks(const struct vmm_config *cfg, char *err, size_t errlen)
{
	uint64_t used[VMM_CONTROLLERS_MAX] = { 0 };
	unsigned int i;
	int ret;

	if (cfg->disks > VMM_DISKS_MAX)
		BAD("disks: at most %d", VMM_DISKS_MAX);
	for (i = 0; i < cfg->disks; i++) {
		const struct vmm_disk *d = &cfg->disk[i];

		ret = check_string("disk", d->path, VMM_PATH_MAX, err, errlen);
		if (ret)
			return ret;
		if (d->flags & ~VMM_DISK_ALL)
			BAD("disk %u: unknown flags 0x%x", i, d->flags & ~VMM_DISK_ALL);
		if ((!d->path || !*d->path) && !(d->flags & VMM_DISK_DVD))
			BAD("disk %u: no image; only a DVD drive may be empty", i);
		if (d->controller >= VMM_CONTROLLERS_MAX || d->lun >= VMM_LUNS_MAX)
			BAD("disk %u: place scsi%u:%u; controllers are 0..%d, units 0..%d", i, d->controller,
			    d->lun, VMM_CONTROLLERS_MAX - 1, VMM_LUNS_MAX - 1);
		if (used[d->controller] >> d->lun & 1)
			BAD("disk %u: place scsi%u:%u is taken", i, d->controller, d->lun);
		used[d->controller] |= 1ULL << d->lun;
	}
	return 0;
}

static int check_nets(const struct vmm_config *cfg, char *err, size_t errlen)
{
	unsigned int i;
	int ret;

	if (cfg->nets > VMM_NETS_MAX)
		BAD("net: at most %d", VMM_NETS_MAX);
	for (i = 0; i < cfg->nets; i++) {
		const struct vmm_net *n = &cfg->net[i];

		ret = check_string("net", n->to, VMM_NET_TO_MAX, err, errlen);
		if (ret)
			return ret;
		if (n->kind >= VMM_NET_NR)
			BAD("net %u: unknown kind %u", i, n->kind);
		if (n->flags & ~VMM_NET_ALL)
			BAD("net %u: unknown flags 0x%x", i, n->flags & ~VMM_NET_ALL);
		if (n->mac[0] & 1)
			BAD("net %u: a group address is no adapter's", i);
		if (n->mtu && (n->mtu < VMM_NET_MTU_MIN || n->mtu > VMM_NET_MTU_MAX))
			BAD("net %u: mtu must be %d..%d", i, VMM_NET_MTU_MIN, VMM_NET_MTU_MAX);
	}
	return 0;
}

static const struct { const char *key; uint16_t offset; uint16_t max; } limits[] = {
	{ "kernel", offsetof(struct vmm_config, kernel), VMM_PATH_MAX },
	{ "initrd", offsetof(struct vmm_config, initrd), VMM_PATH_MAX },
	{ "append", offsetof(struct vmm_config, append), VMM_CMDLINE_MAX },
	{ "cpu_model", offsetof(struct vmm_config, cpu_model), 32 },
	{ "cpu_off", offsetof(struct vmm_config, cpu_off), 1024 },
	{ "serial_path", offsetof(struct vmm_config, serial_path), VMM_PATH_MAX },
};

int vmm_config_check(const struct vmm_config *cfg, char *err, size_t errlen)
{
	unsigned int i;
	int ret = check_name(cfg->name, err, errlen);

	if (ret)
		return ret;
	for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		const char *s = *(const char * const *)((const char *)cfg + limits[i].offset);

		ret = check_string(limits[i].key, s, limits[i].max, err, errlen);
		if (ret)
			return ret;
	}
	if (cfg->flags & ~VMM_F_ALL)
		BAD("flags: unknown bits 0x%x", cfg->flags & ~VMM_F_ALL);
	if (!cfg->cpus || cfg->cpus > VMM_CPUS_MAX)
		BAD("cpus: must be 1..%d", VMM_CPUS_MAX);
	if (cfg->memory < VMM_MEMORY_MIN || cfg->memory > VMM_MEMORY_MAX)
		BAD("memory: must be 1 MiB..4 TiB");
	if (cfg->memory % 4096)
		BAD("memory: must be a multiple of 4 KiB");
	if (cfg->backing >= VMM_BACKING_NR)
		BAD("backing: unknown kind %u", cfg->backing);
	if (cfg->backing == VMM_BACKING_HUGETLB && cfg->memory % (2 * MIB))
		BAD("memory: must be a multiple of 2 MiB with hugetlb backing");
	if (cfg->serial >= VMM_SERIAL_NR)
		BAD("serial: unknown kind %u", cfg->serial);
	if ((cfg->serial == VMM_SERIAL_SOCKET || cfg->serial == VMM_SERIAL_FILE) && !cfg->serial_path)
		BAD("serial: a socket or file needs a path");
	if (cfg->host_node < -1 || cfg->host_node > 1023)
		BAD("host_node: out of range 0..1023");
	if (!cfg->kernel || !*cfg->kernel)
		BAD("kernel: none given");
	ret = check_disks(cfg, err, errlen);
	if (!ret)
		ret = check_nets(cfg, err, errlen);
	return ret ? ret : check_nodes(cfg, err, errlen);
}

/* ---- text form ---- */

struct text_out {
	char	*buf;
	size_t	len, pos;
};

static void __attribute__((format(printf, 2, 3))) put(struct text_out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (o->pos > o->len)
		return;
	va_start(ap, fmt);
	n = vsnprintf(o->buf + o->pos, o->len - o->pos, fmt, ap);
	va_end(ap);
	o->pos = n < 0 || (size_t)n >= o->len - o->pos ? o->len + 1 : o->pos + n;
}

static void put_field(struct text_out *o, const struct vmm_config *cfg, const struct field *f)
{
	const char *p = (const char *)cfg + f->offset;

	switch ((enum field_type)f->type) {
	case F_U8:
		put(o, "%s=%u\n", f->key, *(const uint8_t *)p);
		break;
	case F_U16:
		put(o, "%s=%u\n", f->key, *(const uint16_t *)p);
		break;
	case F_U32:
		put(o, "%s=%u\n", f->key, *(const uint32_t *)p);
		break;
	case F_U64:
		put(o, "%s=%llu\n", f->key, (unsigned long long)*(const uint64_t *)p);
		break;
	case F_S16:
		put(o, "%s=%d\n", f->key, *(const int16_t *)p);
		break;
	case F_NAME:
		if (*p)
			put(o, "%s=%s\n", f->key, p);
		break;
	case F_STR:
		if (*(const char * const *)p)
			put(o, "%s=%s\n", f->key, *(const char * const *)p);
		break;
	}
}

int vmm_config_encode(const struct vmm_config *cfg, char *buf, size_t len)
{
	struct text_out o = { buf, len, 0 };
	unsigned int i, j;

	for (i = 0; i < NR_FIELDS; i++)
		put_field(&o, cfg, &fields[i]);
	for (i = 0; i < cfg->nodes && i < VMM_NODES_MAX; i++) {
		const struct vmm_node *n = &cfg->node[i];

		put(&o, "node%u=%llu,%u,%u,%d", i, (unsigned long long)n->memory, n->cpu_first,
		    n->cpu_count, n->host_node);
		for (j = 0; j < cfg->nodes && j < VMM_NODES_MAX; j++)
			put(&o, ",%u", cfg->distance[i][j]);
		put(&o, "\n");
	}
	for (i = 0; i < cfg->disks && i < VMM_DISKS_MAX; i++) {
		const struct vmm_disk *d = &cfg->disk[i];

		put(&o, "disk%u=%u,%u,%u,%s\n", i, d->controller, d->lun, d->flags,
		    d->path ? d->path : "");
	}
	for (i = 0; i < cfg->nets && i < VMM_NETS_MAX; i++) {
		const struct vmm_net *n = &cfg->net[i];

		put(&o, "net%u=%u,%u,%u,%u,%u,%u,%u,%u,%u,%s\n", i, n->kind, n->flags, n->mtu, n->mac[0],
		    n->mac[1], n->mac[2], n->mac[3], n->mac[4], n->mac[5], n->to ? n->to : "");
	}
	return o.pos > len || o.pos > VMM_TEXT_MAX ? -E2BIG : (int)o.pos;
}

/* One decimal number, [-]digits up to @end; the whole of it must fit. */
static int number(const char **s, long long min, unsigned long long max, long long *out)
{
	bool neg = **s == '-';
	unsigned long long v = 0;
	const char *p = *s + neg;

	if (*p < '0' || *p > '9')
		return -EINVAL;
	for (; *p >= '0' && *p <= '9'; p++) {
		if (v > (~0ULL - 9) / 10)
			return -EINVAL;
		v = v * 10 + (*p - '0');
	}
	if (neg ? min >= 0 || v > (unsigned long long)-min : v > max)
		return -EINVAL;
	*out = neg ? -(long long)v : (long long)v;
	*s = p;
	return 0;
}

static int take_field(struct vmm_config *cfg, const struct field *f, const char *value)
{
	char *p = (char *)cfg + f->offset;
	static const struct { long long min; unsigned long long max; } range[] = {
		[F_U8] = { 0, UINT8_MAX }, [F_U16] = { 0, UINT16_MAX }, [F_U32] = { 0, UINT32_MAX },
		[F_U64] = { 0, INT64_MAX }, [F_S16] = { INT16_MIN, INT16_MAX },
	};
	long long v;

	if (f->type == F_STR) {
		*(const char **)p = value;
		return 0;
	}
	if (f->type == F_NAME) {
		if (strlen(value) > VMM_NAME_MAX)
			return -EINVAL;
		strcpy(p, value);
		return 0;
	}
	if (number(&value, range[f->type].min, range[f->type].max, &v) || *value)
		return -EINVAL;
	switch ((enum field_type)f->type) {
	case F_U8:
		*(uint8_t *)p = v;
		break;
	case F_U16:
		*(uint16_t *)p = v;
		break;
	case F_U32:
		*(uint32_t *)p = v;
		break;
	case F_U64:
		*(uint64_t *)p = v;
		break;
	default:
		*(int16_t *)p = v;
	}
	return 0;
}

/* node<i>=memory,cpu_first,cpu_count,host_node[,distance...] */
static int take_node(struct vmm_config *cfg, const char *key, const char *value)
{
	const char *p = key + 4;
	struct vmm_node *n;
	long long i, v[4];
	unsigned int j;

	if (strncmp(key, "node", 4) || number(&p, 0, VMM_NODES_MAX - 1, &i) || *p)
		return -ENOENT;
	n = &cfg->node[i];
	for (j = 0; j < 4; j++) {
		if (j && *value++ != ',')
			return -EINVAL;
		if (number(&value, -1, VMM_MEMORY_MAX, &v[j]))
			return -EINVAL;
	}
	if (v[0] < 0 || v[1] < 0 || v[1] > VMM_CPUS_MAX || v[2] < 0 || v[2] > VMM_CPUS_MAX ||
	    v[3] > 1023)
		return -EINVAL;
	*n = (struct vmm_node){ .memory = v[0], .cpu_first = v[1], .cpu_count = v[2], .host_node = v[3] };
	for (j = 0; *value == ',' && j < VMM_NODES_MAX; j++) {
		value++;
		if (number(&value, 0, 255, &v[0]))
			return -EINVAL;
		cfg->distance[i][j] = v[0];
	}
	return *value ? -EINVAL : 0;
}

/* disk<i>=controller,lun,flags,path, the indices in order from 0 */
static int take_disk(struct vmm_config *cfg, const char *key, const char *value)
{
	const char *p = key + 4;
	long long i, v[3];
	unsigned int j;

	if (number(&p, 0, VMM_DISKS_MAX - 1, &i) || *p)
		return -ENOENT;
	if (i != cfg->disks)
		return i < cfg->disks ? -EEXIST : -EINVAL;
	for (j = 0; j < 3; j++)
		if (number(&value, 0, UINT8_MAX, &v[j]) || *value++ != ',')
			return -EINVAL;
	cfg->disk[cfg->disks++] = (struct vmm_disk){
		.path = *value ? value : NULL, .controller = v[0], .lun = v[1], .flags = v[2],
	};
	return 0;
}

/* net<i>=kind,flags,mtu, six bytes of the address, words of the backend; the indices in order from 0 */
static int take_net(struct vmm_config *cfg, const char *key, const char *value)
{
	const char *p = key + 3;
	struct vmm_net *n;
	long long i, v[9];
	unsigned int j;

	if (number(&p, 0, VMM_NETS_MAX - 1, &i) || *p)
		return -ENOENT;
	if (i != cfg->nets)
		return i < cfg->nets ? -EEXIST : -EINVAL;
	for (j = 0; j < 9; j++)
		if (number(&value, 0, j == 2 ? UINT16_MAX : UINT8_MAX, &v[j]) || *value++ != ',')
			return -EINVAL;
	n = &cfg->net[cfg->nets++];
	*n = (struct vmm_net){ .kind = v[0], .flags = v[1], .mtu = v[2], .to = *value ? value : NULL };
	for (j = 0; j < 6; j++)
		n->mac[j] = v[3 + j];
	return 0;
}

static int take_line(struct vmm_config *cfg, char *line, uint32_t *seen)
{
	char *value = strchr(line, '=');
	unsigned int i;

	if (!value)
		return -EINVAL;
	*value++ = 0;
	for (i = 0; i < NR_FIELDS; i++) {
		if (strcmp(line, fields[i].key))
			continue;
		if (*seen & 1u << i)
			return -EEXIST;
		*seen |= 1u << i;
		return take_field(cfg, &fields[i], value);
	}
	if (!strncmp(line, "disk", 4))
		return take_disk(cfg, line, value);
	return strncmp(line, "net", 3) ? take_node(cfg, line, value) : take_net(cfg, line, value);
}

int vmm_config_decode(struct vmm_config *cfg, char *text, size_t len, char *err, size_t errlen)
{
	uint32_t seen = 0;
	unsigned int lineno = 0;
	char *end;
	int ret;

	vmm_config_init(cfg);
	if (len > VMM_TEXT_MAX)
		BAD("configuration: %zu bytes, at most %d", len, VMM_TEXT_MAX);
	if (memchr(text, 0, len))
		BAD("configuration: holds a NUL byte");
	while (len) {
		lineno++;
		end = memchr(text, '\n', len);
		if (!end)
			BAD("configuration: line %u does not end", lineno);
		*end = 0;
		ret = take_line(cfg, text, &seen);
		if (ret)
			BAD("configuration: line %u (%.40s): %s", lineno, text,
			    ret == -ENOENT ? "unknown key" : ret == -EEXIST ? "key given twice" :
			    "bad value");
		len -= end + 1 - text;
		text = end + 1;
	}
	return vmm_config_check(cfg, err, errlen);
}

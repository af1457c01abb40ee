// SPDX-License-Identifier: GPL-2.0-or-later
/* The VM process's own records as bytes. */
#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "save_impl.h"

void save_host_cpu(char *buf, size_t len)
{
	uint32_t name[12] = { 0 }, max = __get_cpuid_max(0x80000000u, NULL);

	for (unsigned int i = 0; i < 3 && max >= 0x80000004u; i++)
		__cpuid(0x80000002u + i, name[4 * i], name[4 * i + 1], name[4 * i + 2], name[4 * i + 3]);
	snprintf(buf, len, "%.48s", (const char *)name);
}

static void put_text(struct fields_out *out, const char *s, size_t room)
{
	char buf[64] = { 0 };

	snprintf(buf, room, "%s", s);
	fields_put(out, buf, room);
}

/* For the terminal, too: what is no plain character becomes '?'. */
static void get_text(struct fields_in *in, char *s, size_t room)
{
	fields_get(in, s, room);
	s[room - 1] = 0;
	for (; *s; s++)
		if (*s < ' ' || *s > '~')
			*s = '?';
}

void save_machine_put(struct fields_out *out, const struct save_machine *s)
{
	fields_put_u64(out, s->wall_ns);
	fields_put_u32(out, s->tsc_khz);
	fields_put_u8(out, s->paused);
	put_text(out, s->host_cpu, sizeof(s->host_cpu));
	fields_put(out, s->generation_id, sizeof(s->generation_id));
}

int save_machine_get(const void *buf, uint32_t len, uint32_t version, struct save_machine *s)
{
	struct fields_in in = { .buf = buf, .len = len };

	if (!version || version > SAVE_VERSION_MACHINE)
		return -EINVAL;
	memset(s, 0, sizeof(*s));
	s->wall_ns = fields_get_u64(&in);
	s->tsc_khz = fields_get_u32(&in);
	s->paused = fields_get_bool(&in);
	get_text(&in, s->host_cpu, sizeof(s->host_cpu));
	if (version >= 2)
		fields_get(&in, s->generation_id, sizeof(s->generation_id));
	return fields_end(&in) ? 0 : -EINVAL;
}

void save_disk_put(struct fields_out *out, const struct save_disk *s)
{
	fields_put_u8(out, s->controller);
	fields_put_u8(out, s->unit);
	fields_put_u8(out, s->raw);
	fields_put_u64(out, s->size);
	fields_put_u64(out, s->changed_ns);
}

int save_disk_get(const void *buf, uint32_t len, uint32_t version, struct save_disk *s)
{
	struct fields_in in = { .buf = buf, .len = len };

	if (version != SAVE_VERSION)
		return -EINVAL;
	s->controller = fields_get_u8(&in);
	s->unit = fields_get_u8(&in);
	s->raw = fields_get_bool(&in);
	s->size = fields_get_u64(&in);
	s->changed_ns = fields_get_u64(&in);
	return fields_end(&in) ? 0 : -EINVAL;
}

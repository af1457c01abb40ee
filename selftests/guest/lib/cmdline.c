// SPDX-License-Identifier: GPL-2.0-or-later
/* cmdline.c - the multiboot command line */
#include "guest.h"
#include "boot.h"

#define MB_BOOT_MAGIC	0x2badb002
#define MB_INFO_CMDLINE	(1u << 2)

static char cmdline[512];

/* The information lies in low memory that smp_start() and tests overwrite: copy it at once. */
void cmdline_init(void)
{
	const struct {
		u32 flags, mem_lower, mem_upper, boot_device, cmdline;
	} *info = (const void *)(uintptr_t)boot_info;
	const char *s;
	u32 i;

	if (boot_magic != MB_BOOT_MAGIC || !(info->flags & MB_INFO_CMDLINE))
		return;
	s = (const char *)(uintptr_t)info->cmdline;
	for (i = 0; i < sizeof(cmdline) - 1 && s[i]; i++)
		cmdline[i] = s[i];
}

static u64 number(const char *s)
{
	u32 base = 10;
	u64 v = 0;

	if (s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	}
	for (;; s++) {
		char c = (char)(*s | 0x20);

		if (*s >= '0' && *s <= '9')
			v = v * base + (u64)(*s - '0');
		else if (base == 16 && c >= 'a' && c <= 'f')
			v = v * 16 + (u64)(c - 'a' + 10);
		else
			return v;
	}
}

/* The value after "name=", or NULL. */
static const char *value_of(const char *name)
{
	const char *p = cmdline;

	while (*p) {
		const char *n = name;

		while (*p == ' ')
			p++;
		while (*n && *p == *n) {
			p++;
			n++;
		}
		if (!*n && *p == '=')
			return p + 1;
		while (*p && *p != ' ')
			p++;
	}
	return NULL;
}

u64 option(const char *name, u64 missing)
{
	const char *value = value_of(name);

	return value ? number(value) : missing;
}

bool option_is(const char *name, const char *word)
{
	const char *value = value_of(name);

	while (value && *word && *value == *word) {
		value++;
		word++;
	}
	return value && !*word && (!*value || *value == ' ');
}

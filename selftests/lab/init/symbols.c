// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the host needs to give names to addresses when this kernel hangs and can not be
 * asked any more: scripts/hvlab/look.py reads it.
 */
#include "lab.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The text symbols of this kernel, once for each release (there is no address
 * randomization in the lab): TREE/build/lab/kallsyms-RELEASE.
 */
int symbols_save(const char *tree, const char *release)
{
	char path[4300], part[4320], line[512];
	int bad = 0;
	FILE *in, *out;

	snprintf(path, sizeof(path), "%s/build/lab", tree);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/build/lab/kallsyms-%s", tree, release);
	if (!access(path, F_OK))
		return 0;
	snprintf(part, sizeof(part), "%s.part", path);
	in = fopen("/proc/kallsyms", "re");
	out = in ? fopen(part, "we") : NULL;
	if (!out) {
		bad = errno;
		if (in)
			fclose(in);
		return -bad;
	}
	/* "ffffffff81000000 T name [module]"; those of hv.ko move, see symbols_hv(). */
	while (fgets(line, sizeof(line), in))
		if (strlen(line) > 19 && strchr("tTwW", line[17]) && !strstr(line, "[hv]"))
			bad |= fputs(line, out) < 0;
	fclose(in);
	bad |= fclose(out);
	return bad || rename(part, path) ? -EIO : 0;
}

/* Where hv.ko's code lies, as one line "SECTION=ADDRESS ..."; empty when it is not loaded. */
void symbols_hv(char *buf, size_t size)
{
	static const char *const sections[] = { ".text", ".noinstr.text", ".text.unlikely" };
	char path[96], addr[32];
	size_t i, n = 0;
	FILE *f;

	buf[0] = 0;
	for (i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		snprintf(path, sizeof(path), "/sys/module/hv/sections/%s", sections[i]);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fgets(addr, sizeof(addr), f) && n < size)
			n += snprintf(buf + n, size - n, "%s%s=%.*s", n ? " " : "", sections[i],
				      (int)strcspn(addr, "\n"), addr);
		fclose(f);
	}
}

// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KVM in the way. One owner at a time may switch SVM or VMX on in a CPU, and
 * hv never takes it from another.
 *
 * Up to 6.11 KVM switches it on with its first VM; since 6.12 when kvm_amd or
 * kvm_intel is loaded, unless kvm.enable_virt_at_load=0.
 */
#include "probe.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Names of processes with /dev/kvm open, "qemu (12), ..."; empty if none are seen. */
static void kvm_users(const struct doctor_place *place, char *buf, size_t size)
{
	char dir[512], link[1024], target[64], comm[64];
	struct dirent *p, *e;
	size_t used = 0;
	DIR *proc, *fds;
	ssize_t n;

	buf[0] = 0;
	field_path(place, dir, sizeof(dir), "/proc");
	proc = opendir(dir);
	while (proc && (p = readdir(proc)) && used < size) {
		if (!isdigit((unsigned char)p->d_name[0]))
			continue;
		field_path(place, dir, sizeof(dir), "/proc/%.20s/fd", p->d_name);
		fds = opendir(dir);
		while (fds && (e = readdir(fds))) {
			snprintf(link, sizeof(link), "%s/%s", dir, e->d_name);
			n = readlink(link, target, sizeof(target) - 1);
			if (n < 0)
				continue;
			target[n] = 0;
			if (strcmp(target, "/dev/kvm"))
				continue;
			snprintf(link, sizeof(link), "/proc/%.20s/comm", p->d_name);
			field_read(place, link, comm, sizeof(comm));
			used += snprintf(buf + used, size - used, "%s%s (%.20s)",
					 used ? ", " : "", comm, p->d_name);
			break;
		}
		if (fds)
			closedir(fds);
	}
	if (proc)
		closedir(proc);
}

bool probe_kvm(const struct doctor_place *place, struct doctor_finding *f)
{
	static const char *const vendors[] = { "kvm_amd", "kvm_intel" };
	char path[128], refs[16] = "0", at_load[8] = "", users[128];
	const char *vendor = NULL;
	size_t i;

	for (i = 0; i < sizeof(vendors) / sizeof(vendors[0]); i++) {
		snprintf(path, sizeof(path), "/sys/module/%s/refcnt", vendors[i]);
		if (field_exists(place, path)) {
			vendor = vendors[i];
			field_read(place, path, refs, sizeof(refs));
		}
	}
	if (!vendor)
		return false;
	field_read(place, "/sys/module/kvm/parameters/enable_virt_at_load", at_load,
		   sizeof(at_load));
	kvm_users(place, users, sizeof(users));
	if (atoi(refs) > 0 || users[0]) {
		field_set(f->cause, "%s holds the CPU's virtualization; in use by: %s", vendor,
			  users[0] ? users : "a process this user cannot see");
		field_set(f->remedy, "stop those virtual machines, then modprobe -r %s", vendor);
		return true;
	}
	if (at_load[0] == 'Y') {
		field_set(f->cause, "%s holds the CPU's virtualization from the moment it is loaded; "
			  "nothing uses it", vendor);
		field_set(f->remedy, "modprobe -r %s, or boot with kvm.enable_virt_at_load=0", vendor);
		return true;
	}
	field_set(f->cause, "%s is loaded and not in use: it would take the CPU's virtualization "
		  "with its first virtual machine", vendor);
	field_set(f->remedy, "nothing to do while no KVM machine runs; modprobe -r %s to be sure",
		  vendor);
	f->blocks = 0;
	return true;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Firmware, kernel and CPU: may a module be loaded here, and would it have VT? */
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECURE_BOOT "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define MSR_VM_CR 0xc0010114
#define VM_CR_SVMDIS (1u << 4)

/* Four bytes of attributes, then one byte: 1 is on (UEFI 2.10, section 3.3). */
bool probe_secure_boot(const struct doctor_place *place, struct doctor_finding *f)
{
	unsigned char var[5];

	if (field_bytes(place, SECURE_BOOT, 0, var, sizeof(var)) != sizeof(var) || var[4] != 1)
		return false;
	field_set(f->cause, "Secure Boot is on: the kernel refuses an hv.ko that is not signed "
		  "with a key it knows");
	field_set(f->remedy, "sign hv.ko with a key enrolled by mokutil --import, or switch Secure "
		  "Boot off in the firmware; the lab works as it is");
	return true;
}

bool probe_lockdown(const struct doctor_place *place, struct doctor_finding *f)
{
	char text[128] = "", enforce[8] = "";
	const char *mode = NULL;

	field_read(place, "/sys/kernel/security/lockdown", text, sizeof(text));
	field_read(place, "/sys/module/module/parameters/sig_enforce", enforce, sizeof(enforce));
	if (strstr(text, "[integrity]"))
		mode = "integrity";
	else if (strstr(text, "[confidentiality]"))
		mode = "confidentiality";
	if (mode)
		field_set(f->cause, "the kernel is locked down (%s): it refuses modules without a "
			  "known signature", mode);
	else if (enforce[0] == 'Y')
		field_set(f->cause, "the kernel was told to refuse unsigned modules "
			  "(module.sig_enforce)");
	else
		return false;
	field_set(f->remedy, "sign hv.ko with an enrolled key, or boot without %s; the lab works "
		  "as it is", mode ? "lockdown= on the command line and Secure Boot" :
		  "module.sig_enforce");
	return true;
}

/* The release that installed headers were made for; false if they do not say. */
static bool headers_release(const struct doctor_place *place, const char *release, char *buf,
			    size_t size)
{
	char path[256], text[256] = "", *start, *end;

	snprintf(path, sizeof(path), "/lib/modules/%s/build/include/generated/utsrelease.h",
		 release);
	if (!field_read(place, path, text, sizeof(text)))
		return false;
	start = strstr(text, "UTS_RELEASE \"");
	end = start ? strchr(start + 13, '"') : NULL;
	if (!end)
		return false;
	*end = 0;
	snprintf(buf, size, "%s", start + 13);
	return true;
}

bool probe_headers(const struct doctor_place *place, struct doctor_finding *f)
{
	char release[128], path[256], made[128];

	field_release(place, release, sizeof(release));
	snprintf(path, sizeof(path), "/lib/modules/%s/build/Makefile", release);
	if (!field_exists(place, path)) {
		field_set(f->cause, "no headers for the running kernel %s: hv.ko cannot be built "
			  "for it", release);
		field_set(f->remedy, "apt install linux-headers-%s, or reboot into the newest "
			  "installed kernel", release);
		return true;
	}
	if (headers_release(place, release, made, sizeof(made)) && strcmp(made, release)) {
		field_set(f->cause, "the headers in /lib/modules/%s are those of %s", release, made);
		field_set(f->remedy, "apt install --reinstall linux-headers-%s", release);
		return true;
	}
	return false;
}

static bool cpu_flag(const struct doctor_place *place, const char *flag)
{
	static char text[65536];
	const char *p;
	size_t n = strlen(flag);
	ssize_t got = field_bytes(place, "/proc/cpuinfo", 0, text, sizeof(text) - 1);

	text[got > 0 ? got : 0] = 0;
	p = strstr(text, "\nflags");
	if (!p)
		return false;
	for (p = strstr(p, flag); p; p = strstr(p + n, flag))
		if (p[-1] == ' ' && (p[n] == ' ' || p[n] == '\n' || !p[n]))
			return true;
	return false;
}

bool probe_vt(const struct doctor_place *place, struct doctor_finding *f)
{
	uint64_t vm_cr;

	if (cpu_flag(place, "svm")) {
		if (!cpu_flag(place, "npt")) {
			field_set(f->cause, "the CPU reports svm without npt: hv needs nested paging");
			field_set(f->remedy, "have nested paging switched on in the hypervisor outside "
				  "this virtual machine, or use the lab");
			return true;
		}
		/* The flag stays when the firmware switched SVM off. */
		if (field_bytes(place, "/dev/cpu/0/msr", MSR_VM_CR, &vm_cr, 8) != 8 ||
		    !(vm_cr & VM_CR_SVMDIS))
			return false;
		field_set(f->cause, "the firmware has switched SVM off (VM_CR.SVMDIS)");
		field_set(f->remedy, "switch SVM (AMD-V) on in the firmware's set-up; until then "
			  "use the lab");
		return true;
	}
	if (cpu_flag(place, "vmx")) {
		field_set(f->cause, "this CPU has VT-x; this version of hv drives AMD's SVM only");
		field_set(f->remedy, "use the lab, which emulates SVM");
		return true;
	}
	field_set(f->cause, "the CPU reports neither svm nor vmx");
	if (cpu_flag(place, "hypervisor"))
		field_set(f->remedy, "this is a virtual machine: have nesting switched on outside "
			  "it, or use the lab");
	else
		field_set(f->remedy, "switch virtualization (SVM, AMD-V) on in the firmware's "
			  "set-up, or use the lab");
	return true;
}

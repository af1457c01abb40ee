/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the doctor: one function a probe, and small readers of system files. */
#ifndef DOCTOR_PROBE_H
#define DOCTOR_PROBE_H

#include "doctor.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A probe fills cause and remedy and returns true when it found something.
 * It may change blocks, which starts as its table row says.
 */
typedef bool (*doctor_probe_fn)(const struct doctor_place *place, struct doctor_finding *f);

bool probe_secure_boot(const struct doctor_place *place, struct doctor_finding *f);
bool probe_lockdown(const struct doctor_place *place, struct doctor_finding *f);
bool probe_headers(const struct doctor_place *place, struct doctor_finding *f);
bool probe_vt(const struct doctor_place *place, struct doctor_finding *f);
bool probe_kvm(const struct doctor_place *place, struct doctor_finding *f);
bool probe_device(const struct doctor_place *place, struct doctor_finding *f);
bool probe_memlock(const struct doctor_place *place, struct doctor_finding *f);
bool probe_cgroup(const struct doctor_place *place, struct doctor_finding *f);
bool probe_cache(const struct doctor_place *place, struct doctor_finding *f);

/* fields.c. Paths are below place->root; texts are cut at size. */
void field_path(const struct doctor_place *place, char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* First size - 1 bytes of a file, NUL-terminated, last newline gone; false: unreadable. */
bool field_read(const struct doctor_place *place, const char *path, char *buf, size_t size);
/* Bytes as they are; returns their number or a negative errno. */
ssize_t field_bytes(const struct doctor_place *place, const char *path, off_t at, void *buf,
		    size_t size);
bool field_exists(const struct doctor_place *place, const char *path);
void field_release(const struct doctor_place *place, char *buf, size_t size);
void field_set(char *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

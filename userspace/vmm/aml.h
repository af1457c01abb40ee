/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A byte builder and a small AML emitter (ACPI 6.4, chapter 20).
 *
 * Overflow is remembered, not reported by each call: build everything, then look at bytes.overflow.
 */
#ifndef HV_VMM_AML_H
#define HV_VMM_AML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	uint8_t	*buf;
	size_t	cap;
	size_t	len;
	bool	overflow;
};

void bytes_put(struct bytes *b, const void *data, size_t len);
void bytes_le(struct bytes *b, uint64_t value, unsigned int size);	/* @size bytes, little-endian */
void bytes_pad(struct bytes *b, size_t align);				/* zeroes up to a multiple */

/* Scopes with a PkgLength: aml_end() gets what the opening call returned. @name: 4 characters, or with
 * a leading '\' for the root. */
size_t aml_scope(struct bytes *b, const char *name);
size_t aml_device(struct bytes *b, const char *name);
size_t aml_package(struct bytes *b, unsigned int elements);
size_t aml_method(struct bytes *b, const char *name, unsigned int args);	/* serialized; statements follow */
void aml_end(struct bytes *b, size_t start);

void aml_name(struct bytes *b, const char *name);		/* Name(@name, ...): the value follows */
void aml_notify(struct bytes *b, const char *name, uint8_t event);	/* a statement */
void aml_int(struct bytes *b, uint64_t value);
void aml_string(struct bytes *b, const char *s);
void aml_eisaid(struct bytes *b, const char *id);		/* "PNP0501" */

/* A resource template: aml_resources() .. aml_resources_end(). */
struct aml_resources {
	uint8_t		data[128];
	struct bytes	b;
};

void aml_resources(struct aml_resources *r);
void aml_io(struct aml_resources *r, uint16_t port, uint8_t len);
void aml_irq(struct aml_resources *r, uint32_t gsi, bool level);
/* Memory window [@base, @base + @len), produced for children. */
void aml_window(struct aml_resources *r, uint64_t base, uint64_t len);
void aml_resources_end(struct bytes *b, struct aml_resources *r);

#endif

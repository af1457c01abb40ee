/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How options and XML say the same: one row for each option, or each key of its list.
 *
 * To give a new option its XML add a row to map_table.c; a repeated option with an element of its own
 * (<disk>, <interface>) also needs a row in def_items. Paths are under <domain>, or under that element:
 * "os/kernel" is an element's text, "driver@io" an attribute, "@type" one of the element itself.
 */
#ifndef HV_HVCTL_DEF_MAP_H
#define HV_HVCTL_DEF_MAP_H

#include "hvctl/def/def.h"

/* A word of an option's and the one XML has for it; NULL: it is the default, and XML says nothing. */
struct def_word {
	const char	*opt, *xml;	/* opt NULL ends the array */
};

struct def_row;

/* What a reader or writer of a definition is at. */
struct def_job {
	struct def	*d;
	struct xml_doc	*doc;		/* of the tree read or written */
	const char	*what;		/* its name in errors */
	unsigned int	nr;		/* of the element among those of its option, from 0 */
	unsigned long long used[4];	/* units taken, by controller */
	struct err	*err;
};

struct def_form {
	/*
	 * Find the value under @base and mark it as read; several of a key that may be repeated (OPT_STRS)
	 * with '\n' between. Return: 1 with @value filled in, 0: absent, or -1 with the error set.
	 */
	int (*get)(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value);
	/* Say @value (each of OPT_STRS by itself) under @base; NULL for a flag, and, with @always, where the option lacks the key. */
	void (*put)(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value);
	bool always;
};

struct def_row {
	const char		*opt;	/* NULL: no option; what every VM of ours is */
	const char		*key;	/* NULL: the option itself, or, with form_fixed, none */
	const char		*path;
	const struct def_form	*form;
	const struct def_word	*words;
};

/* Options that are an element each. */
struct def_item {
	const char	*opt, *path;
	const char	*attr, *value;	/* what tells it from others of the same name, or NULL */
};

extern const struct def_row def_rows[];		/* ends with path NULL */
extern const struct def_item def_items[];	/* ends with opt NULL */

extern const struct def_form form_text, form_size, form_words, form_present, form_yes, form_fixed, form_name,
	form_uuid, form_title;
extern const struct def_form form_backing, form_host_node, form_cpu_model, form_cpu_off, form_cell_id,
	form_cell_node;
extern const struct def_form form_place, form_serial_to;
extern const struct def_form form_net_flag, form_net_bridge, form_net_forward;

/* @path under @base, marking what is passed as read. *@attr: the name behind '@', or NULL. */
struct xml_node *map_find(struct xml_node *base, const char *path, const char **attr);
/* The same, adding what is missing; NULL without memory. */
struct xml_node *map_want(struct def_job *j, struct xml_node *base, const char *path, const char **attr);
/* Copy at most DEF_VALUE_MAX bytes. Return: 1, or -1: too long. */
int map_value(struct def_job *j, const struct xml_node *at, const char *from, char *value);
/* "what:line: <element>: ..."; Return: -1. */
int map_error(struct def_job *j, const struct xml_node *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A plain number up to @max. Return: 1, or -1 with the error set. */
int map_number(struct def_job *j, const struct xml_node *at, const char *text, unsigned long long max,
	       unsigned long long *out);

#endif

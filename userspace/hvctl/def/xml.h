/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * XML as a tree, read with expat; hostile input is normal.
 *
 * What a definition never needs is refused while it is read: document types (and so every entity but the
 * five of XML itself), processing instructions, text between elements, and anything beyond the XML_*
 * limits. The tree keeps the line of each element, and marks for what its reader has understood, so that
 * xml_unread() finds the rest: nothing is ever ignored.
 *
 * A document owns all its nodes and strings; they go with xml_free().
 */
#ifndef HV_HVCTL_DEF_XML_H
#define HV_HVCTL_DEF_XML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define XML_BYTES_MAX	(256u << 10)
#define XML_NODES_MAX	4096
#define XML_DEPTH_MAX	32
#define XML_ATTRS_MAX	32	/* of one element */

struct xml_attr {
	const char	*name, *value;
	struct xml_attr	*next;
	bool		read;		/* its meaning was taken */
};

struct xml_node {
	const char	*name;		/* as written, with its prefix */
	char		*text;		/* NULL: none; an element has text or children */
	struct xml_attr	*attrs;
	struct xml_node	*parent, *first, *last, *next;
	unsigned int	line;		/* 0: made here */
	bool		read, text_read;
	bool		keep;		/* not dropped by xml_prune() although it is empty */
};

struct xml_doc {
	struct xml_node		*root;
	struct xml_chunk	*chunks;	/* where everything lives */
	bool			failed;		/* memory ran out; sticky */
};

/* What was wrong with a text. */
struct xml_error {
	unsigned int	line;
	char		text[192];
};

/* Return: 0, -EINVAL with @e filled in, or -ENOMEM. xml_free() in any case. */
int xml_parse(struct xml_doc *doc, const char *text, size_t len, struct xml_error *e);
void xml_free(struct xml_doc *doc);

/* Copies into the document. NULL without memory, and @doc->failed is set. */
void *xml_alloc(struct xml_doc *doc, size_t bytes);
char *xml_string(struct xml_doc *doc, const char *s);
char *xml_format(struct xml_doc *doc, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The namespace of @node's prefix: what the nearest xmlns:prefix says, "" without one, NULL: undeclared. */
const char *xml_namespace(const struct xml_node *node);

/* The next child called @name after @from (NULL: the first one). */
struct xml_node *xml_child(const struct xml_node *node, const char *name, const struct xml_node *from);
/* The value of an attribute, or NULL. It counts as read. */
const char *xml_attr_read(struct xml_node *node, const char *name);
/* The text of an element, "" when there is none. It counts as read. */
const char *xml_text_read(struct xml_node *node);

/*
 * Find what nobody has read, in document order: an element, then its attributes and text, then its
 * children. *@attr: the attribute, or NULL. Return: the element, or NULL: all is read.
 */
const struct xml_node *xml_unread(const struct xml_node *node, const struct xml_attr **attr);

/* --- making trees; all take NULL nodes, after memory ran out */

struct xml_node *xml_add(struct xml_doc *doc, struct xml_node *parent, const char *name);
/* The first child called @name, added if there is none. */
struct xml_node *xml_want(struct xml_doc *doc, struct xml_node *parent, const char *name);
void xml_set(struct xml_doc *doc, struct xml_node *node, const char *attr, const char *value);
void xml_text(struct xml_doc *doc, struct xml_node *node, const char *text);
/* A copy of @from with all below it as a child of @parent; namespaces stay declared. */
void xml_copy(struct xml_doc *doc, struct xml_node *parent, const struct xml_node *from);
/* Drop descendants without attributes, text and children, but for those to keep. */
void xml_prune(struct xml_node *node);

/* Write the document. Return: 0, or -EILSEQ: a string holds what XML cannot (it must be UTF-8). */
int xml_write(const struct xml_doc *doc, FILE *f);

#endif

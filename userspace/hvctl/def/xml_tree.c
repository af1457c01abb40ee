// SPDX-License-Identifier: GPL-2.0-or-later
/* Trees of XML: memory, looking things up, making and changing them. */
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hvctl/def/xml.h"

#define CHUNK 8192

struct xml_chunk {
	struct xml_chunk	*next;
	size_t			used, size;
	_Alignas(16) char	data[];
};

void *xml_alloc(struct xml_doc *doc, size_t bytes)
{
	struct xml_chunk *c = doc->chunks;
	size_t size = bytes > CHUNK ? bytes : CHUNK;
	void *p;

	bytes = (bytes + 15) & ~(size_t)15;
	if (!c || c->size - c->used < bytes) {
		size = (size + 15) & ~(size_t)15;
		c = malloc(sizeof(*c) + size);
		if (!c) {
			doc->failed = true;
			return NULL;
		}
		*c = (struct xml_chunk){ doc->chunks, 0, size };
		doc->chunks = c;
	}
	p = c->data + c->used;
	c->used += bytes;
	return memset(p, 0, bytes);
}

void xml_free(struct xml_doc *doc)
{
	while (doc->chunks) {
		struct xml_chunk *c = doc->chunks;

		doc->chunks = c->next;
		free(c);
	}
	doc->root = NULL;
}

char *xml_string(struct xml_doc *doc, const char *s)
{
	size_t len = strlen(s) + 1;
	char *p = xml_alloc(doc, len);

	return p ? memcpy(p, s, len) : NULL;
}

char *xml_format(struct xml_doc *doc, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	p = n < 0 ? NULL : xml_alloc(doc, (size_t)n + 1);
	if (!p)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

static struct xml_attr *find_attr(const struct xml_node *node, const char *name)
{
	struct xml_attr *a = node->attrs;

	while (a && strcmp(a->name, name))
		a = a->next;
	return a;
}

/* What the nearest xmlns:@prefix above says, or NULL. */
static const char *declared(const struct xml_node *node, const char *prefix, size_t len)
{
	for (; node; node = node->parent)
		for (const struct xml_attr *a = node->attrs; a; a = a->next)
			if (!strncmp(a->name, "xmlns:", 6) && !strncmp(a->name + 6, prefix, len) &&
			    !a->name[6 + len])
				return a->value;
	return NULL;
}

const char *xml_namespace(const struct xml_node *node)
{
	const char *colon = strchr(node->name, ':');

	return colon ? declared(node, node->name, (size_t)(colon - node->name)) : "";
}

struct xml_node *xml_child(const struct xml_node *node, const char *name, const struct xml_node *from)
{
	struct xml_node *n = from ? from->next : node->first;

	while (n && strcmp(n->name, name))
		n = n->next;
	return n;
}

const char *xml_attr_read(struct xml_node *node, const char *name)
{
	struct xml_attr *a = find_attr(node, name);

	if (a)
		a->read = true;
	return a ? a->value : NULL;
}

const char *xml_text_read(struct xml_node *node)
{
	node->text_read = true;
	return node->text ? node->text : "";
}

const struct xml_node *xml_unread(const struct xml_node *node, const struct xml_attr **attr)
{
	*attr = NULL;
	if (!node->read)
		return node;
	for (const struct xml_attr *a = node->attrs; a; a = a->next)
		if (!a->read && strncmp(a->name, "xmlns:", 6)) {	/* that one only names */
			*attr = a;
			return node;
		}
	if (node->text && !node->text_read)
		return node;
	for (const struct xml_node *c = node->first; c; c = c->next) {
		const struct xml_node *found = xml_unread(c, attr);

		if (found)
			return found;
	}
	return NULL;
}

struct xml_node *xml_add(struct xml_doc *doc, struct xml_node *parent, const char *name)
{
	struct xml_node *n = xml_alloc(doc, sizeof(*n));

	if (!n)
		return NULL;
	n->name = xml_string(doc, name);
	n->parent = parent;
	if (!n->name)
		return NULL;
	if (parent) {
		if (parent->last)
			parent->last->next = n;
		else
			parent->first = n;
		parent->last = n;
	} else if (!doc->root) {
		doc->root = n;
	}
	return n;
}

struct xml_node *xml_want(struct xml_doc *doc, struct xml_node *parent, const char *name)
{
	struct xml_node *n = parent ? xml_child(parent, name, NULL) : NULL;

	return n || !parent ? n : xml_add(doc, parent, name);
}

void xml_set(struct xml_doc *doc, struct xml_node *node, const char *attr, const char *value)
{
	struct xml_attr *a = node ? find_attr(node, attr) : NULL, **at;

	if (!node)
		return;
	if (!a) {
		a = xml_alloc(doc, sizeof(*a));
		if (!a)
			return;
		a->name = xml_string(doc, attr);
		for (at = &node->attrs; *at; at = &(*at)->next)
			;
		*at = a->name ? a : NULL;
	}
	a->value = xml_string(doc, value);
	if (!a->value)
		a->value = "";
}

void xml_text(struct xml_doc *doc, struct xml_node *node, const char *text)
{
	if (node)
		node->text = xml_string(doc, text);
}

/* The declarations of prefixes that the copy @to, made of @from, has lost with @from's ancestors. */
static void keep_prefixes(struct xml_doc *doc, struct xml_node *to, const struct xml_node *from)
{
	for (const struct xml_node *up = from->parent; up; up = up->parent)
		for (const struct xml_attr *a = up->attrs; a; a = a->next)
			if (!strncmp(a->name, "xmlns:", 6) && !find_attr(to, a->name))
				xml_set(doc, to, a->name, a->value);
}

static struct xml_node *copy_below(struct xml_doc *doc, struct xml_node *parent, const struct xml_node *from)
{
	struct xml_node *n = parent ? xml_add(doc, parent, from->name) : NULL;

	if (!n)
		return NULL;
	n->keep = true;
	for (const struct xml_attr *a = from->attrs; a; a = a->next)
		xml_set(doc, n, a->name, a->value);
	if (from->text)
		xml_text(doc, n, from->text);
	for (const struct xml_node *c = from->first; c; c = c->next)
		copy_below(doc, n, c);
	return n;
}

void xml_copy(struct xml_doc *doc, struct xml_node *parent, const struct xml_node *from)
{
	struct xml_node *n = copy_below(doc, parent, from);

	if (n)
		keep_prefixes(doc, n, from);
}

void xml_prune(struct xml_node *node)
{
	struct xml_node **at = &node->first, *last = NULL;

	while (*at) {
		struct xml_node *c = *at;

		xml_prune(c);
		if (!c->keep && !c->attrs && !c->text && !c->first) {
			*at = c->next;
		} else {
			last = c;
			at = &c->next;
		}
	}
	node->last = last;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* From text to a tree, with expat. */
#include <errno.h>
#include <expat.h>
#include <stdarg.h>
#include <string.h>

#include "hvctl/def/xml.h"

struct reader {
	struct xml_doc		*doc;
	struct xml_error	*e;
	XML_Parser		p;
	struct xml_node		*at;		/* the open element */
	unsigned int		depth, nodes;
	size_t			text_len[XML_DEPTH_MAX + 1], text_room[XML_DEPTH_MAX + 1];
	int			ret;
};

__attribute__((format(printf, 2, 3)))
static void refuse(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	if (r->ret)
		return;
	r->ret = -EINVAL;
	r->e->line = (unsigned int)XML_GetCurrentLineNumber(r->p);
	va_start(ap, fmt);
	vsnprintf(r->e->text, sizeof(r->e->text), fmt, ap);
	va_end(ap);
	XML_StopParser(r->p, XML_FALSE);
}

static void no_memory(struct reader *r)
{
	if (!r->ret)
		r->ret = -ENOMEM;
	XML_StopParser(r->p, XML_FALSE);
}

static void on_doctype(void *arg, const XML_Char *name, const XML_Char *sysid, const XML_Char *pubid, int has)
{
	(void)name;
	(void)sysid;
	(void)pubid;
	(void)has;
	refuse(arg, "a document type (<!DOCTYPE>) is not taken, nor are entities of its own");
}

static void on_instruction(void *arg, const XML_Char *target, const XML_Char *data)
{
	(void)data;
	refuse(arg, "the processing instruction <?%.40s?> is not taken", target);
}

/* Any text but white space? */
static bool says(const char *text)
{
	return text && text[strspn(text, " \t\r\n")];
}

static void on_start(void *arg, const XML_Char *name, const XML_Char **attrs)
{
	struct reader *r = arg;
	struct xml_node *n;
	unsigned int nr = 0;

	if (r->ret)
		return;
	if (r->depth == XML_DEPTH_MAX) {
		refuse(r, "<%.40s>: elements nest deeper than %d", name, XML_DEPTH_MAX);
		return;
	}
	if (r->nodes++ == XML_NODES_MAX) {
		refuse(r, "<%.40s>: more than %d elements", name, XML_NODES_MAX);
		return;
	}
	n = xml_add(r->doc, r->at, name);
	if (!n) {
		no_memory(r);
		return;
	}
	n->line = (unsigned int)XML_GetCurrentLineNumber(r->p);
	for (; *attrs; attrs += 2) {
		if (nr++ == XML_ATTRS_MAX) {
			refuse(r, "<%.40s>: more than %d attributes", name, XML_ATTRS_MAX);
			return;
		}
		xml_set(r->doc, n, attrs[0], attrs[1]);
	}
	r->at = n;
	r->depth++;
	r->text_len[r->depth] = r->text_room[r->depth] = 0;
	if (r->doc->failed)
		no_memory(r);
}

static void on_end(void *arg, const XML_Char *name)
{
	struct reader *r = arg;

	if (r->ret)
		return;
	if (!says(r->at->text))		/* white space between elements */
		r->at->text = NULL;
	if (r->at->text && r->at->first) {
		refuse(r, "<%.40s>: there is text between its elements", name);
		return;
	}
	r->at = r->at->parent;
	r->depth--;
}

static void on_text(void *arg, const XML_Char *s, int n)
{
	struct reader *r = arg;
	size_t *len = &r->text_len[r->depth], *room = &r->text_room[r->depth], add = (size_t)n;
	char *text;

	if (r->ret || !r->at)
		return;
	if (*len + add + 1 > *room) {
		*room = 2 * (*len + add + 1);
		text = xml_alloc(r->doc, *room);
		if (!text) {
			no_memory(r);
			return;
		}
		if (*len)
			memcpy(text, r->at->text, *len);
		r->at->text = text;
	}
	memcpy(r->at->text + *len, s, add);
	*len += add;
	r->at->text[*len] = 0;
}

int xml_parse(struct xml_doc *doc, const char *text, size_t len, struct xml_error *e)
{
	struct reader r = { .doc = doc, .e = e };
	enum XML_Status st;

	memset(doc, 0, sizeof(*doc));
	memset(e, 0, sizeof(*e));
	if (len > XML_BYTES_MAX) {
		snprintf(e->text, sizeof(e->text), "it is longer than %u KiB", XML_BYTES_MAX >> 10);
		return -EINVAL;
	}
	r.p = XML_ParserCreate(NULL);
	if (!r.p)
		return -ENOMEM;
	XML_SetUserData(r.p, &r);
	XML_SetElementHandler(r.p, on_start, on_end);
	XML_SetCharacterDataHandler(r.p, on_text);
	XML_SetStartDoctypeDeclHandler(r.p, on_doctype);
	XML_SetProcessingInstructionHandler(r.p, on_instruction);
	st = XML_Parse(r.p, text, (int)len, XML_TRUE);
	if (st != XML_STATUS_OK && !r.ret) {
		bool memory = XML_GetErrorCode(r.p) == XML_ERROR_NO_MEMORY;

		r.ret = memory ? -ENOMEM : -EINVAL;
		e->line = (unsigned int)XML_GetCurrentLineNumber(r.p);
		snprintf(e->text, sizeof(e->text), "%s", XML_ErrorString(XML_GetErrorCode(r.p)));
	}
	XML_ParserFree(r.p);
	return r.ret;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* From a tree to text. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "hvctl/def/xml.h"

/*
 * The length of the character at @s, or 0: not UTF-8, or none that XML 1.0 has (section 2.2: no control
 * characters but tab and line ends, no surrogates, neither U+FFFE nor U+FFFF).
 */
static unsigned int character(const unsigned char *s)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned int len = s[0] < 0x80 ? 1 : (s[0] & 0xe0) == 0xc0 ? 2 : (s[0] & 0xf0) == 0xe0 ? 3 :
			   (s[0] & 0xf8) == 0xf0 ? 4 : 0;
	uint32_t c = len == 1 ? s[0] : s[0] & (0x7fu >> len);

	for (unsigned int i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (!len || c < least[len] || (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c > 0x10ffff ||
	    (c >= 0xd800 && c < 0xe000) || c == 0xfffe || c == 0xffff)
		return 0;
	return len;
}

static int write_string(const char *s, bool attribute, FILE *f)
{
	for (unsigned int n; *s; s += n) {
		n = character((const unsigned char *)s);
		if (!n)
			return -EILSEQ;
		switch (*s) {
		case '&':	fputs("&amp;", f); break;
		case '<':	fputs("&lt;", f); break;
		case '>':	fputs("&gt;", f); break;
		case '\r':	fputs("&#13;", f); break;
		case '\'':	fputs(attribute ? "&apos;" : "'", f); break;
		case '\n':	fputs(attribute ? "&#10;" : "\n", f); break;
		case '\t':	fputs(attribute ? "&#9;" : "\t", f); break;
		default:	fwrite(s, 1, n, f);
		}
	}
	return 0;
}

static int write_node(const struct xml_node *n, unsigned int depth, FILE *f)
{
	int ret = 0;

	fprintf(f, "%*s<%s", (int)(2 * depth), "", n->name);
	for (const struct xml_attr *a = n->attrs; a && !ret; a = a->next) {
		fprintf(f, " %s='", a->name);
		ret = write_string(a->value, true, f);
		fputc('\'', f);
	}
	if (!n->first && !(n->text && *n->text)) {
		fputs("/>\n", f);
		return ret;
	}
	fputc('>', f);
	if (n->text && !ret)
		ret = write_string(n->text, false, f);
	if (n->first)
		fputc('\n', f);
	for (const struct xml_node *c = n->first; c && !ret; c = c->next)
		ret = write_node(c, depth + 1, f);
	if (n->first)
		fprintf(f, "%*s", (int)(2 * depth), "");
	fprintf(f, "</%s>\n", n->name);
	return ret;
}

int xml_write(const struct xml_doc *doc, FILE *f)
{
	return doc->root ? write_node(doc->root, 0, f) : -EILSEQ;
}

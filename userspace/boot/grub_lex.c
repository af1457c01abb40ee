// SPDX-License-Identifier: GPL-2.0-or-later
/* A script as words and separators. Quotes and variables stay as they are: they are read when a word is used. */
#include <ctype.h>
#include <string.h>

#include "boot/grub_impl.h"

/* The length of the word at @s. A quote that is not closed ends with the text. */
static size_t word_len(const char *s, size_t len)
{
	size_t i = 0;
	char quote = 0;

	for (; i < len; i++) {
		char c = s[i];

		if (quote) {
			if (c == '\\' && quote == '"' && i + 1 < len)
				i++;
			else if (c == quote)
				quote = 0;
		} else if (c == '\\' && i + 1 < len) {
			i++;
		} else if (c == '\'' || c == '"') {
			quote = c;
		} else if (c == '$' && i + 1 < len && s[i + 1] == '{') {
			while (i < len && s[i] != '}' && s[i] != '\n')
				i++;
			if (i == len || s[i] == '\n')
				i--;
		} else if (isspace((unsigned char)c) || c == ';' || !c) {
			break;
		}
	}
	return i;
}

static bool push(struct arena *a, struct grub_script *s, uint32_t *room, struct grub_token t)
{
	if (s->tokens == *room) {
		uint32_t more = *room ? *room * 2 : 256;
		struct grub_token *bigger = arena_get(a, more * sizeof(t));

		if (!bigger)
			return false;
		if (s->tokens)
			memcpy(bigger, s->token, s->tokens * sizeof(t));
		s->token = bigger;
		*room = more;
	}
	s->token[s->tokens++] = t;
	return true;
}

struct grub_script *grub_lex(struct arena *a, const char *text, size_t len)
{
	struct grub_script *s = arena_get(a, sizeof(*s));
	uint32_t room = 0;
	size_t i = 0;

	while (s && i < len) {
		struct grub_token t = { .text = text + i, .len = 1 };

		if (text[i] == '#') {
			while (i < len && text[i] != '\n')
				i++;
			continue;
		}
		if (text[i] == '\\' && i + 1 < len && text[i + 1] == '\n') {
			i += 2;
			continue;
		}
		if (text[i] == '\n' || text[i] == ';') {
			t.kind = GRUB_SEP;
		} else if (isspace((unsigned char)text[i]) || !text[i]) {
			i++;
			continue;
		} else {
			t.len = (uint32_t)word_len(t.text, len - i);
			t.kind = t.len == 1 && *t.text == '{' ? GRUB_OPEN :
				 t.len == 1 && *t.text == '}' ? GRUB_CLOSE : GRUB_WORD;
		}
		i += t.len;
		if (!push(a, s, &room, t))
			return NULL;
	}
	if (!s || !push(a, s, &room, (struct grub_token){ .kind = GRUB_END }))
		return NULL;
	return s;
}

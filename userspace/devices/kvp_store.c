// SPDX-License-Identifier: GPL-2.0-or-later
/* Lists of what a guest told. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kvp_store.h"

int kvp_list_add(struct kvp_list *l, const char *name, const char *value)
{
	size_t bytes = strlen(name) + strlen(value);
	struct kvp_item it, *more;

	if (l->nr == KVP_LIST_MAX || bytes > KVP_LIST_BYTES - l->bytes) {
		l->cut = true;
		return -ENOSPC;
	}
	more = realloc(l->item, (l->nr + 1) * sizeof(*more));
	if (!more)
		return -ENOMEM;
	l->item = more;
	it = (struct kvp_item){ strdup(name), strdup(value) };
	if (!it.name || !it.value) {
		free(it.name);
		free(it.value);
		return -ENOMEM;
	}
	l->item[l->nr++] = it;
	l->bytes += bytes;
	return 0;
}

void kvp_list_free(struct kvp_list *l)
{
	for (unsigned int i = 0; i < l->nr; i++) {
		free(l->item[i].name);
		free(l->item[i].value);
	}
	free(l->item);
	*l = (struct kvp_list){ 0 };
}

const char *kvp_list_value(const struct kvp_list *l, const char *name)
{
	for (unsigned int i = 0; i < l->nr; i++)
		if (!strcmp(l->item[i].name, name))
			return l->item[i].value;
	return NULL;
}

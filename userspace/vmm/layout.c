// SPDX-License-Identifier: GPL-2.0-or-later
/* Guest memory as runs of one node each, around the hole below 4 GiB. */
#include "layout.h"

static void range_add(struct layout *l, uint64_t offset, uint64_t bytes, int node, int host_node)
{
	uint64_t gpa = offset < LAYOUT_HOLE ? offset : offset - LAYOUT_HOLE + LAYOUT_HIGH;

	l->range[l->nr++] = (struct layout_range){ gpa, bytes, offset, node, host_node };
}

/* One node's memory; the one that meets the hole becomes two ranges. */
static void node_add(struct layout *l, uint64_t offset, uint64_t bytes, int node, int host_node)
{
	if (offset < LAYOUT_HOLE && offset + bytes > LAYOUT_HOLE) {
		range_add(l, offset, LAYOUT_HOLE - offset, node, host_node);
		bytes -= LAYOUT_HOLE - offset;
		offset = LAYOUT_HOLE;
	}
	range_add(l, offset, bytes, node, host_node);
}

void layout_build(struct layout *l, const struct vmm_config *cfg)
{
	uint64_t offset = 0;
	unsigned int i;

	l->nr = 0;
	if (!cfg->nodes)
		node_add(l, 0, cfg->memory, -1, cfg->host_node);
	for (i = 0; i < cfg->nodes; i++) {
		node_add(l, offset, cfg->node[i].memory, i, cfg->node[i].host_node);
		offset += cfg->node[i].memory;
	}
}

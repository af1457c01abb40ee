// SPDX-License-Identifier: GPL-2.0-or-later
/* Key-value pairs with the guest: the device, as the machine has it. */
#include <stdio.h>
#include <string.h>

#include "devices/kvp.h"
#include "machine_impl.h"

_Static_assert(KVP_ADAPTERS >= VMM_NETS_MAX, "each adapter is asked for");

int guest_info_make(struct machine *m)
{
	struct kvp_config cfg = { 0 };
	struct machine_net net;
	int ret;

	for (; machine_net_look(m, cfg.adapters, &net); cfg.adapters++)
		memcpy(cfg.mac[cfg.adapters], net.mac, sizeof(net.mac));
	ret = kvp_create(&m->kvp, &m->services, &cfg);
	if (ret)
		snprintf(m->err, sizeof(m->err), "cannot make the key-value service: %s", strerror(-ret));
	else
		m->dev[m->nr_devs++] = m->kvp;
	return ret;
}

void machine_kvp_look(struct machine *m, struct kvp_view *out)
{
	kvp_look(m->kvp, out);
}

int machine_kvp_read(struct machine *m, uint32_t *sweep)
{
	return kvp_read(m->kvp, sweep);
}

int machine_kvp_change(struct machine *m, const char *name, const char *value, uint32_t *change)
{
	return kvp_change(m->kvp, name, value, change);
}

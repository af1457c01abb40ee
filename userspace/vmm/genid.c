// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The generation id of a VM (Microsoft, "Virtual Machine Generation ID"): 16 bytes of guest memory which an ACPI device
 * names. They change when what runs may run twice - a saved VM that is gone on from once more - and the guest
 * hears of it by an interrupt: what it made of its random numbers, and whatever must be unique, it makes anew.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "machine_impl.h"

int genid_make(struct machine *m)
{
	return getrandom(m->genid, sizeof(m->genid), 0) == sizeof(m->genid) ? 0 : -EIO;
}

void genid_put(struct machine *m)
{
	struct gmem g;

	/* A VM too small for the tables has none. */
	if (mem_get(m->mem, LAYOUT_GENID, sizeof(m->genid), DEV_DIR_WRITE, &g))
		return;
	memcpy(g.ptr, m->genid, sizeof(m->genid));
	mem_put(m->mem, &g);
}

int genid_change(struct machine *m)
{
	struct dev_services *ds = &m->services;
	int ret = genid_make(m);

	if (ret)
		return ret;
	genid_put(m);
	ds->ops->irq_set(ds, LAYOUT_GENID_GSI, true);
	ds->ops->irq_set(ds, LAYOUT_GENID_GSI, false);
	vmm_log(m->log, LOG_INFO, "it has a new generation id, and the guest is told");
	return 0;
}

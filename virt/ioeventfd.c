// SPDX-License-Identifier: GPL-2.0-only
/* ioeventfd.c - HV_VM_SET_IOEVENTFD: what may be asked for */
#include <linux/eventfd.h>
#include "irq.h"

static int args_check(const struct hv_ioeventfd_args *a)
{
	bool pio = a->flags & HV_IOEVENTFD_F_PIO;

	switch (a->len) {
	case 0:		/* any length: there is no value to compare */
		if (a->flags & HV_IOEVENTFD_F_DATAMATCH)
			return -EINVAL;
		break;
	case 1:
	case 2:
	case 4:
		if ((a->flags & HV_IOEVENTFD_F_DATAMATCH) && a->datamatch >> a->len * 8)
			return -EINVAL;
		break;
	case 8:
		if (pio)
			return -EINVAL;
		break;
	default:
		return -EINVAL;
	}
	if (a->addr + a->len < a->addr)
		return -EINVAL;
	return pio && a->addr + max(a->len, 1u) > 0x10000 ? -EINVAL : 0;
}

int hv_ioeventfd_set(struct hv_vm *vm, const struct hv_ioeventfd_args *args)
{
	enum hv_iobus_kind kind = args->flags & HV_IOEVENTFD_F_PIO ? HV_IOBUS_PIO : HV_IOBUS_MMIO;
	struct hv_ioevent ev = {
		.addr = args->addr,
		.len = args->len,
		.match = args->flags & HV_IOEVENTFD_F_DATAMATCH,
	};
	int ret = args_check(args);

	if (ret)
		return ret;
	if (ev.match)
		ev.datamatch = args->datamatch;
	ev.ctx = eventfd_ctx_fdget(args->fd);
	if (IS_ERR(ev.ctx))
		return PTR_ERR(ev.ctx);
	if (args->flags & HV_IOEVENTFD_F_DEASSIGN) {
		ret = hv_iobus_del(vm->iobus, kind, &ev);
		eventfd_ctx_put(ev.ctx);
		return ret;
	}
	ret = hv_iobus_add(vm->iobus, kind, &ev);
	if (ret)
		eventfd_ctx_put(ev.ctx);
	return ret;
}

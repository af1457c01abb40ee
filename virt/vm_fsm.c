// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state machine of a VM: running <-> paused, and dead from either, for good.
 *
 * Running and paused change under vm->lock. Dead may come from any context, so the setter
 * is a compare-and-exchange: whoever moves the VM to dead is the only one who did.
 */
#include <linux/bits.h>
#include <hv/trace.h>
#include <hv/vm.h>

static const u8 hv_vm_edges[HV_MS_NR] = {	/* bit n of row m: m -> n is legal */
	[HV_MS_RUNNING]	= BIT(HV_MS_PAUSED) | BIT(HV_MS_DEAD),
	[HV_MS_PAUSED]	= BIT(HV_MS_RUNNING) | BIT(HV_MS_DEAD),
	[HV_MS_DEAD]	= 0,
};

bool hv_vm_set_state(struct hv_vm *vm, enum hv_vm_state to)
{
	u32 from = READ_ONCE(vm->state);

	do {
		if (!(hv_vm_edges[from] & BIT(to)))
			return false;
	} while (!try_cmpxchg(&vm->state, &from, (u32)to));
	trace_hv_vm_state(vm, from, to);
	return true;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioapic.c - the I/O APIC: the register file under its lock, messages to the local APICs
 *
 * Messages are sent with the lock held, so that an EOI from another vCPU waits until
 * remote IRR tells of the interrupt it ends. Resample functions are called without it:
 * they lower the line through here.
 */
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include "ioapic.h"
#include "lapic.h"

/* Send the message of @pin if it may be sent. 0, 1 coalesced, -EINVAL held or not taken. */
static int pin_send_locked(struct hv_ioapic *io, u32 pin)
{
	struct hv_apic_msg m;
	int ret;

	lockdep_assert_held(&io->lock);
	if (!hv_ioapic_pin_fire(&io->regs, pin))
		return -EINVAL;
	hv_apic_msg_from_redir(&m, io->regs.redir[pin]);
	if (m.ignored)
		return -EINVAL;
	ret = hv_apic_msg_send(&io->vm->core, NULL, &m);
	if (ret >= 0)
		hv_ioapic_pin_sent(&io->regs, pin);
	return ret;
}

int hv_ioapic_set_line(struct hv_vm_x86 *vm, u32 gsi, enum hv_ioapic_source src, bool level)
{
	struct hv_ioapic *io = vm->ioapic;
	unsigned long flags;
	bool coalesced;

	if (gsi >= HV_IOAPIC_PINS)
		return -EINVAL;
	raw_spin_lock_irqsave(&io->lock, flags);
	if (hv_ioapic_line_set(&io->regs, gsi, src, level, &coalesced))
		coalesced |= pin_send_locked(io, gsi) == 1;
	raw_spin_unlock_irqrestore(&io->lock, flags);
	return coalesced;
}

static void resample(struct hv_ioapic *io, u32 pins)
{
	void (*fn)(void *arg);
	unsigned int pin;

	rcu_read_lock();
	for (pin = 0; pin < HV_IOAPIC_PINS; pin++) {
		if (!(pins >> pin & 1))
			continue;
		/* Pairs with the release in hv_arch_irq_set_resample(): @arg is there. */
		fn = smp_load_acquire(&io->resample[pin].fn);
		if (fn)
			fn(io->resample[pin].arg);
	}
	rcu_read_unlock();
}

void hv_ioapic_eoi(struct hv_vm_x86 *vm, u8 vector)
{
	struct hv_ioapic *io = vm->ioapic;
	unsigned long flags;
	unsigned int pin;
	u32 pins;

	raw_spin_lock_irqsave(&io->lock, flags);
	pins = hv_ioapic_regs_eoi(&io->regs, vector);
	raw_spin_unlock_irqrestore(&io->lock, flags);
	if (!pins)
		return;
	resample(io, pins);

	/* Lines that are up still, or again. */
	raw_spin_lock_irqsave(&io->lock, flags);
	pins &= hv_ioapic_lines(&io->regs);
	for (pin = 0; pin < HV_IOAPIC_PINS; pin++)
		if (pins >> pin & 1)
			pin_send_locked(io, pin);
	raw_spin_unlock_irqrestore(&io->lock, flags);
}

/* ---- the register page ---- */

static bool page_hit(hv_gpa_t gpa)
{
	return !((gpa ^ HV_IOAPIC_GPA) >> 12);
}

int hv_ioapic_mmio_read(struct hv_vm_x86 *vm, hv_gpa_t gpa, u32 len, u64 *val)
{
	struct hv_ioapic *io = vm->ioapic;
	unsigned long flags;

	if (!page_hit(gpa))
		return -EOPNOTSUPP;
	*val = 0;
	if (gpa & 15)
		return 0;
	raw_spin_lock_irqsave(&io->lock, flags);
	*val = hv_ioapic_reg_read(&io->regs, gpa & 0xfff);
	raw_spin_unlock_irqrestore(&io->lock, flags);
	if (len < 4)
		*val &= (1u << len * 8) - 1;
	return 0;
}

int hv_ioapic_mmio_write(struct hv_vm_x86 *vm, hv_gpa_t gpa, u32 len, u64 val)
{
	struct hv_ioapic *io = vm->ioapic;
	struct hv_ioapic_todo todo;
	unsigned long flags;

	if (!page_hit(gpa))
		return -EOPNOTSUPP;
	if (gpa & 15)
		return 0;
	if (len < 4)
		val &= (1u << len * 8) - 1;
	raw_spin_lock_irqsave(&io->lock, flags);
	hv_ioapic_reg_write(&io->regs, gpa & 0xfff, (u32)val, &todo);
	if (todo.fire)
		pin_send_locked(io, __ffs(todo.fire));
	raw_spin_unlock_irqrestore(&io->lock, flags);
	if (todo.eoi)
		hv_ioapic_eoi(vm, todo.vector);
	return 0;
}

/* ---- life ---- */

int hv_ioapic_create(struct hv_vm_x86 *vm)
{
	struct hv_ioapic *io = kzalloc(sizeof(*io), GFP_KERNEL_ACCOUNT);

	if (!io)
		return -ENOMEM;
	raw_spin_lock_init(&io->lock);
	io->vm = vm;
	hv_ioapic_regs_reset(&io->regs);
	vm->ioapic = io;
	return 0;
}

void hv_ioapic_release(struct hv_vm_x86 *vm)
{
	kfree(vm->ioapic);
	vm->ioapic = NULL;
}

void hv_ioapic_reset(struct hv_vm_x86 *vm)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&vm->ioapic->lock, flags);
	hv_ioapic_regs_reset(&vm->ioapic->regs);
	raw_spin_unlock_irqrestore(&vm->ioapic->lock, flags);
}

int hv_arch_irq_set_resample(struct hv_vm *vm, u32 gsi, void (*fn)(void *arg), void *arg)
{
	struct hv_ioapic_resample *r;

	if (gsi >= HV_IOAPIC_PINS)
		return -EINVAL;
	r = &to_vm_x86(vm)->ioapic->resample[gsi];
	if (fn) {
		if (r->fn)
			return -EEXIST;
		r->arg = arg;
		smp_store_release(&r->fn, fn);
		return 0;
	}
	WRITE_ONCE(r->fn, NULL);
	synchronize_rcu();
	r->arg = NULL;
	return 0;
}

/* ---- state ---- */

void hv_ioapic_get_state(struct hv_vm_x86 *vm, struct hv_rec_ioapic *rec)
{
	struct hv_ioapic *io = vm->ioapic;
	struct hv_ioapic_regs *r = &io->regs;
	unsigned long flags;
	unsigned int pin;

	memset(rec, 0, sizeof(*rec));
	raw_spin_lock_irqsave(&io->lock, flags);
	memcpy(rec->redir, r->redir, sizeof(rec->redir));
	for (pin = 0; pin < HV_IOAPIC_PINS; pin++)
		if (r->redir[pin] & HV_IOAPIC_REDIR_LEVEL)
			rec->irr |= hv_ioapic_lines(r) & 1u << pin;
	rec->level = r->line[HV_IOAPIC_SRC_USER];
	rec->resample = r->line[HV_IOAPIC_SRC_RESAMPLE];
	rec->id = r->id;
	rec->ioregsel = r->ioregsel;
	raw_spin_unlock_irqrestore(&io->lock, flags);
}

int hv_ioapic_set_state(struct hv_vm_x86 *vm, const struct hv_rec_ioapic *rec)
{
	struct hv_ioapic *io = vm->ioapic;
	unsigned long flags;
	int ret;

	BUILD_BUG_ON(sizeof(rec->redir) != sizeof(io->regs.redir));
	if (rec->rsvd)
		return -EINVAL;
	raw_spin_lock_irqsave(&io->lock, flags);
	ret = hv_ioapic_regs_load(&io->regs, rec->redir, rec->level, rec->resample, rec->id,
				  rec->ioregsel);
	raw_spin_unlock_irqrestore(&io->lock, flags);
	return ret;
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* What the module hands to user space: one handler a kind of exit. */
#include <string.h>

#include "iobus.h"
#include "machine_impl.h"

static bool exit_pio(struct vcpu *v)
{
	const struct hv_exit_pio pio = v->run->pio;
	uint8_t *data = (uint8_t *)v->run + HV_RUN_PIO_DATA;
	uint32_t i;

	for (i = 0; i < pio.count; i++, data += pio.bytes) {
		uint64_t value = 0;

		if (pio.in) {
			iobus_read(v->m->bus, DEV_SPACE_PORT, pio.port, pio.bytes, &value);
			memcpy(data, &value, pio.bytes);
		} else {
			memcpy(&value, data, pio.bytes);
			iobus_write(v->m->bus, DEV_SPACE_PORT, pio.port, pio.bytes, value);
		}
	}
	return true;
}

/* Devices take 1, 2, 4 or 8 bytes: another length goes byte by byte. */
static bool exit_mmio(struct vcpu *v)
{
	struct hv_exit_mmio *mmio = &v->run->mmio;
	unsigned int bytes = mmio->bytes, step = bytes & (bytes - 1) ? 1 : bytes, i;
	uint64_t value;

	for (i = 0; i < bytes; i += step) {
		value = 0;
		if (mmio->write) {
			memcpy(&value, mmio->data + i, step);
			iobus_write(v->m->bus, DEV_SPACE_MEM, mmio->gpa + i, step, value);
		} else {
			iobus_read(v->m->bus, DEV_SPACE_MEM, mmio->gpa + i, step, &value);
			memcpy(mmio->data + i, &value, step);
		}
	}
	return true;
}

static bool exit_shutdown(struct vcpu *v)
{
	struct machine *m = v->m;

	vmm_log(m->log, LOG_WARN, "vCPU %u: triple fault", v->index);
	if (m->cfg->flags & VMM_F_NO_REBOOT)
		machine_end_post(m, VMM_END_TRIPLE_FAULT, 0, "triple fault on vCPU %u, and --no-reboot was given",
				 v->index);
	else
		machine_reset_post(m);
	return false;
}

/* The guest tells of its panic; it goes on by itself (to reboot, dump or halt). */
static bool exit_crash(struct vcpu *v)
{
	const struct hv_exit_crash c = v->run->crash;

	vmm_log(v->m->log, LOG_ERROR, "the guest crashed: %llx %llx %llx %llx %llx (control %llx)",
		(unsigned long long)c.p[0], (unsigned long long)c.p[1], (unsigned long long)c.p[2],
		(unsigned long long)c.p[3], (unsigned long long)c.p[4], (unsigned long long)c.ctl);
	return true;
}

static bool exit_fault(struct vcpu *v)
{
	const struct hv_exit_fault f = v->run->fault;

	machine_end_post(v->m, VMM_END_HOST_ERROR, f.error < 0 ? -f.error : 0,
			 "host memory behind guest address 0x%llx cannot be had: %s",
			 (unsigned long long)f.gpa, strerror(f.error < 0 ? -f.error : 0));
	return false;
}

static bool exit_internal(struct vcpu *v)
{
	static const char * const causes[] = {
		[HV_INTERNAL_UNKNOWN_EXIT] = "an exit without a handler",
		[HV_INTERNAL_EMULATION] = "an instruction the module cannot emulate",
		[HV_INTERNAL_ENTRY] = "the CPU refused to enter the guest",
		[HV_INTERNAL_BUG] = "a broken invariant, see the host's kernel log",
	};
	const struct hv_exit_internal in = v->run->internal;
	const char *cause = in.cause < sizeof(causes) / sizeof(causes[0]) ? causes[in.cause] : NULL;

	machine_end_post(v->m, VMM_END_CRASHED, 0, "vCPU %u stopped: %s (%llx %llx %llx %llx)", v->index,
			 cause ? cause : "unknown cause", (unsigned long long)in.info[0],
			 (unsigned long long)in.info[1], (unsigned long long)in.info[2],
			 (unsigned long long)in.info[3]);
	return false;
}

static bool exit_none(struct vcpu *v)
{
	(void)v;
	return true;
}

static bool (* const handlers[])(struct vcpu *) = {
	[HV_EXIT_NONE]		= exit_none,
	[HV_EXIT_PIO]		= exit_pio,
	[HV_EXIT_MMIO]		= exit_mmio,
	[HV_EXIT_SHUTDOWN]	= exit_shutdown,
	[HV_EXIT_CRASH]		= exit_crash,
	[HV_EXIT_MEMORY_FAULT]	= exit_fault,
	[HV_EXIT_INTERNAL]	= exit_internal,
	[HV_EXIT_FAIL_ENTRY]	= exit_internal,
};

bool exit_handle(struct vcpu *v)
{
	uint32_t kind = v->run->exit_kind;

	if (kind < sizeof(handlers) / sizeof(handlers[0]))
		return handlers[kind](v);
	machine_end_post(v->m, VMM_END_HOST_ERROR, 0,
			 "the module reports exit %u, which this program does not know: update it", kind);
	return false;
}

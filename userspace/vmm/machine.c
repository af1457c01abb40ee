// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine: made from a configuration, run until it ends, taken apart. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/endpoint.h"
#include "backends/tty.h"
#include "devices/acpi_pm.h"
#include "devices/ic.h"
#include "devices/rtc.h"
#include "devices/testdev.h"
#include "devices/uart.h"
#include "cpu_model.h"
#include "iobus.h"
#include "libhv/libhv_bus.h"
#include "machine_impl.h"
#include "readers.h"
#include "save_impl.h"

#define JOIN_SECONDS 2

/* ---- the host's side: /dev/hv, VM, memory, vCPUs ---- */

static int system_open(struct machine *m, int fd)
{
	m->sys = fd >= 0 ? fd : libhv_open(NULL);
	if (m->sys >= 0)
		return 0;
	snprintf(m->err, sizeof(m->err), "cannot open " LIBHV_DEVICE ": %s\n%s", strerror(-m->sys),
		 m->sys == -ENOENT || m->sys == -ENODEV || m->sys == -ENXIO ?
		 "load the module: modprobe hv (hvctl doctor tells more)" :
		 m->sys == -EACCES || m->sys == -EPERM ?
		 "add the user to group hv and log in again" : "hvctl doctor tells more");
	return m->sys;
}

/* Every VM has a VMBus, as every Hyper-V VM has. */
static int bus_make(struct machine *m)
{
	int ret = libhv_vm_bus(m->vm, 0);

	if (ret)
		snprintf(m->err, sizeof(m->err), "cannot give the VM its VMBus: %s", strerror(-ret));
	return ret;
}

static int vm_make(struct machine *m)
{
	const char *name = m->cfg->cpu_model ? m->cfg->cpu_model : "host";
	enum hv_cpu_model model;
	char lacks[160];
	int ret = cpu_model_find(name, &model);

	if (ret) {
		snprintf(m->err, sizeof(m->err),
			 "unknown CPU model '%.32s'\nuse host, x86-64-v2, x86-64-v3 or x86-64-v4", name);
		return ret;
	}
	if (m->cfg->cpu_off && *m->cfg->cpu_off) {
		snprintf(m->err, sizeof(m->err),
			 "hiding single CPU features is not offered by this module\nchoose a CPU model instead");
		return -EOPNOTSUPP;
	}
	m->vm = libhv_vm_create(m->sys, m->cfg->name, m->cfg->cpus, model, 0, &m->id);
	if (m->vm >= 0)
		return bus_make(m);
	if (m->vm == -EOPNOTSUPP && cpu_model_missing(m->sys, model, lacks, sizeof(lacks)) > 0) {
		snprintf(m->err, sizeof(m->err),
			 "this host cannot provide CPU model %s: it lacks %s\nchoose a lower one", name, lacks);
		return m->vm;
	}
	snprintf(m->err, sizeof(m->err), "cannot make a VM: %s\n%s", strerror(-m->vm),
		 m->vm == -EBUSY ? "another hypervisor holds the CPU's virtualization: unload it (modprobe -r "
				   "kvm_amd kvm_intel)" :
		 m->vm == -ENODEV ? "this CPU reports no SVM with nested paging: switch it on in the firmware "
				    "(hvctl doctor tells more)" :
		 m->vm == -EOPNOTSUPP ? "this host cannot provide the CPU model: choose a lower one" :
		 "hvctl doctor tells what is missing");
	return m->vm;
}

static int slots_make(struct machine *m)
{
	unsigned int i;
	int ret;

	for (i = 0; i < m->layout.nr; i++) {
		const struct layout_range *r = &m->layout.range[i];
		struct hv_slot_args slot = {
			.slot = i, .vnode = r->node < 0 ? HV_NO_VNODE : (uint32_t)r->node, .gpa = r->gpa,
			.bytes = r->bytes, .host_addr = (uintptr_t)mem_host(m->mem, i),
		};
		uint64_t offset;

		slot.fd = mem_file(m->mem, i, &offset);
		slot.fd_offset = offset;
		ret = libhv_vm_slot(m->vm, &slot);
		if (ret < 0) {
			snprintf(m->err, sizeof(m->err), "cannot give the VM its memory at 0x%llx: %s",
				 (unsigned long long)r->gpa, strerror(-ret));
			return ret;
		}
	}
	return 0;
}

static int vm_setup(struct machine *m)
{
	unsigned int i;
	int ret = vm_make(m);

	if (!ret) {
		layout_build(&m->layout, m->cfg);
		ret = mem_create(&m->mem, m->cfg, &m->layout, m->err, sizeof(m->err));
	}
	if (!ret)
		ret = slots_make(m);
	if (ret)
		return ret;
	m->vcpu = calloc(m->cfg->cpus, sizeof(*m->vcpu));
	if (!m->vcpu)
		return -ENOMEM;
	for (i = 0; i < m->cfg->cpus; i++)
		m->vcpu[i].fd = -1;
	for (i = 0; i < m->cfg->cpus && !ret; i++)
		ret = vcpu_create(m, i);
	return ret;
}

/* ---- devices ---- */

/* Ends the VM when the escape character comes from the terminal. */
static bool escape_filter(void *arg, uint8_t byte)
{
	struct machine *m = arg;

	if (byte != m->cfg->escape)
		return false;
	machine_kill(m, "the console's escape character");
	return true;
}

static int console_setup(struct machine *m, const struct vmm_fds *fds)
{
	const char *path = m->cfg->serial_path;
	int ret = chr_create(&m->console, m->loop);

	if (ret)
		return ret;
	switch ((enum vmm_serial)m->cfg->serial) {
	case VMM_SERIAL_STDIO:
		ret = tty_raw_enter(fds->in);
		if (ret == 1 && m->cfg->escape)
			chr_filter_set(m->console, escape_filter, m);
		ret = endpoint_stdio(&m->endpoint, m->console, fds->in, fds->out);
		path = "terminal";
		break;
	case VMM_SERIAL_PTY:
		ret = endpoint_pty(&m->endpoint, m->console);
		path = "pty";
		break;
	case VMM_SERIAL_SOCKET:
		ret = endpoint_socket(&m->endpoint, m->console, m->loop, path);
		break;
	case VMM_SERIAL_FILE:
		ret = endpoint_file(&m->endpoint, m->console, path);
		break;
	default:
		break;
	}
	if (ret)
		snprintf(m->err, sizeof(m->err), "serial port: cannot use %.200s: %s", path, strerror(-ret));
	else if (m->endpoint && endpoint_name(m->endpoint))
		vmm_log(m->log, LOG_INFO, "serial port on %s", endpoint_name(m->endpoint));
	return ret;
}

static int device_add(struct machine *m, struct device *d, int ret)
{
	if (ret)
		return ret;
	m->dev[m->nr_devs++] = d;
	return iobus_add(m->bus, d);
}

/* Evaluates @create before it looks at the device it made. */
#define DEVICE(create) do { \
	if (!ret) { \
		ret = (create); \
		ret = device_add(m, d, ret); \
	} \
} while (0)

static int devices_make(struct machine *m)
{
	struct dev_services *ds = &m->services;
	struct device *d = NULL;
	int ret;

	services_init(m);
	ret = iobus_create(&m->bus);
	DEVICE(uart_create(&d, ds, LAYOUT_UART_PORT, LAYOUT_UART_GSI, m->console));
	DEVICE(rtc_create(&d, ds, LAYOUT_RTC_PORT, LAYOUT_RTC_GSI));
	DEVICE(acpi_pm_create(&d, ds, LAYOUT_PM_PORT, LAYOUT_SCI_GSI));
	m->pm = d;
	DEVICE(ic_create(&d, ds));
	m->ic = d;
	if (m->cfg->flags & VMM_F_TEST_DEVICES) {
		DEVICE(debug_exit_create(&d, ds));
		DEVICE(pc_testdev_create(&d, ds));
		DEVICE(fw_cfg_create(&d, ds, m->cfg->memory, m->cfg->cpus));
	}
	if (ret)
		snprintf(m->err, sizeof(m->err), "cannot make the devices: %s", strerror(-ret));
	if (!ret)
		ret = disks_make(m);
	if (!ret)
		ret = nets_make(m);
	return ret ? ret : guest_info_make(m);
}

/* ---- life ---- */

/* A restored VM needs its kernel for a reset only: without one that ends it. */
static int kernel_open(struct machine *m)
{
	int ret = load_open(&m->load);

	if (!ret || !m->restored)
		return ret;
	vmm_log(m->log, LOG_WARN, "a reset of the guest will fail: %s", m->err);
	m->err[0] = 0;
	return 0;
}

static int machine_setup(struct machine *m, const struct vmm_fds *fds)
{
	int ret;

	m->load.err = m->err;
	m->load.errlen = sizeof(m->err);
	m->load.kernel.path = m->cfg->kernel;
	m->load.initrd.path = m->cfg->initrd;
	m->restored = fds->state >= 0;
	ret = m->restored ? restore_open(m, fds) : 0;
	if (!ret && !m->restored)
		ret = genid_make(m);
	if (!ret)
		ret = kernel_open(m);
	if (!ret)
		ret = system_open(m, fds->hv);
	if (!ret)
		ret = vm_setup(m);
	if (!ret && !m->restored)
		ret = boot_prepare(m);
	if (!ret)
		ret = console_setup(m, fds);
	if (!ret)
		ret = signals_fatal(m);
	if (!ret)
		ret = devices_make(m);
	if (!ret && m->restored)
		ret = restore_load(m);
	if (!ret && fds->ctl >= 0)
		ret = ctl_create(&m->ctl, m, fds->ctl);
	if (!ret)
		ret = signals_init(m);
	if (!ret && !(m->cfg->flags & VMM_F_NO_SANDBOX))
		ret = sandbox_enter(m->cfg->flags & VMM_F_SECCOMP_LOG, m->sockets, m->err,
				    sizeof(m->err));
	return ret;
}

static int machine_start(struct machine *m, int ready)
{
	bool paused = m->cfg->flags & VMM_F_START_PAUSED || m->restored_paused;
	unsigned int i;
	int ret = 0;

	/* A restored VM goes on as after a pause. */
	if (paused || m->restored) {
		atomic_store(&m->park, true);
		ret = libhv_vm_run_state(m->vm, HV_RUN_STATE_PAUSED);
	}
	for (i = 0; i < m->cfg->cpus && ret >= 0; i++)
		ret = vcpu_start(&m->vcpu[i]);
	if (ret < 0)
		return ret;
	machine_state_set(m, paused || m->restored ? VMM_STATE_PAUSED : VMM_STATE_RUNNING);
	if (m->restored && !paused)
		machine_resume(m);
	ret = restore_check(m);
	if (ret)
		return ret;
	if (ready >= 0 && write(ready, "", 1) != 1)
		vmm_log(m->log, LOG_WARN, "whoever started the VM did not wait for it");
	return 0;
}

/* Threads out. Return: false when one hangs (its console's reader does not read): then nothing may be freed. */
static bool vcpus_join(struct machine *m)
{
	unsigned int i;

	if (!m->vcpu)
		return true;
	if (machine_vcpus_out(m, JOIN_SECONDS))
		return false;
	pthread_mutex_lock(&m->park_lock);
	m->quit = true;
	pthread_cond_broadcast(&m->park_cond);
	pthread_mutex_unlock(&m->park_lock);
	for (i = 0; i < m->cfg->cpus; i++)
		vcpu_release(&m->vcpu[i]);
	free(m->vcpu);
	m->vcpu = NULL;
	return true;
}

static void fd_close(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void machine_teardown(struct machine *m)
{
	tty_raw_leave();
	if (m->ctl)
		ctl_release(m->ctl);
	save_stop(m);
	restore_close(m);
	if (!vcpus_join(m))
		return;		/* the process ends soon and takes all of it along */
	while (m->nr_devs) {
		struct device *d = m->dev[--m->nr_devs];

		iobus_remove(m->bus, d);
		d->ops->release(d);
	}
	iobus_release(m->bus);
	endpoint_release(m->endpoint);
	chr_release(m->console);
	signals_release(m);
	fd_close(m->vm);
	mem_release(m->mem);
	fd_close(m->sys);
	load_close(&m->load);
	loop_release(m->loop);
	free(m->stat_names);
	readers_leave();
}

/* The class of a failure before the first vCPU ran. */
static enum vmm_cause setup_cause(const struct machine *m, int err)
{
	if (m->setup_end != VMM_END_NONE)
		return m->setup_end;
	if (m->sys < 0 && m->load.kernel.fd >= 0)
		return VMM_END_UNSUPPORTED;
	if (m->sys >= 0 && m->vm < 0)
		return err == -EINVAL ? VMM_END_CONFIG : VMM_END_UNSUPPORTED;
	return err == -EINVAL || m->load.kernel.fd < 0 ? VMM_END_CONFIG : VMM_END_HOST_ERROR;
}

static int machine_life(struct machine *m, const struct vmm_fds *fds)
{
	int ret = loop_create(&m->loop);

	if (!ret)
		ret = machine_setup(m, fds);
	if (!ret) {
		readers_enter();	/* not before: set-up needs no grace periods */
		ret = machine_start(m, fds->ready);
	}
	if (ret < 0) {
		m->end.cause = setup_cause(m, ret);
		m->end.code = -ret;
		snprintf(m->end.text, sizeof(m->end.text), "%s", m->err[0] ? m->err : strerror(-ret));
		vmm_log(m->log, LOG_ERROR, "not started (%s): %s", vmm_cause_name(m->end.cause), m->end.text);
		return -1;
	}
	ret = loop_run(m->loop);
	if (ret)
		machine_end_post(m, VMM_END_HOST_ERROR, -ret, "the event loop failed: %s", strerror(-ret));
	return 0;
}

int vmm_main(const struct vmm_config *cfg, const struct vmm_fds *fds, struct vmm_end *end)
{
	static struct machine machine;		/* one VM a process */
	struct machine *m = &machine;
	int ret;

	memset(m, 0, sizeof(*m));
	memset(end, 0, sizeof(*end));
	m->cfg = cfg;
	m->sys = m->vm = m->signals.fd = m->load.kernel.fd = m->load.initrd.fd = -1;
	machine_control_init(m);
	ret = vmm_config_check(cfg, end->text, sizeof(end->text));
	if (ret) {
		end->cause = VMM_END_CONFIG;
		ret = -1;
	} else {
		ret = vmm_log_create(&m->log, fds->log);
		if (!ret)
			ret = machine_life(m, fds);
		machine_teardown(m);
		*end = m->end;
	}
	fd_close(fds->ready);
	vmm_log_release(m->log);
	m->log = NULL;
	return ret ? -1 : 0;
}

/* ---- what machine.h offers besides life-cycle verbs ---- */

uint64_t machine_id(const struct machine *m)
{
	return m->id;
}

const struct vmm_config *machine_config(const struct machine *m)
{
	return m->cfg;
}

struct loop *machine_loop(struct machine *m)
{
	return m->loop;
}

struct chr *machine_console(struct machine *m)
{
	return m->console;
}

const char *machine_serial_name(const struct machine *m)
{
	return m->endpoint ? endpoint_name(m->endpoint) : NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libhv - the C interface of /dev/hv
 *
 * A thin layer over the ioctls of <hv/hv.h>, where every argument is described. Functions return 0, a
 * new file descriptor, or a negative errno value, and never print or exit. Descriptors are plain
 * integers opened with O_CLOEXEC; close() them. A VM is bound to the process that made it: VM and vCPU
 * calls from another address space return -EIO. All functions may be called from any thread.
 */
#ifndef LIBHV_H
#define LIBHV_H

#include <stddef.h>
#include <stdint.h>

#include <hv/hv.h>
#include <hv/hv_caps.h>
#include <hv/hv_run.h>
#include <hv/hv_state.h>
#include <hv/hv_stats.h>
#include <hv/hv_x86.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LIBHV_DEVICE "/dev/hv"

/* ---- system ---- */

/* Open @path, or /dev/hv when it is NULL. Return: the system fd; -ENOENT: hv.ko is not loaded;
 * -EACCES: the caller is not in group hv. */
int libhv_open(const char *path);

/* Who answers on @sys. */
int libhv_version(int sys, struct hv_version_args *out);

/* One capability of enum hv_cap. -EINVAL: the module does not know it. */
int libhv_cap(int sys, enum hv_cap cap, uint64_t *value);

/* CPUID leaves a VM of @model would see. @nr: in room, out entries. -E2BIG: more room is needed. */
int libhv_cpuid(int sys, enum hv_cpu_model model, struct hv_cpuid_entry *out, uint32_t *nr);

/* ---- VM ---- */

/* Make a VM. @name may be NULL and is cut to 31 bytes. @id, if not NULL, gets its number.
 * Return: the VM fd. -ENODEV: no SVM or VMX; -EBUSY: another hypervisor holds it (ask
 * HV_CAP_HW_STATE); -EOPNOTSUPP: the host cannot provide @model. */
int libhv_vm_create(int sys, const char *name, uint32_t max_vcpus, enum hv_cpu_model model,
		    uint32_t flags, uint64_t *id);

/* Make vCPU @index on virtual node @vnode (or HV_NO_VNODE). Return: the vCPU fd. */
int libhv_vm_vcpu(int vm, uint32_t index, uint32_t vnode);

/* Guest memory: see struct hv_slot_args. @slot->size is set by the library. */
int libhv_vm_slot(int vm, const struct hv_slot_args *slot);

/* Set I/O APIC pin @gsi to @level. */
int libhv_vm_irq_line(int vm, uint32_t gsi, int level);
/* Send one MSI. */
int libhv_vm_msi(int vm, uint64_t addr, uint32_t data);

/* @args->size is set by the library. */
int libhv_vm_irqfd(int vm, const struct hv_irqfd_args *args);
int libhv_vm_ioeventfd(int vm, const struct hv_ioeventfd_args *args);
/* HvSignalEvent on @connection writes to eventfd @fd; -1 removes it. */
int libhv_vm_event_port(int vm, uint32_t connection, int fd);

/* Dirty bits of @npages pages of @slot from @first; @count may be NULL. */
int libhv_vm_dirty(int vm, uint32_t slot, uint64_t first, uint64_t npages, uint32_t flags,
		   uint64_t *bitmap, uint64_t *count);

/* Stop or go on with the VM's time; all vCPUs must be out of libhv_vcpu_run(). */
int libhv_vm_run_state(int vm, enum hv_run_state state);
/* Power-on state of all vCPUs and of everything the module emulates. Same condition. */
int libhv_vm_reset(int vm);

/* ---- vCPU ---- */

/* Map the run page of @vcpu. Return: 0 or -errno. */
int libhv_vcpu_map(int vcpu, struct hv_run **out);
void libhv_vcpu_unmap(struct hv_run *run);

/* Run until user space is needed. 0: see the run page; -EINTR, -EAGAIN (paused), -ECANCELED (dead). */
int libhv_vcpu_run(int vcpu);

int libhv_vcpu_nmi(int vcpu);
/* @args->size is set by the library. */
int libhv_vcpu_translate(int vcpu, struct hv_translate_args *args);

/* ---- state records, on a VM or vCPU fd by the record's number ---- */

/* Read record @rec into @buf. @len: in room, out length; @version may be NULL. */
int libhv_state_get(int fd, enum hv_state_record rec, uint32_t index, void *buf, uint32_t *len,
		    uint32_t *version);
int libhv_state_set(int fd, enum hv_state_record rec, uint32_t index, const void *buf, uint32_t len,
		    uint32_t version);

/* ---- counters, on a VM fd (@is_vcpu 0) or vCPU fd ---- */

/* @len: in room, out length needed. */
int libhv_stats(int fd, int is_vcpu, void *buf, uint32_t *len);

#ifdef __cplusplus
}
#endif
#endif

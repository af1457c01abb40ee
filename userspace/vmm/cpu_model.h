/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cpu_model.h - CPU models by name, and features by name where one is missing */
#ifndef VMM_CPU_MODEL_H
#define VMM_CPU_MODEL_H

#include <hv/hv.h>
#include <stddef.h>
#include <stdint.h>

/* The model called @name; NULL: host. -EINVAL: there is none. */
int cpu_model_find(const char *name, enum hv_cpu_model *out);

/*
 * What CPU @model requires and a VM on this host cannot have, as "avx512f, avx512dq" in @text.
 * Returns how many, or a negative errno when the host cannot be asked.
 */
int cpu_model_missing(int sys, enum hv_cpu_model model, char *text, size_t size);

/*
 * The same for a saved VM: features in its leaves @saved (record HV_REC_VM_CPUID) that are not
 * in @have, those of the VM it is to go on in (HV_VM_GET_CPUID).
 */
int cpu_features_missing(const struct hv_cpuid_entry *saved, uint32_t nr_saved,
			 const struct hv_cpuid_entry *have, uint32_t nr_have, char *text, size_t size);

#endif

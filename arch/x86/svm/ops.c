// SPDX-License-Identifier: GPL-2.0-only
/* ops.c - the AMD backend's row of verbs */
#include "svm.h"

const struct hv_vendor_ops hv_svm_ops = {
	.name = "svm",
	.vendor = HV_VENDOR_AMD,
#define V_OP(verb, ret, args) .verb = hv_svm_##verb,
#include "../ops.h"
};

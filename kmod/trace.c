// SPDX-License-Identifier: GPL-2.0-only
/* The one place where the tracepoints of hv/trace.h get their bodies. */
#include <linux/string.h>

#define CREATE_TRACE_POINTS
#include <hv/trace.h>

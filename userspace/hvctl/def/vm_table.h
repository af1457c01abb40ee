/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of a VM. A library's, not hvctl's alone: tests and fuzzers go through them. */
#ifndef HV_HVCTL_DEF_VM_TABLE_H
#define HV_HVCTL_DEF_VM_TABLE_H

#include "hvctl/opt/opt.h"

extern const struct opt vm_opts[];	/* of run, start, ... */
extern const struct opt run_opts[];	/* of run besides: its terminal and its exit code */
extern const struct opt def_opts[];	/* of definitions alone: title, autostart, ... */

#endif

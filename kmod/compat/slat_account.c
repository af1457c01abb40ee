// SPDX-License-Identifier: GPL-2.0-only
/* Second-level tables have a counter of their own (SecPageTables in meminfo) since 6.1. */
#include <linux/mm.h>
#include <linux/vmstat.h>
#include <hv/compat.h>

void hv_compat_slat_account(void *table, int n)
{
#ifdef HV_HAVE_SECONDARY_PAGETABLE
	mod_lruvec_page_state(virt_to_page(table), NR_SECONDARY_PAGETABLE, n);
#endif
}

// SPDX-License-Identifier: GPL-2.0-only
/* gup.c - looking up another address space's page: 6.5 dropped the list of VMAs */
#include <linux/mm.h>
#include <hv/compat.h>

long hv_compat_gup_remote(struct mm_struct *mm, unsigned long addr, unsigned int flags,
			  struct page **page, int *locked)
{
#ifdef HV_HAVE_GUP_WITHOUT_VMAS
	return get_user_pages_remote(mm, addr, 1, flags, page, locked);
#else
	return get_user_pages_remote(mm, addr, 1, flags, page, NULL, locked);
#endif
}

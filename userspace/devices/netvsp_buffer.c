// SPDX-License-Identifier: GPL-2.0-or-later
/* Pieces of guest memory for one transfer: of a buffer that the guest lends, or listed in a packet. */
#include <errno.h>

#include "netvsp_impl.h"

int net_piece_get(struct netvsp *v, uint64_t gpa, uint32_t bytes, uint32_t dir, struct net_pieces *p)
{
	struct dev_services *ds = v->dev.ds;
	unsigned int n = p->nr;
	int ret;

	if (n == NET_TX_PIECES)
		return -EMSGSIZE;
	if (gpa >> 52)
		return -EFAULT;
	ret = n ? ds->ops->gmem_get_like(ds, &p->mem[n - 1], gpa, bytes, &p->mem[n]) :
		  ds->ops->gmem_get(ds, gpa, bytes, dir, &p->mem[n]);
	if (ret)
		return ret;
	p->iov[n].iov_base = p->mem[n].ptr;
	p->iov[n].iov_len = bytes;
	p->bytes += bytes;
	p->nr++;
	return 0;
}

int net_buffer_get(struct netvsp *v, const struct net_buffer *b, uint32_t at, uint32_t bytes, uint32_t dir,
		   struct net_pieces *p)
{
	uint32_t page = at / VMB_PAGE, off = at % VMB_PAGE, n;
	uint64_t gpa;
	int ret = 0;

	if (at > b->gpadl.bytes || bytes > b->gpadl.bytes - at)
		return -EFAULT;
	while (bytes && !ret) {
		gpa = b->gpadl.pfns[page] << 12 | off;
		/* Pages that follow each other make one piece. */
		for (n = VMB_PAGE - off; n < bytes && page + 1 < b->gpadl.npages &&
		     b->gpadl.pfns[page + 1] == b->gpadl.pfns[page] + 1; page++)
			n += VMB_PAGE;
		n = n < bytes ? n : bytes;
		ret = b->gpadl.pfns[page] >> 40 ? -EFAULT : net_piece_get(v, gpa, n, dir, p);
		bytes -= n;
		page++;
		off = 0;
	}
	return ret;
}

void net_pieces_put(struct netvsp *v, struct net_pieces *p)
{
	struct dev_services *ds = v->dev.ds;

	while (p->nr)
		ds->ops->gmem_put(ds, &p->mem[--p->nr]);
	p->bytes = 0;
}

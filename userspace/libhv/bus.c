// SPDX-License-Identifier: LGPL-2.1-or-later
/* The bus and channel fds. */
#include <string.h>
#include <sys/mman.h>

#include "call.h"
#include "libhv_bus.h"

#define PAGE	4096u

int libhv_vm_bus(int vm, uint32_t max_version)
{
	struct hv_bus_args args = { .size = sizeof(args), .max_version = max_version };

	return libhv_call(vm, HV_VM_CREATE_BUS, &args);
}

int libhv_vm_channel(int vm, struct hv_channel_args *args)
{
	args->size = sizeof(*args);
	return libhv_call(vm, HV_VM_CREATE_CHANNEL, args);
}

int libhv_chan_event(int chan, struct hv_chan_event_args *out)
{
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	return libhv_call(chan, HV_CHAN_GET_EVENT, out);
}

int libhv_chan_open_result(int chan, uint32_t status)
{
	struct hv_chan_open_result_args args = { .size = sizeof(args), .status = status };

	return libhv_call(chan, HV_CHAN_SET_OPEN_RESULT, &args);
}

int libhv_chan_ack(int chan, enum hv_chan_event_kind kind, uint32_t gpadl)
{
	struct hv_chan_ack_args args = { .size = sizeof(args), .kind = kind, .gpadl = gpadl };

	return libhv_call(chan, HV_CHAN_ACK, &args);
}

int libhv_chan_eventfd(int chan, int fd)
{
	struct hv_chan_eventfd_args args = { .size = sizeof(args), .fd = fd };

	return libhv_call(chan, HV_CHAN_SET_EVENTFD, &args);
}

int libhv_chan_signal(int chan)
{
	return libhv_call(chan, HV_CHAN_SIGNAL, NULL);
}

int libhv_chan_gpadl(int chan, uint32_t gpadl, int take, uint32_t first, uint64_t *pfns, uint32_t *nr,
		     struct hv_chan_gpadl_args *info)
{
	struct hv_chan_gpadl_args args = {
		.size = sizeof(args), .flags = take ? HV_GPADL_F_TAKE : 0, .gpadl = gpadl,
		.first = first, .nr = *nr, .addr = (uintptr_t)pfns,
	};
	int ret = libhv_call(chan, HV_CHAN_GET_GPADL, &args);

	if (ret < 0)
		return ret;
	*nr = args.nr;
	if (info)
		*info = args;
	return 0;
}

int libhv_chan_sub(int chan, uint32_t index, uint32_t *relid)
{
	struct hv_chan_sub_args args = { .size = sizeof(args), .index = index };
	int ret = libhv_call(chan, HV_CHAN_CREATE_SUB, &args);

	if (ret >= 0 && relid)
		*relid = args.relid;
	return ret;
}

int libhv_chan_rescind(int chan)
{
	struct hv_chan_rescind_args args = { .size = sizeof(args) };

	return libhv_call(chan, HV_CHAN_RESCIND, &args);
}

int libhv_chan_info(int chan, struct hv_chan_info_args *out)
{
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	return libhv_call(chan, HV_CHAN_GET_INFO, out);
}

int libhv_chan_stats(int chan, void *buf, uint32_t *len)
{
	struct hv_stats_args args = { .size = sizeof(args), .addr = (uintptr_t)buf, .len = *len };
	int ret = libhv_call(chan, HV_CHAN_GET_STATS, &args);

	*len = args.len;
	return ret;
}

/* Map @pages from page @first of the fd over what is reserved at @at. Returns what follows. */
static uint8_t *map_part(int chan, uint8_t *at, uint32_t first, uint32_t pages)
{
	size_t bytes = (size_t)pages * PAGE;

	if (!at || mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, chan,
			(off_t)first * PAGE) == MAP_FAILED)
		return NULL;
	return at + bytes;
}

int libhv_chan_map(int chan, uint32_t out_pages, uint32_t in_pages, struct libhv_rings *out)
{
	size_t bytes = ((size_t)2 * out_pages + 2 * (size_t)in_pages - 2) * PAGE;
	uint8_t *base, *p;
	int err;

	if (out_pages < 2 || in_pages < 2)
		return -EINVAL;
	base = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (base == MAP_FAILED)
		return -errno;
	p = map_part(chan, base, 0, out_pages);
	p = map_part(chan, p, 1, out_pages - 1);
	p = map_part(chan, p, out_pages, in_pages);
	p = map_part(chan, p, out_pages + 1, in_pages - 1);
	if (!p) {
		err = -errno;
		munmap(base, bytes);
		return err;
	}
	out->base = base;
	out->bytes = bytes;
	out->out_pages = out_pages;
	out->in_pages = in_pages;
	out->out_header = base;
	out->out_data = base + PAGE;
	out->in_header = base + ((size_t)2 * out_pages - 1) * PAGE;
	out->in_data = (uint8_t *)out->in_header + PAGE;
	return 0;
}

void libhv_chan_unmap(struct libhv_rings *rings)
{
	if (rings->base)
		munmap(rings->base, rings->bytes);
	memset(rings, 0, sizeof(*rings));
}

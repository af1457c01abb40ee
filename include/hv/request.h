/* SPDX-License-Identifier: GPL-2.0-only */
/* request.h - start and end of virt/request.c; its calls are in core.h */
#ifndef _HV_REQUEST_H
#define _HV_REQUEST_H

int hv_request_init(void);	/* module load; -ENOMEM */
void hv_request_exit(void);

#endif /* _HV_REQUEST_H */

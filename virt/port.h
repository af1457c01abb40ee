/* SPDX-License-Identifier: GPL-2.0-only */
/* port.h - what hypercalls reach through a connection id, inside virt */
#ifndef _HV_VIRT_PORT_H
#define _HV_VIRT_PORT_H

#include <hv/types.h>
#include <hvguest/tlfs.h>

/*
 * The guest signals @connection; @flag holds the flag number in its low half and a
 * reserved half. An eventfd has one flag, number 0. TLFS status. [any]
 */
u16 hv_port_signal(struct hv_vm *vm, u32 connection, u32 flag);
/* The guest posts @in, whose type and size were checked. TLFS status. Ends the section. [run] */
u16 hv_port_post(struct hv_vcpu *vcpu, const struct tlfs_in_post_message *in);

#endif /* _HV_VIRT_PORT_H */

/* SPDX-License-Identifier: GPL-2.0-only */
/* release.h - the version HV_SYS_GET_VERSION and modinfo show */
#ifndef _HV_RELEASE_H
#define _HV_RELEASE_H

#define HV_RELEASE	"0.1.0"

#endif /* _HV_RELEASE_H */

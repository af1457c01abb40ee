/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HV_HVCTL_VERSION_H
#define HV_HVCTL_VERSION_H

#define HVCTL_VERSION "0.1"

#endif

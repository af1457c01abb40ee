/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log of one VM: a file that never grows beyond VMM_LOG_MAX; the newest half is kept. */
#ifndef HV_VMM_LOG_H
#define HV_VMM_LOG_H

#include <stdarg.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO };

struct vmm_log;

/* @fd: read-write, not O_APPEND; -1: nothing is logged. Takes @fd over. 0 or -errno. */
int vmm_log_create(struct vmm_log **out, int fd);
void vmm_log_release(struct vmm_log *log);

/* One line, any thread. A line break is added; control characters become '?'. */
void vmm_log(struct vmm_log *log, enum log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void vmm_vlog(struct vmm_log *log, enum log_level level, const char *fmt, va_list ap);

/* From a fatal signal's handler: no locks, no formatting but @value in hex. */
void vmm_log_fatal(struct vmm_log *log, const char *text, long value);

#endif

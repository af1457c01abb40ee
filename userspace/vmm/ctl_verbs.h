/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the control socket's verbs do; between ctl.c (bytes) and machine.h (the VM). */
#ifndef HV_VMM_CTL_VERBS_H
#define HV_VMM_CTL_VERBS_H

#include <jansson.h>
#include <stdint.h>

#include "vmm/ctl.h"

struct machine;

struct ctl_answer {
	json_t	*json;		/* the reply; NULL: no memory, hang up */
	void	*raw;		/* bytes behind the reply, malloc()ed, or NULL */
	size_t	raw_len;
	int	fd;		/* descriptor to pass, owned by the answer, or -1 */
};

/*
 * Do @req (not CTL_WAIT). @born: loop_now() when the VM was made. *@fd: the descriptor that came with
 * it or -1; a verb that takes it over sets it to -1.
 */
void ctl_verb_run(struct machine *m, const struct ctl_request *req, uint64_t born, int *fd,
		  struct ctl_answer *ans);

/* {"ok": false, "error": @word, "message": ...}; NULL without memory. */
json_t *ctl_error(const char *word, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The answer to "wait". */
json_t *ctl_end_json(struct machine *m);

#endif

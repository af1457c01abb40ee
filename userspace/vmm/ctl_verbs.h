/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the control socket's verbs do; between ctl.c (bytes) and machine.h (the VM). */
#ifndef HV_VMM_CTL_VERBS_H
#define HV_VMM_CTL_VERBS_H

#include <jansson.h>
#include <stdint.h>

#include "vmm/ctl.h"
#include "vmm/machine.h"

struct ctl_answer {
	json_t	*json;		/* the reply; NULL: no memory, hang up */
	void	*raw;		/* bytes behind the reply, malloc()ed, or NULL */
	size_t	raw_len;
	int	fd;		/* descriptor to pass, owned by the answer, or -1 */
};

/*
 * Do @req (neither CTL_WAIT nor CTL_SAVE*). @born: loop_now() when the VM was made. *@fd: the descriptor that came with
 * it or -1; a verb that takes it over sets it to -1.
 */
void ctl_verb_run(struct machine *m, const struct ctl_request *req, uint64_t born, int *fd,
		  struct ctl_answer *ans);

/* {"ok": false, "error": @word, "message": ...}; NULL without memory. */
json_t *ctl_error(const char *word, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "kvp", "kvp-read", "kvp-set" and "kvp-delete". */
void ctl_kvp(struct machine *m, const struct ctl_request *req, struct ctl_answer *ans);
/* What the guest says of itself: an object, or null while it has said nothing. */
json_t *ctl_guest_json(struct machine *m);

/*
 * Begin a save into *@fd, which is the machine's then (-1). Return: 0, or an error in @ans. @fn as of
 * machine_save(); ctl_save_answer() makes the answer of what it gets.
 */
int ctl_save_begin(struct machine *m, const struct ctl_request *req, int *fd, machine_save_fn fn, void *arg,
		   struct ctl_answer *ans);
void ctl_save_answer(struct machine *m, const struct state_err *e, struct ctl_answer *ans);
/* "save-end" of the connection that has saved it. */
void ctl_save_end(struct machine *m, struct ctl_answer *ans);

/* The answer to "wait". */
json_t *ctl_end_json(struct machine *m);

#endif

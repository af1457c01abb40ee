// SPDX-License-Identifier: GPL-2.0-or-later
/* "save" and "save-end" of the control socket: what they do and answer. */
#include <errno.h>

#include "base/err.h"
#include "libstate/state.h"
#include "vmm/ctl_verbs.h"

#define LEVEL 1		/* of zstd: a save shall not take longer than the disk does */

int ctl_save_begin(struct machine *m, const struct ctl_request *req, int *fd, machine_save_fn fn, void *arg,
		   struct ctl_answer *ans)
{
	struct err e = { 0 };
	int ret;

	if (*fd < 0) {
		ans->json = ctl_error(CTL_E_REQUEST, "no descriptor came with the request");
		return -EINVAL;
	}
	ret = machine_save(m, *fd, req->keys & CTL_KEY_COMPRESS ? LEVEL : 0, fn, arg, &e);
	if (ret)
		ans->json = ctl_error(ret == -EBUSY ? CTL_E_STATE : CTL_E_FAILED, "%s", e.text);
	else
		*fd = -1;
	return ret;
}

void ctl_save_answer(struct machine *m, const struct state_err *e, struct ctl_answer *ans)
{
	if (e)
		ans->json = ctl_error(CTL_E_FAILED, "VM '%s' was not saved and goes on: %s", machine_config(m)->name,
				      e->text);
	else
		ans->json = json_pack("{s:b, s:s}", "ok", 1, "name", machine_config(m)->name);
}

void ctl_save_end(struct machine *m, struct ctl_answer *ans)
{
	if (machine_save_end(m))
		ans->json = ctl_error(CTL_E_STATE, "VM '%s' is not saved", machine_config(m)->name);
	else
		ans->json = json_pack("{s:b, s:s}", "ok", 1, "name", machine_config(m)->name);
}

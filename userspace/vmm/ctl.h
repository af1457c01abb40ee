/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket of a VM process.
 *
 * A stream socket; one JSON object a line in both directions, a reply for each request, in order.
 *
 *	{"verb": "status"}
 *	{"ok": true, "name": "vm1", "state": "running", ...}
 *	{"verb": "resume"}
 *	{"ok": false, "error": "wrong-state", "message": "VM 'vm1' is stopping"}
 *
 * An error may have "next" as well, what to do about it.
 *
 * A request is at most CTL_REQUEST_MAX bytes with its newline; unknown verbs and keys are refused.
 * A descriptor that comes with a request (SCM_RIGHTS) belongs to the first line that is read with or after
 * it; "disk-attach" and "disk-insert" need one, an open image. The VM process itself opens no file.
 *
 * "console" passes one end of a socket pair with its reply (SCM_RIGHTS); "ring" has "bytes" raw bytes
 * behind its reply; "wait" is answered when the VM ends.
 *
 * "kvp" tells all that is known of the guest's key-value pairs. "kvp-read" has the guest asked anew, and answers
 * with the "sweep" that "sweeps" of "kvp" reaches then; "kvp-set" and "kvp-delete" answer with the "change" that
 * "changes" of "kvp" tells the outcome of.
 *
 * "save" comes with a descriptor, of an empty file. It is answered when all is on disk, or with "failed"; the
 * VM stands still meanwhile, and "status" has "save": {"done": ..., "total": ...}. To hang up cancels it. After
 * the answer the same connection says "save-end", and the VM's process ends; hanging up leaves the VM paused, or lets
 * it go on if the file has no name any more. Only the user who started the VM and root are served (SO_PEERCRED), the
 * others get end-of-file.
 */
#ifndef HV_VMM_CTL_H
#define HV_VMM_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CTL_PROTOCOL	1		/* "protocol" of the status reply; raised when a meaning changes */
#define CTL_REQUEST_MAX	4096
#define CTL_PATH_MAX	1024		/* bytes of "path" */
#define CTL_NAME_MAX	510		/* bytes of "name" and "value" */
#define CTL_VALUE_MAX	2046
#define CTL_REPLY_MAX	(1u << 20)
#define CTL_CONNS_MAX	32		/* the longest idle one makes room for a new one */
#define CTL_WAITERS_MAX	24		/* so that waiters never lock out a kill */

enum ctl_verb {
	CTL_STATUS,
	CTL_STATS,
	CTL_PAUSE,
	CTL_RESUME,
	CTL_RESET,
	CTL_STOP,
	CTL_KILL,
	CTL_WAIT,
	CTL_CONSOLE,
	CTL_RING,
	CTL_DISK_ATTACH,
	CTL_DISK_DETACH,
	CTL_DISK_EJECT,
	CTL_DISK_INSERT,
	CTL_LINK_UP,
	CTL_LINK_DOWN,
	CTL_KVP,
	CTL_KVP_READ,
	CTL_KVP_SET,
	CTL_KVP_DELETE,
	CTL_SAVE,
	CTL_SAVE_END,
	CTL_VERB_NR
};

#define CTL_KEY_READONLY	(1u << 0)
#define CTL_KEY_FORCE		(1u << 1)
#define CTL_KEY_RAW		(1u << 2)	/* the image's content is not looked at */
#define CTL_KEY_CONTROLLER	(1u << 3)
#define CTL_KEY_UNIT		(1u << 4)
#define CTL_KEY_PATH		(1u << 5)
#define CTL_KEY_COMPRESS	(1u << 6)	/* with zstd */
#define CTL_KEY_NAME		(1u << 7)
#define CTL_KEY_VALUE		(1u << 8)

struct ctl_request {
	enum ctl_verb	verb;
	unsigned int	keys;		/* CTL_KEY_* that are there and, of flags, true */
	uint8_t		controller;	/* below VMM_CONTROLLERS_MAX; 0 when absent */
	uint8_t		unit;		/* below VMM_LUNS_MAX; of "link-up" and "link-down" the adapter */
	char		path[CTL_PATH_MAX + 1];	/* the image's name, for messages; "" when absent */
	char		name[CTL_NAME_MAX + 1];	/* of a key-value pair */
	char		value[CTL_VALUE_MAX + 1];
};

/*
 * ctl_request_parse() - one line, without its newline; hostile input is normal.
 * @why: on failure what is wrong, one line.
 * Return: 0 or -EINVAL (-ENOMEM).
 */
int ctl_request_parse(const char *line, size_t len, struct ctl_request *req, char *why, size_t whylen);
const char *ctl_verb_name(enum ctl_verb verb);

/* Words of "error"; the front end has an exit code for each. */
#define CTL_E_REQUEST	"bad-request"
#define CTL_E_STATE	"wrong-state"
#define CTL_E_BUSY	"busy"
#define CTL_E_LIMIT	"limit"
#define CTL_E_INVALID	"invalid"		/* there is no such unit, or the image is not one */
#define CTL_E_FAILED	"failed"

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* fd.h - a new fd in three steps: create (private), then publish or abort */
#ifndef _HV_KMOD_FD_H
#define _HV_KMOD_FD_H

#include <linux/types.h>

struct file;
struct file_operations;

/**
 * struct hv_newfd - an fd that user space can't see yet
 * @file: owns what was given to hv_newfd_create(); NULL: there is none
 * @fd: the number reserved
 * @done: called with @obj when the fd is published, NULL for nothing. Runs before the
 *	number can be used and can't fail: the object becomes visible together with its fd.
 */
struct hv_newfd {
	struct file *file;
	int fd;
	void (*done)(void *obj);
	void *obj;
};

/*
 * Reserve a number and a file of @fops over @obj, which must be a referenced object: from
 * success on, the file's release owns that reference. -EMFILE, -ENFILE, -ENOMEM: the
 * reference is still the caller's. [proc]
 */
int hv_newfd_create(struct hv_newfd *n, const char *name, const struct file_operations *fops,
		    void *obj, void (*done)(void *obj));
/* Make it visible; returns the number. */
int hv_newfd_publish(struct hv_newfd *n);
/* Drop number and file; the object's reference goes with the file. */
void hv_newfd_abort(struct hv_newfd *n);

static inline bool hv_newfd_is_set(const struct hv_newfd *n)
{
	return n->file != NULL;
}

#endif /* _HV_KMOD_FD_H */

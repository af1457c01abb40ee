/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Talking to a VM's control socket, with a deadline for everything. */
#ifndef HV_HVCTL_CLIENT_H
#define HV_HVCTL_CLIENT_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "vmm/ctl.h"

#define CLIENT_PATIENCE_MS	5000	/* for an answer the VM gives at once */
#define CLIENT_FOREVER		-1

struct client {
	int	fd;		/* -1: not connected */
	pid_t	pid;		/* of the VM process */
	char	name[64];
	char	*buf;		/* what was read and not used */
	size_t	len;
};

/* Return: 0 or an enum rc. */
int client_open(struct client *c, const char *name, struct err *err);
void client_close(struct client *c);

/* Send one request; @keys: CTL_KEY_*. Return: 0 or an enum rc. */
int client_send(struct client *c, enum ctl_verb verb, unsigned int keys, struct err *err);

/* Send @request (taken over, NULL for no memory) and @fd with it, -1: none. Return: 0 or an enum rc. */
int client_send_json(struct client *c, json_t *request, int fd, struct err *err);

/*
 * The same with "wait" right behind it in one piece: a VM may end so soon after the first answer that a
 * request sent then would come too late.
 */
int client_send_and_wait(struct client *c, enum ctl_verb verb, unsigned int keys, struct err *err);

/*
 * Receive one reply. @timeout_ms: CLIENT_FOREVER or milliseconds. @fd: a passed descriptor, may be NULL.
 * Return: 0 with *@reply (its "ok" is true); RC_TIMEOUT; RC_CANCELLED (SIGINT, SIGTERM); RC_FAILED when
 * the VM hung up (*@reply NULL); or the code of the error it sent.
 */
int client_receive(struct client *c, json_t **reply, int *fd, int timeout_ms, struct err *err);

/* The @len bytes behind a reply. Return: 0 or an enum rc. */
int client_raw(struct client *c, void *buf, size_t len, struct err *err);

/* Open, send, receive, close. */
int client_ask(const char *name, enum ctl_verb verb, json_t **reply, struct err *err);

#endif

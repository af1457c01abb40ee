// SPDX-License-Identifier: GPL-2.0-or-later
/* link: the cable of a network adapter of a running VM. */
#include <string.h>

#include "base/text.h"
#include "hvctl/client.h"
#include "hvctl/cmd.h"
#include "vmm/config.h"

#define PATIENCE_MS 10000

int cmd_link(struct ctx *ctx)
{
	const char *name = ctx->line.arg[0], *word = ctx->line.arg[1];
	bool up = !strcmp(word, "up");
	struct client client;
	json_t *reply = NULL;
	uint64_t nr = 0;
	int ret;

	if (!up && strcmp(word, "down"))
		return err_set(&ctx->err, RC_USAGE, "write for example hvctl link vm1 down",
			       "'%s' is neither up nor down", word);
	if (ctx->line.args > 2 && text_uint(ctx->line.arg[2], VMM_NETS_MAX - 1, &nr))
		return err_set(&ctx->err, RC_USAGE, "hvctl show tells which adapters there are",
			       "'%s' is no number of an adapter", ctx->line.arg[2]);
	ret = client_open(&client, name, &ctx->err);
	if (!ret)
		ret = client_send_json(&client, json_pack("{s:s, s:i}", "verb",
							  ctl_verb_name(up ? CTL_LINK_UP : CTL_LINK_DOWN),
							  "unit", (int)nr), -1, &ctx->err);
	if (!ret)
		ret = client_receive(&client, &reply, NULL, PATIENCE_MS, &ctx->err);
	client_close(&client);
	if (ret)
		return ret;
	json_object_del(reply, "ok");
	if (ctx->json)
		return out_json(ctx, reply, false);
	json_decref(reply);
	return out_end(ctx);
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The --net options of run and start. */
#include <string.h>

#include "backends/net_user.h"
#include "base/text.h"
#include "hvctl/vmopts.h"

/* "02:00:00:00:00:01" */
static int mac_read(struct ctx *ctx, const char *text, struct vmm_net *n)
{
	unsigned int b[6];
	char end;

	if (strlen(text) != 17 || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4],
					 &b[5], &end) != 6 || strspn(text, "0123456789abcdefABCDEF:") != 17)
		return err_set(&ctx->err, RC_USAGE, "write for example mac=02:00:00:00:00:01",
			       "option --net, key mac: '%s' is not an address", text);
	if (b[0] & 1 || !(b[0] | b[1] | b[2] | b[3] | b[4] | b[5]))
		return err_set(&ctx->err, RC_INVALID, "the second digit must be even",
			       "option --net, key mac: %s is no adapter's address", text);
	for (int i = 0; i < 6; i++)
		n->mac[i] = (uint8_t)b[i];
	return 0;
}

/* Add a word to what the backend is told. */
static int word_add(struct ctx *ctx, char *to, const char *word)
{
	size_t n = strlen(to), len = strlen(word);

	if (n + len + 1 > VMM_NET_TO_MAX)
		return err_set(&ctx->err, RC_INVALID, NULL, "option --net: more than %d bytes of words",
			       VMM_NET_TO_MAX);
	if (n)
		to[n++] = ' ';
	memcpy(to + n, word, len + 1);
	return 0;
}

static int forward(struct ctx *ctx, const char *rule, char *to)
{
	struct net_user_rule r;

	if (strpbrk(rule, " \n") || net_user_rule_parse(rule, strlen(rule), &r))
		return err_set(&ctx->err, RC_USAGE, "write for example hostfwd=tcp::2222-:22",
			       "option --net, key hostfwd: '%s' is not tcp:[ADDRESS]:PORT-[ADDRESS]:PORT", rule);
	return word_add(ctx, to, rule);
}

static int flag(const char *value, uint8_t bit, struct vmm_net *n)
{
	if (!strcmp(value, "on"))
		n->flags |= bit;
	return 0;
}

static int mtu_read(struct ctx *ctx, const char *text, struct vmm_net *n)
{
	uint64_t v = 0;

	if (text_uint(text, VMM_NET_MTU_MAX, &v) || v < VMM_NET_MTU_MIN)
		return err_set(&ctx->err, RC_INVALID, NULL, "option --net, key mtu: %s is not %d to %d", text,
			       VMM_NET_MTU_MIN, VMM_NET_MTU_MAX);
	n->mtu = (uint16_t)v;
	return 0;
}

/* Which keys go with which place. */
static const struct { const char *key; uint8_t kind; } only[] = {
	{ "hostfwd", VMM_NET_USER }, { "restrict", VMM_NET_USER }, { "ifname", VMM_NET_TAP },
	{ "bridge", VMM_NET_TAP },
};

/* Where to: the first key, in the order of enum vmm_net_kind. */
static int kind_read(struct ctx *ctx, const struct opt_keys *keys, struct vmm_net *n)
{
	const char *to = opt_keys_value(keys, "to");
	size_t i;

	n->kind = to && !strcmp(to, "tap") ? VMM_NET_TAP : VMM_NET_USER;
	for (i = 0; i < sizeof(only) / sizeof(only[0]); i++)
		if (only[i].kind != n->kind && opt_keys_value(keys, only[i].key))
			return err_set(&ctx->err, RC_USAGE, "write --net help for the keys",
				       "option --net: key %s does not go with %s", only[i].key,
				       n->kind == VMM_NET_TAP ? "tap" : "user");
	return 0;
}

/* "-" stands for a name that the kernel chooses. */
static int tap_words(struct ctx *ctx, const struct opt_keys *keys, char *to)
{
	const char *name = opt_keys_value(keys, "ifname"), *bridge = opt_keys_value(keys, "bridge");
	const char *const words[2] = { name ? name : "-", bridge };
	int ret = 0;

	for (int i = 0; i < 2 && words[i] && !ret; i++) {
		if (!*words[i] || strlen(words[i]) > 15 || strpbrk(words[i], " /\n"))
			return err_set(&ctx->err, RC_USAGE, "a name has at most 15 letters and digits",
				       "option --net: '%s' is no name of an interface", words[i]);
		ret = word_add(ctx, to, words[i]);
	}
	return ret;
}

static int net(struct ctx *ctx, struct vmopts *o, const struct opt *opt, const char *value)
{
	struct vmm_net *n = &o->cfg.net[o->cfg.nets];
	char *to = o->net[o->cfg.nets];
	struct opt_keys keys;
	int ret = opt_keys_parse(ctx->tool, opt, value, &keys, &ctx->err);

	*n = (struct vmm_net){ .kind = VMM_NET_USER };
	if (!ret)
		ret = kind_read(ctx, &keys, n);
	if (!ret && n->kind == VMM_NET_TAP)
		ret = tap_words(ctx, &keys, to);
	for (unsigned int i = 0; !ret && i < keys.n; i++) {
		const char *name = keys.kv[i].key->name, *v = keys.kv[i].value;

		if (!strcmp(name, "hostfwd"))
			ret = forward(ctx, v, to);
		else if (!strcmp(name, "mac"))
			ret = mac_read(ctx, v, n);
		else if (!strcmp(name, "mtu"))
			ret = mtu_read(ctx, v, n);
		else if (!strcmp(name, "guard"))
			ret = flag(v, VMM_NET_GUARD, n);
		else if (!strcmp(name, "restrict"))
			ret = flag(v, VMM_NET_RESTRICTED, n);
	}
	if (ret)
		return ret;
	n->to = *to ? to : NULL;
	o->cfg.nets++;
	return 0;
}

int netopts_parse(struct ctx *ctx, struct vmopts *o)
{
	int ret = 0;

	for (unsigned int i = 0; i < ctx->line.hits && !ret; i++) {
		if (strcmp(ctx->line.hit[i].opt->name, "net"))
			continue;
		if (o->cfg.nets == VMM_NETS_MAX)
			return err_set(&ctx->err, RC_INVALID, NULL, "more than %d network adapters",
				       VMM_NETS_MAX);
		ret = net(ctx, o, ctx->line.hit[i].opt, ctx->line.hit[i].value);
	}
	return ret;
}

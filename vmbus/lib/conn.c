// SPDX-License-Identifier: GPL-2.0-or-later
/* conn.c - version negotiation and the three states of a connection */
#include "conn.h"

/* All that have a connection id and an interrupt of its own per channel. */
static const u32 versions[] = {
	VMB_VERSION_WIN8, VMB_VERSION_WIN8_1, VMB_VERSION_WIN10, VMB_VERSION_WIN10_V4_1,
	VMB_VERSION_WIN10_V5, VMB_VERSION_WIN10_V5_1, VMB_VERSION_WIN10_V5_2, VMB_VERSION_WIN10_V5_3,
};

enum conn_move { M_END, M_ENDED, M_ANSWER, M_NR };

#define TO(s)	((s) + 1)

static const u8 edges[HV_CONN_STATES][M_NR] = {
	[HV_CONN_OFF] = { [M_END] = TO(HV_CONN_ENDING), [M_ANSWER] = TO(HV_CONN_UP) },
	[HV_CONN_UP] = { [M_END] = TO(HV_CONN_ENDING) },
	[HV_CONN_ENDING] = { [M_END] = TO(HV_CONN_ENDING), [M_ENDED] = TO(HV_CONN_OFF) },
};

static bool conn_move(struct hv_conn *c, enum conn_move move)
{
	u32 to = c->state < HV_CONN_STATES ? edges[c->state][move] : 0;

	if (to)
		c->state = to - 1;
	return to;
}

static bool version_is_known(u32 version)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(versions); i++)
		if (versions[i] == version)
			return true;
	return false;
}

int hv_conn_init(struct hv_conn *c, u32 max_version)
{
	memset(c, 0, sizeof(*c));
	c->max_version = max_version ? max_version : HV_CONN_VERSION_MAX;
	return version_is_known(c->max_version) ? 0 : -EINVAL;
}

void hv_conn_end(struct hv_conn *c, enum hv_conn_next next)
{
	conn_move(c, M_END);
	c->next = next;
	c->version = 0;
	c->offers = 0;
}

enum hv_conn_next hv_conn_ended(struct hv_conn *c)
{
	enum hv_conn_next next = c->next;

	if (!conn_move(c, M_ENDED))
		return HV_CONN_NEXT_NONE;
	c->next = HV_CONN_NEXT_NONE;
	return next;
}

/* Interrupts of another SINT, or another trust level, are nothing we have. */
static bool contact_is_fine(const struct hv_conn *c, const struct vmb_initiate_contact *m)
{
	if (!version_is_known(m->version) || m->version > c->max_version)
		return false;
	return m->version < VMB_VERSION_WIN10_V5 || (m->v5.sint == VMB_SINT && !m->v5.vtl);
}

void hv_conn_answer(struct hv_conn *c, struct vmb_version_response *r)
{
	const struct vmb_initiate_contact *m = &c->contact;

	memset(r, 0, sizeof(*r));
	r->header.type = VMB_MSG_VERSION_RESPONSE;
	c->target_vp = m->target_vp;
	if (!contact_is_fine(c, m) || !conn_move(c, M_ANSWER))
		return;
	c->version = m->version;
	r->supported = 1;
	r->state = VMB_CONNECTION_OK;
	r->connection = m->version < VMB_VERSION_WIN10_V5 ? m->version : VMB_CONNECTION_MESSAGES;
}

const char *hv_conn_state_name(u32 state)
{
	static const char *const names[HV_CONN_STATES] = {
		[HV_CONN_OFF] = "off", [HV_CONN_UP] = "up", [HV_CONN_ENDING] = "ending",
	};

	return state < HV_CONN_STATES ? names[state] : "?";
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* doctor: the findings of userspace/doctor for people and programs. */
#include <string.h>

#include "doctor/doctor.h"
#include "hvctl/cmd.h"

#define FINDINGS_MAX 32

struct findings {
	struct doctor_finding	f[FINDINGS_MAX];
	unsigned int		n;
};

static void collect(void *cookie, const struct doctor_finding *f)
{
	struct findings *all = cookie;

	if (all->n < FINDINGS_MAX)
		all->f[all->n++] = *f;
}

static const struct doctor_finding *finding_of(const struct findings *all, const char *id)
{
	for (unsigned int i = 0; i < all->n; i++)
		if (!strcmp(all->f[i].id, id))
			return &all->f[i];
	return NULL;
}

/* What a finding keeps from working, as a word. */
static const struct { unsigned int bit; const char *word; } needs[] = {
	{ DOCTOR_BUILD, "build" }, { DOCTOR_LOAD, "load" }, { DOCTOR_RUN, "run" }, { DOCTOR_LAB, "lab" },
};

static json_t *finding_json(const char *id, const struct doctor_finding *f)
{
	json_t *o = json_pack("{s:s, s:b}", "probe", id, "ok", !f), *list = json_array();

	for (size_t i = 0; f && i < sizeof(needs) / sizeof(needs[0]); i++)
		if (f->blocks & needs[i].bit)
			json_array_append_new(list, json_string(needs[i].word));
	if (f) {
		json_object_set_new(o, "cause", json_string(f->cause));
		json_object_set_new(o, "remedy", json_string(f->remedy));
	}
	json_object_set_new(o, "blocks", list);
	return o;
}

static json_t *all_json(const struct findings *all)
{
	json_t *list = json_array();
	const char *id;

	for (unsigned int i = 0; (id = doctor_probe_id(i)); i++)
		json_array_append_new(list, finding_json(id, finding_of(all, id)));
	return json_pack("{s:o}", "findings", list);
}

static void print(const char *id, const struct doctor_finding *f, bool quiet)
{
	bool bad = f && f->blocks & DOCTOR_RUN;

	if (!f) {
		if (!quiet)
			printf("%sok%s       %s\n", out_colour(OUT_GREEN), out_colour(OUT_PLAIN), id);
		return;
	}
	printf("%s%s%s  %s: %s\n         -> %s\n", out_colour(bad ? OUT_RED : OUT_YELLOW),
	       bad ? "problem" : "note   ", out_colour(OUT_PLAIN), id, f->cause, f->remedy);
}

int cmd_doctor(struct ctx *ctx)
{
	static struct findings all;
	struct doctor_place place;
	const char *id;
	unsigned int blocked;
	int ret;

	doctor_place_init(&place);
	blocked = doctor_run(&place, ~0u, collect, &all);
	for (unsigned int i = 0; !ctx->json && (id = doctor_probe_id(i)); i++)
		print(id, finding_of(&all, id), ctx->quiet);
	ret = ctx->json ? out_json(ctx, all_json(&all), false) : out_end(ctx);
	/* The findings are the message; the exit code says it to scripts. */
	if (!ret && blocked & DOCTOR_RUN)
		ctx->status = RC_HOST;
	return ret;
}

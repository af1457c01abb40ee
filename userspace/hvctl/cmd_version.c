// SPDX-License-Identifier: GPL-2.0-or-later
/* version: hvctl, hv.ko and its capabilities. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "hvctl/cmd.h"
#include "hvctl/version.h"
#include "libhv/libhv.h"

static const struct { enum hv_cap cap; const char *name; } caps[] = {
	{ HV_CAP_MAX_VCPUS, "max_vcpus" }, { HV_CAP_MAX_SLOTS, "max_slots" },
	{ HV_CAP_RUN_BYTES, "run_bytes" }, { HV_CAP_HW_STATE, "hw_state" },
	{ HV_CAP_HW_FEATURES, "hw_features" }, { HV_CAP_GPA_BITS, "gpa_bits" },
	{ HV_CAP_DIRTY_LOG, "dirty_log" }, { HV_CAP_IOEVENTFD, "ioeventfd" },
	{ HV_CAP_IRQFD, "irqfd" }, { HV_CAP_EVENT_PORT, "event_port" },
	{ HV_CAP_STATE_RECORDS, "state_records" }, { HV_CAP_TLFS, "tlfs" },
	{ HV_CAP_TSC_KHZ, "tsc_khz" }, { HV_CAP_FORK_BACKING, "fork_backing" },
	{ HV_CAP_BUS, "bus" },
};

static const struct { uint64_t bit; const char *name; } features[] = {
	{ HV_HWF_SLAT, "slat" }, { HV_HWF_SLAT_2M, "slat-2m" }, { HV_HWF_SLAT_1G, "slat-1g" },
	{ HV_HWF_NEXT_RIP, "next-rip" }, { HV_HWF_DECODE_ASSIST, "decode-assist" },
	{ HV_HWF_FLUSH_BY_ASID, "flush-by-asid" }, { HV_HWF_CLEAN_BITS, "clean-bits" },
	{ HV_HWF_TSC_SCALING, "tsc-scaling" }, { HV_HWF_PAUSE_FILTER, "pause-filter" },
	{ HV_HWF_VGIF, "vgif" }, { HV_HWF_AVIC, "avic" }, { HV_HWF_XSAVE, "xsave" },
	{ HV_HWF_VIRT_SPEC_CTRL, "virt-spec-ctrl" },
};

static const char *const vendors[] = { "none", "amd", "intel" };
static const char *const hw_states[] = { "off", "ours", "none", "off-in-firmware", "held-by-another" };

#define NR(a) (sizeof(a) / sizeof((a)[0]))

static json_t *feature_list(uint64_t bits)
{
	json_t *list = json_array();

	for (size_t i = 0; i < NR(features); i++)
		if (bits & features[i].bit)
			json_array_append_new(list, json_string(features[i].name));
	return list;
}

static json_t *cap_value(enum hv_cap cap, uint64_t v)
{
	if (cap == HV_CAP_HW_FEATURES)
		return feature_list(v);
	if (cap == HV_CAP_HW_STATE && v < NR(hw_states))
		return json_string(hw_states[v]);
	return json_integer((json_int_t)v);
}

/* What hv.ko says of itself. Return: an object, or NULL with @why. */
static json_t *module_json(const char **why)
{
	struct hv_version_args v;
	json_t *o, *list;
	int sys = libhv_open(NULL);

	*why = NULL;
	if (sys < 0) {
		*why = sys == -ENOENT || sys == -ENODEV || sys == -ENXIO ? "not loaded" : strerror(-sys);
		return NULL;
	}
	if (libhv_version(sys, &v)) {
		close(sys);
		*why = "/dev/hv does not answer as hv.ko";
		return NULL;
	}
	v.release[sizeof(v.release) - 1] = 0;
	list = json_object();
	for (size_t i = 0; i < NR(caps); i++) {
		uint64_t value;

		if (!libhv_cap(sys, caps[i].cap, &value))
			json_object_set_new(list, caps[i].name, cap_value(caps[i].cap, value));
	}
	close(sys);
	o = json_pack("{s:s, s:i, s:s}", "release", v.release, "api", (int)v.api, "vendor",
		      v.vendor < NR(vendors) ? vendors[v.vendor] : "unknown");
	json_object_set_new(o, "caps", list);
	return o;
}

static void print_cap(const char *name, json_t *value)
{
	size_t i;
	json_t *item;

	printf("  %-16s", name);
	if (json_is_string(value)) {
		printf("%s\n", json_string_value(value));
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, item)
			printf("%s%s", i ? " " : "", json_string_value(item));
		putchar('\n');
	} else {
		printf("%lld\n", (long long)json_integer_value(value));
	}
}

int cmd_version(struct ctx *ctx)
{
	const char *why, *name;
	json_t *mod = module_json(&why), *value;

	if (ctx->json) {
		json_t *o = json_pack("{s:s}", "hvctl", HVCTL_VERSION);

		json_object_set_new(o, "module", mod ? mod : json_null());
		if (why)
			json_object_set_new(o, "module_missing", json_string(why));
		return out_json(ctx, o, false);
	}
	printf("hvctl %s\n", HVCTL_VERSION);
	if (!mod) {
		if (!ctx->quiet)
			printf("hv.ko: %s (hvctl doctor tells more)\n", why);
		return out_end(ctx);
	}
	if (!ctx->quiet) {
		printf("hv.ko %s, interface %lld, %s\n",
		       json_string_value(json_object_get(mod, "release")),
		       (long long)json_integer_value(json_object_get(mod, "api")),
		       json_string_value(json_object_get(mod, "vendor")));
		json_object_foreach(json_object_get(mod, "caps"), name, value)
			print_cap(name, value);
	}
	json_decref(mod);
	return out_end(ctx);
}

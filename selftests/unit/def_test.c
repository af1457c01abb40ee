// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Definitions: every option has its XML and comes back from it; XML that is hostile, or means what hv does
 * not do, is refused by line and element.
 */
#include <stdlib.h>

#include "hvctl/def/map.h"
#include "selftests/unit/lib/unit.h"

static struct def d, back;
static struct err err;

static bool has_row(const char *opt, const char *key)
{
	for (const struct def_row *r = def_rows; r->path; r++)
		if (r->opt && !strcmp(r->opt, opt) && (key ? r->key && !strcmp(r->key, key) : !r->key))
			return true;
	return false;
}

/* The table knows every option and every key, and nothing else. */
static void test_complete(void)
{
	for (const struct opt *const *g = def_groups; *g; g++)
		for (const struct opt *o = *g; o->name; o++) {
			bool said = def_opt_passing(o->name);

			CHECK(def_opt(o->name) == o);
			if (o->kind != OPT_KEYS)
				said |= has_row(o->name, NULL);
			for (const struct opt_key *k = o->kind == OPT_KEYS ? o->keys : NULL; k && k->name; k++) {
				said = has_row(o->name, k->name);
				if (!said)
					break;
			}
			if (!said)
				fprintf(stderr, "option --%s, or a key of it, has no row in map_table.c\n", o->name);
			CHECK(said);
		}
	for (const struct def_row *r = def_rows; r->path; r++) {
		const struct opt *o = r->opt ? def_opt(r->opt) : NULL;
		bool key = !r->key;

		CHECK(!r->opt || o);
		for (const struct opt_key *k = o && r->key ? o->keys : NULL; k && k->name; k++)
			key |= !strcmp(k->name, r->key);
		CHECK(key);
	}
}

/* A value of @key that is not its default. */
static const char *sample(const char *opt, const char *key, enum opt_kind kind, const char *const *words)
{
	static const struct { const char *opt, *key, *value; } given[] = {
		{ "name", "", "web-1" }, { "cpus", "off", "avx2+x2apic" }, { "numa", "cpus", "0-1" },
		{ "disk", "bus", "scsi1:3" }, { "cdrom", "bus", "scsi2:63" }, { "cpus", "count", "2" },
		{ "uuid", "", "0c3e8f4e-9d2a-4a52-8d8e-0123456789ab" }, { "serial", "path", "/tmp/a&b,c" },
		{ "escape", "", "^a" }, { "cloud-init", "", "/img/u'<&>\",/img/m" }, { "append", "", "a=\"1\" <b> 'c'" },
	};

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		if (!strcmp(given[i].opt, opt) && !strcmp(given[i].key, key))
			return given[i].value;
	switch (kind) {
	case OPT_FLAG:		return "on";
	case OPT_STRS:		return "tcp::2222-:22";
	case OPT_UINT:		return "1";
	case OPT_SIZE:		return "1048576K";
	case OPT_DURATION:	return "5s";
	case OPT_WORD:
		while (words[1])
			words++;
		return words[0];
	case OPT_FILE:		return "/img/x'<&>\",y.vhd";
	default:		return "text";
	}
}

/* Every key of @o, commas doubled. */
static void sample_list(const struct opt *o, char *list, size_t room)
{
	size_t n = 0;

	for (const struct opt_key *k = o->keys; k->name; k++) {
		n += (size_t)snprintf(list + n, room - n, "%s%s=", n ? "," : "", k->name);
		for (const char *v = sample(o->name, k->name, k->kind, k->words); *v; v++) {
			if (*v == ',')
				list[n++] = ',';
			list[n++] = *v;
		}
	}
	list[n] = 0;
}

/* All values of option @name in @x, keys in the order of the table. */
static void spell(const struct def *x, const char *name, char *out, size_t room)
{
	static const struct opt_tool tool = { .usage_code = 2 };
	size_t n = 0;

	*out = 0;
	for (unsigned int i = 0; i < x->line.hits; i++) {
		const struct opt_hit *h = &x->line.hit[i];
		struct opt_keys keys;

		if (strcmp(h->opt->name, name))
			continue;
		n += (size_t)snprintf(out + n, room - n, "[%s]", h->value && h->opt->kind != OPT_KEYS ? h->value : "");
		if (h->opt->kind != OPT_KEYS)
			continue;
		CHECK_EQ(opt_keys_parse(&tool, h->opt, h->value, &keys, &err), 0);
		for (const struct opt_key *k = h->opt->keys; k->name; k++)
			for (unsigned int v = 0; v < keys.n; v++)
				if (keys.kv[v].key == k)
					n += (size_t)snprintf(out + n, room - n, "%s=%s;", k->name, keys.kv[v].value);
	}
}

/* Write @d, read it into @back. */
static char *round_trip(void)
{
	char *text = NULL;
	int ret = def_write(&d, &text, &err);

	if (ret)
		fprintf(stderr, "write: %s\n", err.text);
	CHECK_EQ(ret, 0);
	ret = def_read(&back, "back", text ? text : "", text ? strlen(text) : 0, &err);
	if (ret)
		fprintf(stderr, "read: %s\n%s\n", err.text, text);
	CHECK_EQ(ret, 0);
	return text;
}

/* One option at a time, and all of them. */
static void test_each(void)
{
	for (const struct opt *const *g = def_groups; *g; g++)
		for (const struct opt *o = *g; o->name; o++) {
			char list[1024], before[2048], after[2048];
			const char *value = list;

			if (def_opt_passing(o->name))
				continue;
			def_init(&d);
			if (strcmp(o->name, "name"))
				def_set(&d, "name", "x", &err);
			if (o->kind == OPT_KEYS)
				sample_list(o, list, sizeof(list));
			else
				value = o->kind == OPT_FLAG ? NULL : sample(o->name, "", o->kind, o->words);
			if (!strcmp(o->name, "serial"))
				value = "to=file,path=/tmp/a&b,,c";
			CHECK_EQ(def_set(&d, o->name, value, &err), 0);
			free(round_trip());
			spell(&d, o->name, before, sizeof(before));
			spell(&back, o->name, after, sizeof(after));
			if (strcmp(before, after))
				fprintf(stderr, "--%s: '%s' came back as '%s'\n", o->name, before, after);
			CHECK(*before && !strcmp(before, after));
			def_free(&d);
			def_free(&back);
		}
}

/* Every word of every option that takes words. */
static void test_words(void)
{
	for (const struct opt *const *g = def_groups; *g; g++)
		for (const struct opt *o = *g; o->name; o++)
			for (const struct opt_key *k = o->kind == OPT_KEYS ? o->keys : NULL; k && k->name; k++)
				for (const char *const *w = k->kind == OPT_WORD ? k->words : NULL; w && *w; w++) {
					const char *path = !strcmp(*w, "file") || !strcmp(*w, "socket") ||
							   strcmp(o->name, "serial") ? ",path=/p" : "";
					bool pathless = strcmp(o->name, "serial") && strcmp(o->name, "disk");
					char list[128], after[256], want[64];

					def_init(&d);
					def_set(&d, "name", "x", &err);
					snprintf(list, sizeof(list), "%s=%s%s", k->name, *w, pathless ? "" : path);
					def_set(&d, o->name, list, &err);
					free(round_trip());
					spell(&back, o->name, after, sizeof(after));
					snprintf(want, sizeof(want), "%s=%s;", k->name, *w);
					/* "auto" is what is meant when nothing is said */
					if (strcmp(*w, "auto"))
						CHECK_HAS(after, want);
					def_free(&d);
					def_free(&back);
				}
}

/* --- reading */

#define TOP "<domain type='hyperv'>\n<name>x</name>\n"

static int read_text(const char *text)
{
	int ret;

	def_free(&d);
	memset(&err, 0, sizeof(err));
	ret = def_read(&d, "x.xml", text, strlen(text), &err);
	if (ret)
		def_free(&d);
	return ret;
}

static void refused(const char *text, const char *where, const char *why)
{
	CHECK_EQ(read_text(text), 7);
	CHECK_HAS(err.text, where);
	CHECK_HAS(err.text, why);
}

static void test_hostile(void)
{
	static char deep[XML_BYTES_MAX + 64];
	char *p = deep;

	refused("<!DOCTYPE a [<!ENTITY a 'x'><!ENTITY b '&a;&a;&a;'>]>" TOP "<title>&b;</title></domain>",
		"x.xml:1:", "<!DOCTYPE>");
	refused("<!DOCTYPE a [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" TOP "<title>&a;</title></domain>",
		"x.xml:1:", "<!DOCTYPE>");
	refused("<!DOCTYPE a SYSTEM 'http://localhost/a.dtd'>" TOP "</domain>", "x.xml:1:", "<!DOCTYPE>");
	refused(TOP "<title>&a;</title></domain>", "x.xml:3:", "undefined entity");
	refused("<?xml-stylesheet href='a'?>" TOP "</domain>", "x.xml:1:", "processing instruction");
	refused(TOP "<title>a<b/></title></domain>", "x.xml:3:", "text between");
	refused(TOP, "x.xml:3:", "no element found");
	refused("", "x.xml:1:", "no element found");
	refused(TOP "</domain><a/>", "x.xml:3:", "junk");
	refused("\xff\xfe\x00", "x.xml:1:", "");
	for (int i = 0; i < 40; i++)
		p = stpcpy(p, "<a>");
	refused(deep, "x.xml:1:", "deeper than 32");
	p = stpcpy(deep, "<domain type='hyperv'>");
	for (int i = 0; i < 5000; i++)
		p = stpcpy(p, "<a/>\n");
	stpcpy(p, "</domain>");
	refused(deep, "x.xml:4096:", "more than 4096");
	p = stpcpy(deep, "<domain");
	for (int i = 0; i < 40; i++)
		p += sprintf(p, " a%d='1'", i);
	stpcpy(p, "/>");
	refused(deep, "x.xml:1:", "more than 32 attributes");
	memset(deep, ' ', sizeof(deep) - 1);
	refused(deep, "x.xml:0:", "longer than 256 KiB");
}

/* What means something that hv does not do. */
static void test_unknown(void)
{
	static const struct { const char *text, *where, *why; } bad[] = {
		{ "<network/>", "x.xml:1: <network>", "begins with <domain" },
		{ "<domain><name>x</name></domain>", "<domain>", "type='hyperv'" },
		{ "<domain type='kvm'><name>x</name></domain>", "<domain>", "type='kvm'" },
		{ "<domain type='hyperv' id='3'><name>x</name></domain>", "<domain>", "id='3'" },
		{ "<domain type='hyperv'/>", "<domain>", "<name> is missing" },
		{ "<domain type='hyperv'><name>../x</name></domain>", "<name>", "cannot be a name" },
		{ TOP "<name>y</name></domain>", "x.xml:3: <name>", "twice" },
		{ TOP "\n<vcpus>1</vcpus></domain>", "x.xml:4: <vcpus>", "does not know this element" },
		{ TOP "<vcpu>many</vcpu></domain>", "x.xml:3: <vcpu>", "not a number" },
		{ TOP "<vcpu current='1'>2</vcpu></domain>", "<vcpu>", "current='1'" },
		{ TOP "<memory unit='XiB'>1</memory></domain>", "<memory>", "unit 'XiB'" },
		{ TOP "<memory unit='T'>99999999999</memory></domain>", "<memory>", "too large" },
		{ TOP "<memory>-1</memory></domain>", "<memory>", "not a number" },
		{ TOP "<memory>4</memory><currentMemory>3</currentMemory></domain>", "<currentMemory>", "only the value" },
		{ TOP "<memoryBacking><locked/></memoryBacking></domain>", "<locked>", "does not know" },
		{ TOP "<os><type>xen</type></os></domain>", "<type>", "'xen' is not supported, only 'hvm'" },
		{ TOP "<os><loader/></os></domain>", "<loader>", "does not know" },
		{ TOP "<features><pae/></features></domain>", "<pae>", "does not know" },
		{ TOP "<on_reboot>preserve</on_reboot></domain>", "<on_reboot>", "only 'restart', 'destroy'" },
		{ TOP "<cpu mode='host-model'/></domain>", "<cpu>", "host-model" },
		{ TOP "<cpu mode='custom'><model>qemu64</model></cpu></domain>", "<model>", "qemu64" },
		{ TOP "<cpu><feature policy='require' name='avx'/></cpu></domain>", "<feature>", "only policy='disable'" },
		{ TOP "<cpu><numa><cell id='1' memory='4096'/></numa></cpu></domain>", "<cell>", "in order" },
		{ TOP "<numatune><memnode cellid='0' nodeset='0'/></numatune></domain>", "<memnode>", "does not know" },
		{ TOP "<numatune><memory mode='preferred' nodeset='0'/></numatune></domain>", "<memory>", "preferred" },
		{ TOP "<devices>\n<emulator>/usr/bin/qemu</emulator></devices></domain>", "x.xml:4: <emulator>", "does not" },
		{ TOP "<devices>\n\n<disk device='floppy'/></devices></domain>", "x.xml:5: <disk>", "device='floppy'" },
		{ TOP "<devices><disk type='block'/></devices></domain>", "<disk>", "type='block'" },
		{ TOP "<devices><disk><target dev='vda' bus='virtio'/></disk></devices></domain>", "<target>", "bus='scsi'" },
		{ TOP "<devices><disk><target dev='vda'/></disk></devices></domain>", "<target>", "bus='scsi'" },
		{ TOP "<devices><disk><driver cache='none'/><target dev='sda' bus='scsi'/></disk></devices></domain>",
		  "<driver>", "cache='none'" },
		{ TOP "<devices><disk><driver name='qemu'/><target dev='sda' bus='scsi'/></disk></devices></domain>",
		  "<driver>", "name='qemu'" },
		{ TOP "<devices><disk><target dev='sda' bus='scsi'/><shareable/></disk></devices></domain>",
		  "<shareable>", "does not know" },
		{ TOP "<devices><disk><target dev='sda' bus='scsi'/><address type='drive' controller='9'/></disk></devices>"
		  "</domain>", "<address>", "from 0 to 3" },
		{ TOP "<devices><controller type='scsi' index='1'/></devices></domain>", "<controller>", "leave it out" },
		{ TOP "<devices><controller type='usb' index='0'/></devices></domain>", "<controller>", "type='scsi'" },
		{ TOP "<devices><serial type='tcp'/></devices></domain>", "<serial>", "type='tcp'" },
		{ TOP "<devices><serial type='file'><source path='/a'/></serial></devices></domain>", "<source>", "append='on'" },
		{ TOP "<devices><serial type='pty'/><serial type='null'/></devices></domain>", "<serial>", "one --serial" },
		{ TOP "<devices><serial type='pty'><target port='1'/></serial></devices></domain>", "<target>", "port='1'" },
		{ TOP "<devices><console type='pty'><target type='virtio'/></console></devices></domain>", "<target>", "virtio" },
		{ TOP "<metadata><a/></metadata></domain>", "<a>", "namespace" },
		{ TOP "<metadata><b:a/></metadata></domain>", "<b:a>", "namespace" },
		{ TOP "<metadata><v:vm xmlns:v='urn:x-hv:domain:1' autostart='maybe'/></metadata></domain>", "<v:vm>",
		  "autostart='maybe'" },
		{ TOP "<metadata><v:vm xmlns:v='urn:x-hv:domain:1' fly='yes'/></metadata></domain>", "<v:vm>", "fly='yes'" },
		{ TOP "<metadata><v:vm xmlns:v='urn:x-hv:domain:1'><v:x/></v:vm></metadata></domain>", "<v:x>", "does not know" },
		{ TOP "<q:commandline xmlns:q='urn:q'/></domain>", "<q:commandline>", "does not know" },
		{ TOP "text</domain>", "x.xml:3:", "text between" },
		{ TOP "<uuid>12</uuid></domain>", "<uuid>", "not a UUID" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refused(bad[i].text, bad[i].where, bad[i].why);
}

static const char *said(const char *name)
{
	const char *v = opt_value(&d.line, name);

	return v ? v : "";
}

/* What libvirt's tools write, and people. */
static void test_accepted(void)
{
	CHECK_EQ(read_text("<?xml version='1.0' encoding='UTF-8'?><!-- a comment -->" TOP
			   "<memory unit='MiB'> 512 </memory><currentMemory unit='KiB'>524288</currentMemory>"
			   "<vcpu placement='static'>2</vcpu><os><type arch='x86_64'>hvm</type>"
			   "<cmdline>a &amp; b</cmdline></os><features><acpi/><apic/></features>"
			   "<cpu mode='host-passthrough' check='none' migratable='on'/><clock offset='utc'/>"
			   "<on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot>"
			   "<devices><disk type='file' device='disk'><source file='/a'/><target dev='sdc'/></disk>"
			   "<controller type='scsi' index='0'/>"
			   "<serial type='pty'><target port='0'/></serial>"
			   "<console type='pty'><target type='serial' port='0'/></console></devices></domain>"), 0);
	CHECK_HAS(said("memory"), "size=524288K");
	CHECK_HAS(said("cpus"), "count=2,model=host");
	CHECK_HAS(said("append"), "a & b");
	CHECK_HAS(said("disk"), "path=/a,bus=scsi0:2");
	CHECK_HAS(said("serial"), "to=pty");
	CHECK(!opt_has(&d.line, "no-reboot"));
	CHECK_EQ(read_text(TOP "<devices><console type='pty'/></devices></domain>"), 0);
	CHECK_HAS(said("serial"), "to=pty");
}

/* What others keep in <metadata> stays, with its prefix. */
static void test_foreign(void)
{
	char *text;

	CHECK_EQ(read_text("<domain type='hyperv' xmlns:o='urn:os'><name>x</name><metadata>"
			   "<o:info><o:os id='debian'>12</o:os></o:info>"
			   "<own xmlns='urn:own'>1</own></metadata></domain>"), 0);
	text = round_trip();
	CHECK_HAS(text, "<o:info xmlns:o='urn:os'>");
	CHECK_HAS(text, "<o:os id='debian'>12</o:os>");
	CHECK_HAS(text, "<own xmlns='urn:own'");
	CHECK_HAS(text, ">1</own>");
	free(text);
	def_free(&back);
}

static void test_merge(void)
{
	struct opt_line line = { .hits = 4, .hit = {
		{ def_opt("memory"), "2G" }, { def_opt("disk"), "/b" }, { def_opt("disk"), "/c" }, { def_opt("dry-run"), NULL },
	} };

	CHECK_EQ(read_text(TOP "<memory>1024</memory><memoryBacking><hugepages/></memoryBacking>"
			   "<devices><disk><source file='/a'/><target dev='sda' bus='scsi'/></disk></devices></domain>"), 0);
	CHECK_EQ(def_merge(&d, &line, &err), 0);
	CHECK_HAS(said("memory"), "backing=hugetlb,size=2G");
	CHECK_EQ(d.line.hits, 4);
	CHECK(!opt_has(&d.line, "dry-run"));
	CHECK_HAS(said("disk"), "/c");
	CHECK(def_drop(&d, "disk") && !def_drop(&d, "disk"));
	def_free(&d);
}

static void blamed(const char *text, const char *with)
{
	snprintf(err.text, sizeof(err.text), "%s", text);
	err.code = 7;
	CHECK_EQ(def_blame(&d, "x.xml", &err), 7);
	CHECK_HAS(err.text, with);
	CHECK_HAS(err.text, text);
}

static void test_blame(void)
{
	CHECK_EQ(read_text(TOP "<memory>4096</memory>\n<devices>\n"
			   "<disk><target dev='sda' bus='scsi'/></disk>\n"
			   "<disk device='cdrom'><target dev='sdb' bus='scsi'/></disk></devices></domain>"), 0);
	blamed("disk 1: place scsi0:1 is taken", "x.xml:6: <disk>: ");
	blamed("memory: must be 1 MiB..4 TiB", "x.xml:3: <memory>: ");
	blamed("option --memory: it is", "x.xml:3: <memory>: ");
	blamed("something else", "x.xml:1: <domain>: ");
	def_free(&d);
}

int main(void)
{
	test_complete();
	test_each();
	test_words();
	test_hostile();
	test_unknown();
	test_accepted();
	test_foreign();
	test_merge();
	test_blame();
	def_free(&d);
	return unit_done();
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Boot configuration: GRUB's script and environment, BLS, extlinux, and what ends in a plan. */
#include "boot/bls.h"
#include "boot/extlinux.h"
#include "boot/fsid.h"
#include "boot/grub.h"
#include "boot/loader.h"
#include "selftests/unit/lib/bootfiles.h"
#include "selftests/unit/lib/unit.h"

#define UUID0 "11111111-2222-3333-4444-555555555555"

static const char *const uuids[] = { UUID0, "AAAA-BBBB", "boot-uuid" };
static const char *const labels[] = { "root", "ESP", "boot" };
static const char *const devices[] = { "hd0,gpt2", "hd0,gpt1", "lvm/vg-boot" };

static struct boot_menu menu;
static struct boot_plan plan;
static struct bootfiles disks = { .uuid = uuids, .label = labels, .device = devices, .fses = 3 };
static struct boot_files files;

/* A grub.cfg on file system 0, with a few files beside it. Return: the default entry. */
static int grub(const char *text, const char *env)
{
	static struct bootfile f[5];

	f[0] = (struct bootfile){ 0, "/boot/grub/grub.cfg", text, 0 };
	f[1] = (struct bootfile){ 0, "/boot/grub/grubenv", env ? env : "", 0 };
	f[2] = (struct bootfile){ 0, "/boot/grub/more.cfg", "menuentry more { linux /more }\nset seen=1\n", 0 };
	f[3] = (struct bootfile){ 2, "/vmlinuz", "k", 0 };
	f[4] = (struct bootfile){ 0, "/empty", "", 0 };
	disks.file = f;
	disks.files = 5;
	files = bootfiles_of(&disks);
	menu_free(&menu);
	menu_init(&menu, &files);
	CHECK_EQ(grub_read(&menu, 0, "/boot/grub/grub.cfg"), 0);
	return menu_default(&menu);
}

/* The command line that @text boots by default; "" when it boots nothing. */
static const char *boots(const char *text, const char *env)
{
	int nr = grub(text, env);

	if (nr < 0 || menu_plan(&menu, (unsigned int)nr, &plan))
		return "";
	return plan.cmdline;
}

static void same(const char *got, const char *want, int line)
{
	if (strcmp(got, want))
		printf("line %d: '%s', not '%s'\n", line, got, want);
	CHECK(!strcmp(got, want));
}

#define SAME(got, want) same(got, want, __LINE__)
#define ENV "# GRUB Environment Block\n"

static void test_words(void)
{
	static const struct { const char *script, *want; } t[] = {
		{ "linux /k a b", "BOOT_IMAGE=/k a b" },
		{ "linux /k 'a  b' c", "BOOT_IMAGE=/k \"a  b\" c" },
		{ "x='1 2'; linux /k $x \"$x\"", "BOOT_IMAGE=/k 1 2 \"1 2\"" },
		{ "set x=; linux /k $x a${x}b", "BOOT_IMAGE=/k ab" },
		{ "linux /k a\\ b\\$c \"d\\$e\" 'f$g'", "BOOT_IMAGE=/k \"a b$c\" d$e f$g" },
		{ "linux /k a \\\n b # c\n", "BOOT_IMAGE=/k a b" },
		{ "linux /k $ $unset end", "BOOT_IMAGE=/k $ end" },
		{ "linux /k root=UUID=1 \"\" x", "BOOT_IMAGE=/k root=UUID=1  x" },
		{ "linux ($root)/k $root", "BOOT_IMAGE=(fs0)/k fs0" },
	};
	char text[512];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		snprintf(text, sizeof(text), "menuentry x {\n%s\n}\n", t[i].script);
		SAME(boots(text, NULL), t[i].want);
	}
}

static void test_flow(void)
{
	static const struct { const char *script, *want; } t[] = {
		{ "if true; then set x=1; else set x=2; fi", "1" },
		{ "if false; then set x=1; elif [ a = a ]; then set x=2; else set x=3; fi", "2" },
		{ "if false\nthen\nset x=1\nelse\nif true; then set x=4; fi\nfi", "4" },
		{ "for i in a b c; do set x=$x$i; done", "abc" },
		{ "for i in a b c; do if [ $i = b ]; then continue; fi; set x=$x$i; done", "ac" },
		{ "for i in a b c; do if [ $i = b ]; then break; fi; set x=$x$i; done", "a" },
		{ "for i in a b; do for j in c d; do break 9; done; done; set x=$i$j", "ac" },
		{ "for i in a b; do for j in c d; do set x=$x$i$j; continue 2; done; set x=no; done", "acbc" },
		{ "break; set x=after", "after" },
		{ "function f { break; set x=$x$i; }\nfor i in a b; do f; done", "ab" },
		{ "for i in a b; do break 0; break 1 1; set x=$x$i; done", "ab" },
		{ "set i=; while [ \"$i\" != 111 ]; do set i=${i}1; set x=${x}w; done", "www" },
		{ "set i=; until [ \"$i\" = 11 ]; do set i=${i}1; set x=${x}u; done", "uu" },
		{ "function f { set x=$1$2$#; return 1; set x=no; }\nf a b; set x=$x$?", "ab21" },
		{ "function f { for a in \"$@\"; do set x=\"$x<$a>\"; done; }\nf 'a b' c", "<a b><c>" },
		{ "set x=1; unset x; set x=${x}2", "2" },
		{ "source $prefix/more.cfg; set x=$seen", "1" },
		{ "if source $prefix/none.cfg; then set x=1; else set x=0; fi", "0" },
		{ "if no_such_command; then set x=1; else set x=2; fi", "2" },
		{ "search --no-floppy --fs-uuid --set=dev --hint-bios=hd9,gpt9 aaaa-bbbb; set x=$dev", "fs1" },
		{ "search --set dev --label boot; set x=$dev", "fs2" },
		{ "search.fs_uuid boot-uuid dev hd0,gpt2; set x=$dev", "fs2" },
		{ "search --file --set=dev /vmlinuz; set x=$dev", "fs2" },
		{ "if search --fs-uuid --set=dev none; then set x=1; else set x=none; fi", "none" },
		{ "probe -u $root --set=u; search --fs-uuid --set=dev $u; set x=$dev", "fs0" },
	};
	char text[600], want[128];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		snprintf(text, sizeof(text), "set x=\n%s\nmenuentry e {\nlinux (fs0)/k \"x=$x\"\n}\n", t[i].script);
		snprintf(want, sizeof(want), strchr(t[i].want, ' ') ? "BOOT_IMAGE=(fs0)/k \"x=%s\"" :
			 "BOOT_IMAGE=(fs0)/k x=%s", t[i].want);
		grub(text, NULL);
		CHECK(menu.entries > 0 && !menu_plan(&menu, menu.entries - 1, &plan));
		SAME(plan.cmdline, want);
		CHECK(!menu.note);
	}
}

static void test_test(void)
{
	static const struct { const char *expr; bool want; } t[] = {
		{ "a = a", true }, { "a == b", false }, { "a != b", true }, { "\"\"", false }, { "x", true },
		{ "-n x", true }, { "-z x", false }, { "-z \"\"", true }, { "! -z x", true }, { "3 -lt 10", true },
		{ "10 -le 9", false }, { "a < b", true }, { "a10 -pgt a9", true }, { "a9 -plt a10", true },
		{ "-e /empty", true }, { "-s /empty", false }, { "-f /empty", true }, { "-d /boot", true },
		{ "-f /boot", false }, { "-s $prefix/grubenv", true }, { "-e (hd0,gpt1)/x", false },
		{ "-e (lvm/vg-boot)/vmlinuz", true }, { "-e (hd7)/x", false }, { "a = a -a b = c", false },
		{ "a = b -o b = b", true }, { "! ( a = a -a b = c )", true }, { "a = a -a ! b = c", true },
		{ "( a = b", false }, { "", false },
	};
	char text[256];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		snprintf(text, sizeof(text), "if [ %s ]; then set r=1; else set r=0; fi\nmenuentry e { linux /k $r }\n",
			 t[i].expr);
		SAME(boots(text, ENV), t[i].want ? "BOOT_IMAGE=/k 1" : "BOOT_IMAGE=/k 0");
	}
}

#define THREE "menuentry 'A one' --id a { linux /a }\nmenuentry 'B' { linux /b }\n" \
	"submenu 'More>than' $menuentry_id_option --id sub {\nmenuentry 'C' --id c { linux /c }\n" \
	"menuentry D --class x --unrestricted { linux /d $chosen }\n}\n"

static void test_default(void)
{
	static const struct { const char *def, *want; } t[] = {
		{ "", "/a" }, { "0", "/a" }, { "1", "/b" }, { "B", "/b" }, { "a", "/a" }, { "2>1", "/d D" },
		{ "sub>c", "/c" }, { "sub>D", "/d D" }, { "2", "/c" }, { "sub>", "/c" }, { "9", "/a" },
		{ "nothing", "/a" }, { "2>7", "/a" }, { "c", "/a" },
	};
	char text[1024], want[64];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		snprintf(text, sizeof(text), "set default=\"%s\"\n" THREE, t[i].def);
		snprintf(want, sizeof(want), "BOOT_IMAGE=%s", t[i].want);
		SAME(boots(text, NULL), want);
	}
	CHECK_EQ(menu.entries, 5);
	CHECK(menu.entry[2].submenu && menu.entry[3].parent == 2 && menu.entry[4].depth == 1);
}

static void test_env(void)
{
	static const char head[] =
		"if [ -s $prefix/grubenv ]; then set have_grubenv=true; load_env; fi\n"
		"if [ \"${next_entry}\" ] ; then set default=\"${next_entry}\"; set next_entry=; save_env next_entry\n"
		"else set default=\"${saved_entry}\"; fi\n" THREE;

	SAME(boots(head, NULL), "BOOT_IMAGE=/a");
	SAME(boots(head, ENV "saved_entry=sub>c\n####"), "BOOT_IMAGE=/c");
	SAME(boots(head, ENV "saved_entry=sub>c\nnext_entry=B\n####"), "BOOT_IMAGE=/b");
	SAME(boots(head, "saved_entry=B\n"), "BOOT_IMAGE=/a");
	SAME(boots("load_env only\nmenuentry e { linux /k $only $other }\n", ENV "other=1\nonly=a\\\\b\n"),
	     "BOOT_IMAGE=/k a\\b");
	SAME(boots("load_env -f (hd0,gpt2)/boot/grub/grubenv\nmenuentry e { linux /k $v }\n", ENV "v=2\n"),
	     "BOOT_IMAGE=/k 2");
}

static void test_plans(void)
{
	int nr = grub("menuentry e { search --set=root --label boot\nlinux /vmlinuz ro\n"
		      "initrd /ucode.img /a/../initrd.img\n}\n", NULL);

	CHECK(!nr && !menu_plan(&menu, 0, &plan));
	CHECK(plan.kernel.fs == 2 && !strcmp(plan.kernel.path, "/vmlinuz"));
	CHECK(plan.initrds == 2 && plan.initrd[1].fs == 2 && !strcmp(plan.initrd[1].path, "/initrd.img"));
	grub("menuentry w { set root=(hd0,gpt1); chainloader /EFI/Microsoft/Boot/bootmgfw.efi }\n"
	     "menuentry n { echo hi }\nmenuentry d { linux (hd5)/k }\n", NULL);
	CHECK(menu_plan(&menu, 0, &plan) && strstr(plan.why, "chainloader /EFI/Microsoft"));
	CHECK(menu_plan(&menu, 1, &plan) && strstr(plan.why, "no kernel"));
	CHECK(menu_plan(&menu, 2, &plan) && strstr(plan.why, "no disk"));
}

/* Scripts that do not end, or do not fit. */
static void test_limits(void)
{
	static const struct { const char *script, *note; } t[] = {
		{ "while true; do set x=1; done", "too long" }, { "function f { f; }\nf\n", "too deep" },
		{ "if true; then menuentry e { linux /k }\n", "does not end" }, { "fi", "did not begin" },
		{ "source $prefix/grub.cfg", "too deep" },
		{ "set x=aaaaaaaaaaaaaaaa; while true; do set x=$x$x; done", "word is too long" },
		{ "while true; do menuentry e { linux /k }; done", "too many entries" },
		{ "while true; do set x$x=1; set x=1$x; done", "too" },
	};
	static char text[128 << 10];

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		grub(t[i].script, NULL);
		CHECK(menu.note && strstr(menu.note, t[i].note));
		if (!menu.note || !strstr(menu.note, t[i].note))
			printf("%s: %s\n", t[i].script, menu.note ? menu.note : "no note");
	}
	/* Steps are counted inside of a word, too: this would look for 6,000,000,000 variables. */
	strcpy(text, "while true; do set x=");
	for (size_t i = strlen(text); i < sizeof(text) - 16; i += 2)
		memcpy(text + i, "$a", 3);
	strcat(text, "; done\n");
	grub(text, NULL);
	CHECK(menu.note && strstr(menu.note, "too long"));
	grub("menuentry e { while true; do true; done }\n", NULL);
	CHECK(menu_plan(&menu, 0, &plan) && strstr(plan.why, "too long"));
}

/* What grub-mkconfig of Debian 12 made, from the fuzzer's corpus: a byte for the reader, then the file. */
static void test_debian(void)
{
	static char text[65536];
	FILE *f = fopen("selftests/fuzz/corpus/bootcfg_fuzz/debian12", "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	char *end = n ? strstr(text + 1, "\n%%\n") : NULL;

	CHECK(end);
	if (f)
		fclose(f);
	if (!end)
		return;
	*end = 0;
	CHECK_EQ(grub(text + 1, ENV), 0);
	CHECK(!menu.note && menu.entries == 4 && menu.timeout == 2);
	CHECK(!strcmp(menu.entry[0].title, "Debian GNU/Linux") &&
	      !strcmp(menu.entry[0].id, "gnulinux-simple-" UUID0));
	CHECK(menu.entry[1].submenu && menu.entry[2].parent == 1 && strstr(menu.entry[3].title, "recovery"));
	CHECK(!menu_plan(&menu, 0, &plan) && !plan.kernel.fs && plan.initrds == 1);
	SAME(plan.kernel.path, "/boot/vmlinuz-6.1.0-56-amd64");
	SAME(plan.initrd[0].path, "/boot/initrd.img-6.1.0-56-amd64");
	SAME(plan.cmdline, "BOOT_IMAGE=/boot/vmlinuz-6.1.0-56-amd64 root=UUID=" UUID0 " ro console=ttyS0 quiet");
	CHECK_EQ(grub(text + 1, ENV "next_entry=1>1\n"), 3);
	CHECK(!menu_plan(&menu, 3, &plan) && strstr(plan.cmdline, " ro single "));
	CHECK_EQ(grub(text + 1, ENV "next_entry=gnulinux-advanced-" UUID0 ">gnulinux-6.1.0-56-amd64-advanced-" UUID0
		      "\n"), 2);
}

static void test_bls(void)
{
	static const struct bootfile f[] = {
		{ 0, "/loader/loader.conf", "timeout 7\ndefault *-5.conf\n", 0 },
		{ 0, "/loader/entries/m-6.conf", "title F\nversion 6.10.2\nlinux /m/6/linux\ninitrd /i\noptions a\noptions b\n", 0 },
		{ 0, "/loader/entries/m-5.conf", "# old\ntitle\tF\nversion 6.9\nlinux /m/5/linux\ninitrd /i /j\n", 0 },
		{ 0, "/loader/entries/m-7+0-3.conf", "title T\nversion 7\nlinux /m/7/linux\n", 0 },
		{ 0, "/loader/entries/u.conf", "title U\nefi /EFI/Linux/u.efi\n", 0 },
		{ 0, "/loader/entries/readme.txt", "title no\nlinux /x\n", 0 },
		{ 2, "/boot/loader/entries/x.conf", "linux /vmlinuz\n", 0 },
		{ 2, "/boot/vmlinuz", "k", 0 },
	};

	disks.file = f;
	disks.files = sizeof(f) / sizeof(f[0]);
	menu_free(&menu);
	menu_init(&menu, &files);
	CHECK_EQ(bls_read(&menu, 0, "/loader/entries", NULL), 0);
	CHECK_EQ(menu.entries, 4);
	CHECK(!strcmp(menu.entry[0].id, "u") && !strcmp(menu.entry[1].id, "m-6") &&
	      !strcmp(menu.entry[2].id, "m-5") && !strcmp(menu.entry[3].id, "m-7"));
	CHECK(menu_default(&menu) == 2 && menu.timeout == 7);
	CHECK(!menu_plan(&menu, 1, &plan) && !strcmp(plan.cmdline, "a b") && plan.initrds == 1);
	CHECK(!menu_plan(&menu, 2, &plan) && plan.initrds == 2 && !strcmp(plan.kernel.path, "/m/5/linux"));
	CHECK(menu_plan(&menu, 0, &plan) && strstr(plan.why, "EFI program"));
	menu_free(&menu);
	menu_init(&menu, &files);
	CHECK_EQ(bls_read(&menu, 2, "/boot/loader/entries", NULL), 0);
	CHECK(!menu_plan(&menu, 0, &plan) && !strcmp(plan.kernel.path, "/boot/vmlinuz"));
	CHECK_EQ(bls_read(&menu, 1, "/loader/entries", NULL), -1);
	CHECK(bls_version_compare("6.10.2", "6.9") > 0 && bls_version_compare("1.2~rc1", "1.2") < 0);
	CHECK(bls_version_compare("1.2-3", "1.2-10") < 0 && !bls_version_compare("a.b", "a.b"));
	CHECK(bls_version_compare("1.2a", "1.2") > 0 && bls_version_compare("1.02", "1.2") == 0);
}

/* Fedora's: the script asks for the BLS entries, whose options name its variables. */
static void test_blscfg(void)
{
	static const struct bootfile f[] = {
		{ 2, "/grub2/grub.cfg", "set kernelopts=\"root=/dev/x ro\"\nset default=id-6.1\nblscfg\n", 0 },
		{ 2, "/loader/entries/id-6.1.conf", "title F\nversion 6.1\nlinux /vmlinuz-6.1\ninitrd /i $tuned_initrd\n"
		  "options $kernelopts ${none}quiet\n", 0 },
		{ 2, "/loader/entries/id-6.2.conf", "title F\nversion 6.2\nlinux /vmlinuz-6.2\n", 0 },
	};

	disks.file = f;
	disks.files = 3;
	menu_free(&menu);
	menu_init(&menu, &files);
	CHECK_EQ(grub_read(&menu, 2, "/grub2/grub.cfg"), 0);
	CHECK(menu.entries == 2 && !strcmp(menu.entry[0].id, "id-6.2") && menu_default(&menu) == 1);
	CHECK(!menu_plan(&menu, 1, &plan) && plan.initrds == 1);
	SAME(plan.cmdline, "root=/dev/x ro quiet");
}

static void test_extlinux(void)
{
	static const struct bootfile f[] = {
		{ 0, "/boot/extlinux/extlinux.conf", "DEFAULT two\nTIMEOUT 50\nPROMPT 1\nINCLUDE themes/t.conf\n"
		  "label one\n\tmenu label ^One\n\tlinux /boot/vmlinuz-1\n\tinitrd /boot/i1,/boot/i2\n\tappend root=/dev/sda1 ro\n"
		  "LABEL two\n KERNEL ../vmlinuz-2\n APPEND initrd=i.img root=/dev/sda1\nLABEL mem\n KERNEL memtest.bin\n", 0 },
		{ 0, "/boot/extlinux/themes/t.conf", "menu title x\ninclude themes/t.conf\n", 0 },
	};

	disks.file = f;
	disks.files = 2;
	menu_free(&menu);
	menu_init(&menu, &files);
	CHECK_EQ(extlinux_read(&menu, 0, "/boot/extlinux/extlinux.conf"), 0);
	CHECK(menu.entries == 3 && menu_default(&menu) == 1 && menu.timeout == 5);
	CHECK(!strcmp(menu.entry[0].title, "One") && !menu_plan(&menu, 0, &plan) && plan.initrds == 2);
	SAME(plan.cmdline, "root=/dev/sda1 ro");
	CHECK(!menu_plan(&menu, 1, &plan) && !strcmp(plan.kernel.path, "/boot/vmlinuz-2"));
	CHECK(plan.initrds == 1 && !strcmp(plan.initrd[0].path, "/boot/extlinux/i.img"));
	CHECK(menu_plan(&menu, 2, &plan) && strstr(plan.why, "memtest.bin"));
	CHECK_EQ(extlinux_read(&menu, 1, "/none"), -1);
}

static void test_probe(void)
{
	static uint8_t d[FSID_BYTES];
	struct fsid id;

	CHECK_EQ(fsid_probe(d, sizeof(d), &id), -1);
	CHECK(!id.type);
	memcpy(d + 1024 + 56, "\x53\xef", 2);
	d[1024 + 104] = 0xab;
	memcpy(d + 1024 + 120, "hv-root", 7);
	CHECK(!fsid_probe(d, sizeof(d), &id) && !strcmp(id.type, "ext4") && !strcmp(id.label, "hv-root"));
	CHECK(!strcmp(id.uuid, "ab000000-0000-0000-0000-000000000000"));
	CHECK_EQ(fsid_probe(d, 1080, &id), -1);
	memcpy(d + 65536 + 64, "_BHRfS_M", 8);
	CHECK(!fsid_probe(d, sizeof(d), &id) && !strcmp(id.type, "btrfs"));
	memcpy(d + 512, "LABELONE", 8);
	CHECK(!fsid_probe(d, sizeof(d), &id) && !strcmp(id.type, "LVM2_member"));
	memset(d, 0, sizeof(d));
	memcpy(d, "\xeb\x58\x90mkfs.fat\0\2\4\40\0\2", 17);
	memcpy(d + 67, "\x78\x56\x34\x12" "ESP        ", 15);
	memcpy(d + 510, "\x55\xaa", 2);
	CHECK(!fsid_probe(d, sizeof(d), &id) && !strcmp(id.type, "vfat"));
	CHECK(!strcmp(id.uuid, "1234-5678") && !strcmp(id.label, "ESP"));
	CHECK(!strcmp(loader_name(d + 2048, 512), "none"));
	memcpy(d + 0x180, "GRUB \0Geom\0", 11);
	CHECK(!strcmp(loader_name(d, 512), "GRUB"));
}

int main(void)
{
	test_words();
	test_flow();
	test_test();
	test_default();
	test_env();
	test_plans();
	test_limits();
	test_debian();
	test_bls();
	test_blscfg();
	test_extlinux();
	test_probe();
	menu_free(&menu);
	return unit_done();
}

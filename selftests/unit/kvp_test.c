// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Key-value pairs: messages as pure functions, then the device against a guest made here, on real rings in plain
 * memory: sweeps, changes, a guest that never answers, answers twice, late, or with lies, and its record.
 */
#include <hvguest/vsp_kvp.h>

#include "devices/kvp.h"
#include "devices/kvp_msg.h"
#include "lib/ic_port.h"

#define CHECK_STR(a, b) CHECK(!strcmp(a, b))
#define HEAD sizeof(struct vmb_ic_header)

static struct device *dev;
static struct port *port;
static uint8_t last[8192];		/* the question under way */
static int last_bytes;

/* ---- text ---- */

static const char *text(const void *p, size_t units)
{
	static char out[4096];

	kvp_text(p, units, out, sizeof(out));
	return out;
}

static void test_text(void)
{
	static const uint16_t clef[] = { 0xd834, 0xdd1e, 'x' }, half[] = { 'a', 0xd834 }, low[] = { 0xdd1e, 'b' },
		two[] = { 0xd834, 0xd834, 0xdd1e }, esc[] = { 0x1b, '[', '2', 'J', 7, 0x9b, 0x7f, '\n' },
		bidi[] = { 0x202e, 'x', 0x2066, 0xfeff, 0xffff }, ends[] = { 'a', 0, 'b' }, wide[] = { 0x20ac, 0xe9 };
	uint16_t many[3000];

	CHECK_STR(text(clef, 3), "\xf0\x9d\x84\x9ex");
	CHECK_STR(text(half, 2), "a\xef\xbf\xbd");
	CHECK_STR(text(low, 2), "\xef\xbf\xbd" "b");
	CHECK_STR(text(two, 3), "\xef\xbf\xbd\xf0\x9d\x84\x9e");
	CHECK_STR(text(clef, 1), "\xef\xbf\xbd");	/* the other half is not there */
	CHECK_STR(text(esc, 8), "\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	CHECK_STR(text(bidi, 5), "\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	CHECK_STR(text(ends, 3), "a");
	CHECK_STR(text(wide, 2), "\xe2\x82\xac\xc3\xa9");
	CHECK_STR(text(ends, 0), "");
	for (size_t i = 0; i < 3000; i++)
		many[i] = 0x20ac;
	CHECK(strlen(text(many, 3000)) <= 4095);	/* cut where the room ends */
}

/* ---- messages ---- */

static void put(uint16_t *out, const char *s)
{
	do
		*out++ = (uint8_t)*s;
	while (*s++);
}

static void entry(struct vmb_kvp *m, const char *name, const char *value)
{
	put(m->enumerate.pair.name, name);
	put((uint16_t *)m->enumerate.pair.value, value);
	m->enumerate.pair.type = VMB_KVP_SZ;
	m->enumerate.pair.name_bytes = (uint32_t)(2 * strlen(name) + 2);
	m->enumerate.pair.value_bytes = (uint32_t)(2 * strlen(value) + 2);
}

static void test_entry(void)
{
	struct kvp_pair p;
	struct vmb_kvp m;

	CHECK_EQ(kvp_ask_entry(&m, VMB_KVP_AUTO, 3), 2580);
	entry(&m, "OSName", "Debian");
	CHECK_EQ(kvp_entry(&m, sizeof(m), VMB_KVP_AUTO, 3, &p), 0);
	CHECK_STR(p.name, "OSName");
	CHECK_STR(p.value, "Debian");
	/* Too short; of another pool, index or operation. */
	CHECK_EQ(kvp_entry(&m, sizeof(m) - 1, VMB_KVP_AUTO, 3, &p), -EPROTO);
	CHECK_EQ(kvp_entry(&m, 0, VMB_KVP_AUTO, 3, &p), -EPROTO);
	CHECK_EQ(kvp_entry(&m, sizeof(m), VMB_KVP_GUEST, 3, &p), -EPROTO);
	CHECK_EQ(kvp_entry(&m, sizeof(m), VMB_KVP_AUTO, 4, &p), -EPROTO);
	m.operation = VMB_KVP_GET;
	CHECK_EQ(kvp_entry(&m, sizeof(m), VMB_KVP_AUTO, 3, &p), -EPROTO);
	m.operation = VMB_KVP_ENUMERATE;
	/* Lengths beyond the fields, and strings that do not end. */
	m.enumerate.pair.name_bytes = 514;
	CHECK_EQ(kvp_entry(&m, sizeof(m), VMB_KVP_AUTO, 3, &p), -EPROTO);
	m.enumerate.pair.name_bytes = 512;
	m.enumerate.pair.value_bytes = 0x80000000;
	CHECK_EQ(kvp_entry(&m, sizeof(m), VMB_KVP_AUTO, 3, &p), -EPROTO);
	memset(m.enumerate.pair.name, 'n', sizeof(m.enumerate.pair.name));
	memset(m.enumerate.pair.value, 'v', sizeof(m.enumerate.pair.value));
	m.enumerate.pair.value_bytes = 2048;
	CHECK_EQ(kvp_entry(&m, sizeof(m), VMB_KVP_AUTO, 3, &p), 0);
	CHECK_EQ(strlen(p.name), 256 * 3);
	CHECK_EQ(strlen(p.value), 1024 * 3);
	/* No name, numbers, unknown types. */
	m.enumerate.pair.name_bytes = 1;
	CHECK_EQ(kvp_entry(&m, sizeof(m), VMB_KVP_AUTO, 3, &p), -EPROTO);
	m.enumerate.pair.name_bytes = 4;
	m.enumerate.pair.type = VMB_KVP_U32;
	memset(m.enumerate.pair.value, 0xff, 8);
	CHECK_EQ(kvp_entry(&m, sizeof(m), VMB_KVP_AUTO, 3, &p), -EPROTO);
	m.enumerate.pair.value_bytes = 4;
	CHECK_EQ(kvp_entry(&m, sizeof(m), VMB_KVP_AUTO, 3, &p), 0);
	CHECK_STR(p.value, "4294967295");
	m.enumerate.pair.type = VMB_KVP_U64;
	m.enumerate.pair.value_bytes = 8;
	CHECK_EQ(kvp_entry(&m, sizeof(m), VMB_KVP_AUTO, 3, &p), 0);
	CHECK_STR(p.value, "18446744073709551615");
	m.enumerate.pair.type = 3;
	CHECK_EQ(kvp_entry(&m, sizeof(m), VMB_KVP_AUTO, 3, &p), -EPROTO);
}

static void test_set(void)
{
	char name[300], value[2100];
	struct vmb_kvp m;

	CHECK_EQ(kvp_ask_set(&m, VMB_KVP_EXTERNAL, "r\xc3\xb4le", "a\xf0\x9d\x84\x9e"), 2576);
	CHECK_EQ(m.operation, VMB_KVP_SET);
	CHECK_EQ(m.set.type, VMB_KVP_SZ);
	CHECK_EQ(m.set.name_bytes, 10);
	CHECK_EQ(m.set.name[1], 0xf4);
	CHECK_EQ(m.set.name[4], 0);
	CHECK_EQ(m.set.value_bytes, 8);
	CHECK(!memcmp(m.set.value, "a\0\x34\xd8\x1e\xdd\0\0", 8));
	CHECK_EQ(kvp_ask_set(&m, 0, "a", ""), 2576);
	CHECK_EQ(m.set.value_bytes, 2);
	/* What no guest could keep, and what is not UTF-8. */
	memset(name, 'n', sizeof(name));
	memset(value, 'v', sizeof(value));
	name[254] = value[1022] = 0;
	CHECK_EQ(kvp_ask_set(&m, 0, name, value), 2576);
	name[254] = 'n';
	name[255] = 0;
	CHECK_EQ(kvp_ask_set(&m, 0, name, ""), -EINVAL);
	CHECK_EQ(kvp_ask_delete(&m, 0, name), -EINVAL);
	value[1022] = 'v';
	value[1023] = 0;
	CHECK_EQ(kvp_ask_set(&m, 0, "a", value), -EINVAL);
	CHECK_EQ(kvp_ask_set(&m, 0, "", "a"), -EINVAL);
	CHECK_EQ(kvp_ask_set(&m, 0, "a", "\xff"), -EINVAL);
	CHECK_EQ(kvp_ask_set(&m, 0, "a", "\xc3"), -EINVAL);		/* cut */
	CHECK_EQ(kvp_ask_set(&m, 0, "a", "\xc0\x80"), -EINVAL);	/* longer than need be */
	CHECK_EQ(kvp_ask_set(&m, 0, "a", "\xed\xa0\x80"), -EINVAL);	/* half of a pair */
	CHECK_EQ(kvp_ask_set(&m, 0, "a", "\xf4\x90\x80\x80"), -EINVAL);	/* beyond Unicode */
	CHECK_EQ(kvp_ask_delete(&m, 0, "abc"), 520);
	CHECK_EQ(m.operation, VMB_KVP_DELETE);
	CHECK_EQ(m.del.bytes, 8);
}

static void test_ip(void)
{
	static const uint8_t mac[6] = { 2, 0xab, 0, 0, 0, 9 };
	static struct vmb_kvp_ip m;
	static struct kvp_ip ip;
	uint16_t adapter[18], address[20];

	CHECK_EQ(kvp_ask_ip(&m, mac), 7428);
	memcpy(adapter, m.adapter, sizeof(adapter));
	CHECK_STR(text(adapter, 18), "02:AB:00:00:00:09");
	put(address, "10.0.0.2;::1;");
	memcpy(m.address, address, sizeof(address));
	m.dhcp = 7;
	CHECK_EQ(kvp_ip(&m, sizeof(m), &ip), 0);
	CHECK_STR(ip.address, "10.0.0.2;::1;");
	CHECK_EQ(ip.dhcp, 1);
	CHECK_EQ(kvp_ip(&m, sizeof(m) - 1, &ip), -EPROTO);
	memset(m.address, 'x', sizeof(m.address) + sizeof(m.mask));
	CHECK_EQ(kvp_ip(&m, sizeof(m), &ip), 0);
	CHECK_EQ(strlen(ip.address), 1024 * 3);
	m.operation = VMB_KVP_SET_IP;
	CHECK_EQ(kvp_ip(&m, sizeof(m), &ip), -EPROTO);
}

/* ---- the device ---- */

/* The question under way, into @last. */
static struct vmb_kvp *asked(void)
{
	last_bytes = receive(port, last, sizeof(last));
	CHECK_EQ(receive(port, last + 4096 * 2 - 1, 1), -EAGAIN);	/* one at a time */
	return (struct vmb_kvp *)(last + HEAD);
}

static void reply(uint32_t status)
{
	((struct vmb_ic_header *)last)->status = status;
	answer(port, last, (uint32_t)last_bytes);
}

static void agree(uint16_t major)
{
	struct vmb_ic_negotiate n;

	CHECK_EQ(receive(port, last, sizeof(last)), (int)(HEAD + sizeof(n)));
	memcpy(&n, last + HEAD, sizeof(n));
	CHECK_EQ(n.version[2].major, 4);
	n.frameworks = n.messages = 1;
	n.version[1].major = major;
	memcpy(last + HEAD, &n, sizeof(n));
	answer(port, last, (uint32_t)HEAD + 16);
}

static struct kvp_view view(void)
{
	struct kvp_view v;

	kvp_look(dev, &v);
	return v;
}

static uint64_t figure(const char *name)
{
	struct kvp_figure f[KVP_FIGURES];

	kvp_figures(dev, f);
	for (unsigned int i = 0; i < KVP_FIGURES; i++)
		if (!strcmp(f[i].name, name))
			return f[i].value;
	CHECK(!"a figure of that name");
	return 0;
}

/* Answer a whole sweep: @n entries of the auto pool, an adapter, and the end of the others if @full. */
static void sweep(unsigned int n, bool full)
{
	char name[16];

	for (unsigned int i = 0; i <= n; i++) {
		struct vmb_kvp *m = asked();

		CHECK_EQ(m->operation, VMB_KVP_ENUMERATE);
		CHECK_EQ(m->pool, VMB_KVP_AUTO);
		CHECK_EQ(m->enumerate.index, i);
		snprintf(name, sizeof(name), "name%u", i);
		entry(m, name, "value");
		reply(i < n ? 0 : VMB_KVP_S_END);
	}
	CHECK_EQ(asked()->operation, VMB_KVP_GET_IP);
	reply(0);
	for (unsigned int i = 0; full && i < 2; i++) {
		CHECK_EQ(asked()->pool, i ? VMB_KVP_GUEST : VMB_KVP_EXTERNAL);
		reply(VMB_KVP_S_END);
	}
}

static void test_sweeps(void)
{
	uint32_t number = 0;

	CHECK_EQ(view().health, KVP_UNKNOWN);
	CHECK_EQ(kvp_read(dev, &number), -ENOTCONN);
	chan_open(port);
	CHECK_EQ(view().health, KVP_UNKNOWN);		/* no daemon, no answer */
	pass(1000 * S);
	CHECK_EQ(view().health, KVP_UNKNOWN);
	agree(4);
	CHECK_EQ(view().health, KVP_OK);
	CHECK(!view().told);
	sweep(2, false);
	CHECK(view().told);
	CHECK_EQ(view().sweeps, 1);
	CHECK_EQ(view().pool[VMB_KVP_AUTO]->nr, 2);
	CHECK_STR(kvp_list_value(view().pool[VMB_KVP_AUTO], "name1"), "value");
	CHECK(view().adapter[0].known);
	CHECK_EQ(asked()->pool == 0 && last_bytes > 0, false);	/* nothing before its time */
	pass(2 * S);
	sweep(1, false);
	CHECK_EQ(view().pool[VMB_KVP_AUTO]->nr, 1);
	pass(3 * S);
	CHECK_EQ(receive(port, last, sizeof(last)), -EAGAIN);	/* each time later */
	/* Asked for: all pools. Asked for again while that goes on: once more. */
	CHECK_EQ(kvp_read(dev, &number), 0);
	CHECK_EQ(number, 3);
	CHECK_EQ(kvp_read(dev, &number), 0);
	CHECK_EQ(number, 4);
	CHECK_EQ(kvp_read(dev, &number), 0);
	CHECK_EQ(number, 4);
	sweep(3, true);
	CHECK_EQ(view().sweeps, 3);
	sweep(3, true);
	CHECK_EQ(view().sweeps, 4);
	chan_close(port);
	CHECK_EQ(view().pool[VMB_KVP_AUTO]->nr, 0);	/* of a guest that is gone nothing is known */
	CHECK(!view().adapter[0].known);
	pass(1000 * S);
	/* An older guest has no addresses by adapter. */
	chan_open(port);
	agree(3);
	asked();
	reply(VMB_KVP_S_END);
	CHECK_EQ(view().sweeps, 5);
	chan_close(port);
}

static void test_change(void)
{
	uint32_t number = 0, other;

	CHECK_EQ(kvp_change(dev, "role", "web", &number), -ENOTCONN);
	CHECK_EQ(kvp_change(dev, "", "web", &number), -EINVAL);
	chan_open(port);
	agree(4);
	asked();
	/* It waits for the question under way, and goes before the next one. */
	CHECK_EQ(kvp_change(dev, "role", "web", &number), 0);
	CHECK_EQ(kvp_change(dev, "role", "db", &other), -EBUSY);
	CHECK_EQ(view().outcome[number % KVP_CHANGES], KVP_PENDING);
	reply(VMB_KVP_S_END);
	CHECK_EQ(asked()->operation, VMB_KVP_SET);
	CHECK_EQ(((struct vmb_kvp *)(last + HEAD))->pool, VMB_KVP_EXTERNAL);
	reply(0);
	CHECK_EQ(view().outcome[number % KVP_CHANGES], KVP_DONE);
	CHECK_EQ(asked()->operation, VMB_KVP_GET_IP);	/* the sweep goes on where it was */
	reply(VMB_KVP_E_FAIL);
	CHECK(!view().adapter[0].known);
	CHECK_EQ(view().sweeps, 6);
	CHECK_EQ(kvp_change(dev, "role", NULL, &other), 0);
	CHECK_EQ(other, number + 1);
	CHECK_EQ(asked()->operation, VMB_KVP_DELETE);
	reply(VMB_KVP_S_END);
	CHECK_EQ(view().outcome[other % KVP_CHANGES], KVP_REFUSED);
	CHECK_EQ(view().outcome[number % KVP_CHANGES], KVP_DONE);
	/* Never answered: told so, and nothing more is asked until it is. */
	CHECK_EQ(kvp_change(dev, "role", "x", &number), 0);
	asked();
	pass(41 * S);
	CHECK_EQ(view().outcome[number % KVP_CHANGES], KVP_UNANSWERED);
	CHECK_EQ(view().health, KVP_LOST);
	CHECK_EQ(figure("overdue"), 1);
	CHECK_EQ(kvp_change(dev, "role", "x", &number), -ENOTCONN);
	CHECK_EQ(kvp_read(dev, &number), -ENOTCONN);
	pass(1000 * S);
	CHECK_EQ(receive(port, last + 8000, 1), -EAGAIN);
	reply(0);
	CHECK_EQ(view().health, KVP_OK);
	sweep(1, false);
	CHECK_EQ(view().sweeps, 7);
	chan_close(port);
	CHECK_EQ(nr_logged, 1);		/* that it did not answer, once */
}

static void test_lies(void)
{
	uint64_t strays = figure("strays"), nonsense = figure("nonsense");
	static uint8_t big[12000];
	uint32_t number, i;
	struct vmb_kvp *m;

	chan_open(port);
	agree(4);
	/* To another question, of another type, twice, and none at all: not the answer. */
	asked();
	((struct vmb_ic_header *)last)->transaction++;
	reply(0);
	((struct vmb_ic_header *)last)->transaction--;
	((struct vmb_ic_header *)last)->type = VMB_IC_HEARTBEAT;
	reply(0);
	((struct vmb_ic_header *)last)->type = VMB_IC_NEGOTIATE;
	reply(0);
	CHECK_EQ(figure("strays"), strays + 3);
	answer(port, big, sizeof(big));		/* longer than any answer */
	CHECK_EQ(receive(port, last + 8000, 1), -EAGAIN);
	((struct vmb_ic_header *)last)->type = VMB_IC_KVP;
	m = (struct vmb_kvp *)(last + HEAD);
	m->pool = VMB_KVP_GUEST;		/* the wrong pool: an entry that is none */
	entry(m, "evil", "x");
	reply(0);
	reply(0);				/* and twice */
	CHECK_EQ(figure("strays"), strays + 4);
	CHECK_EQ(figure("nonsense"), nonsense + 1);
	m = asked();
	CHECK_EQ(m->enumerate.index, 1);
	entry(m, "good", "x");
	m->enumerate.pair.name_bytes = 0xffffffff;
	reply(0);
	m = asked();
	entry(m, "good", "x");
	last_bytes = (int)HEAD + 4;		/* short */
	reply(0);
	asked();
	reply(VMB_KVP_S_END);
	CHECK_EQ(figure("nonsense"), nonsense + 3);
	CHECK_EQ(view().pool[VMB_KVP_AUTO]->nr, 0);
	asked();
	reply(VMB_KVP_E_FAIL);
	/* A pool without an end: so many entries and no more. */
	CHECK_EQ(kvp_read(dev, &number), 0);
	for (i = 0; asked()->pool == VMB_KVP_AUTO && ((struct vmb_kvp *)(last + HEAD))->operation == VMB_KVP_ENUMERATE;
	     i++) {
		entry((struct vmb_kvp *)(last + HEAD), "n", "v");
		reply(0);
	}
	CHECK_EQ(i, KVP_LIST_MAX);
	CHECK(view().pool[VMB_KVP_AUTO]->cut);
	reply(VMB_KVP_E_FAIL);
	/* One that fails leaves what was known. */
	asked();
	reply(VMB_KVP_E_FAIL);
	for (i = 0; asked()->pool == VMB_KVP_GUEST && i < 1000; i++) {
		m = (struct vmb_kvp *)(last + HEAD);
		memset(m->enumerate.pair.value, 0x20, 2048);
		entry(m, "n", "v");
		m->enumerate.pair.value[2] = 0x20;
		m->enumerate.pair.value_bytes = 2048;
		reply(0);
		if (view().sweeps == number)
			break;
	}
	CHECK(view().pool[VMB_KVP_GUEST]->cut);		/* bytes run out before the number does */
	CHECK(i < KVP_LIST_MAX - 1);
	CHECK_EQ(view().pool[VMB_KVP_AUTO]->nr, KVP_LIST_MAX);
	chan_close(port);
}

static void test_broken(void)
{
	uint32_t number;

	for (int how = 0; how < 3; how++) {
		chan_open(port);
		if (!how) {
			agree(9);		/* was not offered */
		} else {
			agree(4);
			asked();
			port->out.header->write_index = how == 1 ? 12345 : 3;
			port->c->ops->signal(port->c);
		}
		CHECK_EQ(view().health, KVP_UNKNOWN);
		CHECK_EQ(kvp_read(dev, &number), -ENOTCONN);
		pass(100 * S);
		port->c->ops->signal(port->c);
		CHECK_EQ(receive(port, last, sizeof(last)), -EAGAIN);
		chan_close(port);
	}
	/* A guest that answered, but has no room for the next question. */
	chan_open(port);
	agree(4);
	asked();
	while (!hv_ring_send(&port->c->to_guest, 0, 0, last, 4096))
		;
	while (!hv_ring_send(&port->c->to_guest, 0, 0, last, 8))
		;
	reply(VMB_KVP_S_END);
	CHECK_EQ(view().health, KVP_UNKNOWN);
	chan_close(port);
}

static struct fields_out saved_now(void)
{
	struct fields_out out = { 0 };

	dev->ops->drain(dev);
	dev->ops->record->save(dev, &out);
	CHECK(!out.failed);
	return out;
}

/* A device that takes @out, on the rings as they are. */
static int loaded(const struct fields_out *out, size_t len)
{
	struct fields_in in = { .buf = out->buf, .len = len };
	int ret = dev->ops->record->load(dev, &in, 1);

	return ret ? ret : fields_end(&in) ? 0 : -EINVAL;
}

static void test_record(void)
{
	static const struct kvp_config cfg = { 1, { { 2, 0, 0, 0, 0, 1 } } };
	struct fields_out out;
	struct device *old = dev;

	chan_open(port);
	agree(4);
	asked();
	out = saved_now();
	/* The new one has the question under way, and takes its answer for the end of it. */
	nr_ports = 1;
	CHECK_EQ(kvp_create(&dev, &services, &cfg), 0);
	for (size_t cut = 0; cut < out.len; cut++)
		CHECK_EQ(loaded(&out, cut), -EINVAL);
	out.buf[0] = 4;			/* a state that is never saved */
	CHECK_EQ(loaded(&out, out.len), -EINVAL);
	out.buf[0] = 77;
	CHECK_EQ(loaded(&out, out.len), -EINVAL);
	out.buf[0] = 5;
	CHECK_EQ(loaded(&out, out.len), 0);
	ports[1].c->from_guest = port->c->from_guest;
	ports[1].c->to_guest = port->c->to_guest;
	ports[1].out = port->out;
	ports[1].in = port->in;
	port = &ports[1];
	port->c->restored = true;
	CHECK_EQ(port->c->ops->open(port->c), 0);
	CHECK_EQ(view().health, KVP_LOST);
	reply(0);
	CHECK_EQ(view().health, KVP_OK);
	sweep(1, false);
	free(out.buf);
	/* Nothing under way: it asks at once. */
	out = saved_now();
	CHECK_EQ(loaded(&out, out.len), 0);
	CHECK_EQ(port->c->ops->open(port->c), 0);
	dev->ops->go_on(dev);
	pass(0);
	sweep(2, false);
	free(out.buf);
	dev->ops->release(dev);
	dev = old;
	port = &ports[0];
	old->ops->go_on(old);
	chan_close(port);
}

int main(void)
{
	static const struct kvp_config cfg = { 1, { { 2, 0, 0, 0, 0, 1 } } };

	test_text();
	test_entry();
	test_set();
	test_ip();
	CHECK_EQ(kvp_create(&dev, &services, &cfg), 0);
	CHECK_EQ(nr_ports, 1);
	port = &ports[0];
	test_sweeps();
	test_change();
	test_lies();
	test_broken();
	test_record();
	CHECK_EQ(nr_logged, 1);
	dev->ops->release(dev);
	return unit_done();
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* The VM's configuration: text form there and back, and what is refused. Memory layout, states. */
#include <errno.h>
#include <stdlib.h>

#include "lib/unit.h"
#include "vmm/config.h"
#include "vmm/layout.h"
#include "vmm/lifecycle.h"

static char err[256];

static int decode(struct vmm_config *cfg, const char *text)
{
	static char buf[VMM_TEXT_MAX * 2];
	size_t len = strlen(text);

	memcpy(buf, text, len);
	err[0] = 0;
	return vmm_config_decode(cfg, buf, len, err, sizeof(err));
}

static void refused(const char *text, const char *why)
{
	struct vmm_config cfg;

	CHECK_EQ(decode(&cfg, text), -EINVAL);
	CHECK_HAS(err, why);
}

static void round_trip(void)
{
	struct vmm_config a, b;
	static char text[VMM_TEXT_MAX], again[VMM_TEXT_MAX];
	int n, i;

	vmm_config_init(&a);
	strcpy(a.name, "vm-1");
	a.kernel = "/boot/vmlinuz";
	a.initrd = "/boot/initrd with=equals";
	a.append = "console=ttyS0 quiet";
	a.cpus = 4;
	a.nodes = 2;
	a.memory = 6ULL << 30;
	a.node[0] = (struct vmm_node){ 4ULL << 30, 0, 3, -1 };
	a.node[1] = (struct vmm_node){ 2ULL << 30, 3, 1, 0 };
	a.distance[0][0] = a.distance[1][1] = 10;
	a.distance[0][1] = a.distance[1][0] = 31;
	a.flags = VMM_F_NO_REBOOT;
	a.nets = 2;
	a.net[0] = (struct vmm_net){ .kind = VMM_NET_USER, .to = "tcp::2222-:22 udp::53-:53" };
	a.net[1] = (struct vmm_net){ .flags = VMM_NET_GUARD, .mac = { 2, 0, 0, 0, 0, 255 }, .mtu = 9000 };
	a.host_node = -1;
	a.escape = 0;
	n = vmm_config_encode(&a, text, sizeof(text));
	CHECK(n > 0);
	memcpy(again, text, n);
	again[n] = 0;
	CHECK_EQ(decode(&b, again), 0);
	CHECK_EQ(b.escape, 0);
	CHECK_EQ(b.node[1].memory, 2ULL << 30);
	CHECK_EQ(b.node[1].host_node, 0);
	CHECK_EQ(b.distance[0][1], 31);
	CHECK_EQ(strcmp(b.initrd, a.initrd), 0);
	CHECK_EQ(b.nets, 2);
	CHECK_EQ(strcmp(b.net[0].to, a.net[0].to), 0);
	CHECK_EQ(b.net[1].mac[5], 255);
	CHECK_EQ(b.net[1].mtu, 9000);
	CHECK(!b.net[1].to);
	memset(again, 0, sizeof(again));
	CHECK_EQ(vmm_config_encode(&b, again, sizeof(again)), n);
	CHECK_EQ(memcmp(text, again, n), 0);
	for (i = 0; i < n; i++)
		CHECK_EQ(vmm_config_encode(&a, again, i), -E2BIG);
}

static void refusals(void)
{
	refused("kernel=k\nnet0=9,0,0,2,0,0,0,0,0,\n", "unknown kind");
	refused("kernel=k\nnet0=0,4,0,2,0,0,0,0,0,\n", "unknown flags");
	refused("kernel=k\nnet0=0,0,0,1,0,0,0,0,0,\n", "group address");
	refused("kernel=k\nnet0=0,0,100,2,0,0,0,0,0,\n", "mtu");
	refused("kernel=k\nnet0=0,0,0,2,0,0,0,0,256,\n", "bad value");
	refused("kernel=k\nnet0=0,0,0,2,0,0,0,0,0\n", "bad value");
	refused("kernel=k\nnet1=0,0,0,2,0,0,0,0,0,\n", "bad value");
	refused("kernel=k\nnet8=0,0,0,2,0,0,0,0,0,\n", "unknown key");
	refused("kernel=k\nnet0=0,0,0,2,0,0,0,0,0,\nnet0=0,0,0,2,0,0,0,0,0,\n", "twice");
	struct vmm_config cfg;
	char nul[] = "kernel=a\0b\n";

	CHECK_EQ(decode(&cfg, "kernel=k\n"), 0);
	refused("", "kernel");
	refused("kernel=k", "does not end");
	refused("kernel=k\nkernel=k\n", "twice");
	refused("kernel=k\ncolour=red\n", "unknown key");
	refused("kernel=k\ncpus\n", "line 2");
	refused("kernel=k\ncpus=0\n", "cpus: must be");
	refused("kernel=k\ncpus=241\n", "cpus: must be");
	refused("kernel=k\ncpus=65536\n", "bad value");
	refused("kernel=k\ncpus=-1\n", "bad value");
	refused("kernel=k\ncpus= 1\n", "bad value");
	refused("kernel=k\ncpus=1x\n", "bad value");
	refused("kernel=k\nmemory=99999999999999999999999\n", "bad value");
	refused("kernel=k\nmemory=1048577\n", "multiple of 4 KiB");
	refused("kernel=k\nmemory=4096\n", "1 MiB");
	refused("kernel=k\nflags=4294967295\n", "unknown bits");
	refused("kernel=k\nbacking=9\n", "backing");
	refused("kernel=k\nbacking=3\nmemory=3145728\n", "2 MiB with hugetlb");
	refused("kernel=k\nserial=7\n", "serial");
	refused("kernel=k\nserial=3\n", "needs a path");
	refused("kernel=k\nhost_node=-2\n", "host_node");
	refused("kernel=k\nname=../etc\n", "name");
	refused("kernel=k\nname=.hidden\n", "name");
	refused("kernel=k\nname=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
		"bad value");
	refused("kernel=k\nnodes=1\nnode0=536870912,0,2,-1\n", "CPUs");
	refused("kernel=k\nnodes=1\nnode0=2097152,0,1,-1\n", "memory");
	refused("kernel=k\nnodes=1\nnode0=0,0,1,-1\n", "multiple of 2 MiB");
	refused("kernel=k\nnodes=17\n", "nodes");
	refused("kernel=k\nnode16=0,0,1,-1\n", "unknown key");
	refused("kernel=k\nnode0=1,2,3\n", "bad value");
	refused("kernel=k\nnodes=1\nnode0=536870912,0,1,-1,9\n", "distance");
	err[0] = 0;
	CHECK_EQ(vmm_config_decode(&cfg, nul, sizeof(nul) - 1, err, sizeof(err)), -EINVAL);
	CHECK_HAS(err, "NUL");
}

static void layouts(void)
{
	struct vmm_config cfg;
	struct layout l;

	vmm_config_init(&cfg);
	layout_build(&l, &cfg);
	CHECK_EQ(l.nr, 1);
	CHECK_EQ(l.range[0].bytes, 512 << 20);
	cfg.memory = 6ULL << 30;
	layout_build(&l, &cfg);
	CHECK_EQ(l.nr, 2);
	CHECK_EQ(l.range[0].bytes, LAYOUT_HOLE);
	CHECK_EQ(l.range[1].gpa, LAYOUT_HIGH);
	CHECK_EQ(l.range[1].offset, LAYOUT_HOLE);
	CHECK_EQ(l.range[1].bytes, cfg.memory - LAYOUT_HOLE);
	cfg.nodes = 3;
	cfg.node[0].memory = 1ULL << 30;
	cfg.node[1].memory = 4ULL << 30;
	cfg.node[2].memory = 1ULL << 30;
	layout_build(&l, &cfg);
	CHECK_EQ(l.nr, 4);
	CHECK_EQ(l.range[1].node, 1);
	CHECK_EQ(l.range[2].node, 1);
	CHECK_EQ(l.range[2].gpa, LAYOUT_HIGH);
	CHECK_EQ(l.range[3].gpa, LAYOUT_HIGH + l.range[2].bytes);
	/* The hole exactly between two nodes. */
	cfg.nodes = 2;
	cfg.node[0].memory = LAYOUT_HOLE;
	layout_build(&l, &cfg);
	CHECK_EQ(l.nr, 2);
	CHECK_EQ(l.range[1].gpa, LAYOUT_HIGH);
}

static void states(void)
{
	unsigned int i;

	CHECK(vmm_state_may(VMM_STATE_SETUP, VMM_STATE_RUNNING));
	CHECK(vmm_state_may(VMM_STATE_STOPPING, VMM_STATE_STOPPING));
	CHECK(!vmm_state_may(VMM_STATE_PAUSED, VMM_STATE_STOPPING));
	for (i = 0; i < VMM_STATE_NR; i++) {
		CHECK(!vmm_state_may(VMM_STATE_ENDED, i));
		CHECK(!vmm_state_may(i, VMM_STATE_SETUP));
		CHECK_EQ(vmm_state_may(i, VMM_STATE_ENDED), i != VMM_STATE_ENDED);
		CHECK(*vmm_state_name(i));
	}
	CHECK(!vmm_state_may(99, 1));
}

int main(void)
{
	round_trip();
	refusals();
	layouts();
	states();
	return unit_done();
}

// SPDX-License-Identifier: GPL-2.0-or-later
/* Forms of disks and serial ports. */
#include <stdlib.h>
#include <string.h>

#include "hvctl/def/map.h"

#define CONTROLLERS	4	/* VMM_CONTROLLERS_MAX */
#define UNITS		64	/* VMM_LUNS_MAX */

/* "sda" is 0, "sdaa" 26. Return: the number, or -1. */
static int dev_number(const char *dev)
{
	int n = 0;

	if (strncmp(dev, "sd", 2) || !dev[2])
		return -1;
	for (dev += 2; *dev; dev++) {
		if (*dev < 'a' || *dev > 'z' || n > CONTROLLERS * UNITS)
			return -1;
		n = n * 26 + (*dev - 'a' + 1);
	}
	return n - 1;
}

static void dev_name(int nr, char *buf, size_t len)
{
	char tail[8];
	int at = sizeof(tail) - 1;

	tail[at] = 0;
	for (nr++; nr > 0 && at > 0; nr = (nr - 1) / 26)
		tail[--at] = (char)('a' + (nr - 1) % 26);
	snprintf(buf, len, "sd%s", tail + at);
}

/* 0 where an address says more than controller and unit. */
static int zero(struct def_job *j, struct xml_node *addr, const char *name)
{
	const char *v = xml_attr_read(addr, name);

	if (v && strcmp(v, "0"))
		return map_error(j, addr, "%s='%.20s' is not supported, only '0'", name, v);
	return 0;
}

static int get_address(struct def_job *j, struct xml_node *addr, char *value)
{
	const char *type = xml_attr_read(addr, "type"), *c = xml_attr_read(addr, "controller"),
		   *u = xml_attr_read(addr, "unit");
	unsigned long long controller = 0, unit = 0;

	addr->read = true;
	if (!type || strcmp(type, "drive"))
		return map_error(j, addr, "only type='drive' is supported");
	if (zero(j, addr, "bus") || zero(j, addr, "target"))
		return -1;
	if ((c && map_number(j, addr, c, CONTROLLERS - 1, &controller) < 0) ||
	    (u && map_number(j, addr, u, UNITS - 1, &unit) < 0))
		return -1;
	snprintf(value, DEF_VALUE_MAX, "scsi%llu:%llu", controller, unit);
	return 1;
}

/*
 * "scsi1:3" is <target dev='...' bus='scsi'/> with <address type='drive' controller='1' unit='3'/>. Without
 * an address the device's name tells the place, as libvirt has it.
 */
static int get_place(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	const char *attr, *bus, *dev;
	struct xml_node *target = map_find(base, "target", &attr), *addr = map_find(base, "address", &attr);
	int nr;

	(void)row;
	if (!target)
		return map_error(j, base, "<target dev='sda' bus='scsi'/> is missing");
	target->read = true;
	bus = xml_attr_read(target, "bus");
	dev = xml_attr_read(target, "dev");
	if (bus ? strcmp(bus, "scsi") : !dev || strncmp(dev, "sd", 2))
		return map_error(j, target, "bus='%.20s' is not supported, only 'scsi': write bus='scsi' and dev='sda'",
				 bus ? bus : "");
	nr = dev ? dev_number(dev) : -1;
	if (dev && nr < 0)
		return map_error(j, target, "dev='%.20s' is not supported; on the scsi bus it is sda, sdb, ...", dev);
	if (addr)
		return get_address(j, addr, value);
	if (nr < 0)
		return 0;
	if (nr >= CONTROLLERS * UNITS)
		return map_error(j, target, "dev='%.20s' is beyond the last place", dev);
	snprintf(value, DEF_VALUE_MAX, "scsi%d:%d", nr / UNITS, nr % UNITS);
	return 1;
}

/* The place run would give it: the first free unit of its controller. */
static void put_place(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	struct xml_node *target = base ? xml_add(j->doc, base, "target") : NULL, *addr;
	unsigned int controller = 0, unit = 0;
	const char *colon = value ? strchr(value, ':') : NULL;
	char dev[16];

	(void)row;
	if (value && strlen(value) > 4)
		controller = (unsigned int)strtoul(value + 4, NULL, 10);
	if (controller >= CONTROLLERS)
		return;		/* what reads the options refuses it */
	if (colon)
		unit = (unsigned int)strtoul(colon + 1, NULL, 10);
	else
		while (unit < UNITS - 1 && j->used[controller] >> unit & 1)
			unit++;
	if (unit >= UNITS)
		return;
	j->used[controller] |= 1ULL << unit;
	dev_name((int)(controller * UNITS + unit), dev, sizeof(dev));
	xml_set(j->doc, target, "dev", dev);
	xml_set(j->doc, target, "bus", "scsi");
	addr = base ? xml_add(j->doc, base, "address") : NULL;
	xml_set(j->doc, addr, "type", "drive");
	xml_set(j->doc, addr, "controller", xml_format(j->doc, "%u", controller));
	xml_set(j->doc, addr, "bus", "0");
	xml_set(j->doc, addr, "target", "0");
	xml_set(j->doc, addr, "unit", xml_format(j->doc, "%u", unit));
}

const struct def_form form_place = { get_place, put_place, true };

static const char *const serial_types[][2] = {
	{ "stdio", "stdio" }, { "none", "null" }, { "pty", "pty" }, { "socket", "unix" }, { "file", "file" },
};

#define SERIAL_TYPES (sizeof(serial_types) / sizeof(serial_types[0]))

/* A socket listens; a file is added to, never cut. libvirt has both the other way round unless told. */
static int serial_source(struct def_job *j, struct xml_node *base, const char *type)
{
	const char *attr, *say = !strcmp(type, "unix") ? "mode" : !strcmp(type, "file") ? "append" : NULL;
	struct xml_node *source = say ? map_find(base, "source", &attr) : NULL;
	const char *want = say && *say == 'm' ? "bind" : "on", *has = source ? xml_attr_read(source, say) : NULL;

	if (!say)
		return 0;
	if (!source)
		return map_error(j, base, "<source path='...' %s='%s'/> is missing", say, want);
	if (!has || strcmp(has, want))
		return map_error(j, source, "only %s='%s' is supported", say, want);
	return 0;
}

static int get_serial(struct def_job *j, const struct def_row *row, struct xml_node *base, char *value)
{
	const char *attr, *type, *port, *kind;
	struct xml_node *target = map_find(base, "target", &attr);
	bool console = !strcmp(base->name, "console");

	(void)row;
	if (target) {
		target->read = true;
		kind = xml_attr_read(target, "type");
		if (kind && strcmp(kind, console ? "serial" : "isa-serial"))
			return map_error(j, target, "type='%.20s' is not supported, only '%s'", kind,
					 console ? "serial" : "isa-serial");
		port = xml_attr_read(target, "port");
		if (port && strcmp(port, "0"))
			return map_error(j, target, "port='%.20s' is not supported: there is one serial port, '0'",
					 port);
	}
	type = xml_attr_read(base, "type");
	if (!type)
		return map_error(j, base, "type is missing");
	for (size_t i = 0; i < SERIAL_TYPES; i++)
		if (!strcmp(type, serial_types[i][1]))
			return serial_source(j, base, type) ? -1 : map_value(j, base, serial_types[i][0], value);
	return map_error(j, base, "type='%.20s' is not supported, only pty, file, unix, stdio and null", type);
}

static void put_serial(struct def_job *j, const struct def_row *row, struct xml_node *base, const char *value)
{
	struct xml_node *target = base ? xml_add(j->doc, base, "target") : NULL, *source;

	(void)row;
	for (size_t i = 0; value && i < SERIAL_TYPES; i++)
		if (!strcmp(value, serial_types[i][0]))
			xml_set(j->doc, base, "type", serial_types[i][1]);
	xml_set(j->doc, target, "port", "0");
	if (!value || (strcmp(value, "socket") && strcmp(value, "file")))
		return;
	source = base ? xml_want(j->doc, base, "source") : NULL;
	xml_set(j->doc, source, *value == 's' ? "mode" : "append", *value == 's' ? "bind" : "on");
}

const struct def_form form_serial_to = { get_serial, put_serial, false };

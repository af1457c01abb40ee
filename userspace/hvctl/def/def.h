/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The definition of a VM: the options of run, and the same as a libvirt domain XML.
 *
 * A definition is a command line that is kept. Reading XML gives the options that mean the same, and what
 * makes a VM of options never learns where they came from; writing goes the other way. Both follow one
 * table (map_table.c), in which every option and key has its row: unit.def fails for one without.
 */
#ifndef HV_HVCTL_DEF_DEF_H
#define HV_HVCTL_DEF_DEF_H

#include "base/err.h"
#include "hvctl/def/xml.h"
#include "hvctl/opt/opt.h"

#define DEF_NAMESPACE	"urn:x-hv:domain:1"	/* of <hv:vm> in <metadata>: what libvirt has no words for */
#define DEF_FOREIGN_MAX	16				/* elements of others in <metadata>, kept as they are */
#define DEF_VALUE_MAX	4200				/* bytes of one option's value */

struct def {
	struct xml_doc		doc;		/* holds everything below */
	struct opt_line		line;		/* only its hits */
	struct {
		unsigned int	line;		/* of the XML, 0: it came otherwise */
		const char	*element;
	} from[OPT_HITS_MAX];
	const struct xml_node	*foreign[DEF_FOREIGN_MAX];
	unsigned int		foreigns;
};

/* The groups of options a definition has: vm_opts, run_opts, def_opts; ends with NULL. */
extern const struct opt *const def_groups[];
/* The option called @name in them, or NULL. */
const struct opt *def_opt(const char *name);
/* Is it said to hvctl rather than about the VM, and so in no definition? */
bool def_opt_passing(const char *name);

/*
 * Read XML. @what names it in errors, which tell line and element.
 * Return: 0, RC_INVALID or RC_FAILED (memory). def_free() in any case.
 */
int def_read(struct def *d, const char *what, const char *text, size_t len, struct err *err);
void def_free(struct def *d);

/* An empty definition. */
void def_init(struct def *d);

/*
 * Take over what stands on a command line: an option given replaces the one of @d, of a key list
 * (but for repeated ones) only the keys given. Return: 0, RC_USAGE or RC_FAILED.
 */
int def_merge(struct def *d, const struct opt_line *line, struct err *err);
/* Make relative names of files absolute: those of a command line are in the working directory. */
int def_absolute(struct def *d, struct err *err);
/* Set one option; @value NULL for a flag. Return: 0 or RC_FAILED. */
int def_set(struct def *d, const char *name, const char *value, struct err *err);
/* Take an option out. Return: whether it was there. */
bool def_drop(struct def *d, const char *name);

/* The XML in *@text (malloc()ed, with NUL). Return: 0, RC_INVALID (it cannot be said in XML) or RC_FAILED. */
int def_write(const struct def *d, char **text, struct err *err);

/*
 * Something is wrong with the options that XML gave: put line and element of the guilty one in front of
 * the error, as far as its words tell which it is ("option --disk", "disk 2", "memory:"). Those that came
 * from elsewhere are left as they are. Return: @err->code.
 */
int def_blame(const struct def *d, const char *what, struct err *err);

/* May it be a VM's name? [A-Za-z0-9][A-Za-z0-9._-]*, at most 63 bytes. */
bool def_name_ok(const char *name);
/* Is it a UUID in lower case, 8-4-4-4-12? */
bool def_uuid_ok(const char *uuid);

#endif

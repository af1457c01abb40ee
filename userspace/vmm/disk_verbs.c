// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Disks that come and go while the VM lives.
 *
 * The sandbox lets this process open nothing, so a client opens the image and passes it; what is checked
 * at the start is checked here again, the lock among it. A controller needs an engine of its own, which
 * cannot be made any more: those of the start are all there are.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "devices/storvsp.h"
#include "machine_impl.h"

static int controller_of(struct machine *m, unsigned int nr, struct device **out, struct err *e)
{
	if (m->state == VMM_STATE_SAVING)
		return err_set(e, -EBUSY, "wait until it is", "VM '%s' is being saved", m->cfg->name);
	if (nr < VMM_CONTROLLERS_MAX && m->scsi[nr]) {
		*out = m->scsi[nr];
		return 0;
	}
	err_set(e, -ENOENT, NULL, "VM '%s' has no controller scsi%u", m->cfg->name, nr);
	return err_next(e, "start it with one: --cdrom bus=scsi%u makes it and an empty drive", nr);
}

static int image_open(const struct machine_image *image, bool readonly, struct disk **out, struct err *e)
{
	struct vhd_err why;
	int ret = disk_open_fd(out, image->fd, image->path,
			       (readonly ? DISK_READONLY : 0) | (image->raw ? DISK_RAW : 0), &why);

	if (!ret)
		return 0;
	if (why.text[0])
		return err_set(e, ret, why.next, "%s", why.text);
	return err_sys(e, ret, ret, NULL, "cannot use %s", image->path);
}

/* Not where a unit has just gone, unless there is no other place. */
static int free_unit(struct device *d, int *unit)
{
	struct storvsp_unit u;

	for (unsigned int i = 0; i < VMM_LUNS_MAX; i++)
		if (storvsp_look(d, i, &u) == -ENOENT) {
			*unit = (int)i;
			return 0;
		}
	return -ENOSPC;
}

static int attach_failed(const struct machine_place *at, const struct machine_image *image, int ret,
			 struct err *e)
{
	if (ret == -EEXIST)
		return err_set(e, ret, "leave the unit away for the next free one", "scsi%u:%d is in use",
			       at->controller, at->unit);
	if (ret == -EAGAIN)
		return err_set(e, ret, "try again, or leave the unit away for another one",
			       "the guest has not noticed yet that the disk at scsi%u:%d went",
			       at->controller, at->unit);
	return err_sys(e, ret, ret, NULL, "cannot attach %s at scsi%u:%d", image->path, at->controller,
		       at->unit);
}

int machine_disk_attach(struct machine *m, struct machine_place *at, const struct machine_image *image,
			struct err *e)
{
	struct disk *disk = NULL;
	struct vhd_err ignored;
	struct device *d = NULL;
	int ret = controller_of(m, at->controller, &d, e);

	if (!ret && at->unit < 0 && free_unit(d, &at->unit))
		ret = err_set(e, -EBUSY, "detach one, or use another controller",
			      "controller scsi%u has no free place", at->controller);
	if (ret) {
		close(image->fd);
		return ret;
	}
	ret = image_open(image, image->readonly, &disk, e);
	if (ret)
		return ret;
	ret = storvsp_attach(d, (unsigned int)at->unit, SCSI_DISK, disk);
	if (ret) {
		disk_close(disk, &ignored);
		return attach_failed(at, image, ret, e);
	}
	vmm_log(m->log, LOG_INFO, "scsi%u:%d: %s attached (%s, %llu bytes%s)", at->controller, at->unit,
		image->path, vhd_format_name(disk->info.format), (unsigned long long)disk->info.size,
		disk->readonly ? ", read-only" : "");
	return 0;
}

int machine_disk_detach(struct machine *m, struct machine_place *at, struct err *e)
{
	struct vhd_err why = { 0 };
	struct storvsp_unit u;
	struct device *d = NULL;
	int ret = controller_of(m, at->controller, &d, e);

	if (ret)
		return ret;
	if (at->unit < 0 || storvsp_look(d, (unsigned int)at->unit, &u)) {
		err_set(e, -ENOENT, NULL, "there is nothing at scsi%u:%d", at->controller, at->unit);
		return err_next(e, "hvctl show %s tells what hangs where", m->cfg->name);
	}
	ret = storvsp_detach(d, (unsigned int)at->unit, &why);
	if (ret) {
		vmm_log(m->log, LOG_ERROR, "scsi%u:%d: detached, but: %s", at->controller, at->unit,
			why.text[0] ? why.text : strerror(-ret));
		return err_set(e, -EIO, why.next, "the disk is detached, but %s",
			       why.text[0] ? why.text : strerror(-ret));
	}
	vmm_log(m->log, LOG_INFO, "scsi%u:%d: detached", at->controller, at->unit);
	return 0;
}

/* The VM's only drive. */
static int find_drive(struct machine *m, struct machine_place *at, struct err *e)
{
	struct machine_disk disk;
	unsigned int found = 0;

	for (unsigned int i = 0; machine_disk_look(m, i, &disk); i++)
		if (disk.dvd && !found++)
			*at = disk.at;
	if (found == 1)
		return 0;
	if (!found)
		return err_set(e, -ENOENT, "start it with one: --cdrom FILE", "VM '%s' has no DVD drive",
			       m->cfg->name);
	return err_set(e, -EINVAL, "say which one, for example scsi0:1", "VM '%s' has %u DVD drives",
		       m->cfg->name, found);
}

static int medium_failed(struct machine *m, const struct machine_place *at, int ret, struct err *e)
{
	if (ret == -EBUSY)
		return err_set(e, ret, "unmount it in the guest, or take it away with --force",
			       "the guest has locked the drive at scsi%u:%d", at->controller, at->unit);
	if (ret == -EINVAL)
		return err_set(e, ret, "make it longer with truncate -s %2048",
			       "the image's size is no multiple of 2048 bytes");
	err_set(e, ret, NULL, "there is no DVD drive at scsi%u:%d", at->controller, at->unit);
	return err_next(e, "hvctl show %s tells what hangs where", m->cfg->name);
}

int machine_disk_medium(struct machine *m, struct machine_place *at, const struct machine_image *image,
			bool force, struct err *e)
{
	struct disk *disk = NULL;
	struct vhd_err ignored;
	struct device *d = NULL;
	int ret = at->unit < 0 ? find_drive(m, at, e) : 0;

	if (!ret)
		ret = controller_of(m, at->controller, &d, e);
	if (ret && image)
		close(image->fd);
	if (!ret && image)
		ret = image_open(image, true, &disk, e);
	if (ret)
		return ret;
	ret = storvsp_medium(d, (unsigned int)at->unit, disk, force);
	if (ret) {
		disk_close(disk, &ignored);
		return medium_failed(m, at, ret, e);
	}
	vmm_log(m->log, LOG_INFO, "scsi%u:%d: %s%s", at->controller, at->unit, image ? image->path : "ejected",
		image ? " inserted" : "");
	return 0;
}

bool machine_disk_look(struct machine *m, unsigned int nr, struct machine_disk *out)
{
	struct storvsp_unit u;

	for (unsigned int i = 0; i < VMM_CONTROLLERS_MAX * VMM_LUNS_MAX; i++) {
		unsigned int c = i / VMM_LUNS_MAX, unit = i % VMM_LUNS_MAX;

		if (!m->scsi[c] || storvsp_look(m->scsi[c], unit, &u) || nr--)
			continue;
		*out = (struct machine_disk){ .at = { (uint8_t)c, (int)unit }, .dvd = u.type == SCSI_DVD,
					      .readonly = u.type == SCSI_DVD };
		/* A medium behind an open tray is out: the guest opened it. */
		if (u.disk && (u.medium || !out->dvd)) {
			out->path = u.disk->path;
			out->size = u.disk->info.size;
			out->readonly |= u.disk->readonly;
		}
		return true;
	}
	return false;
}

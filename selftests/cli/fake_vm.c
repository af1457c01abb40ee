// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A VM without a CPU, so that every verb of hvctl can be tested where there is no /dev/hv.
 *
 * Linked with hvctl's own objects, the real event loop, console and control socket; it stands in for
 * vmm_main() and the machine. The guest echoes what is typed, and obeys words of --append:
 *
 *	fake.fail=config|host|feature	do not start
 *	fake.end=poweroff|crash|debug	end so after fake.after=MS (default 50)
 *	fake.prompt			power off at once when the button is pressed
 *	fake.slow			half a second after it
 *	fake.deaf			do not listen to the power button
 *	fake.print=N			print N lines first
 *	fake.full			it cannot be saved: the disk is full
 *	fake.slow			saving takes until it is cancelled
 *	fake.kvp			it serves key-value pairs
 *	fake.mute			... and never answers
 *
 * It has one controller, whose disks are names and locks, and a DVD drive at unit 9 that is locked.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "backends/chr.h"
#include "backends/disk.h"
#include "backends/tty.h"
#include "base/err.h"
#include "devices/kvp.h"
#include "libstate/state.h"
#include "vmm/loop.h"
#include "vmm/machine.h"
#include "vmm/save.h"

struct machine {
	const struct vmm_config	*cfg;
	struct loop		*loop;
	struct chr		*console;
	enum vmm_state		state;
	struct vmm_end		end;
	struct loop_timer	timer;
	struct loop_source	sig;
	struct disk		*disk[VMM_LUNS_MAX];
	int			save_fd;
	machine_save_fn		save_fn;	/* NULL: nobody saves it */
	void			*save_arg;
	struct loop_work	save_work;
};

#define DRIVE 9

const char *vmm_state_name(enum vmm_state s)
{
	static const char *const names[] = { "setup", "paused", "running", "stopping", "resetting",
					     "saving", "ended" };

	return names[s];
}

const struct vmm_config *machine_config(const struct machine *m) { return m->cfg; }
uint64_t machine_id(const struct machine *m) { (void)m; return 42; }
enum vmm_state machine_state(const struct machine *m) { return m->state; }
struct loop *machine_loop(struct machine *m) { return m->loop; }
struct chr *machine_console(struct machine *m) { return m->console; }
const struct vmm_end *machine_end(const struct machine *m) { return &m->end; }
const char *machine_serial_name(const struct machine *m) { (void)m; return NULL; }
const char *machine_heartbeat(struct machine *m) { (void)m; return "unknown"; }

int machine_pause(struct machine *m)
{
	if (m->state != VMM_STATE_RUNNING && m->state != VMM_STATE_PAUSED)
		return -EBUSY;
	m->state = VMM_STATE_PAUSED;
	return 0;
}

int machine_resume(struct machine *m)
{
	if (m->state != VMM_STATE_RUNNING && m->state != VMM_STATE_PAUSED)
		return -EBUSY;
	m->state = VMM_STATE_RUNNING;
	return 0;
}

int machine_reset(struct machine *m)
{
	if (m->state != VMM_STATE_RUNNING)
		return -EBUSY;
	chr_write(m->console, (const uint8_t *)"reset\r\n", 7);
	return 0;
}

/* ---- key-value pairs: what is asked for is there at the second look ---- */

static struct {
	struct kvp_list		pool[VMB_KVP_POOLS];
	enum kvp_outcome	outcome[KVP_CHANGES], next;
	uint32_t		sweeps, wanted, change;
	bool			looked;
} kvp;

static bool kvp_mute(const struct machine *m) { return m->cfg->append && strstr(m->cfg->append, "fake.mute"); }

void machine_kvp_look(struct machine *m, struct kvp_view *out)
{
	static const struct kvp_adapter adapter = { true, true, "10.0.2.15;evil;", "", "10.0.2.2", "" };
	static const uint8_t mac[1][6] = { { 2 } };
	bool there = m->cfg->append && strstr(m->cfg->append, "fake.kvp");

	if (there && !kvp.pool[VMB_KVP_AUTO].nr) {
		kvp_list_add(&kvp.pool[VMB_KVP_AUTO], "FullyQualifiedDomainName", "web.example.org");
		kvp_list_add(&kvp.pool[VMB_KVP_AUTO], "OSName", "Fake \"Linux\"");
		kvp_list_add(&kvp.pool[VMB_KVP_AUTO], "NetworkAddressIPv4", "10.0.2.15;10.0.2.300;");
		kvp_list_add(&kvp.pool[VMB_KVP_AUTO], "NetworkAddressIPv6", "fe80::1");
	}
	*out = (struct kvp_view){
		.health = !there ? KVP_UNKNOWN : kvp_mute(m) && kvp.looked ? KVP_LOST : KVP_OK, .sweeps = kvp.sweeps,
		.age_ns = 2000000, .adapters = there, .adapter = &adapter, .mac = mac, .change = kvp.change,
		.outcome = kvp.outcome, .told = there,
	};
	for (int i = 0; i < VMB_KVP_POOLS; i++)
		out->pool[i] = &kvp.pool[i];
	if (kvp.looked && !kvp_mute(m)) {
		kvp.sweeps = kvp.wanted;
		kvp.outcome[kvp.change % KVP_CHANGES] = kvp.next;
	}
	kvp.looked = true;
}

static int kvp_there(struct machine *m)
{
	struct kvp_view v;

	kvp.looked = false;
	machine_kvp_look(m, &v);
	kvp.looked = false;
	return v.health == KVP_UNKNOWN ? -ENOTCONN : 0;
}

int machine_kvp_read(struct machine *m, uint32_t *sweep)
{
	*sweep = kvp.wanted = kvp.sweeps + 1;
	return kvp_there(m);
}

int machine_kvp_change(struct machine *m, const char *name, const char *value, uint32_t *change)
{
	struct kvp_list *l = &kvp.pool[VMB_KVP_EXTERNAL];
	int ret = kvp_there(m);

	if (ret || strlen(name) > 100)
		return ret ? ret : -EINVAL;
	*change = ++kvp.change;
	kvp.outcome[kvp.change % KVP_CHANGES] = KVP_PENDING;
	kvp.next = value || kvp_list_value(l, name) ? KVP_DONE : KVP_REFUSED;
	if (kvp.next == KVP_DONE)
		kvp_list_free(l);
	if (value)
		kvp_list_add(l, name, value);
	return 0;
}

static void end_with(struct machine *m, enum vmm_cause cause, int code, const char *text)
{
	m->state = VMM_STATE_ENDED;
	m->end.cause = cause;
	m->end.code = code;
	snprintf(m->end.text, sizeof(m->end.text), "%s", text);
	loop_stop(m->loop);
}

int machine_stop(struct machine *m)
{
	if (m->state != VMM_STATE_RUNNING && m->state != VMM_STATE_STOPPING)
		return -EBUSY;
	m->state = VMM_STATE_STOPPING;
	if (m->cfg->append && strstr(m->cfg->append, "fake.prompt"))
		end_with(m, VMM_END_POWEROFF, 0, "");
	else if (!m->cfg->append || !strstr(m->cfg->append, "fake.deaf"))
		loop_timer_arm(m->loop, &m->timer, loop_now() +
			       (m->cfg->append && strstr(m->cfg->append, "fake.slow") ? 500000000 : 20000000));
	return 0;
}

void machine_kill(struct machine *m, const char *by)
{
	char text[128];

	snprintf(text, sizeof(text), "killed by %s", by);
	end_with(m, VMM_END_KILLED, 0, text);
}

/* A file as of a VM with 4 pages of memory. */
static int save_write(struct machine *m, struct state_err *e)
{
	struct save_machine own = { .wall_ns = 1000000000000000000u, .tsc_khz = 1000, .host_cpu = "none" };
	static uint8_t ram[4 * STATE_PAGE] = "not zero";
	struct fields_out out = { 0 };
	char text[VMM_TEXT_MAX];
	struct state_writer *w;
	int n = vmm_config_encode(m->cfg, text, sizeof(text)), ret;

	save_machine_put(&out, &own);
	ret = state_writer_create(&w, m->save_fd, sizeof(ram), 0, e);
	if (!ret && !(ret = state_put(w, SAVE_REC_CONFIG, 1, 0, 0, text, (size_t)n, e)) &&
	    !(ret = state_put(w, SAVE_REC_MACHINE, SAVE_VERSION_MACHINE, 0, 0, out.buf, out.len, e)) &&
	    !(ret = state_put_chunk(w, 0, ram, e)))
		ret = state_writer_finish(w, e);
	state_writer_release(w);
	free(out.buf);
	return ret;
}

static void save_run(struct loop_work *work)
{
	struct machine *m = (struct machine *)((char *)work - offsetof(struct machine, save_work));
	bool full = m->cfg->append && strstr(m->cfg->append, "fake.full");
	struct state_err e = { 0 };
	int ret = full ? state_fail(&e, STATE_HOST, -ENOSPC, "cannot write: No space left on device") :
			 save_write(m, &e);

	close(m->save_fd);
	if (ret)
		m->state = VMM_STATE_RUNNING;
	m->save_fn(m->save_arg, ret ? &e : NULL);
	m->save_fn = NULL;
}

int machine_save(struct machine *m, int fd, int level, machine_save_fn fn, void *arg, struct err *e)
{
	(void)level;
	if (m->state != VMM_STATE_RUNNING && m->state != VMM_STATE_PAUSED)
		return err_set(e, -EBUSY, NULL, "cannot save VM '%s': it is %s", m->cfg->name,
			       vmm_state_name(m->state));
	m->state = VMM_STATE_SAVING;
	m->save_fd = fd;
	m->save_fn = fn;
	m->save_arg = arg;
	m->save_work.run = save_run;
	if (!m->cfg->append || !strstr(m->cfg->append, "fake.slow"))
		loop_call(m->loop, &m->save_work);
	return 0;
}

void machine_save_cancel(struct machine *m)
{
	if (m->state != VMM_STATE_SAVING)
		return;
	m->state = m->save_fn ? VMM_STATE_RUNNING : VMM_STATE_PAUSED;
	m->save_fn = NULL;
}

int machine_save_end(struct machine *m)
{
	if (m->state != VMM_STATE_SAVING)
		return -EBUSY;
	end_with(m, VMM_END_SAVED, 0, "saved");
	return 0;
}

bool machine_save_progress(const struct machine *m, uint64_t *done, uint64_t *total)
{
	*done = 1;
	*total = 4;
	return m->state == VMM_STATE_SAVING;
}

static int image_open(const struct machine_image *image, bool readonly, struct disk **out,
		      struct err *e)
{
	struct vhd_err why;
	int ret = disk_open_fd(out, image->fd, image->path, readonly ? DISK_READONLY : 0, &why);

	return ret ? err_set(e, ret, why.next, "%s", why.text) : 0;
}

int machine_disk_attach(struct machine *m, struct machine_place *at, const struct machine_image *image,
			struct err *e)
{
	for (int i = 0; at->unit < 0; i++)
		if (!m->disk[i])
			at->unit = i;
	if (at->controller || m->disk[at->unit]) {
		close(image->fd);
		return err_set(e, -EEXIST, "another one", "that is in use");
	}
	return image_open(image, image->readonly, &m->disk[at->unit], e);
}

int machine_disk_detach(struct machine *m, struct machine_place *at, struct err *e)
{
	struct vhd_err why;

	if (!m->disk[at->unit])
		return err_set(e, -ENOENT, "look", "there is nothing at scsi0:%d", at->unit);
	disk_close(m->disk[at->unit], &why);
	m->disk[at->unit] = NULL;
	return 0;
}

int machine_disk_medium(struct machine *m, struct machine_place *at, const struct machine_image *image,
			bool force, struct err *e)
{
	struct vhd_err why;
	struct disk *disk = NULL;
	int ret = 0;

	if (image)
		ret = image_open(image, true, &disk, e);
	at->unit = DRIVE;
	if (!ret && !force) {
		disk_close(disk, &why);
		return err_set(e, -EBUSY, "use --force", "the drive is locked");
	}
	if (!ret) {
		disk_close(m->disk[DRIVE], &why);
		m->disk[DRIVE] = disk;
	}
	return ret;
}

bool machine_net_look(struct machine *m, unsigned int nr, struct machine_net *out)
{
	(void)m, (void)nr, (void)out;
	return false;
}

int machine_net_link(struct machine *m, unsigned int nr, bool up)
{
	(void)m, (void)nr, (void)up;
	return -ENOENT;
}

bool machine_disk_look(struct machine *m, unsigned int nr, struct machine_disk *out)
{
	for (int i = 0; i < VMM_LUNS_MAX; i++) {
		if ((!m->disk[i] && i != DRIVE) || nr--)
			continue;
		*out = (struct machine_disk){ .at = { 0, i }, .dvd = i == DRIVE };
		if (m->disk[i]) {
			out->readonly = m->disk[i]->readonly;
			out->path = m->disk[i]->path;
			out->size = m->disk[i]->info.size;
		}
		return true;
	}
	return false;
}

static uint64_t asked;		/* so that there is a rate */

int machine_stats(struct machine *m, struct machine_stat *out, int max)
{
	static const char *const names[] = {
		"vcpu0.exits.pio", "vcpu0.exits.hlt", "vcpu0.exits", "vcpu0.exits_pio", "vcpu1.exits", "vcpu1.exits_hlt",
		"vm.slat_pages_4k", "vcpu0.blocked_ns", "scsi0.bytes_read", "scsi0.writes", "net0.rx_bytes", "uart.accesses",
	};
	int nr = sizeof(names) / sizeof(names[0]);

	asked++;
	for (int i = 0; i < nr && i < max; i++)
		out[i] = (struct machine_stat){ names[i], i < 2 ? (uint64_t)i * 1000 + 7 : asked * (uint64_t)i * 1000,
						!strcmp(names[i], "vm.slat_pages_4k") };
	(void)m;
	return nr;
}

int machine_channels(struct machine *m, struct machine_chan *out, int max)
{
	(void)m;
	if (max > 0)
		*out = (struct machine_chan){
			.kind = "scsi", .instance = "0e1d3f5c-9b64-474a-8d21-687673637300", .state = "open",
			.index = 1, .relid = 9, .vp = 3, .nr = 2,
			.stat = { { "packets", 77 }, { "guest_signals", 5 } },
		};
	return 1;
}

static const char *word(const struct machine *m, const char *key)
{
	static char value[32];
	const char *at = m->cfg->append ? strstr(m->cfg->append, key) : NULL;

	if (!at)
		return NULL;
	snprintf(value, sizeof(value), "%.*s", (int)strcspn(at + strlen(key), " "), at + strlen(key));
	return value;
}

static void on_timer(struct loop_timer *t)
{
	struct machine *m = (struct machine *)((char *)t - offsetof(struct machine, timer));
	const char *how = word(m, "fake.end=");

	if (m->state == VMM_STATE_PAUSED)
		return;
	if (how && !strcmp(how, "crash"))
		end_with(m, VMM_END_CRASHED, 0, "vcpu 0 cannot go on\nread its log");
	else if (how && !strcmp(how, "debug"))
		end_with(m, VMM_END_DEBUG_EXIT, 5, "the guest wrote 5 to isa-debug-exit");
	else
		end_with(m, VMM_END_POWEROFF, 0, "");
}

static void on_signal(struct loop_source *src, uint32_t events)
{
	(void)events;
	machine_kill((struct machine *)((char *)src - offsetof(struct machine, sig)), "a signal");
}

static size_t on_input(void *arg, const uint8_t *buf, size_t len)
{
	struct machine *m = arg;

	chr_write(m->console, buf, len);
	return len;
}

static bool on_escape(void *arg, uint8_t byte)
{
	struct machine *m = arg;

	if (byte != m->cfg->escape)
		return false;
	machine_kill(m, "the escape character");
	return true;
}

static void make(struct machine *m, const struct vmm_fds *fds)
{
	struct chr_sink sink = { on_input, m };
	const char *n;
	sigset_t set;

	loop_create(&m->loop);
	chr_create(&m->console, m->loop);
	chr_sink_set(m->console, &sink);
	if (m->cfg->serial == VMM_SERIAL_STDIO) {
		tty_raw_enter(fds->in);
		chr_filter_set(m->console, on_escape, m);
		chr_attach(m->console, fds->in, fds->out, CHR_ATTACH_KEEP);
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	m->sig = (struct loop_source){ signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), 1, on_signal };
	loop_add(m->loop, &m->sig);
	m->timer.fire = on_timer;
	n = word(m, "fake.print=");
	for (int i = 0; n && i < atoi(n); i++) {
		char line[64];
		int len = snprintf(line, sizeof(line), "line %d of the guest\r\n", i);

		chr_write(m->console, (uint8_t *)line, (size_t)len);
	}
	if (word(m, "fake.end=")) {
		uint64_t ms = word(m, "fake.after=") ? (uint64_t)atoi(word(m, "fake.after=")) : 50;

		loop_timer_arm(m->loop, &m->timer, loop_now() + ms * 1000000);
	}
}

int vmm_main(const struct vmm_config *cfg, const struct vmm_fds *fds, struct vmm_end *end)
{
	struct machine m = { .cfg = cfg, .state = VMM_STATE_SETUP };
	const char *fail = word(&m, "fake.fail=");
	struct ctl *ctl;

	memset(end, 0, sizeof(*end));
	if (fail) {
		end->cause = !strcmp(fail, "config") ? VMM_END_CONFIG : VMM_END_UNSUPPORTED;
		end->code = !strcmp(fail, "feature") ? EOPNOTSUPP : 0;
		snprintf(end->text, sizeof(end->text), "fake failure\ntry another word");
		if (fds->ready >= 0)
			close(fds->ready);
		return -1;
	}
	make(&m, fds);
	if (ctl_create(&ctl, &m, fds->ctl))
		return -1;
	m.state = cfg->flags & VMM_F_START_PAUSED ? VMM_STATE_PAUSED : VMM_STATE_RUNNING;
	if (fds->ready >= 0 && write(fds->ready, "", 1) == 1)
		close(fds->ready);
	loop_run(m.loop);
	tty_raw_leave();
	dprintf(fds->log, "ended: %s %s\n", vmm_cause_name(m.end.cause), m.end.text);
	ctl_release(ctl);
	chr_release(m.console);
	loop_del(m.loop, &m.sig);
	close(m.sig.fd);
	loop_release(m.loop);
	close(fds->log);
	*end = m.end;
	return 0;
}

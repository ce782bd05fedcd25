/* The process: descriptors and START from the monitor, then questions from the worker's threads. */
#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/auth.h"
#include "gateway/auth_int.h"
#include "io/log.h"
#include "io/sandbox.h"

#define REFUSALS_PEER    20 /* refused logins of one address logged at once, then one per period */
#define REFUSALS_PEER_MS 1000
#define REFUSALS_ALL     200
#define REFUSALS_ALL_MS  50

static const char store_name[] = "sessions.db";

static ms_t wall_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (ms_t)ts.tv_sec * 1000 + (ms_t)ts.tv_nsec / 1000000;
}

uint64_t auth_now_s(const struct auth *auth)
{
	return (auth->wall_offset_ms + loop_now()) / 1000;
}

static int auth_entropy(void *ctx, void *ret, size_t n)
{
	(void)ctx;
	ssize_t got = getrandom(ret, n, 0);
	return got == (ssize_t)n ? 0 : got < 0 ? -errno : -EIO;
}

/* Not more than once a second, however many sessions end one after the other; and never later than it is set
 * to: firing for nothing does no harm. */
void auth_timer_update(struct auth *auth)
{
	uint64_t due_s =
	        auth->authority && !auth->is_ending ? authority_due_s(auth->authority) : AUTHORITY_NEVER;
	if (due_s >= MS_NEVER / 1000)
		return;
	ms_t due_ms = due_s * 1000, soonest_ms = loop_now() + 1000;
	ms_t at_ms = due_ms > auth->wall_offset_ms ? due_ms - auth->wall_offset_ms : 0;
	at_ms = at_ms > soonest_ms ? at_ms : soonest_ms;
	if (at_ms < auth->timer.due_at_ms)
		loop_timer_set(&auth->timer, at_ms);
}

static void on_timer(struct loop_timer *t, ms_t now_ms)
{
	struct auth *auth = t->ctx;
	(void)now_ms;
	authority_step(auth->authority, auth_now_s(auth));
	auth_timer_update(auth);
}

/* --- worker threads --- */

struct link *auth_link_find(const struct auth *auth, unsigned index, uint64_t serial)
{
	struct link *l = index < AUTH_LINKS_MAX ? auth->links[index] : NULL;
	return l && l->serial == serial ? l : NULL;
}

static void link_closed(struct loop_fd *f)
{
	struct link *l = f->ctx;
	chan_done(&l->chan);
	free(l);
}

/* Whatever the reason, its sessions wait to be resumed: a worker that broke must not cost the users theirs.
 */
static void link_close(struct link *l)
{
	struct auth *auth = l->auth;
	auth->links[l->index] = NULL;
	if (auth->authority)
		authority_owner_gone(auth->authority, (int)l->index, auth_now_s(auth));
	loop_fd_close(&l->poll, link_closed);
}

static int link_watch(struct link *l)
{
	return loop_fd_watch(&l->poll, UV_READABLE | (chan_wants_write(&l->chan) ? UV_WRITABLE : 0));
}

void link_send(struct link *l, struct ipc_msg *m)
{
	int r = chan_send(&l->chan, m, -1);
	if (r == 0)
		r = link_watch(l);
	if (r == 0 || l->is_deaf)
		return;
	/* said once: whoever asks and does not listen must not fill the log; the poll reports its end */
	l->is_deaf = true;
	log_msg(4, "CULVERT", 101003, "Auth could not send %s to worker thread %u: %s",
	        ipc_type_name(m->type), l->index, err_text(r));
	chan_break(&l->chan);
}

static void auth_kick(void *ctx, int owner, const struct ipc_session_kick *kick)
{
	struct auth *auth = ctx;
	struct link *l = owner >= 0 && owner < (int)AUTH_LINKS_MAX ? auth->links[owner] : NULL;
	struct ipc_msg m = {.type = IPC_SESSION_KICK, .session_kick = *kick};
	if (l)
		link_send(l, &m);
}

static void query_answer(struct link *l, const struct ipc_msg *in)
{
	struct auth *auth = l->auth;
	struct authority *a = auth->authority;
	struct ipc_msg m = {.ref = in->ref};
	switch (in->type) {
	case IPC_SESSION_OPEN:
		m.type = IPC_SESSION_INFO;
		authority_open(a, (int)l->index, &in->session_open, auth_now_s(auth), &m.session_info);
		break;
	case IPC_LOGOFF:
		m.type = IPC_LOGOFF_RESULT;
		m.logoff_result.n_sessions = authority_logoff(a, &in->logoff);
		break;
	case IPC_POOL_QUERY:
		m.type = IPC_POOL_INFO;
		authority_pool_info(a, in->pool_query.name, &m.pool_info);
		break;
	case IPC_STATS_QUERY:
		m.type = IPC_STATS_INFO;
		authority_stats(a, &m.stats_info);
		m.stats_info.n_logins_ok = auth->n_logins_ok;
		m.stats_info.n_logins_refused = auth->n_logins_refused;
		break;
	default:
		return;
	}
	link_send(l, &m);
}

static void sessions_answer(struct link *l, const struct ipc_msg *in)
{
	struct ipc_session_query q = in->session_query;
	struct ipc_msg m = {.type = IPC_SESSION_ITEM, .ref = in->ref, .session_item.is_found = true};
	for (unsigned i = 0; m.session_item.is_found && i < q.n_max; i++) {
		authority_item(l->auth->authority, &q, &m.session_item);
		q.after = m.session_item.index;
		link_send(l, &m);
	}
}

static void link_serve(struct link *l, const struct ipc_msg *m)
{
	struct auth *auth = l->auth;
	switch (m->type) {
	case IPC_LOGIN:
		login_begin(l, m);
		break;
	case IPC_SESSION_LOST:
		authority_lost(auth->authority, (int)l->index, &m->session_lost, auth_now_s(auth));
		break;
	case IPC_SESSION_END:
		authority_end(auth->authority, (int)l->index, &m->session_end);
		break;
	case IPC_SESSION_QUERY:
		sessions_answer(l, m);
		break;
	default:
		query_answer(l, m);
		break;
	}
}

/* Too many in one second. An end is never dropped: the session would stay for ever. */
static void link_overrun(struct link *l, const struct ipc_msg *in)
{
	struct ipc_msg m = {.ref = in->ref};
	switch (in->type) {
	case IPC_LOGIN:
		m.type = IPC_LOGIN_RESULT;
		m.login_result.status = IPC_LOGIN_ERROR;
		break;
	case IPC_SESSION_OPEN:
		m.type = IPC_SESSION_INFO;
		m.session_info.status = IPC_OPEN_ERROR;
		break;
	default:
		link_serve(l, in);
		return;
	}
	link_send(l, &m);
}

static int link_read(struct link *l)
{
	struct ipc_msg m;
	int r = 0;
	for (unsigned i = 0; i < LOOP_BATCH && r == 0; i++) {
		int fd = -1;
		r = chan_recv(&l->chan, l->auth->state, loop_now(), &m, &fd);
		if (r == 0)
			link_serve(l, &m);
		else if (r == ERR_LIMIT) {
			link_overrun(l, &m);
			r = 0;
		}
		if (r == 0)
			ipc_wipe(&m);
	}
	return r == -EAGAIN ? 0 : r;
}

static void on_link(struct loop_fd *f, int err, int events)
{
	struct link *l = f->ctx;
	struct auth *auth = l->auth;
	int r = err;
	if (r == 0 && (events & UV_WRITABLE))
		r = chan_flush(&l->chan);
	if (r == 0 && (events & UV_READABLE))
		r = link_read(l);
	if (r == 0)
		r = link_watch(l);
	if (r < 0) {
		if (r != ERR_CLOSED)
			log_msg(2, "CULVERT", 101004,
			        "Worker thread %u broke the rules between processes (%s), cut off", l->index,
			        err_text(r));
		link_close(l);
	}
	auth_timer_update(auth);
}

/* Takes fd. */
static int link_open(struct auth *auth, unsigned index, int fd)
{
	if (index >= AUTH_LINKS_MAX) {
		close(fd);
		return -ERANGE;
	}
	if (auth->links[index]) /* the monitor was quicker than the news of the old one's end */
		link_close(auth->links[index]);
	struct link *l = calloc(1, sizeof(*l));
	if (l == NULL) {
		close(fd);
		return -ENOMEM;
	}
	l->auth = auth;
	l->index = index;
	l->serial = ++auth->n_links_ever;
	chan_init(&l->chan, fd, IPC_AUTH, IPC_WORKER);
	int r = loop_fd_open(&l->poll, &auth->loop, fd, on_link, l);
	if (r < 0) {
		chan_done(&l->chan);
		free(l);
		return r;
	}
	auth->links[index] = l;
	return auth->state == IPC_RUNNING ? link_watch(l) : 0;
}

/* --- monitor --- */

/* From here on only the state directory exists. uid 0 in START: stay as we are. */
static int lock_in(const struct auth *auth, const struct ipc_start *start)
{
	char user[64] = "nobody", root[64];
	const char *step = "";
	if (auth->state_fd >= 0 && fchdir(auth->state_fd) < 0)
		return -errno;
	if (start->uid == 0)
		return 0;
	struct passwd pw, *found = NULL;
	char buf[4096];
	if (getpwuid_r(start->uid, &pw, buf, sizeof(buf), &found) == 0 && found)
		(void)snprintf(user, sizeof(user), "%s", pw.pw_name);
	(void)snprintf(root, sizeof(root), "/proc/self/fd/%d", auth->state_fd);
	bool is_root = geteuid() == 0;
	struct sandbox_config config = {
	        .profile = SANDBOX_AUTH,
	        .user = user,
	        .root_dir = is_root && auth->state_fd >= 0 ? root : NULL,
	        .keeps_user = !is_root,
	};
	int r = sandbox_enter(&config, &step);
	if (r < 0)
		log_msg(2, "CULVERT", 101005, "Auth could not be locked in at %s: %s", step, err_text(r));
	return r;
}

static int store_open(const struct auth *auth, struct store **ret)
{
	struct store_report report = {0};
	int r = auth->state_fd < 0 ? -ENOENT : store_sqlite_open(store_name, ret, &report);
	if (r == 0 && report.was_set_aside)
		log_msg(3, "CULVERT", 101006,
		        "Session store was not usable (%s): renamed to %s.damaged, begun anew", report.text,
		        store_name);
	if (r == 0)
		return 0;
	log_msg(3, "CULVERT", 101007,
	        "Session store cannot be opened (%s): sessions will not survive a restart",
	        report.text[0] ? report.text : err_text(r));
	return store_memory_new(ret);
}

static void ready_send(struct auth *auth)
{
	struct ipc_msg m = {.type = IPC_READY};
	int r = chan_send(&auth->monitor, &m, -1);
	if (r < 0)
		log_msg(3, "CULVERT", 101008, "Auth cannot reach the monitor: %s", err_text(r));
}

static int config_take(struct auth *auth)
{
	if (auth->config_fd < 0)
		return -ENOENT;
	int r = auth_config_apply(auth, auth->config_fd);
	close(auth->config_fd);
	auth->config_fd = -1;
	return r;
}

/* A log file came as a descriptor and is standard error by now. */
static int log_begin(const struct ipc_start *in)
{
	return log_open(&(struct log_config){
	        .target = in->log_target == IPC_LOG_SYSLOG ? LOG_TO_SYSLOG : LOG_TO_STDERR,
	        .program = "culvertd",
	        .max_level = in->log_level,
	        .is_json = in->is_log_json,
	});
}

static int start(struct auth *auth, const struct ipc_start *in)
{
	const struct authority_host host = {.ctx = auth,
	        .entropy = auth_entropy,
	        .policy = auth_config_policy,
	        .kick = auth_kick,
	        .event = auth_log_event};
	struct store *st = NULL;
	int r = log_begin(in);
	if (r == 0)
		r = lock_in(auth, in);
	if (r == 0)
		r = store_open(auth, &st);
	if (r == 0)
		r = authority_new(&host, st, &auth->authority);
	if (r < 0) {
		store_free(st);
		return r;
	}
	r = config_take(auth);
	if (r == 0)
		r = authority_load(auth->authority, auth_now_s(auth));
	if (r < 0)
		return r;
	auth->state = IPC_RUNNING;
	for (size_t i = 0; i < AUTH_LINKS_MAX && r == 0; i++)
		r = auth->links[i] ? link_watch(auth->links[i]) : 0;
	auth_timer_update(auth);
	if (r == 0)
		ready_send(auth);
	return r;
}

/* Keeps *slot's former descriptor no longer. */
static void fd_keep(int *slot, int fd)
{
	if (*slot >= 0)
		close(*slot);
	*slot = fd;
}

static int fd_take(struct auth *auth, const struct ipc_fd *in, int fd)
{
	switch (in->kind) {
	case IPC_FD_CONFIG:
		fd_keep(&auth->config_fd, fd);
		return 0;
	case IPC_FD_STATE_DIR:
		fd_keep(&auth->state_fd, fd);
		return 0;
	case IPC_FD_WORKER:
		return link_open(auth, in->index, fd);
	case IPC_FD_LOG: {
		int r = dup2(fd, STDERR_FILENO) < 0 ? -errno : 0;
		close(fd);
		return r;
	}
	default: /* nothing this process has a use for */
		close(fd);
		return 0;
	}
}

/* Handles close, so the loop runs out of them and ends, after the last password check. */
static void end_begin(struct auth *auth, int exit_status)
{
	if (auth->is_ending)
		return;
	auth->is_ending = true;
	auth->state = IPC_STOPPING;
	auth->exit_status = exit_status;
	for (size_t i = 0; i < AUTH_LINKS_MAX; i++)
		if (auth->links[i])
			link_close(auth->links[i]);
	login_drop_all(auth);
	loop_fd_close(&auth->monitor_poll, NULL);
	loop_timer_close(&auth->timer, NULL);
	loop_timer_close(&auth->login_timer, NULL);
}

static int monitor_serve(struct auth *auth, const struct ipc_msg *m, int fd)
{
	switch (m->type) {
	case IPC_FD:
		return fd_take(auth, &m->fd, fd);
	case IPC_START:
		return start(auth, &m->start);
	case IPC_RELOAD:
		(void)!config_take(auth); /* logged; the former one stays */
		ready_send(auth);
		return 0;
	default: /* SHUTDOWN */
		if (m->shutdown.tells_clients && auth->authority)
			(void)authority_logoff(auth->authority, &(struct ipc_logoff){.kind = IPC_LOGOFF_ALL});
		end_begin(auth, 0);
		return 0;
	}
}

static int monitor_watch(struct auth *auth)
{
	if (auth->is_ending)
		return 0;
	return loop_fd_watch(
	        &auth->monitor_poll, UV_READABLE | (chan_wants_write(&auth->monitor) ? UV_WRITABLE : 0));
}

/* The log has put more into the channel than went out at once. */
static void on_log_waiting(void *ctx)
{
	(void)!monitor_watch(ctx); /* what waits goes out with the next event */
}

static void on_monitor(struct loop_fd *f, int err, int events)
{
	struct auth *auth = f->ctx;
	int r = err;
	if (r == 0 && (events & UV_WRITABLE))
		r = chan_flush(&auth->monitor);
	for (unsigned i = 0; i < LOOP_BATCH && r == 0 && !auth->is_ending; i++) {
		struct ipc_msg m;
		int fd = -1;
		r = chan_recv(&auth->monitor, auth->state, loop_now(), &m, &fd);
		if (r == 0)
			r = monitor_serve(auth, &m, fd);
	}
	if (r == 0 || r == -EAGAIN)
		r = monitor_watch(auth);
	if (r < 0) {
		log_msg(2, "CULVERT", 101009, "Auth ends: %s",
		        r == ERR_CLOSED ? "the monitor is gone" : err_text(r));
		end_begin(auth, 1);
	}
}

/* A terminal or systemd signals the whole group; the monitor is the one that decides, and tells us. */
static void signals_ignore(void)
{
	static const int all[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE};
	for (size_t i = 0; i < N_ELEM(all); i++)
		(void)signal(all[i], SIG_IGN);
}

int auth_main(int monitor_fd)
{
	signals_ignore();
	struct auth *auth = calloc(1, sizeof(*auth));
	if (auth == NULL || uv_loop_init(&auth->loop) < 0) {
		free(auth);
		close(monitor_fd);
		return 1;
	}
	auth->config_fd = auth->state_fd = -1;
	auth->state = IPC_SETUP;
	auth->wall_offset_ms = wall_ms() - loop_now();
	chan_init(&auth->monitor, monitor_fd, IPC_AUTH, IPC_MONITOR);
	auth->log_relay =
	        (struct log_relay){.monitor = &auth->monitor, .wants_write = on_log_waiting, .ctx = auth};
	ratelimit_init(&auth->refusals, REFUSALS_PEER, REFUSALS_PEER_MS);
	ratelimit_init(&auth->refusals_all, REFUSALS_ALL, REFUSALS_ALL_MS);
	uint8_t key[16];
	int r = auth_entropy(NULL, key, sizeof(key));
	login_queue_init(&auth->logins, key);
	if (r == 0)
		r = auth_lockout_new(&auth->lockout);
	if (r == 0)
		r = loop_timer_open(&auth->login_timer, &auth->loop, login_on_timer, auth);
	if (r == 0)
		r = loop_timer_open(&auth->timer, &auth->loop, on_timer, auth);
	if (r == 0)
		r = loop_fd_open(&auth->monitor_poll, &auth->loop, monitor_fd, on_monitor, auth);
	if (r == 0)
		r = loop_fd_watch(&auth->monitor_poll, UV_READABLE);
	if (r == 0)
		uv_run(&auth->loop, UV_RUN_DEFAULT);
	else
		auth->exit_status = 1;
	int exit_status = auth->exit_status;
	authority_free(auth->authority);
	auth_lockout_free(auth->lockout);
	login_queue_free(&auth->logins);
	config_put(auth->config);
	chan_done(&auth->monitor);
	fd_keep(&auth->config_fd, -1);
	fd_keep(&auth->state_fd, -1);
	(void)uv_loop_close(&auth->loop);
	free(auth);
	return exit_status;
}

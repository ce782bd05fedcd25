/* The process: its clock, what the monitor hands over and says, its end. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/auth.h"
#include "gateway/auth_int.h"
#include "io/log.h"

#define REFUSALS_PEER    20 /* refused logins of one address logged at once, then one per period */
#define REFUSALS_PEER_MS 1000
#define REFUSALS_ALL     200
#define REFUSALS_ALL_MS  50

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

int auth_entropy(void *ctx, void *ret, size_t n)
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

/* --- monitor --- */

void auth_ready_send(struct auth *auth)
{
	struct ipc_msg m = {.type = IPC_READY};
	int r = chan_send(&auth->monitor, &m, -1);
	if (r < 0)
		log_msg(3, "CULVERT", 101008, "Auth cannot reach the monitor: %s", err_text(r));
}

int auth_config_take(struct auth *auth)
{
	if (auth->config_fd < 0)
		return -ENOENT;
	int r = auth_config_apply(auth, auth->config_fd);
	close(auth->config_fd);
	auth->config_fd = -1;
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
		return auth_link_open(auth, in->index, fd);
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
			auth_link_close(auth->links[i]);
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
		return auth_start(auth, &m->start);
	case IPC_RELOAD:
		(void)!auth_config_take(auth); /* logged; the former one stays */
		auth_ready_send(auth);
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

/* Takes monitor_fd. Members that cannot be freed before they were made are zero or -1. */
static int auth_open(struct auth *auth, int monitor_fd)
{
	uint8_t key[16];
	auth->config_fd = auth->state_fd = -1;
	auth->state = IPC_SETUP;
	auth->wall_offset_ms = wall_ms() - loop_now();
	chan_init(&auth->monitor, monitor_fd, IPC_AUTH, IPC_MONITOR);
	auth->log_relay =
	        (struct log_relay){.monitor = &auth->monitor, .wants_write = on_log_waiting, .ctx = auth};
	ratelimit_init(&auth->refusals, REFUSALS_PEER, REFUSALS_PEER_MS);
	ratelimit_init(&auth->refusals_all, REFUSALS_ALL, REFUSALS_ALL_MS);
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
	return r < 0 ? r : loop_fd_watch(&auth->monitor_poll, UV_READABLE);
}

static void auth_free(struct auth *auth)
{
	authority_free(auth->authority);
	auth_lockout_free(auth->lockout);
	login_queue_free(&auth->logins);
	config_put(auth->config);
	chan_done(&auth->monitor);
	fd_keep(&auth->config_fd, -1);
	fd_keep(&auth->state_fd, -1);
	(void)uv_loop_close(&auth->loop);
	free(auth);
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
	if (auth_open(auth, monitor_fd) == 0)
		uv_run(&auth->loop, UV_RUN_DEFAULT);
	else
		auth->exit_status = 1;
	int exit_status = auth->exit_status;
	auth_free(auth);
	return exit_status;
}

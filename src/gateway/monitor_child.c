#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/conf_file.h"
#include "gateway/log_setup.h"
#include "gateway/monitor_int.h"
#include "io/log.h"

/* ---- handing over ---- */

static int hand_fd(struct monitor_child *c, enum ipc_fd_kind kind, uint16_t index, int fd)
{
	const struct ipc_msg m = {.type = IPC_FD, .fd = {.kind = (uint8_t)kind, .index = index}};
	return chan_send(&c->chan, &m, fd);
}

/* Configuration and certificate; also before a RELOAD. */
static int hand_config(struct monitor_child *c)
{
	const struct monitor *m = c->m;
	const bool is_auth = c->role == CHILD_AUTH;
	int fd;
	int r = conf_file_memfd(m->config, is_auth, &fd);
	if (r < 0)
		return r;
	r = hand_fd(c, IPC_FD_CONFIG, 0, fd);
	close(fd);
	if (r < 0 || is_auth)
		return r;
	const struct text *pem = &m->identity.pem;
	if ((r = conf_file_memfd_bytes("culvert-cert", span_of(pem->p, pem->n), &fd)) < 0)
		return r;
	r = hand_fd(c, IPC_FD_CERT, 0, fd);
	close(fd);
	return r;
}

static int hand_log(struct monitor_child *c)
{
	return c->m->log_fd >= 0 ? hand_fd(c, IPC_FD_LOG, 0, c->m->log_fd) : 0;
}

static int hand_start(struct monitor_child *c)
{
	const struct monitor *m = c->m;
	struct ipc_msg msg = {
	        .type = IPC_START,
	        .start = {.n_threads = (uint16_t)m->ifs.n_threads,
	                .uid = m->uid,
	                .gid = m->gid,
	                .log_target = (uint8_t)m->opts->log_target,
	                .log_level = log_setup_own_level(m->config),
	                .offloads_refused = (uint8_t)m->opts->offloads_refused,
	                .is_log_json = m->config->logging.format == 1},
	};
	const char *root = c->role == CHILD_AUTH ? m->auth_dir : m->empty_dir;
	int r = ipc_set_str(msg.start.user, sizeof(msg.start.user), span_str(MONITOR_USER));
	if (r == 0)
		r = ipc_set_str(msg.start.root_dir, sizeof(msg.start.root_dir), span_str(root));
	return r < 0 ? r : chan_send(&c->chan, &msg, -1);
}

static int hand_auth(struct monitor_child *c)
{
	int r = hand_config(c);
	if (r == 0)
		r = hand_log(c);
	if (r == 0)
		r = hand_fd(c, IPC_FD_STATE_DIR, 0, c->m->auth_dir_fd);
	return r;
}

static int hand_worker(struct monitor_child *c)
{
	const struct gateway_if *g = &c->m->ifs;
	int r = hand_config(c);
	if (r == 0)
		r = hand_log(c);
	for (uint16_t i = 0; r == 0 && i < g->n_threads; i++) {
		r = hand_fd(c, IPC_FD_TUN, i, g->tun.fds[i]);
		if (r == 0)
			r = hand_fd(c, IPC_FD_TCP, i, g->tcp_fds[i]);
		if (r == 0)
			r = hand_fd(c, IPC_FD_UDP, i, g->udps[i].fd);
	}
	for (uint16_t i = 0; r == 0 && i < STEER_N_KEYS; i++)
		r = g->steer_fds[i] < 0 ? 0 : hand_fd(c, IPC_FD_STEER, i, g->steer_fds[i]);
	if (r == 0)
		r = hand_fd(c, IPC_FD_CONTROL, 0, g->control_fd);
	return r;
}

/* Both ends of the sockets between worker and auth, one a thread; the worker serves the control socket in a
 * thread's loop, so there is none for control requests. */
static int hand_pairs(struct monitor_child *auth, struct monitor_child *worker)
{
	int r = 0, fds[2];
	for (uint16_t i = 0; r == 0 && i < worker->m->ifs.n_threads; i++) {
		if ((r = chan_pair(fds)) < 0)
			return r;
		r = hand_fd(worker, IPC_FD_AUTH, i, fds[0]);
		if (r == 0)
			r = hand_fd(auth, IPC_FD_WORKER, i, fds[1]);
		close(fds[0]);
		close(fds[1]);
	}
	return r;
}

/* ---- messages ---- */

/* Who asks and does not listen is broken, or somebody else's: its end is seen at the channel. One line tells.
 */
static void answer(struct monitor_child *c, const struct ipc_msg *m)
{
	int r = chan_send(&c->chan, m, -1);
	if (r == 0 || c->is_deaf)
		return;
	c->is_deaf = true;
	log_line(LOG_WARNING, "%s does not take its answers: %s", child_role_name(c->role), err_text(r));
	chan_break(&c->chan);
}

static void reload_requested(struct monitor_child *c, const struct ipc_msg *in, bool is_too_often)
{
	struct ipc_msg out = {.type = IPC_RELOAD_RESULT, .ref = in->ref};
	struct text messages = {0};
	if (is_too_often)
		text_str(&messages, "too many reload requests within one second\n");
	else
		out.reload_result.is_ok = monitor_reload(c->m, &messages) == 0;
	size_t n = messages.n < IPC_TEXT_MAX ? messages.n : IPC_TEXT_MAX;
	int r = ipc_set_str(out.reload_result.text, sizeof(out.reload_result.text), span_of(messages.p, n));
	if (r == 0)
		answer(c, &out);
	else
		log_line(LOG_WARNING, "cannot answer a reload request: %s", err_text(r));
	text_done(&messages);
}

static void log_asked(struct monitor_child *c, const struct ipc_msg *in)
{
	struct ipc_msg out;
	monitor_log_answer(&c->m->log, in, &out);
	answer(c, &out);
}

static void child_ready(struct monitor_child *c)
{
	struct monitor *m = c->m;
	c->is_up = true;
	if (!m->is_ready && m->children[CHILD_AUTH].is_up && m->children[CHILD_WORKER].is_up)
		monitor_ready(m);
}

static void child_kill(struct monitor_child *c, ms_t in_ms)
{
	if (c->pid == 0)
		return;
	if (in_ms == 0)
		kill(c->pid, SIGKILL);
	else
		loop_timer_set(&c->kill_timer, loop_now() + in_ms);
}

static void child_poll_closed(struct loop_fd *f)
{
	struct monitor_child *c = f->ctx;
	chan_done(&c->chan);
	c->is_polled = false;
}

static void child_poll_end(struct monitor_child *c)
{
	if (c->is_polled && !uv_is_closing((uv_handle_t *)&c->poll.poll))
		loop_fd_close(&c->poll, child_poll_closed);
}

static void child_message(struct monitor_child *c, const struct ipc_msg *msg, int fd, bool is_too_often)
{
	if (fd >= 0)
		close(fd);
	switch (msg->type) {
	case IPC_READY:
		child_ready(c);
		break;
	case IPC_RELOAD_REQUEST:
		reload_requested(c, msg, is_too_often);
		break;
	case IPC_LOG:
		monitor_log_take(&c->m->log, &msg->log, is_too_often);
		break;
	default:
		if (!is_too_often) /* the console waits for its answer only so long */
			log_asked(c, msg);
		break;
	}
}

static void child_on_poll(struct loop_fd *f, int err, int events)
{
	struct monitor_child *c = f->ctx;
	struct ipc_msg msg;
	int fd;
	/* A dead peer (for libuv: -EBADF) is one to read from until its end: its last words are in the queue.
	 */
	int r = err < 0 ? 0 : chan_flush(&c->chan);
	if (r == ERR_CLOSED)
		r = 0;
	(void)events;
	for (int i = 0; r == 0 && i < LOOP_BATCH; i++) {
		r = chan_recv(
		        &c->chan, c->m->is_stopping ? IPC_STOPPING : IPC_RUNNING, loop_now(), &msg, &fd);
		if (r == 0 || r == ERR_LIMIT) {
			child_message(c, &msg, fd, r == ERR_LIMIT);
			r = 0;
		}
	}
	if (r == 0 || r == -EAGAIN)
		r = loop_fd_watch(&c->poll, UV_READABLE | (chan_wants_write(&c->chan) ? UV_WRITABLE : 0));
	if (r == 0)
		return;
	if (r == ERR_CLOSED) {
		child_kill(c, MONITOR_STOP_WORKER_MS); /* it should be ending by itself */
	} else {
		log_line(LOG_ERR, "%s: message not allowed or not readable (%s): killed",
		        child_role_name(c->role), err_text(r));
		child_kill(c, 0);
	}
	child_poll_end(c);
}

/* ---- life and death ---- */

static int child_start(struct monitor_child *c)
{
	const struct options *o = c->m->opts;
	int r = child_spawn(c->role, !o->is_foreground && o->log_target != IPC_LOG_STDERR, &c->chan, &c->pid);
	if (r < 0)
		return r;
	c->is_up = c->is_deaf = false;
	c->started_at_ms = loop_now();
	if ((r = loop_fd_open(&c->poll, &c->m->loop, c->chan.fd, child_on_poll, c)) < 0) {
		chan_done(&c->chan);
		child_kill(c, 0);
		return r;
	}
	c->is_polled = true;
	return loop_fd_watch(&c->poll, UV_READABLE);
}

/* Starts what is down: the worker alone, or auth and the worker, whose sockets to auth are dead otherwise. */
int monitor_children_start(struct monitor *m)
{
	struct monitor_child *auth = &m->children[CHILD_AUTH], *worker = &m->children[CHILD_WORKER];
	const bool is_auth_new = auth->pid == 0;
	int r = 0;
	if (is_auth_new)
		r = child_start(auth);
	if (r == 0)
		r = child_start(worker);
	if (r == 0 && is_auth_new)
		r = hand_auth(auth);
	if (r == 0)
		r = hand_worker(worker);
	if (r == 0)
		r = hand_pairs(auth, worker);
	if (r == 0 && is_auth_new)
		r = hand_start(auth);
	if (r == 0)
		r = hand_start(worker);
	if (r == 0)
		return 0;
	log_line(LOG_ERR, "cannot start the worker%s: %s", is_auth_new ? " and auth" : "", err_text(r));
	if (is_auth_new)
		child_kill(auth, 0);
	child_kill(worker, 0);
	return r;
}

static void restart_on_timer(struct loop_timer *t, ms_t now_ms)
{
	struct monitor *m = t->ctx;
	struct monitor_child *worker = &m->children[CHILD_WORKER];
	const bool is_closing =
	        worker->is_polled || (m->children[CHILD_AUTH].pid == 0 && m->children[CHILD_AUTH].is_polled);
	if (m->is_stopping)
		return;
	if (worker->pid != 0 || is_closing) /* its death, or the next turn, brings us here again */
		loop_timer_set(t, now_ms + CHILD_BACKOFF_MIN_MS);
	else if (monitor_children_start(m) < 0) /* what was started is killed and comes back as dead */
		loop_timer_set(t, now_ms + CHILD_BACKOFF_MAX_MS);
}

static void kill_on_timer(struct loop_timer *t, ms_t now_ms)
{
	struct monitor_child *c = t->ctx;
	(void)now_ms;
	if (c->pid == 0)
		return;
	log_line(LOG_WARNING, "%s (process %d) does not end: killed", child_role_name(c->role), (int)c->pid);
	kill(c->pid, SIGKILL);
}

int monitor_children_init(struct monitor *m)
{
	int r = loop_timer_open(&m->restart_timer, &m->loop, restart_on_timer, m);
	for (int i = 0; r == 0 && i < CHILD_N_ROLES; i++) {
		struct monitor_child *c = &m->children[i];
		c->m = m;
		c->role = (enum child_role)i;
		c->chan.fd = -1;
		r = loop_timer_open(&c->kill_timer, &m->loop, kill_on_timer, c);
	}
	return r;
}

static void death_tell(const struct monitor_child *c, pid_t pid, int status, bool is_expected)
{
	const int level = is_expected ? LOG_INFO : LOG_ERR;
	if (WIFSIGNALED(status))
		log_line(level, "%s (process %d) was ended by signal %d (%s)%s", child_role_name(c->role),
		        (int)pid, WTERMSIG(status), strsignal(WTERMSIG(status)),
		        WTERMSIG(status) == SIGSYS ? ": a system call that is not allowed" : "");
	else
		log_line(level, "%s (process %d) ended with status %d", child_role_name(c->role), (int)pid,
		        WEXITSTATUS(status));
}

static void child_shutdown(struct monitor_child *c, bool tells_clients, ms_t patience_ms)
{
	const struct ipc_msg msg = {.type = IPC_SHUTDOWN, .shutdown = {.tells_clients = tells_clients}};
	if (c->pid == 0)
		return;
	int r = c->is_polled ? chan_send(&c->chan, &msg, -1) : ERR_CLOSED;
	if (r < 0 && r != ERR_CLOSED)
		log_line(LOG_WARNING, "cannot tell %s to end: %s", child_role_name(c->role), err_text(r));
	c->is_told = true;
	child_kill(c, patience_ms);
}

/* What it said last; everything else it wanted is void. */
static void last_words_take(struct monitor_child *c)
{
	struct ipc_msg msg;
	int fd, r = c->is_polled ? 0 : ERR_CLOSED;
	while (r == 0) {
		r = chan_recv(&c->chan, IPC_STOPPING, loop_now(), &msg, &fd);
		if (r == 0 && fd >= 0)
			close(fd);
		if (r == 0 && msg.type == IPC_LOG)
			monitor_log_take(&c->m->log, &msg.log, false);
	}
}

static void child_died(struct monitor_child *c, int status)
{
	struct monitor *m = c->m;
	const ms_t now_ms = loop_now();
	const bool is_told = c->is_told;
	death_tell(c, c->pid, status, is_told);
	c->pid = 0;
	c->is_up = c->is_told = false;
	loop_timer_set(&c->kill_timer, MS_NEVER);
	last_words_take(c);
	child_poll_end(c);
	if (m->is_stopping && c->role == CHILD_WORKER)
		child_shutdown(&m->children[CHILD_AUTH], m->tells_clients, MONITOR_STOP_AUTH_MS);
	if (m->is_stopping || is_told) /* told: the restart is on its way */
		return;
	if (!m->is_ready) {
		log_line(LOG_ERR, "%s ended before it was ready: giving up", child_role_name(c->role));
		monitor_stop(m, false, 1);
		return;
	}
	c->n_deaths = now_ms - c->started_at_ms >= CHILD_STABLE_MS ? 1 : c->n_deaths + 1;
	const uint32_t wait_ms = child_backoff_ms(c->n_deaths);
	log_line(LOG_NOTICE, "%s is started again in %u ms%s", child_role_name(c->role), wait_ms,
	        c->role == CHILD_AUTH ? ", and the worker with it" : "");
	if (c->role == CHILD_AUTH)
		child_shutdown(&m->children[CHILD_WORKER], false, MONITOR_STOP_WORKER_MS);
	loop_timer_set(&m->restart_timer, now_ms + wait_ms);
}

bool monitor_children_alive(const struct monitor *m)
{
	return m->children[CHILD_AUTH].pid != 0 || m->children[CHILD_WORKER].pid != 0;
}

void monitor_children_reap(struct monitor *m)
{
	int status;
	for (int i = 0; i < CHILD_N_ROLES; i++) {
		struct monitor_child *c = &m->children[i];
		if (c->pid != 0 && waitpid(c->pid, &status, WNOHANG) == c->pid)
			child_died(c, status);
	}
	if (m->is_stopping && !monitor_children_alive(m))
		monitor_children_gone(m);
}

void monitor_children_reload(struct monitor *m)
{
	const struct ipc_msg msg = {.type = IPC_RELOAD};
	for (int i = 0; i < CHILD_N_ROLES; i++) {
		struct monitor_child *c = &m->children[i];
		if (c->pid == 0 || !c->is_polled)
			continue; /* will start with the new configuration */
		int r = hand_config(c);
		if (r == 0)
			r = hand_log(c);
		if (r == 0)
			r = chan_send(&c->chan, &msg, -1);
		if (r < 0) {
			log_line(LOG_ERR, "%s does not take the new configuration (%s): started again",
			        child_role_name(c->role), err_text(r));
			child_kill(c, 0);
		}
	}
}

void monitor_children_stop(struct monitor *m, bool tells_clients)
{
	/* the worker first: it tells auth which sessions are lost and which are over; auth's turn is its end
	 */
	m->tells_clients = tells_clients;
	if (m->children[CHILD_WORKER].pid != 0)
		child_shutdown(&m->children[CHILD_WORKER], tells_clients, MONITOR_STOP_WORKER_MS);
	else
		child_shutdown(&m->children[CHILD_AUTH], tells_clients, MONITOR_STOP_AUTH_MS);
}

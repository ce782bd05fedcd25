/* Life and death of the children. */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/err.h"
#include "gateway/monitor_int.h"
#include "io/log.h"

void monitor_child_kill(struct monitor_child *c, ms_t in_ms)
{
	if (c->pid == 0)
		return;
	if (in_ms == 0)
		kill(c->pid, SIGKILL);
	else
		loop_timer_set(&c->kill_timer, loop_now() + in_ms);
}

static int child_start(struct monitor_child *c)
{
	const struct options *o = c->m->opts;
	int r = child_spawn(c->role, !o->is_foreground && o->log_target != IPC_LOG_STDERR, &c->chan, &c->pid);
	if (r < 0)
		return r;
	c->is_up = c->is_deaf = false;
	c->started_at_ms = loop_now();
	return monitor_channel_open(c);
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
		r = monitor_hand_auth(auth);
	if (r == 0)
		r = monitor_hand_worker(worker);
	if (r == 0)
		r = monitor_hand_pairs(auth, worker);
	if (r == 0 && is_auth_new)
		r = monitor_hand_start(auth);
	if (r == 0)
		r = monitor_hand_start(worker);
	if (r == 0)
		return 0;
	log_line(LOG_ERR, "cannot start the worker%s: %s", is_auth_new ? " and auth" : "", err_text(r));
	if (is_auth_new)
		monitor_child_kill(auth, 0);
	monitor_child_kill(worker, 0);
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
	monitor_child_kill(c, patience_ms);
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
	monitor_last_words(c);
	monitor_channel_end(c);
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
		int r = monitor_hand_settings(c);
		if (r == 0)
			r = chan_send(&c->chan, &msg, -1);
		if (r < 0) {
			log_line(LOG_ERR, "%s does not take the new configuration (%s): started again",
			        child_role_name(c->role), err_text(r));
			monitor_child_kill(c, 0);
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

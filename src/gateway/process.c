#include "gateway/process_int.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/control.h"
#include "io/log.h"
#include "io/sandbox.h"

#define LAST_WORDS_MS 200
#define THREAD_FDS    12 /* descriptors of one thread */

void process_init(struct process *p)
{
	*p = (struct process){.n_threads = 1, .control_fd = -1, .monitor.fd = -1};
	p->started_at_ms = loop_now();
	owners_init(&p->owners);
	process_counts_init(&p->counts);
}

/* ---- between threads ---- */

void process_mail(struct worker *to, struct mail *m)
{
	if (mailbox_put(&to->mailbox, m))
		uv_async_send(&to->wake);
}

void process_hand_over(
        struct worker *w, uint64_t threads, const struct handover_head *head, struct span bytes)
{
	struct worker *to = w->process->threads[__builtin_ctzll(threads)];
	int r = handover_put(&to->handover, head, bytes);
	if (r < 0)
		worker_drop(w, DROP_HANDOVER);
	else
		w->counts.n_handed_over++;
	if (r == 1)
		uv_async_send(&to->wake);
}

/* ---- end ---- */

struct stop_letter {
	struct mail mail;
	bool tells_clients;
};

static void stop_now(struct worker *w, struct mail *m)
{
	struct stop_letter *l = CONTAINER_OF(m, struct stop_letter, mail);
	worker_stop(w, l->tells_clients);
	free(l);
}

/* The main thread only: every thread ends its sessions and its loop. */
static void process_stop(struct process *p, bool tells_clients)
{
	if (p->threads[0]->ipc_state == IPC_STOPPING)
		return;
	for (unsigned i = 1; i <= p->n_started; i++) {
		struct stop_letter *l = calloc(1, sizeof(*l));
		if (l == NULL)
			abort(); /* nothing else ends the thread */
		*l = (struct stop_letter){.mail.open = stop_now, .tells_clients = tells_clients};
		process_mail(p->threads[i], &l->mail);
	}
	worker_stop(p->threads[0], tells_clients);
}

static void fail_now(struct worker *w, struct mail *m)
{
	free(m);
	process_stop(w->process, false);
}

void process_fail(struct worker *w)
{
	if (w->index == 0) {
		process_stop(w->process, false);
		return;
	}
	struct mail *m = calloc(1, sizeof(*m));
	if (m == NULL)
		abort();
	m->open = fail_now;
	process_mail(w->process->threads[0], m);
}

/* ---- start ---- */

/* As many connections as the system lets us have; one more would make accept fail and the listener spin. */
static void raise_limits(struct process *p)
{
	const rlim_t others = WORKER_OTHER_FDS + (rlim_t)p->n_threads * THREAD_FDS;
	struct rlimit l;
	p->max_conns = WORKER_MAX_PRE_LOGIN;
	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return;
	l.rlim_cur = l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l) < 0)
		log_line(LOG_WARNING, "descriptor limit not raised: %s", err_text(-errno));
	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur > others)
		p->max_conns = l.rlim_cur > UINT32_MAX ? UINT32_MAX : (uint32_t)(l.rlim_cur - others);
}

static int threads_open(struct process *p, const struct ipc_start *start)
{
	if (start->n_threads == 0 || start->n_threads > N_ELEM(p->threads))
		return -ERANGE;
	for (unsigned i = 0; i < start->n_threads; i++) {
		struct worker *w;
		int r = process_thread(p, (uint16_t)i, &w);
		if (r == 0)
			r = worker_open(w, start->offloads_refused);
		if (r < 0)
			return r;
	}
	p->n_threads = start->n_threads;
	return control_open(p->threads[0], p->control_fd);
}

static void thread_run(void *arg)
{
	struct worker *w = arg;
	char name[16];
	snprintf(name, sizeof(name), "worker-%u", w->index);
	(void)pthread_setname_np(pthread_self(), name);
	uv_run(&w->loop, UV_RUN_DEFAULT);
}

/* They inherit the sandbox of this one. */
static int threads_go(struct process *p)
{
	int r = worker_go(p->threads[0]);
	for (unsigned i = 1; r == 0 && i < p->n_threads; i++) {
		struct mail *m = process_settings_letter(p->threads[0]);
		if (m == NULL)
			return -ENOMEM;
		m->open(p->threads[i], m); /* it does not run yet */
		if ((r = worker_go(p->threads[i])) == 0)
			r = uv_thread_create(&p->ids[i], thread_run, p->threads[i]);
		if (r == 0)
			p->n_started++;
	}
	return r;
}

static int process_start(struct process *p, const struct ipc_start *start)
{
	const char *step = "";
	struct ipc_msg ready = {.type = IPC_READY};
	struct sandbox_config box = {
	        .profile = SANDBOX_WORKER,
	        .user = start->user[0] ? start->user : NULL,
	        .root_dir = start->root_dir[0] ? start->root_dir : NULL,
	        .keeps_user = start->user[0] == '\0',
	};
	int r = log_open(&(struct log_config){
	        .target = start->log_target == IPC_LOG_SYSLOG ? LOG_TO_SYSLOG : LOG_TO_STDERR,
	        .program = "culvertd",
	        .max_level = start->log_level,
	        .is_json = p->threads[0]->config->logging.format == 1,
	});
	if (r < 0 || (r = threads_open(p, start)) < 0)
		return r;
	raise_limits(p);
	if ((r = sandbox_enter(&box, &step)) < 0) {
		log_line(LOG_CRIT, "sandbox: %s: %s", step, err_text(r));
		return r;
	}
	log_relay_apply(&p->log_relay, p->threads[0]->config);
	if ((r = threads_go(p)) < 0)
		return r;
	return chan_send(&p->monitor, &ready, -1);
}

/* ---- messages ---- */

static int on_reload(struct process *p)
{
	struct ipc_msg ready = {.type = IPC_READY};
	int r = process_share_settings(p);
	return r < 0 ? r : chan_send(&p->monitor, &ready, -1);
}

static int on_monitor_msg(struct process *p, const struct ipc_msg *m, int fd)
{
	switch (m->type) {
	case IPC_FD:
		return process_take_fd(p, &m->fd, fd);
	case IPC_START:
		return process_start(p, &m->start);
	case IPC_RELOAD:
		return on_reload(p);
	case IPC_RELOAD_RESULT:
	case IPC_LOG_INFO:
	case IPC_LOG_HOST_INFO:
	case IPC_LOG_ITEM:
		control_on_answer(p->threads[0], m);
		return 0;
	case IPC_SHUTDOWN:
		process_stop(p, m->shutdown.tells_clients);
		return 0;
	default:
		return 0;
	}
}

static void on_monitor_ready(struct loop_fd *f, int err, int events)
{
	struct process *p = f->ctx;
	struct ipc_msg m;
	int fd, r = err;
	if (err == 0 && events & UV_WRITABLE)
		r = chan_flush(&p->monitor);
	while (r == 0) {
		r = chan_recv(&p->monitor, p->threads[0]->ipc_state, loop_now(), &m, &fd);
		if (r == 0)
			r = on_monitor_msg(p, &m, fd);
	}
	if (r < 0 && r != -EAGAIN) {
		if (p->threads[0]->ipc_state != IPC_STOPPING)
			log_line(LOG_CRIT, "worker: %s", err_text(r));
		process_stop(p, false);
		return;
	}
	worker_watch_chan(&p->monitor_poll, &p->monitor);
}

/* The log of the end: the monitor has a moment to take it. */
static void last_words_send(struct process *p)
{
	struct pollfd out = {.fd = p->monitor.fd, .events = POLLOUT};
	int r = chan_flush(&p->monitor);
	while (r == 0 && chan_wants_write(&p->monitor) && poll(&out, 1, LAST_WORDS_MS) > 0)
		r = chan_flush(&p->monitor);
}

int worker_main(int monitor_fd)
{
	struct process *p = calloc(1, sizeof(*p));
	struct worker *w = NULL;
	int r = -ENOMEM;
	if (p == NULL)
		return 1;
	process_init(p);
	chan_init(&p->monitor, monitor_fd, IPC_WORKER, IPC_MONITOR);
	process_log_open(p);
	if (getrandom(p->hash_key, sizeof(p->hash_key), 0) != (ssize_t)sizeof(p->hash_key) ||
	        (r = process_thread(p, 0, &w)) < 0 ||
	        (r = loop_fd_open(&p->monitor_poll, &w->loop, monitor_fd, on_monitor_ready, p)) < 0 ||
	        (r = loop_fd_watch(&p->monitor_poll, UV_READABLE)) < 0) {
		log_line(LOG_CRIT, "worker cannot start: %s", err_text(r));
		return 1;
	}
	uv_run(&w->loop, UV_RUN_DEFAULT);
	for (unsigned i = 1; i <= p->n_started; i++)
		uv_thread_join(&p->ids[i]);
	mailbox_open_all(&w->mailbox, w); /* what they said last */
	last_words_send(p);
	control_close(w);
	return w->ipc_state == IPC_STOPPING ? 0 : 1; /* the process ends here: the kernel frees */
}

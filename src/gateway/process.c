#include "gateway/process.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/config_text.h"
#include "gateway/conn.h"
#include "gateway/control.h"
#include "gateway/tls_policy.h"
#include "io/log.h"
#include "io/sandbox.h"

#define MEMFD_MAX_BYTES    (8u << 20)
#define LAST_WORDS_MS      200
#define THREAD_FDS         12  /* descriptors of one thread */
#define STRANGER_LINES     100 /* of one kind at once, then one per period */
#define STRANGER_PERIOD_MS 100
#define ADDRESS_CONNS      64 /* new connections of one address at once while many wait, then one per period */
#define ADDRESS_PERIOD_MS  200
#define PRE_LOGIN_HIGH     (WORKER_MAX_PRE_LOGIN / 10 * 9) /* watermarks of the ASA: 90 and 70 % */
#define PRE_LOGIN_LOW      (WORKER_MAX_PRE_LOGIN / 10 * 7)
#define PRE_LOGIN_QUIET_MS 10000 /* one line about them in this time */

void process_init(struct process *p)
{
	*p = (struct process){.n_threads = 1, .control_fd = -1, .monitor.fd = -1};
	p->started_at_ms = loop_now();
	owners_init(&p->owners);
	pthread_mutex_init(&p->counts.lock, NULL);
	ratelimit_init(&p->counts.log_strangers, STRANGER_LINES, STRANGER_PERIOD_MS);
	ratelimit_init(&p->counts.accepts, ADDRESS_CONNS, ADDRESS_PERIOD_MS);
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
		w->n_handed_over++;
	if (r == 1)
		uv_async_send(&to->wake);
}

/* ---- counts ---- */

bool process_may_log(struct process *p, uint64_t key, ms_t now_ms, uint32_t *ret_suppressed)
{
	pthread_mutex_lock(&p->counts.lock);
	bool may = ratelimit_allows(&p->counts.log_strangers, key, now_ms, ret_suppressed);
	pthread_mutex_unlock(&p->counts.lock);
	return may;
}

void process_tunnels(struct process *p, struct tunnel_count ret[static N_TUNNEL_KINDS])
{
	pthread_mutex_lock(&p->counts.lock);
	memcpy(ret, p->counts.tunnels, sizeof(p->counts.tunnels));
	pthread_mutex_unlock(&p->counts.lock);
}

void process_count_conn(struct process *p, int by)
{
	atomic_fetch_add(&p->n_conns, (unsigned)by);
}

int process_count_pre_login(struct process *p, int by, ms_t now_ms)
{
	struct process_counts *c = &p->counts;
	unsigned n = atomic_fetch_add(&p->n_pre_login, (unsigned)by) + (unsigned)by;
	int crossed = 0;
	if (n != PRE_LOGIN_HIGH && n > PRE_LOGIN_LOW && n < PRE_LOGIN_HIGH)
		return 0;
	pthread_mutex_lock(&c->lock);
	if ((c->is_pre_login_high ? n <= PRE_LOGIN_LOW : n >= PRE_LOGIN_HIGH) &&
	        (c->pre_login_told_at_ms == 0 || now_ms - c->pre_login_told_at_ms >= PRE_LOGIN_QUIET_MS)) {
		c->is_pre_login_high = !c->is_pre_login_high;
		c->pre_login_told_at_ms = now_ms;
		crossed = c->is_pre_login_high ? 1 : -1;
	}
	pthread_mutex_unlock(&c->lock);
	return crossed;
}

bool process_has_room(struct process *p, const struct ip_addr *peer, ms_t now_ms)
{
	unsigned n = atomic_load(&p->n_pre_login);
	if (n >= WORKER_MAX_PRE_LOGIN || atomic_load(&p->n_conns) >= p->max_conns)
		return false;
	if (n < WORKER_CROWDED_PRE_LOGIN)
		return true;
	struct ip_addr who = addr_customer(peer);
	pthread_mutex_lock(&p->counts.lock);
	bool is_fair = ratelimit_allows(
	        &p->counts.accepts, ratelimit_key(span_of(&who, sizeof(who)), 0), now_ms, NULL);
	pthread_mutex_unlock(&p->counts.lock);
	return is_fair;
}

/* ---- lines for the main thread ---- */

struct line_letter {
	struct mail mail;
	struct ipc_msg log; /* IPC_LOG, or a line of debug in its text */
	unsigned level;     /* of debug */
};

/* NULL when too many wait, or memory is short. */
static struct line_letter *line_new(struct process *p, void (*open)(struct worker *w, struct mail *m))
{
	if (atomic_fetch_add(&p->n_letters, 1) < PROCESS_LETTERS_MAX) {
		struct line_letter *l = calloc(1, sizeof(*l));
		if (l) {
			l->mail.open = open;
			return l;
		}
	}
	atomic_fetch_sub(&p->n_letters, 1);
	return NULL;
}

static void line_done(struct process *p, struct line_letter *l)
{
	atomic_fetch_sub(&p->n_letters, 1);
	free(l);
}

static void log_pass(struct worker *w, struct mail *m)
{
	struct line_letter *l = CONTAINER_OF(m, struct line_letter, mail);
	log_relay_send(&w->process->log_relay, &l->log);
	line_done(w->process, l);
}

/* The log of another thread: only this one may use the monitor's channel. */
static bool on_log_elsewhere(void *ctx, const struct ipc_msg *m)
{
	struct process *p = ctx;
	struct line_letter *l = line_new(p, log_pass);
	if (l == NULL)
		return false;
	l->log = *m;
	process_mail(p->threads[0], &l->mail);
	return true;
}

/* The log has put more into the monitor's channel than went out at once. */
static void on_log_waiting(void *ctx)
{
	struct process *p = ctx;
	worker_watch_chan(&p->monitor_poll, &p->monitor);
}

static void debug_pass(struct worker *w, struct mail *m)
{
	struct line_letter *l = CONTAINER_OF(m, struct line_letter, mail);
	control_debug_lost(w->process->control, atomic_exchange(&w->process->n_lines_lost, 0));
	control_debug_line(w->process->control, l->level, l->log.log.text);
	line_done(w->process, l);
}

void process_debug_line(struct worker *w, unsigned level, const char *text)
{
	if (w->index == 0) {
		control_debug_line(w->process->control, level, text);
		return;
	}
	struct line_letter *l = level <= process_debug_level(w) ? line_new(w->process, debug_pass) : NULL;
	if (l == NULL) {
		atomic_fetch_add(&w->process->n_lines_lost, level <= process_debug_level(w));
		return;
	}
	l->level = level;
	ipc_cut_str(l->log.log.text, sizeof(l->log.log.text), text);
	process_mail(w->process->threads[0], &l->mail);
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

/* ---- configuration ---- */

/* The whole of a memfd. Owned bytes in *ret; wiped and freed by the caller. */
static int read_memfd(int fd, struct text *ret)
{
	struct stat st;
	char buf[4096];
	off_t at = 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > MEMFD_MAX_BYTES)
		return ERR_TOO_LARGE;
	while (at < st.st_size) {
		ssize_t n = pread(fd, buf, sizeof(buf), at);
		if (n <= 0)
			return n < 0 ? -errno : ERR_MALFORMED;
		text_put(ret, span_of(buf, (size_t)n));
		at += n;
	}
	explicit_bzero(buf, sizeof(buf));
	return text_ok(ret) ? 0 : -ENOMEM;
}

static int take_config(struct process *p, int fd)
{
	struct worker *w = p->threads[0];
	struct config *c;
	int r = config_text_read(fd, &c);
	if (r < 0)
		return r;
	config_put(w->config);
	w->config = c;
	if (w->ipc_state == IPC_RUNNING)
		log_relay_apply(&p->log_relay, c);
	return 0;
}

static int take_cert(struct worker *w, int fd)
{
	struct text pem = {0}, why = {0};
	struct tls_server_ctx *ctx;
	int r = read_memfd(fd, &pem);
	if (r == 0) {
		struct span all = span_of(pem.p, pem.n);
		struct tls_server_opts o = {.cert_pem = all, .key_pem = all};
		if (w->config)
			o = tls_policy_opts(&w->config->ssl, all);
		r = tls_server_ctx_new(&o, &why, &ctx);
		if (r == 0)
			r = tls_cert_sha1_hex(all, w->cert_sha1);
	}
	tls_pem_wipe(&pem);
	if (r < 0) {
		log_line(LOG_ERR, "certificate: %s", why.n ? text_cstr(&why) : err_text(r));
	} else {
		tls_server_ctx_put(w->tls_ctx);
		w->tls_ctx = ctx;
	}
	text_done(&why);
	return r;
}

struct settings_letter {
	struct mail mail;
	struct config *config;
	struct tls_server_ctx *tls_ctx;
	char cert_sha1[TLS_SHA1_TEXT_MAX];
};

static void settings_use(struct worker *w, struct mail *m)
{
	struct settings_letter *l = CONTAINER_OF(m, struct settings_letter, mail);
	config_put(w->config);
	tls_server_ctx_put(w->tls_ctx);
	w->config = l->config;
	w->tls_ctx = l->tls_ctx;
	memcpy(w->cert_sha1, l->cert_sha1, sizeof(w->cert_sha1));
	free(l);
}

/* What the main thread has, for one of the others. NULL when memory is short. */
static struct mail *settings_letter_new(const struct worker *from)
{
	struct settings_letter *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return NULL;
	l->mail.open = settings_use;
	l->config = config_get(from->config);
	l->tls_ctx = tls_server_ctx_get(from->tls_ctx);
	memcpy(l->cert_sha1, from->cert_sha1, sizeof(l->cert_sha1));
	return &l->mail;
}

static int settings_share(struct process *p)
{
	for (unsigned i = 1; i < p->n_threads; i++) {
		struct mail *m = settings_letter_new(p->threads[0]);
		if (m == NULL)
			return -ENOMEM;
		process_mail(p->threads[i], m);
	}
	return 0;
}

/* ---- monitor ---- */

/* The thread with that number; made when it is heard of first. */
static int thread_find(struct process *p, uint16_t index, struct worker **ret)
{
	int r = 0;
	if (index >= N_ELEM(p->threads))
		return -ERANGE;
	if (p->threads[index] == NULL)
		r = worker_new(p, (uint8_t)index, &p->threads[index]);
	*ret = p->threads[index];
	return r;
}

/* Descriptors that each thread has of its own. Takes fd on success. */
static int take_thread_fd(struct process *p, const struct ipc_fd *f, int fd)
{
	struct worker *w;
	int r = thread_find(p, f->index, &w);
	if (r < 0)
		return r;
	switch (f->kind) {
	case IPC_FD_TUN:
		w->tun.fds[0] = fd;
		return 0;
	case IPC_FD_TCP:
		w->tcp_fd = fd;
		return 0;
	case IPC_FD_UDP:
		return udp_adopt(fd, &w->udp);
	default: /* IPC_FD_AUTH */
		chan_init(&w->auth, fd, IPC_WORKER, IPC_AUTH);
		w->is_auth_up = true;
		return 0;
	}
}

/* Takes the descriptor: kept, or used and closed. */
static int take_fd(struct process *p, const struct ipc_fd *f, int fd)
{
	int r = 0;
	switch (f->kind) {
	case IPC_FD_CONFIG:
		r = take_config(p, fd);
		break;
	case IPC_FD_CERT:
		r = take_cert(p->threads[0], fd);
		break;
	case IPC_FD_TUN:
	case IPC_FD_TCP:
	case IPC_FD_UDP:
	case IPC_FD_AUTH:
		if ((r = take_thread_fd(p, f, fd)) == 0)
			return 0;
		break;
	case IPC_FD_CONTROL:
		p->control_fd = fd;
		return 0;
	case IPC_FD_STEER:
		r = f->index < STEER_N_KEYS ? steer_map(fd, &p->steer[f->index]) : -ERANGE;
		break;
	case IPC_FD_LOG:
		return dup2(fd, STDERR_FILENO) < 0 ? -errno : (close(fd), 0);
	default:
		break;
	}
	close(fd);
	return r;
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
		int r = thread_find(p, (uint16_t)i, &w);
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
		struct mail *m = settings_letter_new(p->threads[0]);
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
	int r = settings_share(p);
	return r < 0 ? r : chan_send(&p->monitor, &ready, -1);
}

static int on_monitor_msg(struct process *p, const struct ipc_msg *m, int fd)
{
	switch (m->type) {
	case IPC_FD:
		return take_fd(p, &m->fd, fd);
	case IPC_START:
		return process_start(p, &m->start);
	case IPC_RELOAD:
		return on_reload(p);
	case IPC_RELOAD_RESULT:
	case IPC_LOG_INFO:
	case IPC_LOG_HOST_INFO:
	case IPC_LOG_ITEM:
		control_on_monitor(p->threads[0], m);
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
	p->log_relay = (struct log_relay){.monitor = &p->monitor,
	        .wants_write = on_log_waiting,
	        .elsewhere = on_log_elsewhere,
	        .ctx = p};
	if (getrandom(p->hash_key, sizeof(p->hash_key), 0) != (ssize_t)sizeof(p->hash_key) ||
	        (r = thread_find(p, 0, &w)) < 0 ||
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

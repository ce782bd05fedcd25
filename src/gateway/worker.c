#include "gateway/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/config_text.h"
#include "gateway/conn.h"
#include "gateway/control.h"
#include "gateway/session.h"
#include "gateway/tls_policy.h"
#include "datapath/split.h"
#include "io/log.h"
#include "io/offload.h"
#include "io/sandbox.h"
#include "io/tun.h"
#include "wire/ip.h"

#define MEMFD_MAX_BYTES (8u << 20)

#define STRANGER_LINES     100 /* of one kind at once, then one per period */
#define STRANGER_PERIOD_MS 100
#define SESSION_LINES      20
#define SESSION_PERIOD_MS  1000
#define TOO_BIG_ANSWERS    10 /* ICMP to one sender about one session at once, then one per period */
#define TOO_BIG_PERIOD_MS  100
#define ADDRESS_CONNS      64 /* new connections of one address at once while many wait, then one per period */
#define ADDRESS_PERIOD_MS  200

const char *worker_version(void)
{
	return CULVERT_VERSION;
}

/* ---- drops ---- */

static const char *const drop_names[N_DROP_REASONS] = {
        [DROP_NO_SESSION] = "mp-svc-no-session",
        [DROP_FLOW_CONTROL] = "mp-svc-flow-control",
        [DROP_BAD_FRAMING] = "mp-svc-bad-framing",
        [DROP_BAD_LENGTH] = "mp-svc-bad-length",
        [DROP_UNKNOWN_TYPE] = "mp-svc-unknown-type",
        [DROP_SPOOFED] = "svc-selector-failure",
        [DROP_NO_FRAGMENT] = "mp-svc-no-fragment",
        [DROP_NO_CHANNEL] = "mp-svc-no-channel",
        [DROP_DELETING] = "mp-svc-delete-in-progress",
        [DROP_REPLACED] = "svc-replacement-conn",
        [DROP_TLS_HANDSHAKE] = "ssl-handshake-failed",
        [DROP_TLS_CLOSED] = "ssl-received-close-alert",
        [DROP_TLS_DECRYPT] = "ssl-record-decrypt-error",
        [DROP_DTLS_HELLO] = "dtls-hello-close",
};

const char *worker_drop_name(enum drop_reason why)
{
	return why < N_DROP_REASONS ? drop_names[why] : "unknown";
}

void worker_drop(struct worker *w, enum drop_reason why)
{
	w->drops[why]++;
}

void worker_flush(struct worker *w)
{
	outlet_flush(&w->to_tun);
	dtls_tx_flush(w);
	conn_flush_dirty(w);
	session_settle(w);
}

bool worker_may_log(struct worker *w, uint32_t id, uint32_t session)
{
	uint32_t n_suppressed;
	struct ratelimit *limit = session ? &w->log_sessions : &w->log_strangers;
	if (!ratelimit_allows(limit, ratelimit_key(span_of(&session, sizeof(session)), id), worker_now(w),
	            &n_suppressed))
		return false;
	if (n_suppressed > 0)
		log_line(LOG_NOTICE, "%u messages %06u were left out: too many", n_suppressed, id);
	return true;
}

/* Readable always, writable while something waits. */
static void watch_chan(struct loop_fd *f, const struct chan *c)
{
	int r = loop_fd_watch(f, UV_READABLE | (chan_wants_write(c) ? UV_WRITABLE : 0));
	if (r < 0)
		log_line(LOG_CRIT, "worker cannot poll its channel: %s", err_text(r));
}

/* The log has put more into the monitor's channel than went out at once. */
static void on_log_waiting(void *ctx)
{
	struct worker *w = ctx;
	watch_chan(&w->monitor_poll, &w->monitor);
}

/* ---- questions to auth ---- */

int worker_ask_auth(struct worker *w, struct ipc_msg *m, struct conn *c)
{
	/* the upper half of the numbers belongs to the console */
	w->next_ref = (w->next_ref + 1) & 0x7fffffff;
	if (w->next_ref == 0)
		w->next_ref = 1;
	m->ref = w->next_ref;
	if (!w->is_auth_up)
		return ERR_CLOSED;
	int r = htab_insert(&w->tables.by_ref, &c->by_ref, m->ref);
	if (r < 0)
		return r;
	if ((r = chan_send(&w->auth, m, -1)) < 0) {
		htab_remove(&w->tables.by_ref, &c->by_ref);
		return r;
	}
	c->ref = m->ref;
	c->state = CONN_WAIT_AUTH;
	conn_touch(c);
	watch_chan(&w->auth_poll, &w->auth);
	return 0;
}

int worker_tell_auth(struct worker *w, const struct ipc_msg *m)
{
	if (!w->is_auth_up)
		return ERR_CLOSED;
	int r = chan_send(&w->auth, m, -1);
	watch_chan(&w->auth_poll, &w->auth); /* what had to be queued goes out when auth reads again */
	return r;
}

/* An answer for a connection that did not wait for it. */
static void on_auth_late(struct worker *w, const struct ipc_msg *m)
{
	if (m->type == IPC_SESSION_INFO && m->session_info.status == IPC_OPEN_OK)
		session_not_opened(w, &m->session_info);
}

static void on_auth_msg(struct worker *w, const struct ipc_msg *m)
{
	if (m->type == IPC_SESSION_KICK) {
		struct session *s = session_by_index(w, m->session_kick.index);
		if (s && s->id.connection == m->session_kick.connection)
			session_on_kick(s, m->session_kick.reason);
		return;
	}
	if (m->ref & 0x80000000u) {
		control_on_auth(w, m);
		return;
	}
	struct htab_node *n = htab_find(&w->tables.by_ref, m->ref);
	if (n == NULL) { /* who asked is gone */
		on_auth_late(w, m);
		return;
	}
	struct conn *c = CONTAINER_OF(n, struct conn, by_ref);
	htab_remove(&w->tables.by_ref, n);
	c->ref = 0;
	if (c->n_closing > 0 || c->state != CONN_WAIT_AUTH)
		on_auth_late(w, m);
	else
		conn_on_auth(c, m);
}

static void worker_stop(struct worker *w, bool tells_clients);

static void on_auth_ready(struct loop_fd *f, int err, int events)
{
	struct worker *w = f->ctx;
	struct ipc_msg m;
	int fd, r = err;
	if (err == 0 && events & UV_WRITABLE)
		r = chan_flush(&w->auth);
	for (int i = 0; r == 0 && i < LOOP_BATCH; i++) {
		r = chan_recv(&w->auth, w->ipc_state, loop_now(), &m, &fd);
		if (r == 0)
			on_auth_msg(w, &m);
		ipc_wipe(&m);
	}
	if (r < 0 && r != -EAGAIN) {
		log_line(LOG_ERR, "auth process is gone: %s", err_text(r));
		w->is_auth_up = false;
		loop_fd_close(&w->auth_poll, NULL);
		worker_stop(w, false); /* the monitor starts both anew; clients resume with their cookies */
		return;
	}
	watch_chan(&w->auth_poll, &w->auth);
	worker_flush(w);
}

/* ---- TUN ---- */

static int write_tun(void *ctx, const struct iovec *iov, unsigned n_iov)
{
	const struct worker *w = ctx;
	return tun_writev(w->tun.fds[0], iov, n_iov);
}

/* Counted as carried when it came: now it is a drop. */
static void on_tun_refused(void *ctx, struct span head, unsigned n_packets)
{
	struct worker *w = ctx;
	struct ip_addr src, dst;
	w->drops[DROP_NO_CHANNEL] += n_packets;
	struct session *s = ip_addresses(head, &src, &dst) == 0 ? session_by_inner(w, &src) : NULL;
	if (s)
		s->traffic[link_active(&s->link) == LINK_DTLS ? LINK_DTLS : LINK_TLS].rx_drops += n_packets;
}

static int tun_start(struct worker *w, unsigned offloads_refused)
{
	tun_adopt(w->tun.fds[0], offload_tun_refused(offloads_refused), &w->tun);
	const struct outlet_config c = {
	        .has_vnet_hdr = w->tun.has_vnet_hdr,
	        .kinds = (w->tun.offloads & TUN_OFFLOAD_TSO4 ? COALESCE_TCP4 : 0) |
	                 (w->tun.offloads & TUN_OFFLOAD_TSO6 ? COALESCE_TCP6 : 0) |
	                 (w->tun.offloads & TUN_OFFLOAD_USO ? COALESCE_UDP : 0),
	        .write = write_tun,
	        .refused = on_tun_refused,
	        .ctx = w,
	};
	return outlet_open(&w->to_tun, &c);
}

static bool is_within(const uint8_t *p, const uint8_t *begin, size_t n)
{
	return p >= begin && p < begin + n;
}

void worker_to_tun(struct worker *w, struct span packet)
{
	const struct worker_scratch *x = &w->scratch;
	outlet_put(&w->to_tun, packet,
	        is_within(packet.p, x->udp, (size_t)UDP_RECV_SLOTS_MAX * UDP_SLOT_BYTES) ||
	                is_within(packet.p, x->tls_rx, WORKER_TLS_RX_BYTES));
}

/* What was read from TUN: one packet, or many in one. */
static void forward(struct worker *w, uint8_t *p, size_t n)
{
	struct vnet_hdr h = {0};
	struct split split;
	struct ip_addr src, dst;
	struct session *s;
	if (w->tun.has_vnet_hdr) {
		if (n <= VNET_HDR_BYTES)
			return;
		h = vnet_read(p);
		p += VNET_HDR_BYTES;
		n -= VNET_HDR_BYTES;
	}
	bool has_ends = ip_addresses(span_of(p, n), &src, &dst) == 0;
	if (split_open(&split, &h, p, n, 0) < 0) {
		worker_drop(w, DROP_BAD_LENGTH);
		return;
	}
	if (has_ends && (s = session_by_inner(w, &dst)) != NULL)
		session_send(s, &split);
	else
		w->drops[DROP_NO_SESSION] += split_count(&split);
}

static void on_tun_ready(struct loop_fd *f, int err, int events)
{
	struct worker *w = f->ctx;
	struct tun_packet packet;
	size_t n_bytes = 0;
	int n = err < 0 ? err : 1;
	(void)events;
	/* one after the other through the same memory, which stays in the cache */
	for (int i = 0; n > 0 && i < LOOP_BATCH && n_bytes < WORKER_TUN_TURN; i++) {
		n = tun_read_batch(w->tun.fds[0], w->scratch.tun + WORKER_TUN_HEADROOM, TUN_SUPER_SLOT_BYTES,
		        &packet, 1);
		if (n <= 0)
			break;
		n_bytes += packet.n;
		forward(w, packet.p, packet.n);
	}
	if (n < 0) {
		log_line(LOG_CRIT, "TUN device failed: %s", err_text(n));
		worker_stop(w, false);
		return;
	}
	worker_flush(w);
}

static void on_udp_ready(struct loop_fd *f, int err, int events)
{
	(void)err, (void)events;
	dtls_rx_ready(f->ctx);
}

static void on_tcp_ready(struct loop_fd *f, int err, int events)
{
	(void)err, (void)events;
	conn_accept(f->ctx);
}

static void on_accept_timer(struct loop_timer *t, ms_t now_ms)
{
	struct worker *w = t->ctx;
	(void)now_ms;
	if (loop_fd_watch(&w->tcp_poll, UV_READABLE) < 0)
		log_line(LOG_CRIT, "worker cannot poll its listener");
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

static int take_config(struct worker *w, int fd)
{
	struct config *c;
	int r = config_text_read(fd, &c);
	if (r < 0)
		return r;
	config_put(w->config);
	w->config = c;
	if (w->ipc_state == IPC_RUNNING)
		log_relay_apply(&w->log_relay, c);
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

/* ---- monitor ---- */

/* Takes the descriptor: kept, or used and closed. */
static int take_fd(struct worker *w, const struct ipc_fd *f, int fd)
{
	int r = 0;
	switch (f->kind) {
	case IPC_FD_CONFIG:
		r = take_config(w, fd);
		break;
	case IPC_FD_CERT:
		r = take_cert(w, fd);
		break;
	case IPC_FD_TUN:
		w->tun.fds[0] = fd;
		return 0;
	case IPC_FD_TCP:
		w->tcp_fd = fd;
		return 0;
	case IPC_FD_UDP:
		return udp_adopt(fd, &w->udp);
	case IPC_FD_CONTROL:
		w->control_fd = fd;
		return 0;
	case IPC_FD_AUTH:
		if (f->index != 0)
			break;
		chan_init(&w->auth, fd, IPC_WORKER, IPC_AUTH);
		w->is_auth_up = true;
		return 0;
	case IPC_FD_LOG:
		return dup2(fd, STDERR_FILENO) < 0 ? -errno : (close(fd), 0);
	default:
		break;
	}
	close(fd);
	return r;
}

static int worker_start(struct worker *w, const struct ipc_start *start)
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
	        .is_json = w->config->logging.format == 1,
	});
	if (r < 0)
		return r;
	w->udp.has_no_gso = start->offloads_refused & OFFLOAD_GSO;
	if ((r = tun_start(w, start->offloads_refused)) < 0 ||
	        (r = loop_fd_open(&w->tun_poll, &w->loop, w->tun.fds[0], on_tun_ready, w)) < 0 ||
	        (r = loop_timer_open(&w->accept_timer, &w->loop, on_accept_timer, w)) < 0 ||
	        (r = loop_fd_open(&w->tcp_poll, &w->loop, w->tcp_fd, on_tcp_ready, w)) < 0 ||
	        (r = loop_fd_open(&w->udp_poll, &w->loop, w->udp.fd, on_udp_ready, w)) < 0 ||
	        (r = loop_fd_open(&w->auth_poll, &w->loop, w->auth.fd, on_auth_ready, w)) < 0 ||
	        (r = control_open(w, w->control_fd)) < 0)
		return r;
	if ((r = sandbox_enter(&box, &step)) < 0) {
		log_line(LOG_CRIT, "sandbox: %s: %s", step, err_text(r));
		return r;
	}
	w->ipc_state = IPC_RUNNING;
	log_relay_apply(&w->log_relay, w->config);
	if ((r = loop_fd_watch(&w->tun_poll, UV_READABLE)) < 0 ||
	        (r = loop_fd_watch(&w->tcp_poll, UV_READABLE)) < 0 ||
	        (r = loop_fd_watch(&w->udp_poll, UV_READABLE)) < 0 ||
	        (r = loop_fd_watch(&w->auth_poll, UV_READABLE)) < 0)
		return r;
	return chan_send(&w->monitor, &ready, -1);
}

static int on_monitor_msg(struct worker *w, const struct ipc_msg *m, int fd)
{
	struct ipc_msg ready = {.type = IPC_READY};
	switch (m->type) {
	case IPC_FD:
		return take_fd(w, &m->fd, fd);
	case IPC_START:
		return worker_start(w, &m->start);
	case IPC_RELOAD:
		return chan_send(&w->monitor, &ready, -1);
	case IPC_RELOAD_RESULT:
	case IPC_LOG_INFO:
	case IPC_LOG_HOST_INFO:
	case IPC_LOG_ITEM:
		control_on_monitor(w, m);
		return 0;
	case IPC_SHUTDOWN:
		worker_stop(w, m->shutdown.tells_clients);
		return 0;
	default:
		return 0;
	}
}

static void on_monitor_ready(struct loop_fd *f, int err, int events)
{
	struct worker *w = f->ctx;
	struct ipc_msg m;
	int fd, r = err;
	if (err == 0 && events & UV_WRITABLE)
		r = chan_flush(&w->monitor);
	while (r == 0) {
		r = chan_recv(&w->monitor, w->ipc_state, loop_now(), &m, &fd);
		if (r == 0)
			r = on_monitor_msg(w, &m, fd);
	}
	if (r < 0 && r != -EAGAIN) {
		if (w->ipc_state != IPC_STOPPING)
			log_line(LOG_CRIT, "worker: %s", err_text(r));
		w->ipc_state = IPC_STOPPING;
		uv_stop(&w->loop);
		return;
	}
	watch_chan(&w->monitor_poll, &w->monitor);
}

/* ---- end ---- */

static void worker_stop(struct worker *w, bool tells_clients)
{
	if (w->ipc_state == IPC_STOPPING)
		return;
	w->ipc_state = IPC_STOPPING;
	for (struct session *s = w->sessions, *next; s; s = next) {
		next = s->next;
		if (tells_clients)
			session_end(s, IPC_END_ADMIN, "Administrator Shutdown", true);
		else
			session_detach(s, "Gateway restart");
	}
	worker_flush(w);
	if (w->is_auth_up && chan_flush(&w->auth) < 0)
		log_line(LOG_WARNING, "auth process not told of the sessions' end");
	(void)!chan_flush(&w->monitor); /* the log of it, as far as it goes out without waiting */
	uv_stop(&w->loop);
}

static int scratch_init(struct worker_scratch *x)
{
	x->tls_rx = malloc(WORKER_TLS_RX_BYTES);
	x->plain = malloc(TLS_RECORD_MAX);
	x->record = malloc(TLS_RECORD_MAX);
	x->tun = malloc(WORKER_TUN_HEADROOM + TUN_SUPER_SLOT_BYTES);
	x->syn = malloc(WORKER_TUN_SLOT);
	x->piece = malloc(WORKER_TUN_SLOT);
	x->udp = malloc((size_t)UDP_RECV_SLOTS_MAX * UDP_SLOT_BYTES);
	if (!x->tls_rx || !x->plain || !x->record || !x->tun || !x->syn || !x->piece || !x->udp)
		return -ENOMEM;
	int r = udp_rx_new(x->udp, UDP_RECV_SLOTS_MAX, UDP_SLOT_BYTES, &x->udp_rx);
	return r < 0 ? r : dtls_out_init(&x->dtls_out, WORKER_DTLS_OUT, UDP_GSO_SEGMENTS_MAX);
}

/* As many connections as the system lets us have; one more would make accept fail and the listener spin. */
static void raise_limits(struct worker *w)
{
	struct rlimit l;
	w->max_conns = WORKER_MAX_PRE_LOGIN;
	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return;
	l.rlim_cur = l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l) < 0)
		log_line(LOG_WARNING, "descriptor limit not raised: %s", err_text(-errno));
	if (getrlimit(RLIMIT_NOFILE, &l) == 0 && l.rlim_cur > WORKER_OTHER_FDS)
		w->max_conns = l.rlim_cur > UINT32_MAX ? UINT32_MAX : (uint32_t)l.rlim_cur - WORKER_OTHER_FDS;
}

int worker_main(int monitor_fd)
{
	struct worker *w = calloc(1, sizeof(*w));
	int r = -ENOMEM;
	if (w == NULL)
		return 1;
	w->ipc_state = IPC_SETUP;
	w->tun.fds[0] = w->tcp_fd = w->control_fd = w->udp.fd = -1;
	w->started_at_ms = loop_now();
	raise_limits(w);
	ratelimit_init(&w->log_strangers, STRANGER_LINES, STRANGER_PERIOD_MS);
	ratelimit_init(&w->log_sessions, SESSION_LINES, SESSION_PERIOD_MS);
	ratelimit_init(&w->too_big, TOO_BIG_ANSWERS, TOO_BIG_PERIOD_MS);
	ratelimit_init(&w->accepts, ADDRESS_CONNS, ADDRESS_PERIOD_MS);
	chan_init(&w->monitor, monitor_fd, IPC_WORKER, IPC_MONITOR);
	w->log_relay = (struct log_relay){.monitor = &w->monitor, .wants_write = on_log_waiting, .ctx = w};
	if (getrandom(w->tables.hash_key, sizeof(w->tables.hash_key), 0) !=
	                (ssize_t)sizeof(w->tables.hash_key) ||
	        (r = scratch_init(&w->scratch)) < 0 || (r = dtls_ctx_new(&w->dtls_ctx)) < 0 ||
	        (r = uv_loop_init(&w->loop)) < 0 ||
	        (r = loop_fd_open(&w->monitor_poll, &w->loop, monitor_fd, on_monitor_ready, w)) < 0 ||
	        (r = loop_fd_watch(&w->monitor_poll, UV_READABLE)) < 0) {
		log_line(LOG_CRIT, "worker cannot start: %s", err_text(r));
		return 1;
	}
	uv_run(&w->loop, UV_RUN_DEFAULT);
	control_close(w);
	return w->ipc_state == IPC_STOPPING ? 0 : 1; /* the process ends here: the kernel frees */
}

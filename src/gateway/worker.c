#include "gateway/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/conn.h"
#include "gateway/control.h"
#include "gateway/process.h"
#include "gateway/session.h"
#include "datapath/split.h"
#include "io/log.h"
#include "io/offload.h"
#include "io/tun.h"
#include "wire/ip.h"

#define SESSION_LINES     20
#define SESSION_PERIOD_MS 1000
#define TOO_BIG_ANSWERS   10 /* ICMP to one sender about one session at once, then one per period */
#define TOO_BIG_PERIOD_MS 100

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
        [DROP_HANDOVER] = "mp-svc-handover",
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
	uint64_t key = ratelimit_key(span_of(&session, sizeof(session)), id);
	if (session == 0 ? !process_may_log(w->process, key, worker_now(w), &n_suppressed)
	                 : !ratelimit_allows(&w->log_sessions, key, worker_now(w), &n_suppressed))
		return false;
	if (n_suppressed > 0)
		log_line(LOG_NOTICE, "%u messages %06u were left out: too many", n_suppressed, id);
	return true;
}

void worker_watch_chan(struct loop_fd *f, const struct chan *c)
{
	int r = loop_fd_watch(f, UV_READABLE | (chan_wants_write(c) ? UV_WRITABLE : 0));
	if (r < 0)
		log_line(LOG_CRIT, "worker cannot poll its channel: %s", err_text(r));
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
	worker_watch_chan(&w->auth_poll, &w->auth);
	return 0;
}

int worker_tell_auth(struct worker *w, const struct ipc_msg *m)
{
	if (!w->is_auth_up)
		return ERR_CLOSED;
	int r = chan_send(&w->auth, m, -1);
	worker_watch_chan(&w->auth_poll, &w->auth); /* what had to be queued goes out when auth reads again */
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
		process_fail(w); /* the monitor starts both anew; clients resume with their cookies */
		return;
	}
	worker_watch_chan(&w->auth_poll, &w->auth);
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

void worker_to_tun_super(struct worker *w, const struct super *u)
{
	outlet_put_super(&w->to_tun, u);
}

/* To the thread that has the session, if another one has it. */
static bool hand_packet(struct worker *w, const struct ip_addr *dst, struct span read)
{
	uint64_t threads = session_inner_elsewhere(w, dst);
	if (threads == 0)
		return false;
	process_hand_over(w, threads, &(struct handover_head){0}, read);
	return true;
}

/* What was read from TUN: one packet, or many in one. may_stray: it may be another thread's. */
static void forward(struct worker *w, uint8_t *p, size_t n, bool may_stray)
{
	struct span whole = span_of(p, n);
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
	s = has_ends ? session_by_inner(w, &dst) : NULL;
	if (s == NULL && has_ends && may_stray && hand_packet(w, &dst, whole))
		return;
	if (split_open(&split, &h, p, n, 0) < 0) {
		worker_drop(w, DROP_BAD_LENGTH);
		return;
	}
	if (s)
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
		forward(w, packet.p, packet.n, true);
	}
	if (n < 0) {
		log_line(LOG_CRIT, "TUN device failed: %s", err_text(n));
		process_fail(w);
		return;
	}
	worker_flush(w);
}

static void on_udp_ready(struct loop_fd *f, int err, int events)
{
	(void)events;
	dtls_rx_ready(f->ctx);
	if (err < 0 && loop_fd_watch(f, UV_READABLE) < 0)
		log_line(LOG_CRIT, "worker cannot poll its UDP socket");
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

/* ---- other threads ---- */

static void on_handed_over(struct worker *w)
{
	struct handover_batch batch = handover_take(&w->handover);
	const struct handover_head *h;
	uint8_t *p;
	while ((h = handover_next(&batch, &p)) != NULL) {
		struct udp_datagram in = {
		        .p = p, .n = h->n, .peer = &h->peer, .local = &h->local, .ifindex = h->ifindex};
		if (h->is_datagram)
			dtls_rx_handed_over(w, &in, h->tried);
		else
			forward(w, p, h->n, false);
	}
}

static void on_wake(uv_async_t *a)
{
	struct worker *w = a->data;
	mailbox_open_all(&w->mailbox, w);
	on_handed_over(w);
	worker_flush(w);
}

/* ---- life ---- */

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

int worker_new(struct process *p, uint8_t index, struct worker **ret)
{
	struct worker *w = calloc(1, sizeof(*w));
	int r;
	if (w == NULL)
		return -ENOMEM;
	w->process = p;
	w->index = index;
	w->ipc_state = IPC_SETUP;
	w->tun.fds[0] = w->tcp_fd = w->udp.fd = w->auth.fd = -1;
	ratelimit_init(&w->log_sessions, SESSION_LINES, SESSION_PERIOD_MS);
	ratelimit_init(&w->too_big, TOO_BIG_ANSWERS, TOO_BIG_PERIOD_MS);
	memcpy(w->tables.hash_key, p->hash_key, sizeof(w->tables.hash_key));
	mailbox_init(&w->mailbox);
	if ((r = scratch_init(&w->scratch)) < 0 || (r = handover_init(&w->handover, HANDOVER_BYTES)) < 0 ||
	        (r = dtls_ctx_new(&w->dtls_ctx)) < 0 || (r = uv_loop_init(&w->loop)) < 0 ||
	        (r = uv_async_init(&w->loop, &w->wake, on_wake)) < 0)
		return r; /* the process ends */
	w->wake.data = w;
	*ret = w;
	return 0;
}

int worker_open(struct worker *w, unsigned offloads_refused)
{
	int r;
	if (w->tun.fds[0] < 0 || w->tcp_fd < 0 || w->udp.fd < 0 || w->auth.fd < 0)
		return -EBADF;
	w->udp.has_no_gso = offloads_refused & OFFLOAD_GSO;
	w->has_no_super = offloads_refused & OFFLOAD_SUPER;
	if ((r = tun_start(w, offloads_refused)) < 0 ||
	        (r = loop_fd_open(&w->tun_poll, &w->loop, w->tun.fds[0], on_tun_ready, w)) < 0 ||
	        (r = loop_timer_open(&w->accept_timer, &w->loop, on_accept_timer, w)) < 0 ||
	        (r = loop_fd_open(&w->tcp_poll, &w->loop, w->tcp_fd, on_tcp_ready, w)) < 0 ||
	        (r = loop_fd_open(&w->udp_poll, &w->loop, w->udp.fd, on_udp_ready, w)) < 0)
		return r;
	return loop_fd_open(&w->auth_poll, &w->loop, w->auth.fd, on_auth_ready, w);
}

int worker_go(struct worker *w)
{
	int r;
	w->ipc_state = IPC_RUNNING;
	if ((r = loop_fd_watch(&w->tun_poll, UV_READABLE)) < 0 ||
	        (r = loop_fd_watch(&w->tcp_poll, UV_READABLE)) < 0 ||
	        (r = loop_fd_watch(&w->udp_poll, UV_READABLE)) < 0)
		return r;
	return loop_fd_watch(&w->auth_poll, UV_READABLE);
}

void worker_stop(struct worker *w, bool tells_clients)
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
	uv_stop(&w->loop);
}

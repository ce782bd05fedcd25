#include "gateway/worker_int.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/conn.h"
#include "gateway/control.h"
#include "gateway/process.h"
#include "gateway/session.h"
#include "io/log.h"
#include "io/offload.h"

#define SESSION_LINES     20
#define SESSION_PERIOD_MS 1000
#define TOO_BIG_ANSWERS   10 /* ICMP to one sender about one session at once, then one per period */
#define TOO_BIG_PERIOD_MS 100

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
	w->counts.drops[why]++;
}

void worker_flush(struct worker *w)
{
	outlet_flush(&w->tun.out);
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

/* ---- TUN ---- */

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
	if (loop_fd_watch(&w->listener.poll, UV_READABLE) < 0)
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
			worker_forward(w, p, h->n, false);
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

static void on_waiting(uv_prepare_t *p)
{
	struct worker *w = p->data;
	w->turn.n_handshakes = w->turn.n_put_off = 0;
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
	w->tun.dev.fds[0] = w->listener.fd = w->udp.fd = w->auth.chan.fd = -1;
	ratelimit_init(&w->log_sessions, SESSION_LINES, SESSION_PERIOD_MS);
	ratelimit_init(&w->too_big, TOO_BIG_ANSWERS, TOO_BIG_PERIOD_MS);
	memcpy(w->tables.hash_key, p->hash_key, sizeof(w->tables.hash_key));
	mailbox_init(&w->mailbox);
	if ((r = scratch_init(&w->scratch)) < 0 || (r = handover_init(&w->handover, HANDOVER_BYTES)) < 0 ||
	        (r = dtls_ctx_new(&w->dtls_ctx)) < 0 || (r = uv_loop_init(&w->loop)) < 0 ||
	        (r = uv_async_init(&w->loop, &w->wake, on_wake)) < 0 ||
	        (r = uv_prepare_init(&w->loop, &w->waiting)) < 0 ||
	        (r = uv_prepare_start(&w->waiting, on_waiting)) < 0)
		return r; /* the process ends */
	w->wake.data = w->waiting.data = w;
	*ret = w;
	return 0;
}

int worker_open(struct worker *w, unsigned offloads_refused)
{
	int r;
	if (w->tun.dev.fds[0] < 0 || w->listener.fd < 0 || w->udp.fd < 0 || w->auth.chan.fd < 0)
		return -EBADF;
	w->udp.has_no_gso = offloads_refused & OFFLOAD_GSO;
	w->has_no_super = offloads_refused & OFFLOAD_SUPER;
	if ((r = worker_tun_open(w, offloads_refused)) < 0 ||
	        (r = loop_fd_open(&w->tun.poll, &w->loop, w->tun.dev.fds[0], worker_on_tun_ready, w)) < 0 ||
	        (r = loop_timer_open(&w->listener.pause, &w->loop, on_accept_timer, w)) < 0 ||
	        (r = loop_fd_open(&w->listener.poll, &w->loop, w->listener.fd, on_tcp_ready, w)) < 0 ||
	        (r = loop_fd_open(&w->udp_poll, &w->loop, w->udp.fd, on_udp_ready, w)) < 0)
		return r;
	return loop_fd_open(&w->auth.poll, &w->loop, w->auth.chan.fd, worker_on_auth_ready, w);
}

int worker_go(struct worker *w)
{
	int r;
	w->ipc_state = IPC_RUNNING;
	if ((r = loop_fd_watch(&w->tun.poll, UV_READABLE)) < 0 ||
	        (r = loop_fd_watch(&w->listener.poll, UV_READABLE)) < 0 ||
	        (r = loop_fd_watch(&w->udp_poll, UV_READABLE)) < 0)
		return r;
	return loop_fd_watch(&w->auth.poll, UV_READABLE);
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
	if (w->auth.is_up && chan_flush(&w->auth.chan) < 0)
		log_line(LOG_WARNING, "auth process not told of the sessions' end");
	uv_stop(&w->loop);
}

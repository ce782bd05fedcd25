/* A thread's queue of the TUN device: packets to the inside, and from there to their session or its thread.
 */
#include "datapath/split.h"
#include "gateway/process.h"
#include "gateway/session.h"
#include "gateway/worker_int.h"
#include "io/log.h"
#include "io/offload.h"
#include "wire/ip.h"

/* ---- to the inside ---- */

static int write_tun(void *ctx, const struct iovec *iov, unsigned n_iov)
{
	const struct worker *w = ctx;
	return tun_writev(w->tun.dev.fds[0], iov, n_iov);
}

/* Counted as carried when it came: now it is a drop. */
static void on_tun_refused(void *ctx, struct span head, unsigned n_packets)
{
	struct worker *w = ctx;
	struct ip_addr src, dst;
	w->counts.drops[DROP_NO_CHANNEL] += n_packets;
	struct session *s = ip_addresses(head, &src, &dst) == 0 ? session_by_inner(w, &src) : NULL;
	if (s)
		s->traffic[link_active(&s->link) == LINK_DTLS ? LINK_DTLS : LINK_TLS].rx_drops += n_packets;
}

int worker_tun_open(struct worker *w, unsigned offloads_refused)
{
	tun_adopt(w->tun.dev.fds[0], offload_tun_refused(offloads_refused), &w->tun.dev);
	const struct outlet_config c = {
	        .has_vnet_hdr = w->tun.dev.has_vnet_hdr,
	        .kinds = (w->tun.dev.offloads & TUN_OFFLOAD_TSO4 ? COALESCE_TCP4 : 0) |
	                 (w->tun.dev.offloads & TUN_OFFLOAD_TSO6 ? COALESCE_TCP6 : 0) |
	                 (w->tun.dev.offloads & TUN_OFFLOAD_USO ? COALESCE_UDP : 0),
	        .write = write_tun,
	        .refused = on_tun_refused,
	        .ctx = w,
	};
	return outlet_open(&w->tun.out, &c);
}

static bool is_within(const uint8_t *p, const uint8_t *begin, size_t n)
{
	return p >= begin && p < begin + n;
}

void worker_to_tun(struct worker *w, struct span packet)
{
	const struct worker_scratch *x = &w->scratch;
	outlet_put(&w->tun.out, packet,
	        is_within(packet.p, x->udp, (size_t)UDP_RECV_SLOTS_MAX * UDP_SLOT_BYTES) ||
	                is_within(packet.p, x->tls_rx, WORKER_TLS_RX_BYTES));
}

void worker_to_tun_super(struct worker *w, const struct super *u)
{
	outlet_put_super(&w->tun.out, u);
}

/* ---- from the inside ---- */

/* To the thread that has the session, if another one has it. */
static bool hand_packet(struct worker *w, const struct ip_addr *dst, struct span read)
{
	uint64_t threads = session_inner_elsewhere(w, dst);
	if (threads == 0)
		return false;
	process_hand_over(w, threads, &(struct handover_head){0}, read);
	return true;
}

void worker_forward(struct worker *w, uint8_t *p, size_t n, bool may_stray)
{
	struct span whole = span_of(p, n);
	struct vnet_hdr h = {0};
	struct split split;
	struct ip_addr src, dst;
	struct session *s;
	if (w->tun.dev.has_vnet_hdr) {
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
		w->counts.drops[DROP_NO_SESSION] += split_count(&split);
}

void worker_on_tun_ready(struct loop_fd *f, int err, int events)
{
	struct worker *w = f->ctx;
	struct tun_packet packet;
	size_t n_bytes = 0;
	int n = err < 0 ? err : 1;
	(void)events;
	/* one after the other through the same memory, which stays in the cache */
	for (int i = 0; n > 0 && i < LOOP_BATCH && n_bytes < WORKER_TUN_TURN; i++) {
		n = tun_read_batch(w->tun.dev.fds[0], w->scratch.tun + WORKER_TUN_HEADROOM,
		        TUN_SUPER_SLOT_BYTES, &packet, 1);
		if (n <= 0)
			break;
		n_bytes += packet.n;
		worker_forward(w, packet.p, packet.n, true);
	}
	if (n < 0) {
		log_line(LOG_CRIT, "TUN device failed: %s", err_text(n));
		process_fail(w);
		return;
	}
	worker_flush(w);
}

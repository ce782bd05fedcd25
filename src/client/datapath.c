#include "client/datapath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "wire/ip.h"
#include "wire/ip_fragment.h"

#define HEADROOM 64 /* CSTP header or DTLS type byte in front, and slots on cache lines */

static void datapath_ready(void *ctx, int events);

static int buffers_open(struct datapath *d, uint16_t mtu_max)
{
	d->stride = ((size_t)mtu_max + 2 * HEADROOM - 1) / HEADROOM * HEADROOM;
	d->buf = malloc(LOOP_BATCH * d->stride + HEADROOM);
	d->spare = malloc(d->stride + HEADROOM);
	d->joiner = joiner_new(mtu_max);
	d->tell_limit = malloc(sizeof(*d->tell_limit));
	if (d->buf == NULL || d->spare == NULL || d->joiner == NULL || d->tell_limit == NULL)
		return -ENOMEM;
	ratelimit_init(d->tell_limit, DATAPATH_TELL_BURST, DATAPATH_TELL_PERIOD_MS);
	return 0;
}

int datapath_open(struct datapath *d, uv_loop_t *loop, int tun_fd, uint16_t mtu_max)
{
	int err = buffers_open(d, mtu_max);
	int fd = err == 0 ? fcntl(tun_fd, F_DUPFD_CLOEXEC, 3) : -1;
	if (fd >= 0)
		d->watch = watch_new(loop, fd, datapath_ready, d);
	if (d->watch == NULL) {
		if (fd >= 0)
			close(fd);
		datapath_close(d);
		return -ENOMEM;
	}
	d->tun_fd = tun_fd;
	return 0;
}

void datapath_close(struct datapath *d)
{
	watch_drop(d->watch);
	free(d->buf);
	free(d->spare);
	joiner_free(d->joiner);
	free(d->tell_limit);
	d->watch = NULL;
	d->buf = d->spare = NULL;
	d->joiner = NULL;
	d->tell_limit = NULL;
	d->tun_fd = -1;
}

void datapath_update(struct datapath *d)
{
	if (d->watch == NULL)
		return;
	bool is_tls_needed = link_active(d->link) == LINK_TLS || d->link->choice.mode == CHOICE_BOTH;
	bool is_stuffed = is_tls_needed && tunnel_tls_is_stuffed(d->tls);
	watch_set(d->watch, is_stuffed ? 0 : UV_READABLE);
}

static void count(struct channel_counters *c, size_t bytes)
{
	c->tx_packets++;
	c->tx_bytes += bytes;
}

/* ---- to the sender: too big ---- */

/* The answer comes from the packet's own destination: its route leads through the adapter, so that no filter
 * of source addresses minds. */
static void tell_too_big(struct datapath *d, struct span packet, uint16_t mtu, ms_t now_ms)
{
	struct ip_addr ends[2];
	memset(ends, 0, sizeof(ends));
	if (ip_addresses(packet, &ends[0], &ends[1]) != 0)
		return;
	if (ends[0].family == 6 && mtu < 1280)
		mtu = 1280; /* RFC 8200 5 */
	if (packet.n <= mtu ||
	        !ratelimit_allows(d->tell_limit,
	                ratelimit_key(span_of((const uint8_t *)ends, sizeof(ends)), 0), now_ms, NULL))
		return;
	int n = icmp_too_big(packet, &ends[1], mtu, d->spare, d->stride);
	if (n > 0 && tun_write(d->tun_fd, d->spare, (size_t)n) == 0)
		d->n_told++;
}

/* ---- to the tunnels ---- */

/* What one batch has sent by each tunnel. */
struct tally {
	ms_t now_ms;
	bool is_used[LINK_N_CHANNELS];
	size_t largest[LINK_N_CHANNELS];
	size_t largest_datagram;
	bool has_refused; /* by the kernel, for its size */
};

static void tally_add(struct tally *t, enum link_channel ch, size_t bytes)
{
	t->is_used[ch] = true;
	if (bytes > t->largest[ch])
		t->largest[ch] = bytes;
}

/* packet has HEADROOM in front. */
static bool put_tls(struct datapath *d, uint8_t *packet, size_t n)
{
	uint8_t *head = packet - CSTP_HEADER_BYTES;
	if (d->tls->stage != TUNNEL_TLS_UP)
		return false;
	cstp_put_header(head, CSTP_DATA, (uint16_t)n);
	if (tunnel_tls_put(d->tls, span_of(head, CSTP_HEADER_BYTES + n)) != 0)
		return false;
	count(&d->tls->count, n);
	return true;
}

static bool put_dtls_record(struct datapath *d, struct span record, struct tally *t)
{
	int err = d->dtls->stage == TUNNEL_DTLS_UP ? tunnel_dtls_put(d->dtls, record) : ERR_CLOSED;
	if (err == -ENOBUFS) {
		t->has_refused |= tunnel_dtls_flush(d->dtls);
		err = d->dtls->stage == TUNNEL_DTLS_UP ? tunnel_dtls_put(d->dtls, record) : ERR_CLOSED;
	}
	return err == 0;
}

static bool put_dtls(struct datapath *d, uint8_t *packet, size_t n, struct tally *t)
{
	uint8_t *head = packet - DTLS_CHANNEL_BYTES;
	head[0] = CSTP_DATA;
	if (!put_dtls_record(d, span_of(head, DTLS_CHANNEL_BYTES + n), t))
		return false;
	count(&d->dtls->count, n);
	return true;
}

static bool put_pieces(struct datapath *d, struct span packet, uint16_t piece_bytes, struct tally *t)
{
	struct cutter c = cutter_open(packet, d->piece_id++, piece_bytes);
	uint8_t *record = d->spare;
	size_t n;
	record[0] = DTLS_PIECE;
	while ((n = cutter_next(&c, record + DTLS_CHANNEL_BYTES)) > 0)
		if (!put_dtls_record(d, span_of(record, DTLS_CHANNEL_BYTES + n), t))
			return false;
	count(&d->dtls->count, packet.n);
	return true;
}

/* By TLS to a gateway that takes no larger packets there: cut, or its sender is told. */
static bool put_tls_cut(struct datapath *d, struct tun_packet *p, ms_t now_ms)
{
	struct span packet = span_of(p->p, p->n);
	struct ip_fragmenter f;
	enum ip_fit fit = ip_fit(packet, d->tls_max_bytes, false);
	int n;
	if (fit == IP_TOO_BIG)
		tell_too_big(d, packet, d->tls_max_bytes, now_ms);
	if (fit != IP_FRAGMENT || ip_fragment_init(&f, packet, d->tls_max_bytes, 0) != 0)
		return false;
	while ((n = ip_fragment_next(&f, d->spare + HEADROOM, d->stride)) > 0)
		if (!put_tls(d, d->spare + HEADROOM, (size_t)n))
			return false;
	return n == 0;
}

static bool send_tls(struct datapath *d, struct tun_packet *p, struct tally *t)
{
	bool fits = d->tls_max_bytes == 0 || p->n <= d->tls_max_bytes;
	if (!(fits ? put_tls(d, p->p, p->n) : put_tls_cut(d, p, t->now_ms)))
		return false;
	tally_add(t, LINK_TLS, p->n);
	return true;
}

static bool send_dtls(struct datapath *d, struct tun_packet *p, const struct link_route *r, struct tally *t)
{
	bool is_sent = r->in_pieces ? put_pieces(d, span_of(p->p, p->n), r->piece_bytes, t)
	                            : put_dtls(d, p->p, p->n, t);
	if (!is_sent)
		return false;
	tally_add(t, LINK_DTLS, r->in_pieces ? r->piece_bytes : p->n);
	if (!r->in_pieces && p->n > t->largest_datagram)
		t->largest_datagram = p->n;
	return true;
}

static void send_packet(struct datapath *d, struct tun_packet *p, struct tally *t)
{
	struct link_route r = link_route(d->link, p->n, t->now_ms);
	bool is_sent = false;
	if (r.tell_too_big)
		tell_too_big(d, span_of(p->p, p->n), r.path_limit, t->now_ms);
	if (r.tls)
		is_sent = send_tls(d, p, t);
	if (r.dtls)
		is_sent |= send_dtls(d, p, &r, t);
	d->drops_up += !is_sent; /* reconnecting: the flows repeat what matters */
}

static void flush(struct datapath *d, struct tally *t)
{
	if (t->is_used[LINK_TLS])
		tunnel_tls_flush(d->tls);
	if (t->is_used[LINK_DTLS])
		t->has_refused |= tunnel_dtls_flush(d->dtls);
}

/* The kernel did not take the large ones, and link knows it by now: they go another way. */
static void send_again(struct datapath *d, struct tun_packet *packets, int n, struct tally *t)
{
	t->has_refused = false;
	for (int i = 0; i < n; i++) {
		struct link_route r = link_route(d->link, packets[i].n, t->now_ms);
		if (packets[i].n > PMTU_FLOOR_BYTES && (r.in_pieces || !r.dtls))
			send_packet(d, &packets[i], t);
	}
	flush(d, t);
}

/* Keeps the MSS of a SYN below what DTLS carries in one datagram (behaviour.md 3.1). */
static void clamp_mss(const struct datapath *d, uint8_t *packet, size_t n)
{
	uint16_t mss = link_mss_bytes(d->link, n > 0 ? packet[0] >> 4 : 0);
	if (mss != 0)
		(void)tcp_clamp_mss(packet, n, mss);
}

static void datapath_ready(void *ctx, int events)
{
	struct datapath *d = ctx;
	struct tun_packet packets[LOOP_BATCH];
	(void)events;
	int n = tun_read_batch(d->tun_fd, d->buf + HEADROOM, d->stride, packets, LOOP_BATCH);
	if (n <= 0)
		return;
	struct tally t = {.now_ms = loop_now()};
	for (int i = 0; i < n; i++) {
		clamp_mss(d, packets[i].p, packets[i].n);
		send_packet(d, &packets[i], &t);
	}
	flush(d, &t);
	if (t.has_refused && d->watch != NULL)
		send_again(d, packets, n, &t);
	for (enum link_channel ch = 0; ch < LINK_N_CHANNELS; ch++)
		if (t.is_used[ch])
			link_on_tx(d->link, ch, true, t.largest[ch], t.now_ms);
	datapath_update(d);
	d->on_batch(d->ctx);
}

/* ---- to the adapter ---- */

void datapath_deliver(struct datapath *d, struct span packet)
{
	if (d->tun_fd < 0 || packet.n == 0) {
		d->drops_down++;
		return;
	}
	if (packet.n <= d->stride && link_mss_bytes(d->link, packet.p[0] >> 4) != 0 && tcp_is_syn(packet)) {
		memcpy(d->spare, packet.p, packet.n);
		clamp_mss(d, d->spare, packet.n);
		packet = span_of(d->spare, packet.n);
	}
	if (tun_write(d->tun_fd, packet.p, packet.n) != 0)
		d->drops_down++;
}

void datapath_deliver_piece(struct datapath *d, struct span payload, ms_t now_ms)
{
	struct span packet;
	if (d->joiner == NULL)
		return;
	enum joiner_result r = joiner_put(d->joiner, payload, now_ms, &packet);
	if (r == JOINER_PACKET)
		datapath_deliver(d, packet);
	d->drops_down += r == JOINER_DROPPED;
}

/* From the adapter to the tunnels: what is read goes where link says, whole, cut or in pieces. */
#include <errno.h>

#include "client/datapath_internal.h"
#include "datapath/super.h"
#include "io/sock.h"
#include "wire/ip_fragment.h"

#define TURN_BYTES (256u << 10) /* rounds go on until others have their turn */

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
	int n = icmp_too_big(packet, &ends[1], mtu, d->spare, d->spare_bytes);
	if (n <= 0)
		return;
	outlet_put(&d->down, span_of(d->spare, (size_t)n), false);
	d->n_told++;
}

/* ---- to the tunnels ---- */

/* What one batch has sent by each tunnel. */
struct tally {
	ms_t now_ms;
	bool is_used[LINK_N_CHANNELS];
	size_t largest[LINK_N_CHANNELS];
};

static void tally_add(struct tally *t, enum link_channel ch, size_t bytes)
{
	t->is_used[ch] = true;
	if (bytes > t->largest[ch])
		t->largest[ch] = bytes;
}

/* packet has DATAPATH_HEADROOM in front. */
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

static bool put_dtls_record(struct datapath *d, struct span record)
{
	int err = d->dtls->stage == TUNNEL_DTLS_UP ? tunnel_dtls_put(d->dtls, record) : ERR_CLOSED;
	if (err == -ENOBUFS) {
		tunnel_dtls_flush(d->dtls);
		err = d->dtls->stage == TUNNEL_DTLS_UP ? tunnel_dtls_put(d->dtls, record) : ERR_CLOSED;
	}
	return err == 0;
}

static bool put_dtls(struct datapath *d, uint8_t *packet, size_t n)
{
	uint8_t *head = packet - DTLS_CHANNEL_BYTES;
	head[0] = CSTP_DATA;
	if (!put_dtls_record(d, span_of(head, DTLS_CHANNEL_BYTES + n)))
		return false;
	count(&d->dtls->count, n);
	return true;
}

static bool put_pieces(struct datapath *d, struct span packet, uint16_t piece_bytes)
{
	struct cutter c = cutter_open(packet, d->piece_id++, piece_bytes);
	uint8_t *record = d->spare;
	size_t n;
	record[0] = DTLS_PIECE;
	while ((n = cutter_next(&c, record + DTLS_CHANNEL_BYTES)) > 0)
		if (!put_dtls_record(d, span_of(record, DTLS_CHANNEL_BYTES + n)))
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
	while ((n = ip_fragment_next(&f, d->spare + DATAPATH_HEADROOM, d->spare_bytes)) > 0)
		if (!put_tls(d, d->spare + DATAPATH_HEADROOM, (size_t)n))
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
	bool is_sent =
	        r->in_pieces ? put_pieces(d, span_of(p->p, p->n), r->piece_bytes) : put_dtls(d, p->p, p->n);
	if (!is_sent)
		return false;
	tally_add(t, LINK_DTLS, r->in_pieces ? r->piece_bytes : p->n);
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
		tunnel_dtls_flush(d->dtls);
}

static void send_one(struct datapath *d, struct tun_packet *p, struct tally *t)
{
	datapath_clamp_mss(d, p->p, p->n);
	send_packet(d, p, t);
}

/* Is the connection fast enough? Asked now and then. */
static bool is_fast(struct datapath *d, ms_t now_ms)
{
	struct sock_tcp_facts facts = {0};
	if (super_pace_is_due(&d->super_pace, now_ms)) {
		int err = sock_tcp_facts(d->tls->conn.fd, &facts);
		(void)err; /* not known */
		super_pace_note(&d->super_pace, facts.delivered_bytes_per_s, now_ms);
	}
	return d->super_pace.is_fast;
}

/* By TLS, as it is. False: it must be cut. */
static bool put_whole(struct datapath *d, const struct split *split, ms_t now_ms)
{
	struct super_form form;
	size_t n;
	if (d->super_max_bytes == 0 || d->tls->stage != TUNNEL_TLS_UP || !is_fast(d, now_ms))
		return false;
	uint8_t *payload = super_put(split, d->super_max_bytes, &n, &form);
	if (payload == NULL)
		return false;
	cstp_put_header(payload - CSTP_HEADER_BYTES, CSTP_SUPER, (uint16_t)n);
	if (tunnel_tls_put_long(d->tls, span_of(payload - CSTP_HEADER_BYTES, CSTP_HEADER_BYTES + n)) != 0)
		return false;
	d->tls->count.tx_packets += form.n_packets;
	d->tls->count.tx_bytes += form.total_bytes;
	d->n_super_up++;
	return true;
}

/* Packets of one flow and size: where they go is asked once. */
static void send_super(struct datapath *d, struct split *split, struct tally *t)
{
	size_t largest = split_packet_bytes(split);
	enum link_channel ch = link_plain_route(d->link, largest);
	struct tun_packet p;
	if (ch == LINK_N_CHANNELS ||
	        (ch == LINK_TLS && d->tls_max_bytes != 0 && largest > d->tls_max_bytes)) {
		while (split_next(split, &p.p, &p.n))
			send_one(d, &p, t);
		return;
	}
	if (ch == LINK_TLS && put_whole(d, split, t->now_ms)) {
		tally_add(t, ch, largest);
		return;
	}
	while (split_next(split, &p.p, &p.n)) {
		bool is_sent = ch == LINK_TLS ? put_tls(d, p.p, p.n) : put_dtls(d, p.p, p.n);
		d->drops_up += !is_sent;
	}
	tally_add(t, ch, largest);
}

/* What was read becomes the packet in it, or nothing if it was a super-packet (which is gone when it was
 * sent). */
static void send_read(struct datapath *d, struct tun_packet *p, struct tally *t)
{
	struct vnet_hdr h = {0};
	struct split split;
	if (d->has_vnet_hdr && p->n > VNET_HDR_BYTES) {
		h = vnet_read(p->p);
		p->p += VNET_HDR_BYTES;
		p->n -= VNET_HDR_BYTES;
	}
	if (split_open(&split, &h, p->p, p->n, 0) != 0) {
		d->drops_up++;
		p->n = 0;
	} else if (split_count(&split) > 1) {
		send_super(d, &split, t);
		p->n = 0;
	} else if (split_next(&split, &p->p, &p->n)) {
		send_one(d, p, t);
	}
}

/* As many packets as there is room for. */
static int read_round(struct datapath *d, struct tun_packet packets[static LOOP_BATCH], size_t *ret_bytes)
{
	size_t at = DATAPATH_HEADROOM;
	int n = 0, got = 1;
	while (n < LOOP_BATCH && at + d->slot_bytes <= DATAPATH_ROUND_BYTES) {
		got = tun_read_batch(d->tun_fd, d->buf + at, d->slot_bytes, &packets[n], 1);
		if (got <= 0)
			break;
		at += packets[n].n + DATAPATH_HEADROOM;
		at = (at + DATAPATH_HEADROOM - 1) / DATAPATH_HEADROOM * DATAPATH_HEADROOM;
		n++;
	}
	d->is_tun_gone |= got == -EBADFD;
	*ret_bytes = at;
	return n;
}

static void send_rounds(struct datapath *d, struct tally *t)
{
	struct tun_packet packets[LOOP_BATCH];
	size_t n_bytes = 0, n_all = 0;
	bool goes_on;
	int n;
	do {
		n = read_round(d, packets, &n_bytes);
		for (int i = 0; i < n; i++)
			send_read(d, &packets[i], t);
		n_all += n_bytes;
		/* only super-packets fill a round with so few */
		goes_on = n > 0 && n < LOOP_BATCH && n_bytes > DATAPATH_ROUND_BYTES / 2 && n_all < TURN_BYTES;
		/* TLS must have gone before more is read; datagrams are sent when there are enough */
		if (!goes_on || t->is_used[LINK_TLS])
			flush(d, t);
	} while (goes_on && d->watch != NULL && !(t->is_used[LINK_TLS] && tunnel_tls_is_stuffed(d->tls)));
}

void datapath_ready(void *ctx, int events)
{
	struct datapath *d = ctx;
	struct tally t = {.now_ms = loop_now()};
	(void)events;
	send_rounds(d, &t);
	for (enum link_channel ch = 0; ch < LINK_N_CHANNELS; ch++)
		if (t.is_used[ch])
			link_on_tx(d->link, ch, true, t.largest[ch], t.now_ms);
	datapath_update(d);
	d->on_batch(d->ctx);
	if (d->is_tun_gone && d->watch != NULL)
		d->on_gone(d->ctx);
}

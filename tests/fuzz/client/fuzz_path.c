/* The fast path against the plain one, byte for byte. The input makes packets and super-packets as a TUN
 * device hands them over. Fast: cut in place, framed and encrypted from where they lie, decrypted where they
 * were received, joined, and given to the outlet. Plain: cut with copies by plain_cut.h. Each record must
 * hold the plain packet; what the outlet writes, cut by the plain path again, must be the plain packets, in
 * the order in which their records came. Records come in any order and twice, and some are forged. */
#include <stdio.h>
#include <stdlib.h>

#include "../../unit/datapath/plain_cut.h"
#include "base/util.h"
#include "datapath/outlet.h"
#include "datapath/split.h"
#include "io/dtls_record.h"
#include "io/tls_record.h"
#include "wire/cstp.h"

#define PACKETS_MAX 400
#define ARENA_BYTES (1u << 20)
#define PAYLOAD_MAX 6000
#define ROOM        64
#define INSTRUCTION 8
#define N_FLOWS     4
#define SUPER_BIT   0x80
#define SUM_BIT     0x40 /* the sum is the kernel's to complete; always so in super-packets */
#define BROKEN_BIT  0x20 /* of single packets: wrong sum */
#define OPTIONS_BIT 0x10

static struct packet {
	uint8_t *plain, *record;
	size_t n, n_record;
	bool is_out;
} packets[PACKETS_MAX];

static struct run {
	bool is_tls;
	size_t n_packets, n_in, n_out;
	struct packet *in[PACKETS_MAX]; /* as the outlet got them */
	size_t n_plain, n_wire;         /* bytes used below */
	uint8_t plain[ARENA_BYTES], wire[ARENA_BYTES];
	struct dtls_record *dtls_tx, *dtls_rx;
	struct tls_record tls_tx, tls_rx;
	struct packet_form flows[N_FLOWS];
} run;

static void check_failed(unsigned line)
{
	fprintf(stderr, "line %u\n", line);
	abort();
}

#define check(is_right)                                                                                      \
	do {                                                                                                 \
		if (!(is_right))                                                                             \
			check_failed(__LINE__);                                                              \
	} while (0)

/* ---- keys ---- */

static void keys_open(uint8_t how)
{
	static const struct dtls_record_start start = {.epoch = 1, .tx_seq = 1, .tx_nonce = 1};
	static const uint8_t secret[TLS_RECORD_SECRET_BYTES] = {9};
	enum aead_engine one = how & 1 ? AEAD_AUTO : AEAD_OPENSSL, other = how & 2 ? AEAD_AUTO : AEAD_OPENSSL;
	enum aead_alg alg = (how >> 2) % 3;
	struct dtls_record_keys there = {
	        .alg = alg, .tx_key = {1}, .rx_key = {2}, .tx_iv = {3}, .rx_iv = {4}};
	struct dtls_record_keys here = {.alg = alg, .tx_key = {2}, .rx_key = {1}, .tx_iv = {4}, .rx_iv = {3}};
	const struct tls_suite *suite = tls_suite_find((uint16_t)(0x1301 + alg));

	run.is_tls = how & 0x80;
	check(dtls_record_new(one, &there, &start, &run.dtls_tx) == 0 &&
	        dtls_record_new(other, &here, &start, &run.dtls_rx) == 0 &&
	        tls_record_init(&run.tls_tx, one, suite, AEAD_SEAL, secret, 5) == 0 &&
	        tls_record_init(&run.tls_rx, other, suite, AEAD_OPEN, secret, 5) == 0);
}

static void keys_close(void)
{
	dtls_record_free(run.dtls_tx);
	dtls_record_free(run.dtls_rx);
	tls_record_done(&run.tls_tx);
	tls_record_done(&run.tls_rx);
}

/* ---- sending ---- */

static void plain_keep(void *ctx, const uint8_t *p, size_t n)
{
	struct packet *to = &packets[run.n_packets++];

	(void)ctx;
	check(run.n_packets <= PACKETS_MAX && n <= ARENA_BYTES - run.n_plain);
	*to = (struct packet){.plain = run.plain + run.n_plain, .n = n};
	memcpy(to->plain, p, n);
	run.n_plain += n;
}

/* The same framing as in gateway and client: in front of the packet, over the end of the one before. */
static void seal(struct packet *to, uint8_t *p, size_t n)
{
	int r;

	to->record = run.wire + run.n_wire;
	if (run.is_tls) {
		cstp_put_header(p - CSTP_HEADER_BYTES, CSTP_DATA, (uint16_t)n);
		r = tls_record_seal(&run.tls_tx, TLS_DATA, to->record,
		        span_of(p - CSTP_HEADER_BYTES, CSTP_HEADER_BYTES + n));
	} else {
		p[-DTLS_CHANNEL_BYTES] = CSTP_DATA;
		r = dtls_record_seal(run.dtls_tx, DTLS_DATA, to->record,
		        span_of(p - DTLS_CHANNEL_BYTES, DTLS_CHANNEL_BYTES + n));
	}
	check(r > 0);
	to->n_record = (size_t)r;
	run.n_wire += (size_t)r;
}

static void send(const struct vnet_hdr *h, uint8_t *p, size_t n)
{
	size_t first = run.n_packets, n_cut;
	struct split s;

	plain_cut(h, p, n, plain_keep, NULL);
	check(split_open(&s, h, p, n, 0) == 0);
	check(split_count(&s) == run.n_packets - first);
	for (size_t i = first; split_next(&s, &p, &n_cut); i++) {
		check(i < run.n_packets && n_cut == packets[i].n && memcmp(p, packets[i].plain, n_cut) == 0);
		seal(&packets[i], p, n_cut);
	}
}

/* ---- packets of the input's making ---- */

static void flows_open(void)
{
	for (int i = 0; i < N_FLOWS; i++)
		run.flows[i] = (struct packet_form){.is_ip6 = i & 1,
		        .is_udp = i & 2,
		        .ttl = 64,
		        .flags = 0x10,
		        .port = 9,
		        .window = 7,
		        .id = 0xfffe,
		        .seq = 0xfffffd00};
}

static struct vnet_hdr super_header(const struct packet_form *f, const uint8_t *p, const uint8_t *in)
{
	return (struct vnet_hdr){.gso_type = f->is_udp   ? VNET_GSO_UDP_L4
	                                     : f->is_ip6 ? VNET_GSO_TCPV6
	                                                 : VNET_GSO_TCPV4,
	        .gso_size = (uint16_t)(200 + in[4] * 5),
	        .csum_start = (uint16_t)ip_bytes(p),
	        .csum_offset = f->is_udp ? 6 : 16};
}

static void pseudo_put(uint8_t *p, size_t n)
{
	uint32_t sum = proto_of(p) + (uint32_t)(n - ip_bytes(p));

	set16(p + l4_sum_at(p), slow_sum(sum, is_ip6(p) ? p + 8 : p + 12, is_ip6(p) ? 32 : 8));
}

/* flow and what is special about it; flags; payload, two bytes; size; a change of one byte, its place. */
static void make(const uint8_t *in)
{
	static uint8_t memory[ROOM + PACKET_MAX];
	struct packet_form *f = &run.flows[in[0] % N_FLOWS];
	uint8_t *p = memory + ROOM;
	bool is_super = in[0] & SUPER_BIT, is_partial = is_super || (in[0] & SUM_BIT);
	size_t payload = at16(in + 2) % (is_super ? PAYLOAD_MAX : 1500);
	struct vnet_hdr h = {0};

	f->flags = in[1] ? in[1] : 0x10;
	f->has_ip_options = (in[0] & OPTIONS_BIT) && !f->is_ip6;
	f->tcp_options = f->is_udp ? 0 : in[5] % 4 * 4;
	f->tos = in[5] >> 4;
	f->window = (uint16_t)(7 + in[7] / 64);
	size_t n = packet_make(p, f, payload, in[6]);
	if (is_super)
		h = super_header(f, p, in);
	h.csum_start = (uint16_t)ip_bytes(p);
	h.csum_offset = f->is_udp ? 6 : 16;
	if (is_partial) {
		h.flags = VNET_NEEDS_CSUM;
		pseudo_put(p, n);
	} else if (in[0] & BROKEN_BIT) {
		p[n - 1 - in[7] % (n - ip_bytes(p))] ^= in[6];
	} else if (f->is_udp && !f->is_ip6 && in[7] == 1) {
		set16(p + l4_sum_at(p), 0); /* UDP without a sum */
	}
	send(&h, p, n);
	f->seq += (uint32_t)payload;
	f->id = (uint16_t)(f->id + (is_super ? (payload + h.gso_size - 1) / h.gso_size : 1));
}

/* ---- receiving ---- */

/* In place, as both programs do it; the packet in it. */
static uint8_t *open_record(struct packet *from)
{
	struct span datagram = span_of(from->record, from->n_record), rest;
	struct dtls_record_head head;
	struct cstp_packet p;
	enum cstp_fault fault;
	uint8_t type = 0, *plain;
	int n;

	if (run.is_tls) {
		plain = from->record + TLS_RECORD_HEAD_BYTES;
		n = tls_record_open(&run.tls_rx, datagram, plain, &type);
		check(n > 0 && type == TLS_DATA);
		rest = span_of(plain, (size_t)n);
		check(cstp_take(&rest, &p, &fault) == 0 && rest.n == 0);
	} else {
		check(dtls_record_cut(&datagram, &head) && datagram.n == 0);
		plain = (uint8_t *)(uintptr_t)head.body.p + dtls_record_text_offset(run.dtls_rx);
		n = dtls_record_open(run.dtls_rx, &head, plain);
		check(n > 0 && dtls_record_plain_bytes(run.dtls_rx, &head) == ERR_REFUSED); /* not twice */
		check(dtls_channel_parse(span_of(plain, (size_t)n), &p) == 0);
	}
	check(p.type == CSTP_DATA && p.payload.n == from->n);
	check(memcmp(p.payload.p, from->plain, from->n) == 0);
	return (uint8_t *)(uintptr_t)p.payload.p;
}

/* A bit of a copy is wrong: the record is refused, and the right one is taken afterwards. */
static void forge(const struct packet *from, uint8_t where)
{
	static uint8_t copy[PACKET_MAX];
	struct span datagram = span_of(copy, from->n_record);
	struct dtls_record_head head;

	memcpy(copy, from->record, from->n_record);
	copy[DTLS_RECORD_HEAD_BYTES + where % (from->n_record - DTLS_RECORD_HEAD_BYTES)] ^= 1;
	check(dtls_record_cut(&datagram, &head));
	if (dtls_record_plain_bytes(run.dtls_rx, &head) >= 0)
		check(dtls_record_open(run.dtls_rx, &head,
		              copy + DTLS_RECORD_HEAD_BYTES + dtls_record_text_offset(run.dtls_rx)) ==
		        ERR_CRYPTO);
}

static void receive(struct outlet *o, struct packet *from, uint8_t how)
{
	if (!run.is_tls && (how & 1))
		forge(from, how);
	uint8_t *p = open_record(from);
	run.in[run.n_in++] = from;
	if (how & 2) {
		outlet_put(o, span_of(p, from->n), true);
	} else {
		outlet_put(o, span_of(p, from->n), false);
		memset(p, 0x77, from->n); /* copied */
	}
}

/* ---- what the outlet writes ---- */

/* Of two packets of one flow the one that came first leaves first. */
static bool is_one_flow(const struct packet *a, const uint8_t *p, size_t n)
{
	size_t at = ip_bytes(p), at_a = ip_bytes(a->plain);

	return is_ip6(a->plain) == is_ip6(p) && proto_of(a->plain) == proto_of(p) &&
	       memcmp(a->plain + (is_ip6(p) ? 8 : 12), p + (is_ip6(p) ? 8 : 12), is_ip6(p) ? 32 : 8) == 0 &&
	       at + 4 <= n && at_a + 4 <= a->n && memcmp(a->plain + at_a, p + at, 4) == 0;
}

static void plain_leaves(void *ctx, const uint8_t *p, size_t n)
{
	(void)ctx;
	for (size_t i = 0; i < run.n_in; i++) {
		struct packet *in = run.in[i];
		if (in->is_out)
			continue;
		if (in->n == n && memcmp(in->plain, p, n) == 0) {
			in->is_out = true;
			run.n_out++;
			return;
		}
		check(!is_one_flow(in, p, n)); /* overtaken, or changed */
	}
	check(false);
}

static int write_out(void *ctx, const struct iovec *iov, unsigned n_iov)
{
	static uint8_t flat[PACKET_MAX];
	const bool *has_header = ctx;
	struct vnet_hdr h = {0};
	size_t n = 0;

	if (*has_header) {
		check(n_iov >= 2 && iov[0].iov_len == VNET_HDR_BYTES);
		h = vnet_read(iov[0].iov_base);
	}
	for (unsigned i = *has_header; i < n_iov; i++) {
		check(iov[i].iov_len <= sizeof(flat) - n);
		memcpy(flat + n, iov[i].iov_base, iov[i].iov_len);
		n += iov[i].iov_len;
	}
	plain_cut(&h, flat, n, plain_leaves, NULL);
	return 0;
}

static void refused(void *ctx, struct span head, unsigned n_packets)
{
	(void)ctx, (void)head, (void)n_packets;
	abort();
}

/* DTLS: neighbours may change places. */
static void receive_all(uint8_t kinds, uint8_t order)
{
	bool has_header = !(kinds & 8);
	const struct outlet_config c = {.has_vnet_hdr = has_header,
	        .kinds = kinds & 7u,
	        .write = write_out,
	        .refused = refused,
	        .ctx = &has_header};
	struct outlet o;

	check(outlet_open(&o, &c) == 0);
	for (size_t i = 0; i < run.n_packets; i++) {
		size_t k = i;
		if (!run.is_tls && order % 8 > 1 &&
		        i / (order % 8) * (order % 8) + order % 8 <= run.n_packets)
			k = i / (order % 8) * (order % 8) + (order % 8 - 1 - i % (order % 8));
		receive(&o, &packets[k], (uint8_t)(packets[k].plain[packets[k].n - 1] + order));
		if (order & 0x80 && i % 32 == 31)
			outlet_flush(&o);
	}
	outlet_flush(&o);
	outlet_close(&o);
	check(run.n_out == run.n_in && run.n_in == run.n_packets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	run.n_packets = run.n_in = run.n_out = run.n_plain = run.n_wire = 0;
	keys_open(data[0]);
	flows_open();
	for (size_t at = 3; at + INSTRUCTION <= size && run.n_packets < PACKETS_MAX - 32; at += INSTRUCTION)
		make(data + at);
	receive_all(data[1], data[2]);
	keys_close();
	return 0;
}

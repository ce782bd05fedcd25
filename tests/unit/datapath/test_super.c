#include "../unit.h"

#include <stdlib.h>

#include "datapath/super.h"
#include "packets.h"

#define MTU      1400
#define N_RANDOM 300

static uint8_t room[2 * VNET_HDR_BYTES + PACKET_MAX];
static uint8_t *const packet = room + 2 * VNET_HDR_BYTES;

static struct packet_form form(bool is_ip6, bool is_udp)
{
	return (struct packet_form){.is_ip6 = is_ip6,
	        .is_udp = is_udp,
	        .ttl = 64,
	        .flags = 0x10,
	        .port = 40000,
	        .id = 0xfffe,
	        .window = 501,
	        .seq = 0xffffff00,
	        .ack = 7};
}

static struct vnet_hdr vnet_of(const struct packet_form *f, size_t segment)
{
	return (struct vnet_hdr){.flags = VNET_NEEDS_CSUM,
	        .gso_type = f->is_udp   ? VNET_GSO_UDP_L4
	                    : f->is_ip6 ? VNET_GSO_TCPV6
	                                : VNET_GSO_TCPV4,
	        .gso_size = (uint16_t)segment,
	        .csum_start = (uint16_t)(f->is_ip6 ? 40 : 20),
	        .csum_offset = f->is_udp ? 6 : 16};
}

/* The value of the sum is nobody's business. */
static size_t super_make(const struct packet_form *f, size_t n_payload)
{
	size_t n = packet_make(packet, f, n_payload, 3);
	set16(packet + l4_sum_at(packet), 0x1234);
	return n;
}

/* What the kernel hands over: the sum is that of the pseudo header. */
static void kernel_sum_set(size_t n)
{
	uint32_t sum = proto_of(packet) + (uint32_t)(n - ip_bytes(packet));
	set16(packet + l4_sum_at(packet),
	        slow_sum(sum, packet + (is_ip6(packet) ? 8 : 12), is_ip6(packet) ? 32 : 8));
}

struct cut {
	uint8_t bytes[PACKET_MAX + 20000];
	size_t n[300], n_packets, n_bytes;
};

static void cut_all(const struct vnet_hdr *h, uint8_t *p, size_t n, struct cut *ret)
{
	struct split s;
	uint8_t *q;
	size_t m;
	*ret = (struct cut){0};
	assert_int_equal(split_open(&s, h, p, n, 0), 0);
	while (split_next(&s, &q, &m)) {
		assert_true(packet_is_sound(q, m));
		memcpy(ret->bytes + ret->n_bytes, q, m);
		ret->n[ret->n_packets++] = m;
		ret->n_bytes += m;
	}
}

/* What a kernel makes of the device's write. */
static void receive_whole(const struct super *u, struct cut *ret)
{
	static uint8_t flat[PACKET_MAX];
	size_t head = u->form.head_bytes;
	memcpy(flat, u->head, head);
	memcpy(flat + head, u->packet.p + head, u->packet.n - head);
	/* with the rest of the sum added it is right: so the field holds the pseudo header's part */
	size_t at = u->vnet.csum_start;
	static uint8_t done[PACKET_MAX];
	memcpy(done, flat, u->packet.n);
	uint16_t sum = (uint16_t)~slow_sum(0, done + at, u->packet.n - at);
	set16(done + at + u->vnet.csum_offset, sum);
	assert_int_equal(l4_slow_sum(done, u->packet.n), 0xffff);
	cut_all(&u->vnet, flat, u->packet.n, ret);
}

/* The same packets, cut by the sender or by the receiver. */
static void check_same(const struct packet_form *f, size_t segment, size_t n_payload)
{
	static struct cut here, there;
	static uint8_t copy[PACKET_MAX];
	struct vnet_hdr h = vnet_of(f, segment);
	struct split s;
	struct super_form sent;
	struct super u;
	size_t n = super_make(f, n_payload), n_sent;
	kernel_sum_set(n);
	memcpy(copy, packet, n);
	assert_int_equal(split_open(&s, &h, packet, n, 0), 0);
	uint8_t *payload = super_put(&s, MTU, &n_sent, &sent);
	assert_ptr_equal(payload, packet - SUPER_HEADER_BYTES);
	assert_int_equal(n_sent, n + SUPER_HEADER_BYTES);
	set16(packet + l4_sum_at(packet), 0x1234); /* on the way it means nothing */
	assert_int_equal(super_parse(span_of(payload, n_sent), MTU, &u), 0);
	assert_memory_equal(&u.form, &sent, sizeof(sent));
	receive_whole(&u, &there);
	cut_all(&h, copy, n, &here);
	assert_int_equal(here.n_packets, there.n_packets);
	assert_int_equal(here.n_packets, sent.n_packets);
	assert_int_equal(here.n_bytes, sent.total_bytes);
	assert_int_equal(here.n[0], sent.largest_bytes);
	assert_memory_equal(here.n, there.n, sizeof(here.n));
	assert_memory_equal(here.bytes, there.bytes, here.n_bytes);
	/* and what was not sent whole after all is cut as ever */
	kernel_sum_set(n);
	cut_all(&h, packet, n, &there);
	assert_memory_equal(here.bytes, there.bytes, here.n_bytes);
}

TEST(nothing_changes_for_who_receives)
{
	srand(1);
	for (unsigned i = 0; i < N_RANDOM; i++) {
		struct packet_form f = form(i & 1, i & 2);
		f.tos = (uint8_t)rand();
		f.flags = (uint8_t)(0x10 | (rand() & 0x69)); /* FIN, PSH, URG, ECE */
		f.tcp_options = (uint8_t)(rand() % 11 * 4);
		f.seq = (uint32_t)rand() * 3;
		size_t segment = SUPER_SEGMENT_MIN + (size_t)rand() % (MTU - 100 - SUPER_SEGMENT_MIN + 1);
		size_t most = f.is_udp ? SUPER_UDP_PACKETS * segment : 65000;
		most = most > 65000 ? 65000 : most;
		check_same(&f, segment, segment + 1 + (size_t)rand() % (most - segment));
	}
}

TEST(the_limits_are_reached)
{
	struct packet_form f = form(false, false);
	check_same(&f, MTU - 40, SUPER_PACKET_MAX - 40);
	check_same(&f, SUPER_SEGMENT_MIN, SUPER_SEGMENT_MIN + 1);
	check_same(&f, SUPER_SEGMENT_MIN, SUPER_PACKET_MAX - 40);
	f = form(true, true);
	check_same(&f, MTU - 48, 2 * (MTU - 48));
	check_same(&f, SUPER_SEGMENT_MIN, SUPER_UDP_PACKETS * SUPER_SEGMENT_MIN);
}

/* ---- hostile ---- */

static int check(size_t n, size_t segment)
{
	struct super_form f;
	return super_check(span_of(packet, n), segment, MTU, &f);
}

static void refused_with(size_t n, size_t at, uint8_t value)
{
	uint8_t was = packet[at];
	packet[at] = value;
	if (!is_ip6(packet) && ip_bytes(packet) == 20) { /* its own sum shall not be the reason */
		uint8_t sum[2] = {packet[10], packet[11]};
		set16(packet + 10, 0);
		set16(packet + 10, (uint16_t)~slow_sum(0, packet, 20));
		assert_int_equal(check(n, 1000), ERR_MALFORMED);
		memcpy(packet + 10, sum, 2);
	}
	assert_int_equal(check(n, 1000), ERR_MALFORMED);
	packet[at] = was;
	assert_int_equal(check(n, 1000), 0);
}

TEST(sizes_are_judged)
{
	struct packet_form f = form(false, false);
	size_t n = super_make(&f, 5000);
	assert_int_equal(check(n, 1000), 0);
	assert_int_equal(check(n, MTU - 40), 0);
	assert_int_equal(check(n, MTU - 39), ERR_MALFORMED);
	assert_int_equal(check(n, SUPER_SEGMENT_MIN - 1), ERR_MALFORMED);
	assert_int_equal(check(n, 0), ERR_MALFORMED);
	assert_int_equal(check(n, 65535), ERR_MALFORMED);
	n = super_make(&f, 1000); /* one packet is none */
	assert_int_equal(check(n, 1000), ERR_MALFORMED);
	n = super_make(&f, SUPER_PACKET_MAX - 40 + 1);
	assert_int_equal(check(n, 1000), ERR_MALFORMED);
	f = form(true, true);
	n = super_make(&f, SUPER_UDP_PACKETS * SUPER_SEGMENT_MIN + 1);
	assert_int_equal(check(n, SUPER_SEGMENT_MIN), ERR_MALFORMED);
}

TEST(every_truncation_is_refused)
{
	for (unsigned i = 0; i < 4; i++) {
		struct packet_form f = form(i & 1, i & 2);
		struct super u;
		size_t n = super_make(&f, 3000);
		uint8_t *payload = packet - SUPER_HEADER_BYTES;
		set16(payload, 1000);
		for (size_t m = 0; m < n + SUPER_HEADER_BYTES; m++) {
			uint8_t *exact = malloc(m ? m : 1); /* sanitizers see what goes beyond */
			memcpy(exact, payload, m);
			assert_int_equal(super_parse(span_of(exact, m), MTU, &u), ERR_MALFORMED);
			free(exact);
		}
		assert_int_equal(super_parse(span_of(payload, n + SUPER_HEADER_BYTES), MTU, &u), 0);
		assert_int_equal(
		        super_parse(span_of(payload, n + SUPER_HEADER_BYTES + 1), MTU, &u), ERR_MALFORMED);
	}
}

TEST(headers_are_judged)
{
	struct packet_form f = form(false, false);
	size_t n = super_make(&f, 3000);
	refused_with(n, 0, 0x46); /* options */
	refused_with(n, 0, 0x44);
	refused_with(n, 0, 0x65);
	refused_with(n, 2, packet[2] ^ 1); /* length */
	refused_with(n, 6, 0x20);          /* more fragments */
	refused_with(n, 6, 0x80);
	refused_with(n, 7, 1);     /* a later fragment */
	refused_with(n, 9, 1);     /* ICMP */
	refused_with(n, 9, 17);    /* as UDP its length is wrong */
	refused_with(n, 32, 0x40); /* TCP header too short, too long, reserved bits */
	refused_with(n, 32, 0x51);
	refused_with(n, 33, 0x12); /* SYN, RST, CWR, no ACK */
	refused_with(n, 33, 0x14);
	refused_with(n, 33, 0x90);
	refused_with(n, 33, 0x08);
	packet[10] ^= 1; /* the sum of the header */
	assert_int_equal(check(n, 1000), ERR_MALFORMED);
	n = super_make(&f, 1010);
	packet[32] = 0xf0; /* 40 bytes of options: less payload than a segment */
	assert_int_equal(check(n, 1000), ERR_MALFORMED);
	f = form(true, false);
	n = super_make(&f, 3000);
	refused_with(n, 0, 0x50);
	refused_with(n, 5, packet[5] ^ 1);
	refused_with(n, 6, 0); /* an extension header */
	refused_with(n, 6, 44);
	f = form(false, true);
	n = super_make(&f, 3000);
	refused_with(n, 24, packet[24] ^ 1); /* its own length */
	refused_with(n, 25, packet[25] ^ 1);
}

/* Any byte may be anything: what is accepted can be cut, into sound packets and as many as was said. */
TEST(garbage_is_refused_or_sound)
{
	static struct cut there;
	unsigned n_taken = 0;
	srand(2);
	for (unsigned i = 0; i < 20000; i++) {
		struct packet_form f = form(i & 1, i & 2);
		struct super u;
		size_t n = super_make(&f, 600 + (size_t)rand() % 1500);
		set16(packet - 2, SUPER_SEGMENT_MIN + (size_t)rand() % 300);
		packet[rand() % 62 - 2] ^= (uint8_t)(1 << rand() % 8);
		if (super_parse(span_of(packet - 2, n + 2), MTU, &u) < 0)
			continue;
		n_taken++;
		receive_whole(&u, &there);
		assert_int_equal(there.n_packets, u.form.n_packets);
		assert_int_equal(there.n_bytes, u.form.total_bytes);
	}
	assert_true(n_taken > 1000 && n_taken < 19000);
}

TEST(what_does_not_fit_goes_the_old_way)
{
	struct packet_form f = form(false, true);
	struct vnet_hdr h = vnet_of(&f, 1000);
	struct super_form sent;
	struct split s;
	size_t n = super_make(&f, 3000), n_sent, m;
	uint8_t *p;
	h.flags = 0;
	set16(packet + 26, 0); /* UDP without a sum must stay without */
	assert_int_equal(split_open(&s, &h, packet, n, 0), 0);
	assert_null(super_put(&s, MTU, &n_sent, &sent));
	f = form(false, false);
	h = vnet_of(&f, 1000);
	n = super_make(&f, 3000);
	assert_int_equal(split_open(&s, &h, packet, n, 0), 0);
	assert_null(super_put(&s, 1039, &n_sent, &sent)); /* MTU */
	assert_non_null(super_put(&s, 1040, &n_sent, &sent));
	assert_true(split_next(&s, &p, &m));
	assert_null(super_put(&s, MTU, &n_sent, &sent)); /* begun */
	h = (struct vnet_hdr){0};
	assert_int_equal(split_open(&s, &h, packet, n, 0), 0); /* one packet */
	assert_null(super_put(&s, MTU, &n_sent, &sent));
	h = vnet_of(&f, 1000);
	n = super_make(&f, 900);
	assert_int_equal(split_open(&s, &h, packet, n, 0), 0);
	assert_null(super_put(&s, MTU, &n_sent, &sent));
}

TEST(a_slow_path_gets_single_packets)
{
	struct super_pace p = {0};
	assert_true(super_pace_is_due(&p, 5));
	super_pace_note(&p, 0, 5); /* not known */
	assert_false(p.is_fast);
	assert_false(super_pace_is_due(&p, 5 + SUPER_PACE_LOOK_MS - 1));
	assert_true(super_pace_is_due(&p, 5 + SUPER_PACE_LOOK_MS));
	super_pace_note(&p, SUPER_PACE_BYTES_PER_S - 1, 500);
	assert_false(p.is_fast);
	for (unsigned i = 1; i <= SUPER_PACE_LOOKS + 1; i++) {
		super_pace_note(&p, SUPER_PACE_BYTES_PER_S, 700 + i);
		assert_int_equal(p.is_fast, i >= SUPER_PACE_LOOKS);
	}
	super_pace_note(&p, 1000, 900);
	assert_false(p.is_fast);
	super_pace_note(&p, SUPER_PACE_BYTES_PER_S, 1100); /* one is not enough again */
	assert_false(p.is_fast);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(nothing_changes_for_who_receives),
	        cmocka_unit_test(the_limits_are_reached),
	        cmocka_unit_test(sizes_are_judged),
	        cmocka_unit_test(every_truncation_is_refused),
	        cmocka_unit_test(headers_are_judged),
	        cmocka_unit_test(garbage_is_refused_or_sound),
	        cmocka_unit_test(what_does_not_fit_goes_the_old_way),
	        cmocka_unit_test(a_slow_path_gets_single_packets),
	};
	return RUN(tests);
}

#include "../unit.h"

#include <stdlib.h>

#include "base/util.h"
#include "datapath/split.h"
#include "packets.h"

#define ROOM 64 /* in front of the packet, for framing */

static uint8_t memory[ROOM + PACKET_MAX], original[PACKET_MAX];

/* A super-packet as the kernel hands it over: one header, one sum that is only the pseudo header's. */
static struct vnet_hdr super_make(const struct packet_form *f, size_t payload, uint16_t size, size_t *ret_n)
{
	uint8_t *p = memory + ROOM;
	size_t n = packet_make(p, f, payload, 7), at = ip_bytes(p);
	uint32_t pseudo = (f->is_udp ? 17u : 6u) + (uint32_t)(n - at);

	memset(memory, 0xaa, ROOM);
	set16(p + l4_sum_at(p), slow_sum(pseudo, f->is_ip6 ? p + 8 : p + 12, f->is_ip6 ? 32 : 8));
	memcpy(original, p, n);
	*ret_n = n;
	return (struct vnet_hdr){.flags = VNET_NEEDS_CSUM,
	        .gso_type = f->is_udp   ? VNET_GSO_UDP_L4
	                    : f->is_ip6 ? VNET_GSO_TCPV6
	                                : VNET_GSO_TCPV4,
	        .hdr_len = (uint16_t)(n - payload),
	        .gso_size = size,
	        .csum_start = (uint16_t)at,
	        .csum_offset = f->is_udp ? 6 : 16};
}

static void check_segment(
        const struct packet_form *f, const uint8_t *p, size_t n, size_t at, bool is_first, bool is_last)
{
	size_t ip = ip_bytes(p), head = ip + (f->is_udp ? 8 : 20u + f->tcp_options);

	assert_true(packet_is_sound(p, n));
	assert_memory_equal(p + head, original + head + at, n - head);
	if (f->is_udp)
		return;
	assert_int_equal(at32(p + ip + 4), (uint32_t)(f->seq + at));
	uint8_t flags = f->flags;
	flags &= (uint8_t) ~(is_first ? 0 : 0x80);
	flags &= (uint8_t) ~(is_last ? 0 : 0x09);
	assert_int_equal(p[ip + 13], flags);
	/* acknowledgement, window, options: as they were */
	assert_memory_equal(p + ip + 8, original + ip + 8, 5);
	assert_memory_equal(p + ip + 14, original + ip + 14, 2);
	assert_memory_equal(p + ip + 18, original + ip + 18, head - ip - 18);
}

static void split_case(const struct packet_form *f, size_t payload, uint16_t size, size_t max_bytes)
{
	size_t n, got, at = 0, head;
	struct vnet_hdr h = super_make(f, payload, size, &n);
	struct split s;
	uint8_t *p;
	unsigned i = 0;

	head = n - payload;
	assert_int_equal(split_open(&s, &h, memory + ROOM, n, max_bytes), 0);
	size_t want_size = !f->is_udp && max_bytes && size > max_bytes - head ? max_bytes - head : size;
	unsigned count = split_count(&s);
	assert_int_equal(count, payload ? (payload + want_size - 1) / want_size : 1);
	size_t largest = split_packet_bytes(&s);
	assert_int_equal(largest, head + (payload < want_size ? payload : want_size));
	while (split_next(&s, &p, &got)) {
		assert_true(got <= largest);
		assert_true(p >= memory + ROOM && p + got <= memory + ROOM + n);
		assert_true(got - head == want_size || at + got - head == payload);
		check_segment(f, p, got, at, i == 0, at + got - head == payload);
		if (!f->is_ip6)
			assert_int_equal(at16(p + 4), (f->id + i) & 0xffff);
		at += got - head;
		/* the user of the segment writes all over it and in front of it */
		memset(p - 10, 0x55, got + 10);
		i++;
	}
	assert_int_equal(i, count);
	assert_int_equal(at, payload);
	assert_int_equal(memory[ROOM - 11], 0xaa);
	assert_false(split_next(&s, &p, &got));
}

TEST(super_packets_of_every_form)
{
	static const size_t payloads[] = {0, 1, 99, 100, 101, 1400, 20000, 62000};
	static const uint16_t sizes[] = {1, 100, 536, 1382, 60000};

	for (int v = 0; v < 16; v++) {
		struct packet_form f = {.is_ip6 = v & 1,
		        .is_udp = v & 2,
		        .has_ip_options = (v & 4) && !(v & 1),
		        .tcp_options = v & 8 ? 12 : 0,
		        .tos = 3,
		        .ttl = 64,
		        .flags = v & 4 ? 0x99 : 0x10, /* CWR, ACK, PSH, FIN */
		        .id = 65530,
		        .port = 40000,
		        .window = 500,
		        .seq = 0xfffffff0,
		        .ack = 77};
		for (size_t i = 0; i < N_ELEM(payloads); i++) {
			for (size_t k = payloads[i] > 2000; k < N_ELEM(sizes); k++) {
				split_case(&f, payloads[i], sizes[k], 0);
				split_case(&f, payloads[i], sizes[k], 1300);
			}
		}
	}
}

/* With a source route (RFC 791) or a routing header (RFC 8200 8.1) the sum counts the last destination, which
 * is not the one in the header: only the sender knows it, by the sum that came with the super-packet. */
TEST(the_pseudo_header_is_the_senders)
{
	for (int v = 0; v < 4; v++) {
		struct packet_form f = {.is_ip6 = v & 1,
		        .is_udp = v & 2,
		        .has_ip_options = !(v & 1),
		        .ttl = 64,
		        .flags = 0x18,
		        .port = 5};
		uint8_t *p, *last = memory + ROOM + (f.is_ip6 ? 39 : 19), copy[2000];
		struct split s;
		size_t n, got;
		struct vnet_hdr h = super_make(&f, 3000, 1000, &n);
		size_t at = ip_bytes(memory + ROOM);

		*last = 77;
		set16(memory + ROOM + l4_sum_at(memory + ROOM),
		        slow_sum((f.is_udp ? 17u : 6u) + (uint32_t)(n - at),
		                memory + ROOM + (f.is_ip6 ? 8 : 12), f.is_ip6 ? 32 : 8));
		*last = 2;
		assert_int_equal(split_open(&s, &h, memory + ROOM, n, 0), 0);
		while (split_next(&s, &p, &got)) {
			assert_int_equal(p[f.is_ip6 ? 39 : 19], 2);
			memcpy(copy, p, got);
			copy[f.is_ip6 ? 39 : 19] = 77;
			assert_int_equal(l4_slow_sum(copy, got), 0xffff);
		}
	}
}

TEST(udp_without_a_checksum_stays_without)
{
	struct packet_form f = {.is_udp = true, .ttl = 9, .port = 5};
	struct split s;
	uint8_t *p;
	size_t n, got;

	struct vnet_hdr h = super_make(&f, 3000, 1000, &n);
	h.flags = 0;
	set16(memory + ROOM + 26, 0);
	assert_int_equal(split_open(&s, &h, memory + ROOM, n, 0), 0);
	while (split_next(&s, &p, &got)) {
		assert_int_equal(at16(p + 26), 0);
		assert_true(packet_is_sound(p, got));
	}
}

TEST(single_packets_get_their_sum_completed)
{
	for (int v = 0; v < 4; v++) {
		struct packet_form f = {
		        .is_ip6 = v & 1, .is_udp = v & 2, .ttl = 1, .flags = 0x18, .id = 5, .port = 8};
		for (size_t payload = 0; payload < 1500; payload += 137) {
			struct split s;
			size_t n, got;
			uint8_t *p;
			struct vnet_hdr h = super_make(&f, payload, 0, &n);
			h.gso_type = VNET_GSO_NONE;
			assert_int_equal(
			        split_open(&s, &h, memory + ROOM, n, 576), 0); /* no limit for these */
			assert_int_equal(split_count(&s), 1);
			assert_true(split_next(&s, &p, &got));
			assert_ptr_equal(p, memory + ROOM);
			assert_int_equal(got, n);
			assert_true(packet_is_sound(p, n));
			assert_false(split_next(&s, &p, &got));
		}
	}
}

TEST(what_needs_nothing_is_not_touched)
{
	struct vnet_hdr h = {0};
	struct split s;
	uint8_t *p;
	size_t n;

	for (size_t i = 0; i < 100; i++)
		memory[ROOM + i] = original[i] = (uint8_t)(i * 3);
	assert_int_equal(split_open(&s, &h, memory + ROOM, 100, 0), 0);
	assert_true(split_next(&s, &p, &n));
	assert_int_equal(n, 100);
	assert_memory_equal(p, original, 100);
	assert_false(split_next(&s, &p, &n));
}

TEST(headers_that_do_not_fit_are_refused)
{
	struct packet_form tcp = {.ttl = 64, .flags = 0x10, .port = 9};
	struct split s;
	uint8_t *p = memory + ROOM;
	size_t n, got;

	struct vnet_hdr good = super_make(&tcp, 5000, 1000, &n), h;
#define REFUSED(change, want)                                                                                \
	do {                                                                                                 \
		h = good;                                                                                    \
		memcpy(p, original, n);                                                                      \
		change;                                                                                      \
		assert_int_equal(split_open(&s, &h, p, n, 0), want);                                         \
		assert_int_equal(split_count(&s), 0);                                                        \
		assert_false(split_next(&s, &(uint8_t *){NULL}, &got));                                      \
	} while (0)
	REFUSED(h.gso_size = 0, ERR_MALFORMED);
	REFUSED(h.gso_type = VNET_GSO_TCPV6, ERR_MALFORMED);
	REFUSED(h.gso_type = VNET_GSO_UDP_L4, ERR_MALFORMED);
	REFUSED(h.gso_type = 77, ERR_MALFORMED);
	REFUSED(h.gso_type = VNET_GSO_UFO, ERR_UNSUPPORTED);
	REFUSED(p[32] = 0xf0, (p[32] = 0x40, ERR_MALFORMED)); /* TCP header shorter than a TCP header */
	REFUSED(p[6] = 0x20, ERR_MALFORMED);                  /* more fragments */
	REFUSED(p[0] = 0x44, ERR_MALFORMED);
	REFUSED(p[0] = 0, ERR_MALFORMED);
	REFUSED(set16(p + 2, 6000), ERR_MALFORMED);
	REFUSED(set16(p + 2, 30), ERR_MALFORMED);
	REFUSED((h.gso_type = 0, h.csum_start = (uint16_t)n), ERR_MALFORMED);
	REFUSED((h.gso_type = 0, h.csum_offset = (uint16_t)(n - 21)), ERR_MALFORMED);
	memcpy(p, original, n);
	assert_int_equal(split_open(&s, &good, p, n, 40), ERR_UNSUPPORTED);
	assert_int_equal(split_open(&s, &good, p, 0, 0), ERR_MALFORMED);
	assert_int_equal(split_open(&s, &good, p, n, 41), 0);
	assert_int_equal(split_count(&s), 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(super_packets_of_every_form),
	        cmocka_unit_test(the_pseudo_header_is_the_senders),
	        cmocka_unit_test(udp_without_a_checksum_stays_without),
	        cmocka_unit_test(single_packets_get_their_sum_completed),
	        cmocka_unit_test(what_needs_nothing_is_not_touched),
	        cmocka_unit_test(headers_that_do_not_fit_are_refused),
	};
	return RUN(tests);
}

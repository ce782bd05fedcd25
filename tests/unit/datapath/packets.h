/* Packets made and judged by the letter of the RFCs, without the code under test: sums are taken byte by
 * byte. For the unit tests and the fuzz targets. */
#ifndef PACKETS_H
#define PACKETS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PACKET_MAX 65600

/* RFC 1071, the slow way. */
static inline uint16_t slow_sum(uint32_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
		sum = (sum & 0xffff) + (sum >> 16);
	}
	return (uint16_t)sum;
}

static inline void set16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline size_t at16(const uint8_t *p)
{
	return (size_t)p[0] << 8 | p[1];
}

static inline uint32_t at32(const uint8_t *p)
{
	return (uint32_t)at16(p) << 16 | (uint32_t)at16(p + 2);
}

static inline bool is_ip6(const uint8_t *p)
{
	return p[0] >> 4 == 6;
}

static inline size_t ip_bytes(const uint8_t *p)
{
	return is_ip6(p) ? 40 : (size_t)(p[0] & 15) * 4;
}

static inline uint8_t proto_of(const uint8_t *p)
{
	return is_ip6(p) ? p[6] : p[9];
}

/* Of TCP or UDP with its pseudo header; 0xffff: right (or the data for the complement). */
static inline uint16_t l4_slow_sum(const uint8_t *p, size_t n)
{
	size_t at = ip_bytes(p);
	uint32_t sum = proto_of(p) + (uint32_t)(n - at);

	sum = slow_sum(sum, is_ip6(p) ? p + 8 : p + 12, is_ip6(p) ? 32 : 8);
	return slow_sum(sum, p + at, n - at);
}

struct packet_form {
	bool is_ip6, is_udp, has_ip_options;
	uint8_t tos, ttl, flags; /* TCP */
	uint16_t id, port, window;
	uint32_t seq, ack;
	uint8_t tcp_options; /* bytes, a multiple of four */
};

static inline size_t l4_sum_at(const uint8_t *p)
{
	return ip_bytes(p) + (proto_of(p) == 6 ? 16 : 6);
}

/* Nothing when a change left no room for them. */
static inline void sums_set(uint8_t *p, size_t n)
{
	if (ip_bytes(p) < 20 || l4_sum_at(p) + 2 > n)
		return;
	if (!is_ip6(p)) {
		set16(p + 10, 0);
		set16(p + 10, (uint16_t)~slow_sum(0, p, ip_bytes(p)));
	}
	set16(p + l4_sum_at(p), 0);
	uint16_t sum = (uint16_t)~l4_slow_sum(p, n);
	set16(p + l4_sum_at(p), sum || proto_of(p) == 6 ? sum : 0xffff);
}

/* A whole packet with n bytes of payload that depend on `seed`; its length. */
static inline size_t packet_make(uint8_t *p, const struct packet_form *f, size_t n, uint8_t seed)
{
	size_t ip = f->is_ip6           ? 40
	            : f->has_ip_options ? 24
	                                : 20,
	       l4 = f->is_udp ? 8 : 20 + (size_t)f->tcp_options;
	size_t total = ip + l4 + n;

	memset(p, 0, ip + l4);
	if (f->is_ip6) {
		p[0] = 0x60;
		p[1] = (uint8_t)(f->tos << 4);
		set16(p + 4, total - 40);
		p[6] = f->is_udp ? 17 : 6;
		p[7] = f->ttl;
		p[8] = 0xfd, p[23] = 1, p[24] = 0xfd, p[39] = 2;
	} else {
		p[0] = (uint8_t)(0x40 | ip / 4);
		p[1] = f->tos;
		set16(p + 2, total);
		set16(p + 4, f->id);
		p[6] = 0x40; /* DF */
		p[8] = f->ttl;
		p[9] = f->is_udp ? 17 : 6;
		p[12] = 10, p[15] = 1, p[16] = 10, p[19] = 2;
		if (f->has_ip_options)
			memset(p + 20, 1, 4);
	}
	uint8_t *t = p + ip;
	set16(t, f->port);
	set16(t + 2, 5201);
	if (f->is_udp) {
		set16(t + 4, 8 + n);
	} else {
		set16(t + 4, f->seq >> 16), set16(t + 6, f->seq & 0xffff);
		set16(t + 8, f->ack >> 16), set16(t + 10, f->ack & 0xffff);
		t[12] = (uint8_t)(l4 / 4 << 4);
		t[13] = f->flags;
		set16(t + 14, f->window);
		memset(t + 20, 1, f->tcp_options);
	}
	for (size_t i = 0; i < n; i++)
		p[ip + l4 + i] = (uint8_t)(i * 31 + seed);
	sums_set(p, total);
	return total;
}

/* Lengths and sums of a single packet are right. */
static inline bool packet_is_sound(const uint8_t *p, size_t n)
{
	if (n < 28)
		return false;
	bool has_udp_sum = proto_of(p) != 17 || at16(p + ip_bytes(p) + 6) != 0;
	if (is_ip6(p) ? at16(p + 4) + 40 != n : at16(p + 2) != n || slow_sum(0, p, ip_bytes(p)) != 0xffff)
		return false;
	if (proto_of(p) == 17 && at16(p + ip_bytes(p) + 4) != n - ip_bytes(p))
		return false;
	return !has_udp_sum || l4_slow_sum(p, n) == 0xffff;
}

#endif

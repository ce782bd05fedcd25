/* What was given to coalesce against what comes out when each super-packet is cut again: per flow the
 * same packets in the same order, byte for byte. For the unit tests and the fuzz target. */
#ifndef REPLAY_CHECK_H
#define REPLAY_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#include "base/util.h"
#include "datapath/coalesce.h"
#include "datapath/split.h"
#include "packets.h"

#define CHECK_PACKETS_MAX 512

struct check_packet {
	const uint8_t *p;
	size_t n;
	bool is_out;
};

struct replay_check {
	struct check_packet in[CHECK_PACKETS_MAX];
	size_t n_in, n_out;
	size_t n_writes, n_supers, n_largest; /* packets of the largest super-packet */
};

static inline void check_fail(const char *what)
{
	fprintf(stderr, "coalesce: %s\n", what);
	abort();
}

/* Addresses, protocol and ports; packets that are too short for these have no flow. */
static inline bool is_same_flow(const struct check_packet *a, const uint8_t *p, size_t n)
{
	if (a->n < 44 || n < 44 || is_ip6(a->p) != is_ip6(p) || proto_of(a->p) != proto_of(p))
		return false;
	if (!(is_ip6(p) ? memcmp(a->p + 8, p + 8, 32) == 0 : memcmp(a->p + 12, p + 12, 8) == 0))
		return false;
	size_t at = ip_bytes(p), at_a = ip_bytes(a->p);
	return at + 4 <= n && at_a + 4 <= a->n && memcmp(a->p + at_a, p + at, 4) == 0;
}

static inline void check_out(struct replay_check *c, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < c->n_in; i++) {
		struct check_packet *in = &c->in[i];
		if (in->is_out)
			continue;
		if (in->n == n && memcmp(in->p, p, n) == 0) {
			in->is_out = true;
			c->n_out++;
			return;
		}
		/* an earlier packet of the same flow still waits */
		if (is_same_flow(in, p, n))
			check_fail("a packet overtook one of its own flow, or was changed");
	}
	check_fail("a packet came out that did not go in");
}

static inline void check_emit(void *ctx, const struct iovec *iov, unsigned n_iov)
{
	static uint8_t flat[2 * PACKET_MAX];
	struct replay_check *c = ctx;
	struct split s;
	uint8_t *p;
	size_t n = 0, got;

	for (unsigned i = 1; i < n_iov; i++) {
		if (n + iov[i].iov_len > PACKET_MAX)
			check_fail("larger than a packet can be");
		memcpy(flat + n, iov[i].iov_base, iov[i].iov_len);
		n += iov[i].iov_len;
	}
	if (n_iov < 2 || iov[0].iov_len != VNET_HDR_BYTES)
		check_fail("no vnet header");
	struct vnet_hdr h = vnet_read(iov[0].iov_base);
	c->n_writes++;
	if (h.gso_type == VNET_GSO_NONE) { /* as it is, whatever it is */
		if (h.flags != 0)
			check_fail("flags on a single packet");
		check_out(c, flat, n);
		return;
	}
	c->n_supers++;
	if (split_open(&s, &h, flat, n, 0) < 0 || n > COALESCE_BYTES_MAX)
		check_fail("a super-packet that the kernel would refuse");
	if (split_count(&s) > c->n_largest)
		c->n_largest = split_count(&s);
	while (split_next(&s, &p, &got)) {
		if (!packet_is_sound(p, got))
			check_fail("an unsound packet was joined");
		check_out(c, p, got);
	}
}

static inline void check_add(struct replay_check *c, struct coalesce *co, const uint8_t *p, size_t n)
{
	if (c->n_in == N_ELEM(c->in))
		check_fail("too many packets for the test");
	c->in[c->n_in++] = (struct check_packet){.p = p, .n = n};
	coalesce_add(co, p, n);
}

static inline void check_end(struct replay_check *c, struct coalesce *co)
{
	coalesce_flush(co);
	if (c->n_out != c->n_in)
		check_fail("packets are missing");
}

#endif

/* The plain path, for comparison: a super-packet cut into packets with copies, one field after the other by
 * the letter of RFC 791, 8200, 9293 and 768, without the code under test. */
#ifndef PLAIN_CUT_H
#define PLAIN_CUT_H

#include "datapath/vnet.h"
#include "packets.h"

/* Lengths, numbers and sums of one packet cut from `super`; i: which one, at: payload bytes before it. */
static inline void plain_finish(
        uint8_t *p, size_t n, const uint8_t *super, unsigned i, size_t at, bool is_last, bool has_sum)
{
	uint8_t *l4 = p + ip_bytes(super);

	if (is_ip6(p)) {
		set16(p + 4, n - 40);
	} else {
		set16(p + 2, n);
		set16(p + 4, at16(super + 4) + i);
	}
	if (proto_of(p) == 17) {
		set16(l4 + 4, n - ip_bytes(p));
	} else {
		uint32_t seq = at32(super + ip_bytes(super) + 4) + (uint32_t)at;
		set16(l4 + 4, seq >> 16);
		set16(l4 + 6, seq & 0xffff);
		if (i > 0)
			l4[13] &= 0x7f; /* CWR */
		if (!is_last)
			l4[13] &= 0xf6; /* FIN, PSH */
	}
	sums_set(p, n);
	if (!has_sum)
		set16(p + l4_sum_at(p), 0);
}

typedef void plain_take(void *ctx, const uint8_t *p, size_t n);

/* One packet, or those of a super-packet, whole; n bytes behind the vnet header. */
static inline void plain_cut(
        const struct vnet_hdr *h, const uint8_t *super, size_t n, plain_take *take, void *ctx)
{
	static uint8_t p[PACKET_MAX];
	size_t l4 = ip_bytes(super), head, at = 0;
	bool has_sum = (h->flags & VNET_NEEDS_CSUM) || proto_of(super) == 6 || at16(super + l4_sum_at(super));

	if (h->gso_type == VNET_GSO_NONE) {
		memcpy(p, super, n);
		if (h->flags & VNET_NEEDS_CSUM)
			sums_set(p, n);
		/* the kernel completes any protocol's sum with this form of zero (skb_checksum_help) */
		if ((h->flags & VNET_NEEDS_CSUM) && at16(p + l4_sum_at(p)) == 0)
			set16(p + l4_sum_at(p), 0xffff);
		take(ctx, p, n);
		return;
	}
	head = l4 + (proto_of(super) == 17 ? 8 : (size_t)(super[l4 + 12] >> 4) * 4);
	for (unsigned i = 0; i == 0 || at < n - head; i++) {
		size_t size = n - head - at < h->gso_size ? n - head - at : h->gso_size;
		memcpy(p, super, head);
		memcpy(p + head, super + head + at, size);
		plain_finish(p, head + size, super, i, at, at + size == n - head, has_sum);
		take(ctx, p, head + size);
		at += size;
	}
}

#endif

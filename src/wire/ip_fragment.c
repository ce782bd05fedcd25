#include "wire/ip_fragment.h"

#include <errno.h>

#include "base/rd.h"
#include "base/wr.h"
#include "wire/ip.h"

#define DATAGRAM_MAX_BYTES 65535
#define UNIT_BYTES         8 /* what offsets count in */

#define FLAG_DF     0x4000
#define FLAG_MF     0x2000
#define OFFSET_MASK 0x1fff

/* Where things are in the header. */
#define AT_TOTAL    2
#define AT_ID       4
#define AT_FRAGMENT 6
#define AT_CHECKSUM 10

#define OPTION_END    0
#define OPTION_NOP    1
#define OPTION_COPIED 0x80 /* the option belongs into every fragment */

enum ip_fit ip_fit(struct span packet, uint16_t mtu, bool ignores_df)
{
	struct ip_packet p;
	struct ip_fragmenter f;
	if (packet.n <= mtu)
		return IP_FITS;
	if (ip_parse(packet, &p) < 0)
		return IP_BROKEN;
	if (p.total_bytes <= mtu)
		return IP_FITS;
	if (p.family != 4 || (p.has_df && !ignores_df))
		return IP_TOO_BIG;
	switch (ip_fragment_init(&f, packet, mtu, 0)) {
	case 0:
		return IP_FRAGMENT;
	case ERR_UNSUPPORTED:
		return IP_TOO_BIG;
	default:
		return IP_BROKEN;
	}
}

/* The options that every fragment carries, filled up to whole words. Bytes; ERR_MALFORMED. */
static int copied_options(struct span options, uint8_t ret[static IP4_HEADER_MAX_BYTES - IP4_HEADER_BYTES])
{
	struct rd r = rd_open(options);
	struct wr w = wr_open(ret, IP4_HEADER_MAX_BYTES - IP4_HEADER_BYTES);
	while (r.rest.n > 0) {
		struct span whole = r.rest;
		uint8_t kind = rd_u8(&r);
		if (kind == OPTION_END)
			break;
		if (kind == OPTION_NOP)
			continue;
		uint8_t length = rd_u8(&r);
		rd_span(&r, length >= 2 ? length - 2u : SIZE_MAX);
		if (!rd_ok(&r))
			return ERR_MALFORMED;
		if (kind & OPTION_COPIED)
			wr_put(&w, span_of(whole.p, length));
	}
	while (wr_ok(&w) && wr_span(&w).n % 4 != 0)
		wr_u8(&w, OPTION_END);
	return wr_done(&w);
}

/* The headers of the first and of the later pieces, but for length, offset and checksum. */
static int headers_make(struct ip_fragmenter *f, struct span header, uint16_t id)
{
	uint8_t *first = f->header[0], *later = f->header[1];
	memcpy(first, header.p, header.n);
	be16_put(first + AT_ID, id);
	memcpy(later, first, IP4_HEADER_BYTES);
	int n = copied_options(span_skip(header, IP4_HEADER_BYTES), later + IP4_HEADER_BYTES);
	if (n < 0)
		return n;
	f->header_bytes[0] = (uint8_t)header.n;
	f->header_bytes[1] = (uint8_t)(IP4_HEADER_BYTES + n);
	later[0] = (uint8_t)(0x40 | f->header_bytes[1] / 4);
	return 0;
}

int ip_fragment_init(struct ip_fragmenter *f, struct span packet, uint16_t mtu, uint16_t id)
{
	struct ip_packet p;
	if (ip_parse(packet, &p) < 0)
		return ERR_MALFORMED;
	if (p.family != 4 || mtu < p.header_bytes + UNIT_BYTES)
		return ERR_UNSUPPORTED;
	unsigned fragment = be16_get(packet.p + AT_FRAGMENT);
	uint16_t offset = (uint16_t)(fragment & OFFSET_MASK);
	if ((size_t)offset * UNIT_BYTES + p.payload.n > DATAGRAM_MAX_BYTES)
		return ERR_MALFORMED;
	*f = (struct ip_fragmenter){
	        .payload = p.payload,
	        .mtu = mtu,
	        .offset = offset,
	        .has_more = fragment & FLAG_MF,
	};
	bool wants_id = p.has_df && !p.is_fragment;
	return headers_make(f, span_of(packet.p, p.header_bytes), wants_id ? id : be16_get(packet.p + AT_ID));
}

/* Length, offset and checksum of a piece with n bytes of payload. */
static void header_finish(
        const struct ip_fragmenter *f, uint8_t *h, size_t header_bytes, size_t n, bool is_last)
{
	unsigned reserved = be16_get(h + AT_FRAGMENT) & ~(unsigned)(FLAG_DF | FLAG_MF | OFFSET_MASK);
	be16_put(h + AT_TOTAL, (uint16_t)(header_bytes + n));
	be16_put(h + AT_FRAGMENT, (uint16_t)(reserved | (is_last && !f->has_more ? 0 : FLAG_MF) | f->offset));
	be16_put(h + AT_CHECKSUM, 0);
	be16_put(h + AT_CHECKSUM, ip_fold(ip_sum(0, span_of(h, header_bytes))));
}

int ip_fragment_next(struct ip_fragmenter *f, uint8_t *ret, size_t cap)
{
	const uint8_t *header = f->header[f->is_later];
	size_t header_bytes = f->header_bytes[f->is_later];
	size_t room = f->mtu - header_bytes, n = f->payload.n;
	if (n == 0 && f->is_later)
		return 0;
	bool is_last = n <= room;
	if (!is_last)
		n = room / UNIT_BYTES * UNIT_BYTES;
	if (cap < header_bytes + n)
		return -ENOBUFS;
	memcpy(ret, header, header_bytes);
	if (n > 0)
		memcpy(ret + header_bytes, f->payload.p, n);
	header_finish(f, ret, header_bytes, n, is_last);
	f->payload = span_skip(f->payload, n);
	f->offset = (uint16_t)(f->offset + n / UNIT_BYTES);
	f->is_later = true;
	return (int)(header_bytes + n);
}

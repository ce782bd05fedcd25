/* Cutting packets: two bytes of MTU, then the packet. The pieces must be good packets within the MTU that
 * come together to the original. */
#include <errno.h>
#include <stdlib.h>

#include "wire/ip.h"
#include "wire/ip_fragment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_piece(const struct ip_packet *in, const uint8_t *piece, size_t n, size_t at)
{
	struct ip_packet p;
	if (ip_parse(span_of(piece, n), &p) < 0 || p.total_bytes != n || p.has_df || p.proto != in->proto)
		abort();
	if (ip_fold(ip_sum(0, span_of(piece, p.header_bytes))) != 0)
		abort();
	if (at + p.payload.n > in->payload.n || memcmp(in->payload.p + at, p.payload.p, p.payload.n) != 0)
		abort();
	if (at + p.payload.n < in->payload.n && (p.payload.n == 0 || p.payload.n % 8 != 0))
		abort();
}

static void check_pieces(struct span packet, const struct ip_packet *in, uint16_t mtu)
{
	struct ip_fragmenter f;
	size_t at = 0;
	int n;
	if (ip_fragment_init(&f, packet, mtu, 1) < 0)
		abort();
	uint8_t *piece = malloc(mtu);
	unsigned first = (unsigned)(packet.p[6] << 8 | packet.p[7]) & 0x1fff;
	while ((n = ip_fragment_next(&f, piece, mtu)) > 0) {
		if (((unsigned)(piece[6] << 8 | piece[7]) & 0x1fff) * 8 != first * 8 + at)
			abort();
		check_piece(in, piece, (size_t)n, at);
		at += (size_t)n - (piece[0] & 15) * 4u;
	}
	if (n != 0 || at != in->payload.n)
		abort();
	free(piece);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ip_packet in;
	if (size < 2)
		return 0;
	uint16_t mtu = (uint16_t)(data[0] << 8 | data[1]);
	uint8_t *copy = malloc(size);
	memcpy(copy, data + 2, size - 2);
	struct span packet = span_of(copy, size - 2);
	bool is_packet = ip_parse(packet, &in) == 0;
	enum ip_fit plain = ip_fit(packet, mtu, false), forced = ip_fit(packet, mtu, true);
	if ((packet.n <= mtu) && (plain != IP_FITS || forced != IP_FITS))
		abort();
	if (plain == IP_FRAGMENT && (forced != IP_FRAGMENT || in.has_df))
		abort();
	if (packet.n > mtu && !is_packet && forced != IP_BROKEN)
		abort();
	if (is_packet && in.family == 6 && (plain != forced || forced == IP_FRAGMENT))
		abort();
	if (forced == IP_FRAGMENT)
		check_pieces(packet, &in, mtu);
	free(copy);
	return 0;
}

/* Inner packets that are larger than the MTU of their tunnel: what becomes of one, and cutting IPv4 packets
 * into fragments (RFC 791 2.3 and 3.1). Pure; nothing in a packet is trusted. */
#ifndef WIRE_IP_FRAGMENT_H
#define WIRE_IP_FRAGMENT_H

#include "base/err.h"
#include "base/span.h"
#include "base/util.h"

#define IP4_HEADER_MAX_BYTES 60

enum ip_fit {
	IP_FITS,     /* may pass as it is */
	IP_FRAGMENT, /* IPv4 that may be cut: ip_fragment_init() will succeed */
	IP_TOO_BIG,  /* must not be cut: the sender has to be told */
	IP_BROKEN,   /* larger, and no packet that could be cut or answered */
};

/* What the router before a link of this MTU does with the packet. ignores_df: cuts IPv4 in spite of its DF
 * bit (`anyconnect ssl df-bit-ignore enable`). IPv6 is never cut on the way (RFC 8200 5). What counts is the
 * length that the packet states; a packet that is not longer than mtu altogether fits, whatever is in it. */
enum ip_fit ip_fit(struct span packet, uint16_t mtu, bool ignores_df);

/* One packet on its way into pieces. Borrows the packet. */
struct ip_fragmenter {
	struct span payload; /* what is not sent yet */
	uint8_t header[2]
	              [IP4_HEADER_MAX_BYTES]; /* of the first piece; of the others, whose options are fewer */
	uint8_t header_bytes[2];
	uint16_t mtu;
	uint16_t offset; /* of the next piece, in units of 8 bytes */
	bool has_more;   /* the packet was not the last fragment of its datagram */
	bool is_later;   /* the first piece is out */
};

/* mtu: bytes. id: the identification for a packet that had DF and was whole: such packets may all have the
 * same one, which would mix their pieces (RFC 6864 4.1). ERR_UNSUPPORTED: not IPv4, or an mtu without room
 * for 8 bytes of payload. ERR_MALFORMED: lengths, options, or an end behind the 65535th byte of the datagram.
 */
MUST_USE int ip_fragment_init(struct ip_fragmenter *f, struct span packet, uint16_t mtu, uint16_t id);
/* Writes the next piece, at most mtu bytes, with DF clear and its checksum. Bytes written; 0 after the last
 * piece; -ENOBUFS: cap is too small (nothing is lost). */
MUST_USE int ip_fragment_next(struct ip_fragmenter *f, uint8_t *ret, size_t cap);

#endif

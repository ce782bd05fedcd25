/* A CSTP packet that goes on in the records behind its first one. Only between own peers, and only packets of
 * one type (CSTP_SUPER, PROTOCOL.md): everywhere else a packet that crosses records is a broken stream.
 *
 *	if (cstp_long_begins(rest, CSTP_SUPER))
 *		cstp_long_begin(&l, memory, rest);
 *	while cstp_long_waits(&l): read the next record to cstp_long_room(), cstp_long_put() it
 *
 * The packet ends where a record ends. Its length is in its header, so the memory is bounded before the first
 * byte is kept. */
#ifndef WIRE_CSTP_LONG_H
#define WIRE_CSTP_LONG_H

#include "wire/cstp.h"

#define CSTP_LONG_PAYLOAD_MAX 65535 /* what the length field can say */
/* Memory for any of them. The last byte is never part of the packet: a record decrypted to its place has its
 * type behind its content (RFC 8446 5.2). */
#define CSTP_LONG_BYTES (CSTP_HEADER_BYTES + CSTP_LONG_PAYLOAD_MAX + 1)

struct cstp_long {
	uint8_t *bytes; /* CSTP_LONG_BYTES of the caller's; NULL: none is under way */
	size_t n, want; /* bytes there, and of the whole packet, header included */
};

/* Is this the first part of a packet of that type, with more to come in the next record? */
bool cstp_long_begins(struct span rest, uint8_t type);
/* Takes that part. memory: CSTP_LONG_BYTES, the caller's again after cstp_long_end(). */
void cstp_long_begin(struct cstp_long *l, uint8_t *memory, struct span rest);

static inline bool cstp_long_waits(const struct cstp_long *l)
{
	return l->bytes != NULL;
}

/* Where the next record's plaintext goes, *ret_n >= 2: one byte more than is missing, so that a record that
 * says too much is seen. */
uint8_t *cstp_long_room(const struct cstp_long *l, size_t *ret_n);
/* The next record, at that place or elsewhere. 0: the packet is whole; ERR_MORE; ERR_MALFORMED: the record
 * goes on behind the packet's end. */
MUST_USE int cstp_long_put(struct cstp_long *l, struct span record);
/* The whole packet, valid until cstp_long_end(). */
struct cstp_packet cstp_long_packet(const struct cstp_long *l);
/* Nothing is under way any more. The memory, NULL: there was none. */
uint8_t *cstp_long_end(struct cstp_long *l);

#endif

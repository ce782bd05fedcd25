/* A packet that is too large for one datagram, cut into several DTLS records, and put together again. Only
 * between own peers that said `pieces` in X-Culvert (PROTOCOL.md). Payload of a DTLS record of type
 * DTLS_PIECE, big-endian:
 *
 *   0        2                 4 ...
 *   id u16   last:1 offset:15  bytes of the packet from offset on
 *
 * id: the same in all pieces of one packet, another in the next. Offsets, and the lengths of all pieces but
 * the last, are multiples of PIECE_UNIT_BYTES. Overlapping bytes: the piece that comes later wins. */
#ifndef WIRE_PIECES_H
#define WIRE_PIECES_H

#include "base/err.h"
#include "base/span.h"
#include "base/util.h"

#define DTLS_PIECE         0x10 /* type byte; no peer uses it (wire-protocol.md 3.2) */
#define PIECE_HEADER_BYTES 4
#define PIECE_UNIT_BYTES   8
#define PIECE_PACKET_MAX   16384 /* bytes of a packet */
#define PIECE_SLOTS        16    /* packets put together at the same time; more: the oldest is given up */
#define PIECE_TIMEOUT_MS   1000

/* Cutting: take pieces until it says false.
 *   struct cutter c = cutter_open(packet, id, max_payload);
 *   while ((n = cutter_next(&c, buf)) > 0) send DTLS_PIECE, buf, n
 * max_payload: bytes of a record's payload, at least PIECE_HEADER_BYTES + PIECE_UNIT_BYTES. */
struct cutter {
	struct span packet;
	uint16_t id, offset, step_bytes;
	bool is_done;
};
struct cutter cutter_open(struct span packet, uint16_t id, size_t max_payload);
/* Writes the next payload into buf (max_payload bytes); its length, 0: no more. */
size_t cutter_next(struct cutter *c, uint8_t *buf);

/* Putting together. Memory: PIECE_SLOTS x max_packet, taken at the first piece, given back by joiner_done().
 */
struct joiner;
struct joiner *joiner_new(size_t max_packet_bytes); /* NULL: no memory; at most PIECE_PACKET_MAX */
void joiner_free(struct joiner *j);

enum joiner_result { JOINER_MORE, JOINER_PACKET, JOINER_DROPPED };
/* One payload. JOINER_PACKET: *ret is the whole packet, valid until the next call. JOINER_DROPPED: malformed,
 * too large, or at odds with its siblings (then they are gone, too). */
enum joiner_result joiner_put(struct joiner *j, struct span payload, ms_t now_ms, struct span *ret);
/* Packets given up so far: timed out or pushed out by newer ones. */
uint64_t joiner_n_lost(const struct joiner *j);

#endif

/* CSTP: the packets inside TLS, and the one-byte-typed packets inside DTLS.
 * Source: reference/wire-protocol.md 3 and 4.1. */
#ifndef WIRE_CSTP_H
#define WIRE_CSTP_H

#include "base/err.h"
#include "base/span.h"
#include "base/util.h"

#define CSTP_HEADER_BYTES  8
#define CSTP_RECORD_MAX    16384                                 /* one TLS record */
#define CSTP_PAYLOAD_MAX   (CSTP_RECORD_MAX - CSTP_HEADER_BYTES) /* 16376 */
#define DTLS_CHANNEL_BYTES 1                                     /* the type byte before each DTLS payload */

enum cstp_type {
	CSTP_DATA = 0x00,
	CSTP_DPD_REQUEST = 0x03,
	CSTP_DPD_RESPONSE = 0x04,
	CSTP_DISCONNECT = 0x05,
	CSTP_KEEPALIVE = 0x07,
	CSTP_COMPRESSED = 0x08,
	CSTP_TERMINATE = 0x09,
	/* own peers that both said `super`, on TLS only: datapath/super.h. No peer uses it (wire-protocol.md
	 * 3.2), and DTLS_PIECE is another number. */
	CSTP_SUPER = 0x11,
};

/* Why a packet was not accepted; each has its own ASA syslog message (722015..722019). */
enum cstp_fault {
	CSTP_FINE = 0,
	CSTP_SHORT,        /* fewer than 8 bytes */
	CSTP_BAD_MAGIC,    /* not "STF" */
	CSTP_BAD_VERSION,  /* byte 3 is not 1 */
	CSTP_BAD_RESERVED, /* byte 7 is not 0 */
	CSTP_BAD_LENGTH,   /* announced length and bytes at hand differ */
};

struct cstp_packet {
	uint8_t type;        /* any value: unknown types are the caller's to judge */
	struct span payload; /* view into the input */
};

/* Takes the first packet off *rest. A record normally holds exactly one; whole packets behind each other are
 * accepted, a packet that crosses a record is not.
 * 0, or ERR_MALFORMED with *ret_fault set (*rest is then unspecified). */
MUST_USE int cstp_take(struct span *rest, struct cstp_packet *ret, enum cstp_fault *ret_fault);

/* Writes the 8 header bytes. payload_bytes <= CSTP_PAYLOAD_MAX, of a long packet (cstp_long.h) any. */
void cstp_put_header(uint8_t hdr[static CSTP_HEADER_BYTES], uint8_t type, uint16_t payload_bytes);

/* One DTLS application record: the type byte, then the payload. ERR_MALFORMED when empty. */
MUST_USE int dtls_channel_parse(struct span record, struct cstp_packet *ret);

/* DISCONNECT payload: byte 0 = severity << 5 | type (cisco-facts.md 3.1), then optional text without NUL. */
#define DISCONNECT_CODE(severity, type) ((uint8_t)((severity) << 5 | (type)))
#define DISCONNECT_TYPE_LOGOUT          16u /* 17: closed after an error, 18: for a rekey */
enum disconnect_code {
	DISCONNECT_USER = 0xb0,         /* ends the session */
	DISCONNECT_LOCAL_ERROR = 0x70,  /* ends the session */
	DISCONNECT_RECONNECTING = 0x91, /* the session is kept */
	DISCONNECT_PAUSED = 0xd1,       /* the session is kept */
};

struct disconnect {
	bool has_code;
	uint8_t code;
	struct span text;
};

struct disconnect disconnect_parse(struct span payload);
/* Whether this DISCONNECT ends the session for good: only 0xb0 and 0x70 do (wire-protocol.md 3.4); not a 0xb0
 * whose text announces a suspend (cisco-facts.md 3.1). */
bool disconnect_ends_session(const struct disconnect *d);

#endif

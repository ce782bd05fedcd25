/* Just enough of DTLS records and ClientHello to route a datagram (wire-protocol.md 4.3 - 4.6, RFC 6347 4.1, 4.2). */
#ifndef WIRE_DTLS_HELLO_H
#define WIRE_DTLS_HELLO_H

#include "base/err.h"
#include "base/rd.h"
#include "base/util.h"

#define DTLS_RECORD_HEADER_BYTES 13
#define DTLS_VERSION_ANYCONNECT  0x0100 /* before RFC 4347: wire-protocol.md 4.5 */
#define DTLS_HELLO_MIN_BYTES     93 /* shorter ClientHello datagrams are not answered */

enum dtls_content { DTLS_CCS = 20, DTLS_ALERT = 21, DTLS_HANDSHAKE = 22, DTLS_APPDATA = 23 };

struct dtls_record {
	uint8_t type;
	uint16_t version; /* 0xfefd, 0xfeff, 0x0100 */
	uint16_t epoch;
	uint64_t seq;
	struct span body;
};

/* The first record of *rest, which is moved behind it. ERR_MALFORMED: truncated, or an impossible version. */
MUST_USE int dtls_record_take(struct span *rest, struct dtls_record *ret);

struct dtls_hello {
	uint16_t version;     /* offered: 0xfefd DTLS 1.2, 0xfeff 1.0, 0x0100 DTLS_VERSION_ANYCONNECT */
	struct span id;       /* extension 48018 if present, else session_id: 1..32 bytes */
	bool has_cookie;      /* HelloVerifyRequest answer */
	bool is_zero_random;  /* GnuTLS 3.6.3-3.6.12: refuse (CVE-2020-11501) */
	struct span suites;   /* cipher suite list, 2 bytes each */
	struct span random;   /* 32 bytes */
};

/* A datagram that starts with a ClientHello in epoch 0. ERR_UNSUPPORTED: something else; ERR_MALFORMED: a ClientHello that
 * breaks its format, is fragmented, is shorter than DTLS_HELLO_MIN_BYTES, or has no usable id. Never answer either. */
MUST_USE int dtls_hello_parse(struct span datagram, struct dtls_hello *ret);

#endif

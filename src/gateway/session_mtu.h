/* How large a session's packets may be, and why: for `show mtu` and `debug webvpn anyconnect`. */
#ifndef GATEWAY_SESSION_MTU_H
#define GATEWAY_SESSION_MTU_H

#include "gateway/session.h"

struct session_mtu_reason {
	struct mtu_input in;
	struct mtu_derivation derived;
	bool is_known;   /* false: the suite is none that can be explained; in and derived are empty */
	bool is_classic; /* what is announced is what was derived; else both tunnels have one value */
};

/* The largest inner packet for that tunnel as announced, bytes: the threshold of 722035 and 722036. 0:
 * without a channel (LINK_N_CHANNELS). */
uint16_t session_mtu_on(const struct session *s, enum link_channel ch);

enum mtu_version session_mtu_tls_version(const char *protocol);     /* by OpenSSL's name */
enum mtu_version session_mtu_dtls_version(const struct session *s); /* of the style that was offered */
/* The suite that DTLS will have, or the one with the largest records of those that it may have: what
 * PSK-NEGOTIATE comes to is known after the handshake only. NULL: no DTLS. */
const struct mtu_suite *session_mtu_dtls_offered(const struct session *s);

/* The derivation of a classic session as it was made, or of a seamless one by the exact formulas. */
void session_mtu_reason(const struct session *s, struct session_mtu_reason *ret);
/* Line by line, ending with what is announced. */
void session_mtu_explain(const struct session *s, mtu_line_f *f, void *ctx);
/* What a client sets its adapter to first; 0: never told. */
uint16_t session_mtu_adapter(const struct session *s);
/* Will a client of the classic kind reconnect when UDP is blocked (tech note 116881)? */
bool session_mtu_wants_reconnect(const struct session *s);

#endif

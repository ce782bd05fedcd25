/* The gateway that this run talks to: its name, its addresses, how it is recognised, the session's cookie. */
#ifndef CLIENT_GATE_H
#define CLIENT_GATE_H

#include "client/connect_options.h"
#include "io/sock.h"
#include "io/tls.h"

#define GATE_USER_AGENT   "AnyConnect-compatible Culvert VPN Agent v" CULVERT_VERSION
#define GATE_COOKIE_BYTES 2048
/* Of the TLS tunnel, seamless policy: it goes on when the path silently shrinks to 1300. TCP finds such a
 * path out by itself only after several of its timeouts, if ever. */
#define GATE_MSS_BYTES 1240

struct gate {
	char host[TARGET_TEXT_BYTES];
	uint16_t port;
	struct sock_target targets[SOCK_DIAL_MAX];
	size_t n_targets;
	uint16_t mss_bytes;      /* 0: as the path allows */
	struct sock_target peer; /* the one that answered; reconnects go there */
	struct tls_client_ctx *tls;
	char cookie[GATE_COOKIE_BYTES];
	char user[TARGET_TEXT_BYTES];
	char group[TARGET_TEXT_BYTES];
	bool has_shown_banner; /* with the login's last answer: not again with the tunnel's */
};

/* Reads certificates and pins. ERR_CONFIG or -errno, *why says what. */
MUST_USE int gate_init(struct gate *g, const struct connect_options *o, struct text *why);
void gate_done(struct gate *g); /* wipes the cookie */

#endif

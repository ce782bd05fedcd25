/* The three tunnels of a session as `show vpn-sessiondb` knows them: the parent, which is the session itself,
 * and the SSL-Tunnel and DTLS-Tunnel that come and go (cisco-facts.md 2.1). Only book-keeping: what makes a
 * tunnel live or die is elsewhere (tunnel/link.h, session.c, dtls_assoc.c). */
#ifndef GATEWAY_SESSION_TUNNEL_H
#define GATEWAY_SESSION_TUNNEL_H

#include <stdbool.h>

#include "base/util.h"

struct session;

struct traffic {
	uint64_t tx_bytes, rx_bytes; /* inner bytes; tx is towards the client */
	uint64_t tx_packets, rx_packets;
	uint64_t tx_drops, rx_drops;
	uint64_t tx_control_bytes, rx_control_bytes; /* frames that are no data, with their CSTP header */
	uint64_t tx_control_packets, rx_control_packets;
};

enum tunnel_kind { TUNNEL_PARENT, TUNNEL_TLS, TUNNEL_DTLS, N_TUNNEL_KINDS };

struct session_tunnel {
	bool is_up;
	uint32_t number;       /* N of the tunnel id INDEX.N */
	ms_t up_at_ms;         /* since when it is up */
	struct traffic before; /* what earlier tunnels of the kind had carried when this one came up */
};

struct session_tunnels {
	struct session_tunnel v[N_TUNNEL_KINDS];
	uint32_t last_number; /* given to the newest: numbers are never used again */
};

/* Of the whole process, since its start. */
struct tunnel_count {
	uint32_t n_active, n_peak;
	uint64_t n_total;
};

/* connection: how often auth has opened the session, 1... When this worker does not know the session from
 * before, the numbers that an earlier worker may have given are skipped. */
void session_tunnel_begin(struct session *s, uint32_t connection, ms_t now_ms);
/* A tunnel of this kind is up; one that still was is replaced. */
void session_tunnel_up(struct session *s, enum tunnel_kind kind, ms_t now_ms);
/* Nothing happens when none is up. */
void session_tunnel_down(struct session *s, enum tunnel_kind kind);
/* All of the session are over. */
void session_tunnel_end(struct session *s);

static inline uint32_t tunnel_number_first(uint32_t connection)
{
	/* a connection has at least an SSL-Tunnel and mostly a DTLS-Tunnel */
	return connection > 1 ? 1 + 2 * (connection - 1) : 1;
}

const char *session_tunnel_name(enum tunnel_kind kind); /* "AnyConnect-Parent", "SSL-Tunnel", "DTLS-Tunnel" */

/* Carried by the present tunnel of that kind; the parent carries no data. */
struct traffic session_tunnel_traffic(const struct session *s, enum tunnel_kind kind);
/* Carried by all tunnels since the login (as far as this process knows). */
struct traffic session_traffic(const struct session *s);
/* Since when nothing was sent or received: on the tunnel itself, control packets included; of the parent,
 * data on any tunnel, or the loss of the last one. What the idle timeout is counted from. */
ms_t session_tunnel_idle_since_ms(const struct session *s, enum tunnel_kind kind);

#endif

/* What is done for which kind of peer: one table. PROTOCOL.md, "What is done for which peer", tells the same.
 * Source: wire-protocol.md 3.5, 4.8, 5.5, 7.5; behaviour.md 3.1 and 3.3. */
#ifndef TUNNEL_PEER_H
#define TUNNEL_PEER_H

#include <stdbool.h>

enum peer_kind {
	PEER_OWN,         /* X-Culvert: 1 */
	PEER_OPENCONNECT, /* a client: everything not named otherwise */
	PEER_CISCO,       /* a client: Cisco Secure Client, AnyConnect */
	PEER_OCSERV,      /* a gateway: everything not named otherwise */
	PEER_ASA,         /* a gateway: ASA, or our own with mtu-policy classic */
	PEER_N_KINDS,
};

struct peer_traits {
	const char *name;
	bool may_mix;       /* takes data by TLS while other data comes by DTLS */
	bool may_duplicate; /* the same packet on both tunnels does no harm */
	bool echoes_dpd;    /* its answer holds our payload; false: an answer without payload */
	bool takes_padding; /* answers a DPD request of full size: the path's MTU can be searched */
	bool has_pieces;    /* puts pieces together (word `pieces`) */
	bool is_nudgeable;  /* resumes at once when TCP is closed without DISCONNECT, and cannot notice dead
	                       UDP by itself for minutes */
};

/* For PEER_OWN, may_mix, may_duplicate and has_pieces hold only with the words `steer` and `pieces`
 * (link_config). */
const struct peer_traits *peer_traits(enum peer_kind k);

#endif

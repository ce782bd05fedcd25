/* Between the files of the DTLS tunnel (gateway/dtls_tunnel.h). */
#ifndef GATEWAY_DTLS_INT_H
#define GATEWAY_DTLS_INT_H

#include "gateway/session.h"
#include "gateway/tls_log.h"
#include "wire/dtls_hello.h"

/* dtls_peer.c */
/* What a peer is known by; its bytes are hashed as they are. */
struct dtls_peer_key {
	struct ip_addr addr;
	uint16_t port;
};

/* Keyed hashes, for session_key_find() and session_key_elsewhere(). */
uint64_t dtls_peer_hash(struct worker *w, const union udp_addr *peer, struct dtls_peer_key *ret);
uint64_t dtls_host_hash(struct worker *w, const struct ip_addr *host);
uint64_t dtls_id_hash(struct worker *w, struct span id);
/* The session of this thread that shakes hands with this peer; whose id stands in a ClientHello. NULL: none.
 */
struct session *dtls_find_next(struct worker *w, const union udp_addr *peer);
struct session *dtls_find_by_id(struct worker *w, struct span id);
/* From now on this peer's datagrams belong to the association in use. Only a record that was authentic, or a
 * finished handshake, may lead here: whoever has seen the id could send ClientHellos. */
void dtls_set_active_peer(struct session *s, const struct udp_path *path);
void dtls_set_next_peer(struct session *s, const struct udp_path *path);

/* dtls_assoc.c */
/* The handshake of `next` is finished: it takes the place of the association in use. */
void dtls_assoc_up(struct session *s);
/* For the log. */
struct tls_log_ends dtls_log_ends(const struct session *s, const struct udp_path *path);

/* dtls_handshake.c */
/* A ClientHello whose id we gave out: a handshake begins beside the association in use, which keeps its peer
 * and its keys until the new one is up. A repeated one from the same peer belongs to the handshake under way.
 */
void dtls_on_hello(struct session *s, const struct udp_datagram *in, const struct dtls_hello *hello);
/* A datagram of the handshake under way. May end the session's DTLS, or bring it up. */
void dtls_handshake_step(struct session *s, struct span datagram);

/* dtls_rx.c */
/* The records that the association was fed; how many were authentic. May end the session. */
size_t dtls_read_records(struct session *s, struct session_assoc *a);

#endif

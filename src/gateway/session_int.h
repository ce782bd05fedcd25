/* Between the files of a session: session.c (life), session_link.c (timers, what tunnel/link wants done),
 * session_rx.c and session_tx.c (packets from and to the client). */
#ifndef GATEWAY_SESSION_INT_H
#define GATEWAY_SESSION_INT_H

#include "gateway/session.h"

/* session_tx.c */
/* A frame that is no data went out by this channel. */
void session_count_control_tx(struct session *s, enum link_channel ch, size_t payload_bytes);
/* A SYN with the MSS that is allowed, in scratch.syn; every other packet as it is. */
struct span session_fit_mss(struct session *s, struct span packet);

/* session_rx.c */
void session_count_rx_drop(struct session *s, enum link_channel ch, enum drop_reason why);
/* A client speaks for its own addresses only: else a drop is counted. */
bool session_is_from_client(struct session *s, enum link_channel ch, struct span packet);

/* session_super.c */
/* What split_open() has opened goes by TLS, whole. False: it must be cut. */
bool session_super_send(struct session *s, const struct split *split);
/* Payload of a CSTP_SUPER, which is agreed. */
void session_super_receive(struct session *s, struct span payload);

/* session_link.c */
/* What kind of client this is, by its own words, and what its tunnels are driven by. After the offer was
 * made, at every CONNECT. */
void session_configure_link(struct session *s, const struct tunnel_request *req);
void session_on_timer(struct loop_timer *t, ms_t now_ms);

#endif

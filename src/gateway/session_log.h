/* The ASA's messages about one session (722xxx, 716002, 113019; cisco-facts.md 3.1 to 3.4, 3.7). Their
 * general form is session_log() in session.h. */
#ifndef GATEWAY_SESSION_LOG_H
#define GATEWAY_SESSION_LOG_H

#include "gateway/session.h"

/* After CONNECT was granted: what the client asked for and does not get. */
void session_log_offer(
        struct session *s, const struct ipc_session_info *info, const struct tunnel_request *req);
/* The TLS tunnel is up. was_lost: there was no tunnel before. */
void session_log_up(struct session *s, bool is_first, bool was_lost);
/* What happens to the tunnels of a session, and why (%CULVERT-5-722101 to 722103). */
void session_log_switched(struct session *s, const struct choice_switch *c);
void session_log_limit(struct session *s, const struct link_limit *l);
void session_log_nudge(struct session *s);
/* What the client says with its DISCONNECT. */
void session_log_disconnect(struct session *s, const struct disconnect *d);
/* Before the tunnels are taken down for good. is_ours: the gateway ends it, not the client. */
void session_log_end(struct session *s, const char *why, bool is_ours);

#endif

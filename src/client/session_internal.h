/* Between the session's own files: session.c (life, tunnels), session_time.c (what is due),
 * session_connect.c (CONNECT and its answer), session_packets.c (control packets, which tunnel carries data),
 * session_classic.c (the MTU of the adapter, and what becomes of DTLS, by policy), session_seamless.c (what
 * the seamless policy does), session_rules.c (alerts, suspend), session_network.c (network changes, signals).
 */
#ifndef CLIENT_SESSION_INTERNAL_H
#define CLIENT_SESSION_INTERNAL_H

#include "client/session.h"

/* ---- session.c ---- */

/* Everything stops; the loop runs empty and session_run() returns exit_code. Only the first call counts. */
void session_end(struct session *s, int exit_code);
/* The TLS tunnel is gone: get it back with the cookie, at once for the first time. DTLS goes on meanwhile. */
void session_begin_reconnect(struct session *s);
/* Tells the user once when no tunnel is left. */
void session_announce_reconnect(struct session *s);
void session_note_disruption(struct session *s, const char *why);
/* Closes the TLS tunnel, session kept, and dials again. */
void session_renew_tls(struct session *s, const char *why);

/* ---- session_time.c ---- */

/* Sets the timer anew after anything that may have moved a deadline. */
void session_tick(struct session *s);
/* The same after each batch of packets: cheap, only ever sets it to something sooner. */
void session_on_batch(void *session);
void session_on_time(struct loop_timer *session, ms_t now_ms);

/* ---- session_connect.c: callbacks of struct tunnel_tls ---- */

void session_format_request(void *session, uint16_t base_mtu, struct text *out);
int session_on_answer(void *session, const struct http_head *head);
/* The next dial, after a wait that grows. */
void session_plan_retry(struct session *s);

/* ---- session_classic.c ---- */

/* The adapter's part of the first and of each further answer of CONNECT. 0, or the session has ended. */
MUST_USE int session_adapter_first(struct session *s, const struct http_head *head);
MUST_USE int session_adapter_again(struct session *s);
bool session_wants_dtls(const struct session *s);
/* DTLS is up; a try failed or, with was_up, what was up is lost; TLS is lost; time passes. With the seamless
 * policy nothing happens here. */
void session_classic_on_dtls_up(struct session *s);
void session_classic_on_dtls_lost(struct session *s, bool was_up);
void session_classic_on_tls_lost(struct session *s);
void session_classic_on_time(struct session *s, ms_t now_ms);
ms_t session_classic_due_ms(const struct session *s);

/* ---- session_seamless.c: nothing happens with the classic policy ---- */

static inline bool session_is_seamless(const struct session *s)
{
	return s->opt->tunnel.mtu_policy == MTU_SEAMLESS;
}
/* Are super-packets to go by TLS whole, if the gateway is ours, too? */
bool session_wants_super(const struct session *s);
MUST_USE int session_seamless_open(struct session *s);
void session_seamless_close(struct session *s);
/* After each answer of CONNECT: what kind of peer it is, and what the tunnels may do. Both policies. */
void session_seamless_on_params(struct session *s);
/* The adapter's MTU as it should be now. */
uint16_t session_seamless_mtu(const struct session *s);
void session_seamless_on_switch(struct session *s, const struct choice_switch *c);
void session_seamless_on_limit(struct session *s, const struct link_limit *limit);
void session_seamless_on_time(struct session *s, ms_t now_ms);
ms_t session_seamless_due_ms(const struct session *s);
/* The gateway is reached another way now, or both tunnels may be dead: a new TLS connection beside. */
void session_seamless_redial(struct session *s, const char *why);
const struct tunnel_dtls_pace *session_dtls_pace(const struct session *s);
/* Of struct tunnel_dtls. */
void session_on_too_big(void *session, uint16_t path_bytes);

/* ---- session_rules.c ---- */

void session_rules_open(struct session *s);
void session_rules_close(struct session *s);
void session_rules_on_params(struct session *s); /* after each answer of CONNECT */
void session_rules_on_time(struct session *s, ms_t now_ms);
ms_t session_rules_due_ms(const struct session *s);

/* ---- session_packets.c ---- */

void session_on_packet(void *session, enum link_channel ch, const struct cstp_packet *p);
void session_on_part(void *session, enum link_channel ch, size_t bytes);
void session_send_control(struct session *s, enum link_channel ch, uint8_t type, struct span payload);
/* Tells the gateway that the TLS tunnel ends. code: an enum disconnect_code. */
void session_send_close(struct session *s, uint8_t code, const char *text);
void session_probe(struct session *s, enum link_channel ch); /* one DPD request */
/* Counts and tells a change of the tunnel that carries data. cause: a constant text. */
void session_note_active(struct session *s, const char *cause, bool is_loss);

/* ---- session_network.c ---- */

MUST_USE int session_open_signals(struct session *s);
void session_close_signals(struct session *s);
void session_on_news(void *session, enum netwatch_news news);
void session_on_adapter_gone(void *session); /* of struct datapath */

#endif

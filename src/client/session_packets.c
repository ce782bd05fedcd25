#include "client/session_internal.h"

#define HINT_MS          1000
#define REASON_SHOWN_MAX 256 /* bytes of the gateway's words */

/* ---- which tunnel carries data ---- */

/* Classic: Cisco's client says nothing to the user about it. */
void session_note_active(struct session *s, const char *cause, bool is_loss)
{
	enum link_channel now = link_active(&s->link), before = s->active;
	if (session_is_seamless(s)) { /* link tells by itself: session_seamless_on_switch() */
		datapath_update(&s->path);
		return;
	}
	if (now == before)
		return;
	s->active = now;
	if (before != LINK_N_CHANNELS && now != LINK_N_CHANNELS) {
		ms_t now_ms = loop_now(), heard_ms = s->link.channels[before].last_rx_ms;
		s->stats.switches++;
		s->stats.last = (struct session_switch){before, now, cause, is_loss ? now_ms - heard_ms : 0};
	}
	datapath_update(&s->path);
}

/* ---- control packets ---- */

void session_send_control(struct session *s, enum link_channel ch, uint8_t type, struct span payload)
{
	int err;
	if (ch == LINK_TLS && s->tls.stage == TUNNEL_TLS_UP) {
		err = tunnel_tls_put_control(&s->tls, type, payload);
		tunnel_tls_flush(&s->tls);
	} else if (ch == LINK_DTLS && s->dtls.stage == TUNNEL_DTLS_UP) {
		err = tunnel_dtls_put_control(&s->dtls, type, payload);
		tunnel_dtls_flush(&s->dtls);
	} else {
		return;
	}
	if (err == 0)
		link_on_tx(&s->link, ch, false, payload.n, loop_now());
}

void session_send_close(struct session *s, uint8_t code, const char *text)
{
	uint8_t payload[128] = {code};
	size_t n = strnlen(text, sizeof(payload) - 1);
	if (s->tls.stage != TUNNEL_TLS_UP)
		return;
	memcpy(payload + 1, text, n);
	events_note(s->ev, EVENT_INFO, 0,
	        "The VPN client has sent a close message to the gateway: \"%s\", Severity %d, Type %d", text,
	        code >> 5, code & 0x1f);
	session_send_control(s, LINK_TLS, CSTP_DISCONNECT, span_of(payload, n + 1));
}

void session_probe(struct session *s, enum link_channel ch)
{
	if (ch == LINK_DTLS && s->stats.dtls_probe_at_ms == 0)
		s->stats.dtls_probe_at_ms = loop_now();
	session_send_control(s, ch, CSTP_DPD_REQUEST, (struct span){0});
}

static void on_disconnect(struct session *s, const struct cstp_packet *p)
{
	struct disconnect d = disconnect_parse(p->payload);
	struct text why = {0};
	events_clean(&why, d.text, REASON_SHOWN_MAX);
	if (p->type == CSTP_TERMINATE)
		events_fail(s->ev, "The gateway is shutting down and ended the session.");
	else if (why.n > 0)
		events_fail(s->ev, "The gateway ended the session: %s", text_cstr(&why));
	else if (d.has_code)
		events_fail(s->ev, "The gateway ended the session (reason 0x%02x).", d.code);
	else
		events_fail(s->ev, "The gateway ended the session.");
	text_done(&why);
	session_end(s, EXIT_BY_GATEWAY);
}

/* Classic: data by TLS while DTLS is up: the gateway seems not to reach us by UDP. A probe tells. */
static void on_hint(struct session *s, ms_t now_ms)
{
	if (session_is_seamless(s) || s->dtls.stage != TUNNEL_DTLS_UP ||
	        now_ms < ms_add(s->hint_at_ms, HINT_MS))
		return;
	s->hint_at_ms = now_ms;
	session_probe(s, LINK_DTLS);
}

static void on_answer(struct session *s, enum link_channel ch, struct span payload, ms_t now_ms)
{
	if (session_is_seamless(s)) {
		link_on_dpd_answer(&s->link, ch, payload, now_ms);
	} else if (ch == LINK_DTLS && s->stats.dtls_probe_at_ms != 0) {
		s->stats.dtls_rtt_ms = (int64_t)(loop_now() - s->stats.dtls_probe_at_ms);
		s->stats.dtls_probe_at_ms = 0;
	}
}

/* Told once for each type: a gateway that sends nothing else would fill the event log. The rest is counted.
 */
static void on_unknown(struct session *s, enum link_channel ch, uint8_t type)
{
	s->stats.unknown_packets++;
	if (s->stats.is_unknown_told[type])
		return;
	s->stats.is_unknown_told[type] = true;
	events_note(s->ev, EVENT_WARNING, 0,
	        "A packet of the unknown type 0x%02x on the %s tunnel was ignored, as will be further ones.",
	        type, link_channel_name(ch));
}

void session_on_part(void *ctx, enum link_channel ch, size_t bytes)
{
	struct session *s = ctx;
	link_on_rx(&s->link, ch, false, bytes, uv_now(&s->loop));
}

void session_on_packet(void *ctx, enum link_channel ch, const struct cstp_packet *p)
{
	struct session *s = ctx;
	ms_t now_ms = uv_now(&s->loop);
	if (ch == LINK_TLS && p->type == CSTP_SUPER && s->tls.takes_super) {
		size_t bytes = datapath_deliver_super(&s->path, p->payload);
		link_on_rx(&s->link, ch, bytes > 0, bytes, now_ms);
		return;
	}
	bool is_piece = ch == LINK_DTLS && p->type == DTLS_PIECE && session_is_seamless(s);
	/* a hint is not an order: what comes by TLS does not move our own data off DTLS */
	link_on_rx(&s->link, ch, p->type == CSTP_DATA || is_piece, p->payload.n, now_ms);
	if (is_piece) {
		datapath_deliver_piece(&s->path, p->payload, now_ms);
		return;
	}
	switch (p->type) {
	case CSTP_DATA:
		datapath_deliver(&s->path, p->payload);
		if (ch == LINK_TLS)
			on_hint(s, now_ms);
		break;
	case CSTP_DPD_REQUEST:
		session_send_control(s, ch, CSTP_DPD_RESPONSE, p->payload);
		break;
	case CSTP_DPD_RESPONSE:
		on_answer(s, ch, p->payload, now_ms);
		break;
	case CSTP_DISCONNECT:
	case CSTP_TERMINATE:
		on_disconnect(s, p);
		break;
	case CSTP_KEEPALIVE:
		break;
	default:
		on_unknown(s, ch, p->type);
	}
}

/* The MTU of the adapter and the fate of DTLS, by --mtu-policy. Classic does what tunnel/classic.h decides:
 * the adapter is disabled and the session made again where the note says so. */
#include "client/session_internal.h"

static bool is_classic(const struct session *s)
{
	return s->opt->tunnel.mtu_policy == MTU_CLASSIC;
}

static bool is_dtls_offered(const struct session *s)
{
	return s->params.suite != DTLS_NONE && !s->opt->tunnel.has_no_dtls;
}

bool session_wants_dtls(const struct session *s)
{
	return !s->opt->tunnel.has_no_dtls && (!is_classic(s) || classic_wants_dtls(&s->classic));
}

/* ---- the adapter ---- */

static enum classic_act tell_connected(struct session *s)
{
	const struct tunnel_params *p = &s->params;
	struct classic_offer offer = {
	        .tls_mtu = adapter_mtu_bound(p, p->cstp_mtu ? p->cstp_mtu : p->dtls_mtu),
	        .dtls_mtu = adapter_mtu_bound(p, p->dtls_mtu ? p->dtls_mtu : p->cstp_mtu),
	        .has_dtls = is_dtls_offered(s),
	};
	return classic_on_connected(&s->classic, &offer, loop_now());
}

int session_adapter_first(struct session *s, const struct http_head *head)
{
	if (is_classic(s)) /* there is no adapter yet: whatever it says, this MTU is for the new one */
		(void)tell_connected(s);
	return adapter_up(&s->adapter, &s->params, head,
	        is_classic(s) ? s->classic.adapter_mtu : session_seamless_mtu(s));
}

static void note_new_mtu(struct session *s)
{
	events_note(s->ev, EVENT_WARNING, 0,
	        "A new MTU needs to be applied to the VPN network interface. Disabling and re-enabling the "
	        "Virtual "
	        "Adapter. Applications utilizing the private network may need to be restarted.");
}

/* The adapter is disabled, or has to be for its new MTU. */
static int renew_adapter(struct session *s)
{
	int err = 0;
	if (!s->adapter.is_disabled) {
		note_new_mtu(s);
		err = adapter_disable(&s->adapter, &s->params);
	}
	if (err == 0)
		err = adapter_enable(&s->adapter, &s->params, s->classic.adapter_mtu);
	if (err)
		session_end(s, EXIT_NETWORK);
	return err;
}

int session_adapter_again(struct session *s)
{
	if (!is_classic(s)) {
		adapter_reconnected(&s->adapter, &s->params, session_seamless_mtu(s));
		return 0;
	}
	if (tell_connected(s) != CLASSIC_NOTHING)
		return renew_adapter(s);
	adapter_reconnected(&s->adapter, &s->params, s->classic.adapter_mtu);
	return 0;
}

/* ---- the reconnect of the note ---- */

static void reconfigure(struct session *s)
{
	events_note(s->ev, EVENT_WARNING, 16, "Reconfigure reason code 16: New MTU configuration.");
	events_note(s->ev, EVENT_INFO, 0, "The entire VPN connection is being reconfigured.");
	s->state = SESSION_RECONNECTING;
	events_say(s->ev, "Reconnecting to %s...", s->gate->host);
	note_new_mtu(s);
	link_down(&s->link, LINK_DTLS, loop_now());
	tunnel_dtls_close(&s->dtls, true);
	session_send_close(s, DISCONNECT_RECONNECTING, "Reconnecting the VPN tunnel.");
	if (adapter_disable(&s->adapter, &s->params)) {
		session_end(s, EXIT_NETWORK);
		return;
	}
	/* DOWN: the close message met a dead connection, and dialling has begun */
	if (s->tls.stage != TUNNEL_TLS_DOWN)
		tunnel_tls_close(&s->tls, true);
	session_begin_reconnect(s);
}

/* No size has to change: DTLS is tried again, and soon, as long as the note's minute runs. */
static void try_again(struct session *s)
{
	bool is_counting = classic_due_ms(&s->classic) != MS_NEVER;
	if (is_counting && s->dtls.stage == TUNNEL_DTLS_WAIT && s->dtls.retry_at_ms != MS_NEVER)
		tunnel_dtls_restart(&s->dtls, loop_now());
}

void session_classic_on_dtls_up(struct session *s)
{
	if (is_classic(s))
		classic_on_dtls_up(&s->classic);
}

void session_classic_on_dtls_lost(struct session *s, bool was_up)
{
	if (!is_classic(s))
		return;
	if (was_up && classic_on_dtls_lost(&s->classic) == CLASSIC_RECONFIGURE)
		reconfigure(s);
	else
		try_again(s);
}

void session_classic_on_tls_lost(struct session *s)
{
	if (is_classic(s))
		classic_on_tls_lost(&s->classic);
}

void session_classic_on_time(struct session *s, ms_t now_ms)
{
	if (!is_classic(s) || classic_step(&s->classic, now_ms) != CLASSIC_RECONFIGURE)
		return;
	events_note(s->ev, EVENT_WARNING, 0, "The Primary DTLS connection is down: given up after %u s",
	        s->opt->tunnel.dtls_give_up_s);
	reconfigure(s);
}

ms_t session_classic_due_ms(const struct session *s)
{
	return is_classic(s) ? classic_due_ms(&s->classic) : MS_NEVER;
}

#include "client/session_internal.h"

#include <signal.h>

#include "client/status.h"

/* ---- the machine's network ---- */

/* Neither tunnel can live on without the address they come from: begin anew from the one there is now. */
static void on_outer_lost(struct session *s)
{
	const struct ip_addr none = {0};
	events_note(s->ev, EVENT_INFO, 0, "A network interface has gone down.");
	netwatch_guard(&s->netwatch, &none);
	tunnel_dtls_close(&s->dtls, false);
	link_down(&s->link, LINK_DTLS, loop_now());
	link_on_network_change(&s->link, loop_now());
	redial_close(&s->seamless.redial);
	tunnel_tls_close(&s->tls, false);
	session_begin_reconnect(s);
	session_announce_reconnect(s);
}

void session_on_news(void *ctx, enum netwatch_news news)
{
	struct session *s = ctx;
	if (s->state == SESSION_ENDING || !s->has_params)
		return;
	if (news == NETWATCH_LOST && s->tls.stage == TUNNEL_TLS_UP) {
		on_outer_lost(s);
	} else if (news == NETWATCH_NEW && s->retry_at_ms != MS_NEVER) {
		events_note(s->ev, EVENT_INFO, 0, "A new network interface has been detected.");
		s->backoff.tries = 0;
		s->retry_at_ms = ms_min(s->retry_at_ms, loop_now() + BACKOFF_MIN_MS);
	} else if (news == NETWATCH_NEW && session_is_seamless(s) && adapter_follow(&s->adapter)) {
		session_seamless_redial(s, "the way to the gateway is another one");
	}
	session_tick(s);
}

/* Told by the descriptor and not by netlink, for which a device moved to another namespace is gone, too. A
 * new adapter would be no help: who removes one does not want it, and the applications' connections are lost.
 */
void session_on_adapter_gone(void *ctx)
{
	struct session *s = ctx;
	if (s->state == SESSION_ENDING)
		return;
	events_fail(s->ev,
	        "Somebody else removed the adapter %s, so the session has ended. Connect again; if it "
	        "happens "
	        "again, look for another VPN or network manager that removes what it does not know.",
	        s->adapter.tun.name);
	session_send_close(s, DISCONNECT_LOCAL_ERROR, "The adapter was removed.");
	session_end(s, EXIT_NETWORK);
}

/* ---- signals ---- */

static const int signal_numbers[SESSION_SIGNALS] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

static void on_signal(uv_signal_t *handle, int number)
{
	struct session *s = handle->data;
	if (number == SIGHUP) {
		events_say(s->ev, "Detached; the session stays valid at the gateway for a while.");
		session_end(s, EXIT_ENDED);
	} else if (number == SIGUSR1) {
		status_print_stats(s);
	} else if (number == SIGUSR2) {
		if (s->tls.stage == TUNNEL_TLS_UP)
			session_renew_tls(s, "asked by SIGUSR2");
		else if (s->retry_at_ms != MS_NEVER)
			s->retry_at_ms = loop_now();
		session_tick(s);
	} else {
		session_end_by_user(s);
	}
}

int session_open_signals(struct session *s)
{
	for (size_t i = 0; i < SESSION_SIGNALS; i++) {
		int err = uv_signal_init(&s->loop, &s->signals[i]);
		if (err == 0)
			err = uv_signal_start(&s->signals[i], on_signal, signal_numbers[i]);
		if (err)
			return err;
		s->signals[i].data = s;
	}
	return 0;
}

void session_close_signals(struct session *s)
{
	for (size_t i = 0; i < SESSION_SIGNALS; i++)
		if (!uv_is_closing((uv_handle_t *)&s->signals[i]))
			uv_close((uv_handle_t *)&s->signals[i], NULL);
}

/* Rules of the session that are not a tunnel's: what the user is told before its end, and what a suspended
 * machine does when it comes back. */
#include "client/session_internal.h"

static void on_resume(void *ctx, ms_t slept_ms)
{
	struct session *s = ctx;
	if (s->state == SESSION_ENDING || !s->has_params)
		return;
	events_note(s->ev, EVENT_INFO, 0, "The computer has resumed after a suspend of %llu s.",
	        (unsigned long long)(slept_ms / 1000));
	/* the gateway may have closed the connection, and our timers stood still: the cookie is the quick way
	 */
	link_on_network_change(&s->link, loop_now());
	if (s->tls.stage == TUNNEL_TLS_UP)
		session_renew_tls(s, "resumed after a suspend");
	else if (s->retry_at_ms != MS_NEVER)
		s->retry_at_ms = loop_now();
	session_tick(s);
}

void session_rules_open(struct session *s)
{
	alerts_init(&s->rules.alerts);
	s->rules.wakeup = (struct wakeup){.on_resume = on_resume, .ctx = s};
	int err = wakeup_open(&s->rules.wakeup, &s->loop);
	if (err)
		events_note(s->ev, EVENT_WARNING, 0, "A suspend will be noticed late: %s", err_text(err));
}

void session_rules_close(struct session *s)
{
	wakeup_close(&s->rules.wakeup);
}

void session_rules_on_params(struct session *s)
{
	struct alerts_terms t = {
	        .session_timeout_s = s->params.session_timeout_s,
	        .remaining_s = s->params.session_remaining_s,
	        .alert_s = s->params.session_alert_s,
	        .idle_timeout_s = s->params.idle_timeout_s,
	};
	alerts_on_connected(&s->rules.alerts, &t, loop_now());
}

void session_rules_on_time(struct session *s, ms_t now_ms)
{
	unsigned left_s = alerts_session_s(&s->rules.alerts, now_ms);
	if (left_s > 0)
		events_say(s->ev, "The VPN session will end in %u seconds: its maximum duration is reached.",
		        left_s);
	left_s = alerts_idle_s(&s->rules.alerts, s->link.last_data_ms, now_ms);
	if (left_s > 0)
		events_say(s->ev, "The VPN session will end in %u seconds unless it is used.", left_s);
	wakeup_look(&s->rules.wakeup);
}

ms_t session_rules_due_ms(const struct session *s)
{
	return alerts_due_ms(&s->rules.alerts, s->link.last_data_ms);
}

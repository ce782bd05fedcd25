#include "tunnel/alerts.h"

void alerts_init(struct alerts *a)
{
	*a = (struct alerts){.end_at_ms = MS_NEVER, .idle_told_ms = MS_NEVER};
}

void alerts_on_connected(struct alerts *a, const struct alerts_terms *t, ms_t now_ms)
{
	bool is_first = a->end_at_ms == MS_NEVER;
	uint32_t left_s = t->remaining_s;
	if (left_s == 0 && is_first)
		left_s = t->session_timeout_s;
	if (left_s != 0) {
		ms_t end_at_ms = ms_add(now_ms, (ms_t)left_s * 1000);
		ms_t moved_ms = end_at_ms > a->end_at_ms ? end_at_ms - a->end_at_ms : 0;
		if (is_first || moved_ms > (ms_t)t->alert_s * 1000)
			a->is_end_told = false; /* it was extended: a reconnect alone tells nothing anew */
		a->end_at_ms = end_at_ms;
	}
	a->alert_ms = (ms_t)t->alert_s * 1000;
	a->idle_ms = (ms_t)t->idle_timeout_s * 1000;
}

/* An alert that would come before its time begins comes at once. */
static ms_t before(ms_t end_ms, ms_t by_ms)
{
	return end_ms > by_ms ? end_ms - by_ms : 0;
}

static ms_t session_due_ms(const struct alerts *a)
{
	if (a->alert_ms == 0 || a->is_end_told || a->end_at_ms == MS_NEVER)
		return MS_NEVER;
	return before(a->end_at_ms, a->alert_ms);
}

/* With a timeout that is hardly longer than the alert, half of it: an alert for each pause would be no alert.
 */
static ms_t idle_due_ms(const struct alerts *a, ms_t last_data_ms)
{
	ms_t by_ms = (ms_t)ALERTS_IDLE_S * 1000;
	if (a->idle_ms == 0 || a->idle_told_ms == last_data_ms)
		return MS_NEVER;
	if (by_ms > a->idle_ms / 2)
		by_ms = a->idle_ms / 2;
	return ms_add(last_data_ms, a->idle_ms - by_ms);
}

static unsigned seconds_left(ms_t end_ms, ms_t now_ms)
{
	return end_ms > now_ms ? (unsigned)((end_ms - now_ms + 999) / 1000) : 1;
}

unsigned alerts_session_s(struct alerts *a, ms_t now_ms)
{
	if (now_ms < session_due_ms(a))
		return 0;
	a->is_end_told = true;
	return seconds_left(a->end_at_ms, now_ms);
}

unsigned alerts_idle_s(struct alerts *a, ms_t last_data_ms, ms_t now_ms)
{
	if (now_ms < idle_due_ms(a, last_data_ms))
		return 0;
	a->idle_told_ms = last_data_ms;
	return seconds_left(ms_add(last_data_ms, a->idle_ms), now_ms);
}

ms_t alerts_due_ms(const struct alerts *a, ms_t last_data_ms)
{
	return ms_min(session_due_ms(a), idle_due_ms(a, last_data_ms));
}

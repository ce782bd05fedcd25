#include "diagnose/syslog_treat.h"

#include "base/util.h"
#include "diagnose/debug_line.h"
#include "diagnose/duration.h"
#include "diagnose/end_words.h"

#define SAME_UP_MS    2000
#define SAME_END_MS   5000
#define SAME_AUTH_MS  3000
#define FAILED_MAX_MS 2000 /* from 725006 to its 725014 */
#define FAILED_LINES  2
#define HELLO_LINES                                                                                          \
	120 /* from 725008 to its 725014: each cipher has a line, and others' lines are between              \
	     */

static bool is_known_reason(const struct event *e)
{
	return e->reason != REASON_UNKNOWN;
}

/* False: told before, and how long it lasted is not said either: that tells which of a user's sessions it
 * was. */
static bool is_new_end(struct syslog_memory *m, struct event *e)
{
	uint8_t before;
	bool is_told = syslog_recent_has(&m->recent, TOPIC_END, e, SAME_END_MS, &before);
	if (is_told && e->size == 0 && (before == e->reason || !is_known_reason(e)))
		return false;
	syslog_recent_put(&m->recent, TOPIC_END, e);
	return true;
}

/* 113019 tells the end of every kind of VPN. */
static bool is_of_client(struct span session_type)
{
	static const char *const others[] = {"LAN-to-LAN", "IPsecLAN2LAN", "IPSecLAN2LAN"};
	for (size_t i = 0; i < N_ELEM(others); i++)
		if (span_starts(session_type, others[i]))
			return false;
	return true;
}

static bool treat_end(struct syslog_memory *m, struct event *e, const struct syslog_words *w)
{
	if (!is_of_client(w->x))
		return false;
	if (!is_known_reason(e))
		e->reason = end_reason_of(e->cause);
	e->size = duration_s(w->y);
	return is_new_end(m, e);
}

static bool treat_up(struct syslog_memory *m, struct event *e, const struct syslog_words *w)
{
	(void)w;
	if (e->kind == EVENT_TUNNEL_REPLACED && e->tunnel == TUNNEL_UNKNOWN)
		e->tunnel = TUNNEL_TLS; /* releases that do not say had this message for TLS only */
	syslog_recent_put(&m->recent, TOPIC_UP, e);
	return true;
}

/* The device logs informational messages, 722022 and 722023 among them. */
static uint64_t informational_bit(const struct event *e)
{
	return UINT64_C(1) << (syslog_recent_hash(e->device) >> 58);
}

static bool treat_up_again(struct syslog_memory *m, struct event *e, const struct syslog_words *w)
{
	uint8_t reason;
	(void)w;
	m->informational |= informational_bit(e);
	return !syslog_recent_has(&m->recent, TOPIC_UP, e, SAME_UP_MS, &reason);
}

static bool treat_closing(struct syslog_memory *m, struct event *e, const struct syslog_words *w)
{
	(void)w;
	e->reason = end_reason_of(e->cause);
	if (e->reason == REASON_DPD)
		e->kind = EVENT_DPD_DEAD;
	syslog_recent_put(&m->recent, TOPIC_CLOSING, e);
	/* the 722023 that follows says which tunnel it was, when the device logs it at all */
	return e->reason == REASON_DPD || (m->informational & informational_bit(e)) == 0;
}

static bool treat_closed(struct syslog_memory *m, struct event *e, const struct syslog_words *w)
{
	uint8_t reason;
	(void)w;
	m->informational |= informational_bit(e);
	if (syslog_recent_has(&m->recent, TOPIC_CLOSING, e, SAME_UP_MS, &reason))
		e->reason = reason;
	return true;
}

static bool treat_rejected(struct syslog_memory *m, struct event *e, const struct syslog_words *w)
{
	uint8_t reason;
	(void)w;
	/* "Authentication: rejected" has no reason of its own */
	if (span_starts(e->cause, "rejected") || span_starts(e->cause, "Session Type")) {
		if (syslog_recent_has(&m->recent, TOPIC_REJECTED, e, SAME_AUTH_MS, &reason))
			return false;
	}
	syslog_recent_put(&m->recent, TOPIC_REJECTED, e);
	return true;
}

static bool treat_said(struct syslog_memory *m, struct event *e, const struct syslog_words *w)
{
	(void)w;
	if (!syslog_said(e->cause, &e->kind, &e->reason))
		return false;
	return e->kind != EVENT_SESSION_END || is_new_end(m, e);
}

/* Strangers try old protocols on every public address; only what a client of ours may meet is told. */
static bool treat_ssl_error(struct syslog_memory *m, struct event *e, const struct syslog_words *w)
{
	static const char *const words[] = {
	        "no shared cipher", "unsupported protocol", "no ciphers", "version too low"};
	(void)w;
	for (size_t i = 0; i < N_ELEM(words); i++) {
		if (memmem(e->cause.p, e->cause.n, words[i], strlen(words[i])) == NULL)
			continue;
		bool is_near = m->failed_until_line != 0 && e->line <= m->failed_until_line &&
		               (e->at_ms == TIME_NONE || m->failed_at_ms == TIME_NONE ||
		                       e->at_ms - m->failed_at_ms <= FAILED_MAX_MS);
		if (is_near)
			e->public_ip = m->failed;
		return true;
	}
	return false;
}

static void keep_failed(struct syslog_memory *m, const struct event *e, uint32_t lines)
{
	m->failed = e->public_ip;
	m->failed_at_ms = e->at_ms;
	m->failed_until_line = e->line < UINT32_MAX - lines ? e->line + lines : UINT32_MAX;
}

static bool treat_ssl_failed(struct syslog_memory *m, struct event *e, const struct syslog_words *w)
{
	(void)w;
	keep_failed(m, e, FAILED_LINES);
	return e->tunnel == TUNNEL_DTLS;
}

static bool treat_ssl_hello(struct syslog_memory *m, struct event *e, const struct syslog_words *w)
{
	(void)w;
	keep_failed(m, e, HELLO_LINES);
	return false;
}

static bool treat_debug(struct syslog_memory *m, struct event *e, const struct syslog_words *w)
{
	bool is_final;
	(void)m;
	(void)w;
	return debug_line_mtu(e->cause, e, &is_final) && is_final;
}

static bool treat_switch(struct syslog_memory *m, struct event *e, const struct syslog_words *w)
{
	(void)m;
	e->tunnel = TUNNEL_DTLS;
	if (span_is(w->y, "dtls")) {
		e->kind = EVENT_TUNNEL_UP;
		return !span_is(w->x, "none");
	}
	return span_is(w->y, "tls") && (span_is(w->x, "dtls") || span_is(w->x, "both"));
}

bool syslog_treat(
        struct syslog_memory *m, const struct syslog_row *row, struct event *e, const struct syslog_words *w)
{
	static bool (*const ways[])(struct syslog_memory *, struct event *, const struct syslog_words *) = {
	        [HOW_UP] = treat_up,
	        [HOW_UP_AGAIN] = treat_up_again,
	        [HOW_CLOSING] = treat_closing,
	        [HOW_CLOSED] = treat_closed,
	        [HOW_END] = treat_end,
	        [HOW_REJECTED] = treat_rejected,
	        [HOW_SAID] = treat_said,
	        [HOW_SSL_ERROR] = treat_ssl_error,
	        [HOW_SSL_FAILED] = treat_ssl_failed,
	        [HOW_SSL_HELLO] = treat_ssl_hello,
	        [HOW_DEBUG] = treat_debug,
	        [HOW_SWITCH] = treat_switch,
	};
	if (ways[row->how] == NULL)
		return true;
	return ways[row->how](m, e, w);
}

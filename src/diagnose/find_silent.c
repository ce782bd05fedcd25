/* ocserv-udp-silent: UDP stops passing in mid-session, and openconnect or ocserv notices it late. */
#include "diagnose/cure.h"
#include "diagnose/upheaval.h"

#define PROVED_CASES  4
#define GONE_MS       300000 /* TLS dead so soon after DTLS: the line was interrupted, not UDP alone */
#define BACK_MS       5000   /* a client that is here again so soon had its line all the time */
#define MAX_STEPS     1000   /* events of one session between a silence and what explains it */
#define LOOKAHEAD     200    /* events of a busy gateway before that */
#define DPD_DEFAULT_S 90     /* ocserv as it is shipped */
#define DPD_MAX_S     86400

/* ---- was it UDP alone? ---- */

/* The gateway ended a session whose client was there again at once: its TCP had never been dead. */
static bool is_back_at_once(const struct find *x, const struct one_case *k)
{
	const struct record *last = store_at(x->s, k->last);
	for (uint32_t i = k->last + 1; i < store_n(x->s) && i <= k->last + LOOKAHEAD; i++) {
		const struct record *r = store_at(x->s, i);
		if (r->kind != EVENT_CONNECTED || r->file != last->file)
			continue;
		if (r->at_ms != TIME_NONE && r->at_ms - last->last_at_ms > BACK_MS)
			return false;
		if (k->user != 0 ? r->user == k->user : r->public_ip == k->addrs[0])
			return true;
	}
	return false;
}

enum line { LINE_LIVED, LINE_SAID_DEAD, LINE_GONE };

/* What became of TLS before DTLS was back. Without times only a client that finds no way back tells. */
static enum line line_after(const struct find *x, const struct one_case *k, uint32_t place)
{
	const struct record *r = store_at(x->s, place);
	enum line found = LINE_LIVED;
	int n = 0;
	for (uint32_t i = x->c->next[place]; i != CASE_NONE && n < MAX_STEPS; i = x->c->next[i], n++) {
		const struct record *o = store_at(x->s, i);
		bool is_timed = o->at_ms != TIME_NONE && r->at_ms != TIME_NONE;
		if (record_is_dtls_up(o) || (is_timed && o->at_ms - r->at_ms > GONE_MS))
			break;
		if (o->kind == EVENT_SESSION_LOST ||
		        (o->kind == EVENT_TUNNEL_DOWN && o->tunnel == TUNNEL_TLS && o->reason != REASON_USER))
			return LINE_GONE;
		if (record_is_tls_dead(o) && !is_back_at_once(x, k))
			return LINE_GONE;
		if (record_is_tls_dead(o))
			found = LINE_SAID_DEAD;
	}
	return found;
}

/* Its own words for a tunnel that went silent: a stall, or its DPD. */
static bool is_silence(const struct record *r)
{
	bool is_dpd = r->kind == EVENT_DPD_DEAD || (r->kind == EVENT_TUNNEL_DOWN && r->reason == REASON_DPD);
	return r->tunnel == TUNNEL_DTLS && (r->kind == EVENT_TUNNEL_STALL || is_dpd);
}

static uint32_t find_stall(const struct find *x, const struct one_case *k, enum line *ret_line)
{
	uint32_t from = k->first;
	for (uint32_t i = k->first; i != CASE_NONE; i = x->c->next[i]) {
		if (!is_silence(store_at(x->s, i)) || upheaval_is_near(x->c, i, &from))
			continue;
		*ret_line = line_after(x, k, i);
		if (*ret_line != LINE_GONE)
			return i;
	}
	return CASE_NONE;
}

/* ---- words ---- */

#define DPD_CURE_S  10
#define N_DPD_CURES 2 /* which set it to DPD_CURE_S: no cure where it is no more */

static const struct cure cures[] = {
        {PRODUCTS_OCSERV, PASTE_GLOBAL, "Ask more often whether UDP is alive",
                "dpd = 10\nmobile-dpd = 60\nswitch-to-tcp-timeout = 10",
                "Dead UDP is noticed after about 20 s by the client, after 10 s by the server.",
                "A small packet per client every 10 s; phones have their own, slower one."},
        {PRODUCTS_COMMANDS, PASTE_WEBVPN, "Ask more often whether UDP is alive",
                "anyconnect dpd-interval client 10", "Dead UDP is noticed after about 20 s by the client.",
                "A small packet per client every 10 s; phones sleep less."},
        {PRODUCTS_ALL, PASTE_GLOBAL, "Use TLS only for those whose networks break UDP",
                "openconnect --no-dtls ...", "No tunnel that can die in silence.",
                "TCP in TCP: slower when packets are lost."},
};

static bool is_dpd(const struct setting *s)
{
	return s->fact != NULL && s->value > 0 && s->value <= DPD_MAX_S;
}

/* Returns the interval. */
static uint32_t say_silent(struct find *x)
{
	struct finding *f = x->f;
	bool is_ocserv = (find_products(x) & PRODUCTS_OCSERV) != 0;
	const struct setting *dpd = &x->u->told_dpd;
	if (!is_dpd(dpd) && is_ocserv)
		dpd = &x->u->ocserv_dpd;
	uint32_t standard_s = is_ocserv ? DPD_DEFAULT_S : SETUP_DEFAULT_DPD_S;
	bool is_set = is_dpd(dpd);
	uint32_t s = is_set ? dpd->value : standard_s;
	find_prove_fact(x, dpd->fact);
	find_prove_fact(x, x->u->ocserv_switch.fact);
	text_fmt(&f->cause,
	        "UDP stopped passing in the middle of a session without an error. openconnect declares the "
	        "DTLS tunnel dead only after twice the DPD interval without an answer: 2 x %u s = %u s",
	        s, 2 * s);
	if (!is_set)
		text_fmt(&f->cause, " with the gateway's default of %u s", standard_s);
	text_str(&f->cause, ". Until then everything that was sent over it was lost; the session looks up "
	                    "and nothing works.");
	find_say_users(x, &f->verdict);
	text_fmt(&f->verdict, ": UDP died in silence; nothing passed until it was noticed (up to %u s).",
	        2 * s);
	return s;
}

void find_udp_silent(struct find *x)
{
	size_t n_proved = 0;
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		enum line line = LINE_LIVED;
		uint32_t at = case_is_open_source(k) ? find_stall(x, k, &line) : CASE_NONE;
		if (at == CASE_NONE || !find_is_session(x, k))
			continue;
		x->marks[i] |= MARK_DTLS_LOST | (line == LINE_SAID_DEAD ? MARK_TLS_LIVED : 0);
		find_hit(x, k, store_at(x->s, at)->at_ms, k->last_at_ms);
		if (n_proved++ >= PROVED_CASES)
			continue;
		find_prove(x, cases_find(x->c, k->first, EVENT_TUNNEL_UP, TUNNEL_DTLS));
		find_prove(x, at);
	}
	if (x->n_hits == 0)
		return;
	size_t n_skip = say_silent(x) <= DPD_CURE_S ? N_DPD_CURES : 0;
	cure_add_here(x, cures + n_skip, N_ELEM(cures) - n_skip);
}

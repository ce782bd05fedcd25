/* dtls-flapping and dtls-lost: the DTLS tunnel was up, and comes and goes, or is gone. */
#include "diagnose/cure.h"
#include "diagnose/upheaval.h"

#define PROVED_CASES 4
#define RENEWAL_MS   3000
#define FLAPS_MIN    3
#define FLAPS_MS     3600000 /* within this */
#define REKEY_MIN_MS                                                                                         \
	235000 /* a rekey makes a new tunnel as well, 4 minutes apart at least: cisco-facts.md 5.2 */
#define LOST_MS      60000 /* without DTLS for this long: lost */
#define FAILURES_MIN 2     /* handshakes, a minute apart */

/* ---- dtls-flapping ---- */

struct flaps {
	size_t n;
	bool is_flapping; /* FLAPS_MIN within FLAPS_MS */
	uint32_t places[FINDING_MAX_EVIDENCE];
	size_t n_places;
	int64_t times[FLAPS_MIN]; /* of the last ones */
};

static void count_flap(struct flaps *f, const struct record *r, uint32_t down, uint32_t up)
{
	f->times[f->n++ % FLAPS_MIN] = r->at_ms;
	int64_t first = f->times[f->n % FLAPS_MIN]; /* the oldest of the last ones */
	if (f->n >= FLAPS_MIN &&
	        (first == TIME_NONE || r->at_ms == TIME_NONE || r->at_ms - first <= FLAPS_MS))
		f->is_flapping = true;
	for (int i = 0; i < 2; i++)
		if (f->n_places < N_ELEM(f->places))
			f->places[f->n_places++] = i == 0 ? down : up;
}

/* Without DTLS for a moment at least: a renewal takes none. */
static bool is_gap(const struct find *x, uint32_t down, uint32_t up)
{
	if (down == CASE_NONE)
		return false;
	const struct record *d = store_at(x->s, down), *u = store_at(x->s, up);
	return d->kind != EVENT_TUNNEL_DOWN || d->reason == REASON_DPD || d->at_ms == TIME_NONE ||
	       u->at_ms - d->at_ms >= RENEWAL_MS;
}

static bool is_sooner_than_rekey(const struct find *x, uint32_t before, uint32_t up)
{
	if (before == CASE_NONE || store_at(x->s, before)->at_ms == TIME_NONE)
		return false;
	int64_t gap_ms = store_at(x->s, up)->at_ms - store_at(x->s, before)->at_ms;
	return gap_ms > CASE_LOGIN_MS && gap_ms < REKEY_MIN_MS;
}

/* Ups that follow a loss, or another up sooner than a rekey could. */
static struct flaps count_flaps(const struct find *x, const struct one_case *k)
{
	struct flaps f = {.n = 0};
	uint32_t down = CASE_NONE, up = CASE_NONE;
	for (uint32_t i = k->first; i != CASE_NONE; i = x->c->next[i]) {
		const struct record *r = store_at(x->s, i);
		if (record_is_upheaval(r))
			down = up = CASE_NONE;
		if (record_is_dtls_down(r) && down == CASE_NONE)
			down = i;
		if (!record_is_dtls_up(r))
			continue;
		bool is_soon = is_sooner_than_rekey(x, up, i);
		if (is_gap(x, down, i) || is_soon)
			count_flap(&f, r, down, i);
		down = CASE_NONE;
		up = i;
	}
	return f;
}

static const struct cure flapping_cures[] = {
        {PRODUCTS_COMMANDS, PASTE_WEBVPN, "Keep the UDP flow open in NAT devices",
                "anyconnect ssl keepalive 15",
                "A packet every 15 s: most NAT devices keep UDP flows for 30 s or more.",
                "Some traffic; phones sleep less."},
        {PRODUCTS_OCSERV, PASTE_GLOBAL, "Keep the UDP flow open in NAT devices", "dpd = 15\nmobile-dpd = 60",
                "A packet every 15 s: most NAT devices keep UDP flows for 30 s or more.",
                "Some traffic; phones have their own, slower one."},
};

static void say_flapping(struct find *x, size_t n_flaps)
{
	text_fmt(&x->f->cause,
	        "The DTLS tunnel was lost and came back %zu times while the session stayed up. Each time "
	        "data stops until the loss is noticed, and goes by TLS until DTLS is back. Usual reasons: a "
	        "NAT or firewall that forgets UDP flows sooner than keepalives come, a path that loses many "
	        "packets, or a line at its limit.",
	        n_flaps);
	find_say_users(x, &x->f->verdict);
	text_fmt(&x->f->verdict, ": the DTLS tunnel came and went %zu times.", n_flaps);
}

void find_dtls_flapping(struct find *x)
{
	size_t n_proved = 0, n_flaps = 0;
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		struct flaps f = count_flaps(x, k);
		if (!f.is_flapping || k->is_mixed || !find_is_session(x, k))
			continue;
		x->marks[i] |= MARK_DTLS_LOST;
		find_hit(x, k, k->begin_at_ms, k->last_at_ms);
		n_flaps += f.n;
		for (size_t n = 0; n_proved < PROVED_CASES && n < f.n_places; n++)
			find_prove(x, f.places[n]);
		n_proved++;
	}
	if (x->n_hits == 0)
		return;
	say_flapping(x, n_flaps);
	cure_add_here(x, flapping_cures, N_ELEM(flapping_cures));
}

/* ---- dtls-lost ---- */

/* The loss after which DTLS did not return although the session went on; CASE_NONE. */
static uint32_t find_loss(const struct find *x, const struct one_case *k)
{
	uint32_t down = CASE_NONE, from = k->first;
	bool was_up = !k->has_begin;
	for (uint32_t i = k->first; i != CASE_NONE; i = x->c->next[i]) {
		const struct record *r = store_at(x->s, i);
		if (record_is_dtls_up(r)) {
			was_up = true;
			down = CASE_NONE;
		}
		if (record_is_dtls_down(r) && was_up && down == CASE_NONE && r->reason != REASON_USER &&
		        r->reason != REASON_ADMIN)
			down = i;
	}
	if (down == CASE_NONE || upheaval_is_near(x->c, down, &from))
		return CASE_NONE;
	int64_t at_ms = store_at(x->s, down)->at_ms, until = case_until(k);
	return at_ms != TIME_NONE && until != TIME_NONE && until - at_ms >= LOST_MS ? down : CASE_NONE;
}

/* openconnect and ocserv say nothing of a loss by a reconnect: only that DTLS is tried again and again since.
 * The first failure; CASE_NONE. */
static uint32_t find_failing(const struct find *x, const struct one_case *k)
{
	uint32_t first = CASE_NONE;
	size_t n = 0;
	bool was_up = false;
	for (uint32_t i = k->first; i != CASE_NONE; i = x->c->next[i]) {
		const struct record *r = store_at(x->s, i);
		if (record_is_dtls_up(r)) {
			was_up = true;
			first = CASE_NONE;
			n = 0;
		}
		if (r->tunnel != TUNNEL_DTLS || r->kind != EVENT_TUNNEL_FAILED || !was_up)
			continue;
		first = first == CASE_NONE ? i : first;
		n += r->count;
	}
	return n >= FAILURES_MIN ? first : CASE_NONE;
}

static void take_later_reconnect(
        struct find *x, const struct one_case *k, uint32_t down, struct hit_groups *g)
{
	for (uint32_t i = down; i != CASE_NONE; i = x->c->next[i]) {
		if (!record_is_new_mtu(store_at(x->s, i)))
			continue;
		find_prove(x, i);
		find_prove(x, cases_find(x->c, i, EVENT_ADAPTER_BOUNCE, TUNNEL_UNKNOWN));
		remedy_collect(x, g, k);
		return;
	}
}

static void say_lost(struct find *x, bool is_reconnected)
{
	struct finding *f = x->f;
	text_str(&f->cause, "The DTLS tunnel was up and was lost while the session went on by TLS, and did "
	                    "not come back. Until the loss is noticed (four DPD packets, up to two minutes "
	                    "with the defaults) everything that is sent is lost.");
	if (is_reconnected)
		text_str(&f->cause,
		        " The TLS MTU is smaller: the client lowered its adapter's MTU and reconnected "
		        "(reason code 16), the same event as when DTLS never comes up.");
	find_say_users(x, &f->verdict);
	text_str(&f->verdict, ": the DTLS tunnel was lost and did not come back.");
}

void find_dtls_lost(struct find *x)
{
	struct hit_groups g = {.n = 0};
	size_t n_proved = 0;
	word_t device = 0;
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		uint32_t down = case_is_open_source(k) ? find_failing(x, k)
		                : k->is_mixed          ? CASE_NONE
		                                       : find_loss(x, k);
		if (down == CASE_NONE || !find_is_session(x, k) || (x->marks[i] & MARK_DTLS_LOST) != 0)
			continue;
		x->marks[i] |= MARK_DTLS_LOST;
		find_hit(x, k, store_at(x->s, down)->at_ms, case_until(k));
		device = k->device;
		if (n_proved++ >= PROVED_CASES)
			continue;
		find_prove(x, cases_find(x->c, k->first, EVENT_TUNNEL_UP, TUNNEL_DTLS));
		find_prove(x, down);
		take_later_reconnect(x, k, down, &g);
	}
	if (x->n_hits == 0)
		return;
	say_lost(x, g.n > 0);
	remedy_mtu(x, &g);
	remedy_open_udp(x, device);
}

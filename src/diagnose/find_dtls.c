/* The DTLS tunnel never comes up, comes and goes, or is lost. */
#include "diagnose/remedy.h"

#define PROVED_CASES 4
#define NEAR_LINES   2
#define RENEWAL_MS   3000
#define FAR_MS       60000
#define FLAPS_MIN    3
#define FLAPS_MS     3600000 /* within this */
#define REKEY_MIN_MS                                                                                         \
	235000 /* a rekey makes a new tunnel as well, at least 4 minutes apart: cisco-facts.md 5.2 */
#define GONE_MS       300000
#define LOST_MS       60000 /* without DTLS for this long: lost */
#define SINCE_MIN     3     /* sessions before and after, to call it a change */
#define SNAPSHOT_S    60    /* a session this old has its DTLS */
#define DPD_DEFAULT_S 90    /* ocserv as it is shipped */

static bool is_dtls_down(const struct record *r)
{
	return r->tunnel == TUNNEL_DTLS &&
	       (r->kind == EVENT_TUNNEL_DOWN || r->kind == EVENT_DPD_DEAD || r->kind == EVENT_TUNNEL_STALL);
}

/* The whole session is coming to an end, sleeps or moves: what the tunnels do then means nothing. */
static bool is_upheaval(const struct record *r)
{
	return r->kind == EVENT_SESSION_END || r->kind == EVENT_SESSION_LOST ||
	       r->kind == EVENT_SESSION_RESUMED || r->kind == EVENT_SUSPEND || r->kind == EVENT_WAKE ||
	       r->kind == EVENT_NETWORK_CHANGE ||
	       (r->tunnel != TUNNEL_DTLS &&
	               (r->kind == EVENT_TUNNEL_DOWN || r->kind == EVENT_TUNNEL_REPLACED ||
	                       r->kind == EVENT_DPD_DEAD));
}

/* From a to b; lines without a time are near each other when they stand so in their file. */
static int64_t distance_ms(const struct record *a, const struct record *b)
{
	if (a->at_ms != TIME_NONE && b->at_ms != TIME_NONE)
		return b->at_ms - a->at_ms;
	int64_t lines = (int64_t)b->line - a->line;
	return lines >= -NEAR_LINES && lines <= NEAR_LINES ? 0 : lines * FAR_MS;
}

static bool is_upheaval_near(const struct find *x, uint32_t place)
{
	const struct record *r = store_at(x->s, place);
	uint32_t at = x->c->case_of[place];
	for (uint32_t i = x->c->v[at].first; i != CASE_NONE; i = x->c->next[i]) {
		const struct record *o = store_at(x->s, i);
		int64_t d = distance_ms(r, o);
		if (d > CASE_TAIL_MS)
			break;
		if (d >= -CASE_TAIL_MS && is_upheaval(o))
			return true;
	}
	return false;
}

static bool is_ours(const struct find *x, const struct one_case *k)
{
	return (k->side == SIDE_CLIENT || k->user != 0) && find_wants(x, k);
}

static bool is_open_source(const struct one_case *k)
{
	return k->source == SOURCE_OPENCONNECT || k->source == SOURCE_OCSERV;
}

/* ---- dtls-blocked ---- */

static const struct record *snapshot_of(const struct find *x, const struct one_case *k)
{
	const struct record *r = store_at(x->s, k->first);
	return r->kind == EVENT_SNAPSHOT ? r : NULL;
}

static bool has_mismatch(const struct find *x, const struct one_case *k)
{
	return cases_find(x->c, k->first, EVENT_CIPHER_MISMATCH, TUNNEL_UNKNOWN) != CASE_NONE;
}

static bool had_dtls(const struct find *x, const struct one_case *k)
{
	const struct record *snap = snapshot_of(x, k);
	return snap != NULL ? snap->has_dtls : k->n.dtls_ups > 0;
}

static bool is_blocked(const struct find *x, const struct one_case *k)
{
	const struct record *snap = snapshot_of(x, k);
	if (had_dtls(x, k) || find_is_dtls_off(x, k) || has_mismatch(x, k))
		return false;
	if (snap != NULL)
		return snap->has_tls && snap->size >= SNAPSHOT_S;
	if (k->n.dtls_failures > 0 || cases_find(x->c, k->first, EVENT_TUNNEL_DOWN, TUNNEL_DTLS) != CASE_NONE)
		return true;
	bool is_connected = k->n.tls_ups > 0 || (k->source == SOURCE_OCSERV && x->tells_dtls && k->has_begin);
	return k->side == SIDE_GATEWAY && is_connected && case_lasted(k, DTLS_GRACE_MS);
}

struct blocked {
	size_t n_with, n_without; /* sessions of all users */
	int64_t last_dtls_at_ms;  /* last time that any DTLS tunnel came up */
	int64_t first_blocked_at_ms;
	word_t addr; /* of all that are blocked; 0 when they differ */
	bool has_addr_differences;
	word_t device;
	size_t n_proved;
};

static void take_with(struct blocked *b, const struct one_case *k)
{
	b->n_with++;
	if (k->dtls_up_at_ms > b->last_dtls_at_ms)
		b->last_dtls_at_ms = k->dtls_up_at_ms;
}

static void prove_blocked(struct find *x, const struct one_case *k)
{
	uint32_t up = cases_find(x->c, k->first, EVENT_TUNNEL_UP, TUNNEL_TLS);
	find_prove(x, snapshot_of(x, k) || up == CASE_NONE ? k->first : up);
	find_prove(x, cases_find(x->c, k->first, EVENT_TUNNEL_FAILED, TUNNEL_DTLS));
	find_prove(x, cases_find(x->c, k->first, EVENT_TUNNEL_DOWN, TUNNEL_DTLS));
}

static void take_without(struct find *x, struct blocked *b, uint32_t at)
{
	const struct one_case *k = &x->c->v[at];
	b->n_without++;
	b->device = b->device ? b->device : k->device;
	b->has_addr_differences |= b->addr != 0 && k->addrs[0] != b->addr;
	b->addr = k->addrs[0];
	if (k->begin_at_ms != TIME_NONE &&
	        (b->first_blocked_at_ms == TIME_NONE || k->begin_at_ms < b->first_blocked_at_ms))
		b->first_blocked_at_ms = k->begin_at_ms;
	if (!find_wants(x, k) || (x->marks[at] & MARK_MTU_RECONNECT) != 0 || find_is_mtu_user(x, k->user))
		return;
	x->marks[at] |= MARK_DTLS_BLOCKED;
	find_hit(x, k, k->begin_at_ms, case_until(k));
	if (b->n_proved++ < PROVED_CASES)
		prove_blocked(x, k);
}

static void say_scope(const struct find *x, struct text *c, const struct blocked *b)
{
	bool is_since = b->n_with >= SINCE_MIN && b->n_without >= SINCE_MIN &&
	                b->last_dtls_at_ms != TIME_NONE && b->first_blocked_at_ms != TIME_NONE &&
	                b->last_dtls_at_ms < b->first_blocked_at_ms;
	if (is_since) {
		text_str(c, "DTLS came up until ");
		find_say_time(c, b->last_dtls_at_ms, false);
		text_str(c, ", and never after: something on the gateway's side or on the path of all of "
		            "them was "
		            "changed then. ");
	} else if (b->n_with > 0) {
		text_fmt(c,
		        "It concerns some: %zu of %zu sessions in these files have DTLS. So the gateway "
		        "answers on "
		        "UDP, and the networks of these users are in the way",
		        b->n_with, b->n_with + b->n_without);
		if (b->addr != 0 && !b->has_addr_differences && b->n_without > 1) {
			text_str(c, "; all of them come from ");
			find_say_addr(x, c, b->addr);
		}
		text_str(c, ". ");
	} else if (x->f->n_all_users > 1) {
		text_str(c, "It concerns all sessions in these files: look at the gateway first, and at the "
		            "firewalls "
		            "before it. ");
	} else {
		text_str(c, "Only this one is in the files: whether the gateway or this user's network is in "
		            "the way, "
		            "another user's session tells. ");
	}
}

static void say_blocked(struct find *x, const struct blocked *b)
{
	struct finding *f = x->f;
	const struct device_setup *d = setup_device(x->u, b->device);
	text_fmt(&f->cause,
	        "The TLS tunnel (TCP) works, the DTLS tunnel (UDP port %u) was never established: UDP is "
	        "dropped "
	        "between client and gateway, or DTLS is switched off. ",
	        d->dtls_port.value);
	say_scope(x, &f->cause, b);
	text_str(&f->cause, "Everything goes by TLS, which is slower, and worse for voice and video when "
	                    "packets are lost. "
	                    "No damage by packets that are too large was seen.");
	find_say_users(x, &f->verdict);
	text_fmt(&f->verdict, ": DTLS never comes up; UDP port %u is blocked %s.", d->dtls_port.value,
	        b->n_with > 0 ? "on the way of some" : "or DTLS is off");
	remedy_open_udp(x, b->device);
	struct remedy *r = find_remedy(x, "See whether UDP arrives at all");
	text_fmt(&r->config,
	        "capture dtls interface outside match udp any any eq %u\nshow capture dtls\nno capture "
	        "dtls\n",
	        d->dtls_port.value);
	text_str(&r->effect,
	        "Nothing in the capture while such a user connects: it is lost before the gateway.");
	text_str(&r->side_effects, "A capture costs memory: remove it.");
	if (b->n_with > 0)
		f->confidence = CONFIDENCE_CERTAIN;
}

/* ocserv says "DTLS handshake completed" at a higher log level only. */
static bool tells_dtls(const struct find *x)
{
	for (uint32_t i = 0; i < x->c->n; i++)
		if (x->c->v[i].source == SOURCE_OCSERV && x->c->v[i].n.dtls_ups > 0)
			return true;
	return false;
}

void find_dtls_blocked(struct find *x)
{
	struct blocked b = {.last_dtls_at_ms = TIME_NONE, .first_blocked_at_ms = TIME_NONE};
	x->tells_dtls = tells_dtls(x);
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		if (k->side == SIDE_GATEWAY && k->user == 0)
			continue;
		if (had_dtls(x, k))
			take_with(&b, k);
		else if (is_blocked(x, k))
			take_without(x, &b, i);
	}
	if (x->n_hits > 0)
		say_blocked(x, &b);
}

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
		if (is_upheaval(r))
			down = up = CASE_NONE;
		if (is_dtls_down(r) && down == CASE_NONE)
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

void find_dtls_flapping(struct find *x)
{
	size_t n_proved = 0, n_flaps = 0;
	word_t device = 0;
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		struct flaps f = count_flaps(x, k);
		if (!f.is_flapping || !is_ours(x, k))
			continue;
		x->marks[i] |= MARK_DTLS_LOST;
		find_hit(x, k, k->begin_at_ms, k->last_at_ms);
		n_flaps += f.n;
		device = k->device;
		for (size_t n = 0; n_proved < PROVED_CASES && n < f.n_places; n++)
			find_prove(x, f.places[n]);
		n_proved++;
	}
	if (x->n_hits == 0)
		return;
	text_fmt(&x->f->cause,
	        "The DTLS tunnel was lost and came back %zu times while the session stayed up. Each time "
	        "data stops until "
	        "the loss is noticed, and goes by TLS until DTLS is back. Usual reasons: a NAT or firewall "
	        "that forgets "
	        "UDP flows sooner than keepalives come, a path that loses many packets, or a line at its "
	        "limit.",
	        n_flaps);
	find_say_users(x, &x->f->verdict);
	text_fmt(&x->f->verdict, ": the DTLS tunnel came and went %zu times.", n_flaps);
	struct hit_groups g = {.n = 1, .v = {{.device = device, .group = x->f->group}}};
	struct remedy *r = find_remedy(x, "Keep the UDP flow open in NAT devices");
	remedy_put_webvpn(x, &r->config, &g, "anyconnect ssl keepalive 15");
	text_str(&r->effect, "A packet every 15 s: most NAT devices keep UDP flows for 30 s or more.");
	text_str(&r->side_effects, "Some traffic; phones sleep less.");
}

/* ---- dtls-lost, ocserv-udp-silent ---- */

/* The loss after which DTLS did not return although the session went on; CASE_NONE. */
static uint32_t find_loss(const struct find *x, const struct one_case *k)
{
	uint32_t down = CASE_NONE;
	bool was_up = !k->has_begin;
	for (uint32_t i = k->first; i != CASE_NONE; i = x->c->next[i]) {
		const struct record *r = store_at(x->s, i);
		if (record_is_dtls_up(r)) {
			was_up = true;
			down = CASE_NONE;
		}
		if (is_dtls_down(r) && was_up && down == CASE_NONE && r->reason != REASON_USER &&
		        r->reason != REASON_ADMIN)
			down = i;
	}
	if (down == CASE_NONE || is_upheaval_near(x, down))
		return CASE_NONE;
	int64_t at_ms = store_at(x->s, down)->at_ms, until = case_until(k);
	return at_ms != TIME_NONE && until != TIME_NONE && until - at_ms >= LOST_MS ? down : CASE_NONE;
}

static void say_later_reconnect(struct find *x, const struct one_case *k, uint32_t down, struct hit_groups *g)
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

void find_dtls_lost(struct find *x)
{
	struct hit_groups g = {.n = 0};
	size_t n_proved = 0;
	word_t device = 0;
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		uint32_t down = is_open_source(k) ? CASE_NONE : find_loss(x, k);
		if (down == CASE_NONE || !is_ours(x, k) || (x->marks[i] & MARK_DTLS_LOST) != 0)
			continue;
		int64_t at_ms = store_at(x->s, down)->at_ms;
		x->marks[i] |= MARK_DTLS_LOST;
		find_hit(x, k, at_ms, case_until(k));
		device = k->device;
		if (n_proved++ >= PROVED_CASES)
			continue;
		find_prove(x, cases_find(x->c, k->first, EVENT_TUNNEL_UP, TUNNEL_DTLS));
		find_prove(x, down);
		say_later_reconnect(x, k, down, &g);
	}
	if (x->n_hits == 0)
		return;
	struct finding *f = x->f;
	text_str(&f->cause, "The DTLS tunnel was up and was lost while the session went on by TLS, and did "
	                    "not come back. Until the loss "
	                    "is noticed (four DPD packets, up to two minutes with the defaults) everything "
	                    "that is sent is lost.");
	if (g.n > 0)
		text_str(&f->cause, " The TLS MTU is smaller: the client lowered its adapter's MTU and "
		                    "reconnected (reason "
		                    "code 16), the same event as when DTLS never comes up.");
	find_say_users(x, &f->verdict);
	text_str(&f->verdict, ": the DTLS tunnel was lost and did not come back.");
	remedy_mtu(x, &g);
	remedy_open_udp(x, device);
}

/* TLS died as well, before DTLS was back: the whole line was gone. */
static bool is_line_gone(const struct find *x, uint32_t place)
{
	const struct record *r = store_at(x->s, place);
	for (uint32_t i = x->c->next[place]; i != CASE_NONE; i = x->c->next[i]) {
		const struct record *o = store_at(x->s, i);
		if (record_is_dtls_up(o) ||
		        (o->at_ms != TIME_NONE && r->at_ms != TIME_NONE && o->at_ms - r->at_ms > GONE_MS))
			return false;
		if (o->kind == EVENT_SESSION_LOST ||
		        (o->kind == EVENT_DPD_DEAD && o->tunnel != TUNNEL_DTLS) ||
		        (o->kind == EVENT_TUNNEL_DOWN && o->tunnel == TUNNEL_TLS && o->reason != REASON_USER))
			return true;
	}
	return false;
}

/* Its own words for a tunnel that went silent: a stall, or its DPD. */
static uint32_t find_stall(const struct find *x, const struct one_case *k)
{
	for (uint32_t i = k->first; i != CASE_NONE; i = x->c->next[i]) {
		const struct record *r = store_at(x->s, i);
		bool is_dpd = r->kind == EVENT_DPD_DEAD ||
		              (r->kind == EVENT_TUNNEL_DOWN && r->reason == REASON_DPD);
		if (r->tunnel == TUNNEL_DTLS && (r->kind == EVENT_TUNNEL_STALL || is_dpd) &&
		        !is_upheaval_near(x, i) && !is_line_gone(x, i))
			return i;
	}
	return CASE_NONE;
}

static void say_silent(struct find *x)
{
	struct finding *f = x->f;
	const struct setting *dpd = &x->u->ocserv_dpd;
	uint32_t s = dpd->fact != NULL && dpd->value > 0 && dpd->value <= 86400 ? dpd->value : DPD_DEFAULT_S;
	find_prove_fact(x, dpd->fact);
	find_prove_fact(x, x->u->ocserv_switch.fact);
	text_fmt(&f->cause,
	        "UDP stopped passing in the middle of a session without an error. openconnect declares the "
	        "DTLS tunnel dead "
	        "only after twice the DPD interval without an answer: 2 x %u s = %u s%s. Until then "
	        "everything that was sent "
	        "over it was lost; the session looks up and nothing works.",
	        s, 2 * s, dpd->fact != NULL ? "" : " with ocserv's default of 90 s");
	find_say_users(x, &f->verdict);
	text_fmt(&f->verdict, ": UDP died in silence; nothing passed until it was noticed (up to %u s).",
	        2 * s);
	struct remedy *r = find_remedy(x, "Ask more often whether UDP is alive (ocserv.conf)");
	text_str(&r->config, "dpd = 10\nmobile-dpd = 60\nswitch-to-tcp-timeout = 10\n");
	text_str(&r->effect, "Dead UDP is noticed after about 20 s by the client, after 10 s by the server.");
	text_str(
	        &r->side_effects, "A small packet per client every 10 s; phones have their own, slower one.");
	r = find_remedy(x, "Use TLS only for those whose networks break UDP");
	text_str(&r->config, "openconnect --no-dtls ...\n");
	text_str(&r->effect, "No tunnel that can die in silence.");
	text_str(&r->side_effects, "TCP in TCP: slower when packets are lost.");
}

void find_udp_silent(struct find *x)
{
	size_t n_proved = 0;
	for (uint32_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		uint32_t at = is_open_source(k) ? find_stall(x, k) : CASE_NONE;
		if (at == CASE_NONE || (k->side == SIDE_CLIENT ? !find_wants(x, k) : !is_ours(x, k)))
			continue;
		x->marks[i] |= MARK_DTLS_LOST;
		find_hit(x, k, store_at(x->s, at)->at_ms, k->last_at_ms);
		if (n_proved++ >= PROVED_CASES)
			continue;
		find_prove(x, cases_find(x->c, k->first, EVENT_TUNNEL_UP, TUNNEL_DTLS));
		find_prove(x, at);
	}
	if (x->n_hits > 0)
		say_silent(x);
}

/* dtls-blocked: the DTLS tunnel never comes up, and nothing worse was seen. */
#include "diagnose/remedy.h"

#define PROVED_CASES 4
#define SINCE_MIN    3  /* sessions before and after, to call it a change */
#define SNAPSHOT_S   60 /* a session this old has its DTLS */

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
	if (snap != NULL)
		return snap->has_dtls;
	/* the gateway tells the end of a tunnel that was up, perhaps before the log begins; a client also of
	 * one that it tried in vain */
	return k->n.dtls_ups > 0 || (k->side == SIDE_GATEWAY && cases_find(x->c, k->first, EVENT_TUNNEL_DOWN,
	                                                                TUNNEL_DTLS) != CASE_NONE);
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
	/* of a session that began before the log a new TLS tunnel may be a rekey, beside DTLS that goes on */
	bool is_connected = (k->has_begin || k->n.resumed > 0) &&
	                    (k->n.tls_ups > 0 || (k->source == SOURCE_OCSERV && x->tells_dtls));
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
		            "them was changed then. ");
	} else if (b->n_with > 0) {
		text_fmt(c,
		        "It concerns some: %zu of %zu sessions in these files have DTLS. So the gateway "
		        "answers on UDP, and the networks of these users are in the way",
		        b->n_with, b->n_with + b->n_without);
		if (b->addr != 0 && !b->has_addr_differences && b->n_without > 1) {
			text_str(c, "; all of them come from ");
			find_say_addr(x, c, b->addr);
		}
		text_str(c, ". ");
	} else if (x->f->n_all_users > 1) {
		text_str(c, "It concerns all sessions in these files: look at the gateway first, and at the "
		            "firewalls before it. ");
	} else {
		text_str(c, "Only this one is in the files: whether the gateway or this user's network is in "
		            "the way, another user's session tells. ");
	}
}

static void say_blocked(struct find *x, const struct blocked *b)
{
	struct finding *f = x->f;
	uint32_t port = remedy_udp_port(x, b->device);
	text_fmt(&f->cause,
	        "The TLS tunnel (TCP) works, the DTLS tunnel (UDP port %u) was never established: UDP is "
	        "dropped between client and gateway, or DTLS is switched off. ",
	        port);
	say_scope(x, &f->cause, b);
	text_str(&f->cause, "Everything goes by TLS, which is slower, and worse for voice and video when "
	                    "packets are lost. No damage by packets that are too large was seen.");
	find_say_users(x, &f->verdict);
	text_fmt(&f->verdict, ": DTLS never comes up; UDP port %u is blocked %s.", port,
	        b->n_with > 0 ? "on the way of some" : "or DTLS is off");
	if (b->n_with > 0)
		f->confidence = CONFIDENCE_CERTAIN;
}

static struct remedy *capture(struct find *x, const char *side_effects)
{
	struct remedy *r = find_remedy(x, "See whether UDP arrives at all");
	text_str(&r->effect, "Nothing there while such a user connects: it is lost before the gateway.");
	text_str(&r->side_effects, side_effects);
	return r;
}

/* Where to listen for the packets that should come: an ASA has a command for it, the others run on Linux. */
static void remedy_capture(struct find *x, uint32_t port)
{
	struct remedy *r;
	if ((find_products(x) & PRODUCTS_ASA) != 0) {
		r = capture(x, "A capture costs memory: remove it.");
		remedy_name_product(x, r, PRODUCTS_ASA);
		text_fmt(&r->config,
		        "capture dtls interface outside match udp any any eq %u\nshow capture dtls\n"
		        "no capture dtls\n",
		        port);
	}
	if ((find_products(x) & (PRODUCTS_CULVERT | PRODUCTS_OCSERV)) != 0) {
		r = capture(x, "None.");
		text_fmt(&r->config, "tcpdump -n -i any udp port %u\n", port);
	}
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
	if (x->n_hits == 0)
		return;
	say_blocked(x, &b);
	remedy_open_udp(x, b.device);
	remedy_capture(x, remedy_udp_port(x, b.device));
}

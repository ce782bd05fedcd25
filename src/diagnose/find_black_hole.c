/* icmp-filtered-black-hole: a sender that never hears that its packets are too large. */
#include <stdlib.h>

#include "diagnose/cure.h"

#define HOLE_COUNT 4      /* the same size again, so often */
#define HOLE_MS    5000   /* and over so long: a sender that heard it once keeps to it for minutes */
#define PAUSE_MS   120000 /* and never apart for longer: after ten minutes senders try the large size again */
#define MAX_HOLES  4096   /* pairs of sender and client that are looked at */
#define N_SLOTS    8192

/* One sender, one session (or address), one size: packets without a long pause between. */
struct hole {
	uint32_t at; /* case, or CASE_NONE */
	word_t device, inner, peer;
	uint32_t size, count, first, last; /* places */
	bool is_found;                     /* there were enough of them */
};

struct holes {
	struct hole v[MAX_HOLES];
	size_t n;
	uint16_t slots[N_SLOTS]; /* index + 1 */
};

static struct hole *hole_at(struct holes *h, const struct hole *key)
{
	const uint32_t parts[] = {key->at, key->device, key->inner, key->peer, key->size};
	uint32_t i = 2166136261u; /* FNV-1a over whole numbers */
	for (size_t k = 0; k < N_ELEM(parts); k++)
		i = (i ^ parts[k]) * 16777619u;
	for (i = (i ^ i >> 15) % N_SLOTS; h->slots[i] != 0; i = (i + 1) % N_SLOTS) {
		struct hole *o = &h->v[h->slots[i] - 1];
		if (o->at == key->at && o->device == key->device && o->inner == key->inner &&
		        o->peer == key->peer && o->size == key->size)
			return o;
	}
	if (h->n == MAX_HOLES)
		return NULL;
	h->v[h->n] = *key;
	h->slots[i] = (uint16_t)++h->n;
	return &h->v[h->n - 1];
}

static void take(const struct find *x, struct hole *h, uint32_t place)
{
	const struct record *r = store_at(x->s, place);
	bool is_new = h->count == 0 || r->at_ms - store_at(x->s, h->last)->last_at_ms > PAUSE_MS;
	if (is_new && h->is_found)
		return;
	if (is_new) {
		h->first = place;
		h->count = 0;
	}
	h->last = place;
	h->count += r->count;
	h->is_found |= h->count >= HOLE_COUNT && r->last_at_ms - store_at(x->s, h->first)->at_ms >= HOLE_MS;
}

static void collect_holes(const struct find *x, struct holes *h)
{
	for (uint32_t i = 0; i < store_n(x->s); i++) {
		const struct record *r = store_at(x->s, i);
		if (r->kind != EVENT_FRAG_NEEDED || r->inner == 0 || r->peer == 0 || r->at_ms == TIME_NONE)
			continue;
		const struct hole key = {.at = x->c->case_of[i],
		        .device = r->device,
		        .inner = r->inner,
		        .peer = r->peer,
		        .size = r->size};
		struct hole *o = hole_at(h, &key);
		if (o != NULL)
			take(x, o, i);
	}
}

/* Says whether it concerns whom the report is about, and takes it then. */
static bool take_hole(struct find *x, const struct hole *h)
{
	uint32_t at = x->c->case_of[h->first];
	const struct record *first = store_at(x->s, h->first), *last = store_at(x->s, h->last);
	if (at != CASE_NONE && find_wants(x, &x->c->v[at]))
		find_hit(x, &x->c->v[at], first->at_ms, last->last_at_ms);
	else if (at == CASE_NONE && find_wants_record(x, first))
		find_hit_record(x, first);
	else
		return false;
	find_prove(x, h->first);
	find_prove(x, h->last);
	if (at != CASE_NONE)
		find_prove(x, cases_find(x->c, x->c->v[at].first, EVENT_LARGE_PACKET, TUNNEL_UNKNOWN));
	return true;
}

static void say_hole(struct find *x, const struct hole *h)
{
	struct finding *f = x->f;
	const struct record *first = store_at(x->s, h->first), *last = store_at(x->s, h->last);
	text_str(&f->cause, "The server ");
	find_say_addr(x, &f->cause, h->peer);
	text_fmt(&f->cause, " sent packets of %u bytes to ", h->size);
	find_say_addr(x, &f->cause, h->inner);
	text_fmt(&f->cause,
	        ", which the tunnel cannot carry (limit %u). The gateway said so with ICMP \"fragmentation "
	        "needed\" each time (602101), and the server went on with the same size, %u times in %lld s: "
	        "the ICMP does not reach it. Its packets go into a black hole; connections open and then "
	        "hang.",
	        last->limit, h->count, (long long)(last->last_at_ms - first->at_ms) / 1000);
	text_str(&f->verdict, "ICMP \"fragmentation needed\" does not reach ");
	find_say_addr(x, &f->verdict, h->peer);
	text_str(&f->verdict, ": it keeps sending what is too large.");
}

#define LOOK_BETWEEN                                                                                         \
	"Senders learn the size and keep to it. Look for a firewall between gateway and server that drops "  \
	"ICMP, and for a server that ignores it. "

static const struct cure cures[] = {
        {PRODUCTS_ASA, PASTE_GLOBAL, "Let ICMP type 3 code 4 pass from the gateway to the servers",
                "icmp permit any unreachable inside",
                LOOK_BETWEEN
                "(The line permits it to the gateway itself; a firewall between needs its own rule.)",
                "None."},
        {PRODUCTS_CULVERT | PRODUCTS_OCSERV, PASTE_GLOBAL,
                "Let ICMP type 3 code 4 pass from the gateway to the servers",
                "iptables -I OUTPUT -p icmp --icmp-type fragmentation-needed -j ACCEPT\n"
                "iptables -I FORWARD -p icmp --icmp-type fragmentation-needed -j ACCEPT",
                LOOK_BETWEEN
                "(The lines are for the gateway's own Linux; a firewall between needs its own rule.)",
                "None."},
        {PRODUCTS_COMMANDS, PASTE_WEBVPN, "Let the gateway cut packets although they say \"don't fragment\"",
                "anyconnect ssl df-bit-ignore enable", "IPv4 packets arrive in fragments; no ICMP is needed.",
                "Work for gateway and client; not for IPv6."},
};

/* Those whose servers were told that a packet is too large. */
static struct hit_groups groups_of(const struct find *x)
{
	struct hit_groups g = {.n = 0};
	for (uint32_t i = 0; i < x->c->n && g.n < REMEDY_MAX_GROUPS; i++)
		if (x->c->v[i].n.frag_needed > 0 && find_wants(x, &x->c->v[i]))
			remedy_collect(x, &g, &x->c->v[i]);
	return g;
}

void find_black_hole(struct find *x)
{
	struct holes *h = calloc(1, sizeof(*h));
	size_t n_taken = 0;
	if (h == NULL) {
		x->is_bad = true;
		return;
	}
	collect_holes(x, h);
	for (size_t i = 0; i < h->n; i++)
		if (h->v[i].is_found && take_hole(x, &h->v[i]) && n_taken++ == 0)
			say_hole(x, &h->v[i]);
	free(h);
	if (n_taken == 0)
		return;
	if (n_taken > 1)
		text_fmt(&x->f->cause, " The same with %zu pairs of server and client in all.", n_taken);
	x->f->confidence = CONFIDENCE_CERTAIN;
	struct hit_groups g = groups_of(x);
	cure_add(x, &g, cures, N_ELEM(cures));
}

#include "diagnose/cases.h"

#include <errno.h>
#include <stdlib.h>

#include "diagnose/origin.h"

#define N_SLOTS      (1u << 19)
#define N_SLOTS_USED (N_SLOTS / 4 * 3)
#define MAX_CHAIN    8  /* sessions of one user that are looked at */
#define LOOKAHEAD    64 /* lines of a busy log between two that belong together */
#define DURATION_OFF_MS                                                                                      \
	60000 /* between the begin that a duration gives and the first line of the session                   \
	       */

/* What a case is found by. */
enum key_tag { KEY_USER, KEY_PUBLIC, KEY_INNER, KEY_FILE };

struct slot {
	uint64_t key; /* tag, device, word; 0: free */
	uint32_t at;
};

struct build {
	struct cases *c;
	struct slot *slots;
	size_t n_slots;
	int64_t *file_ends;
	word_t *origins; /* of each file: the device of lines that name none */
	size_t n_files;
};

/* ---- index ---- */

static word_t device_of(const struct build *b, const struct record *r)
{
	return r->device != 0 || r->file >= b->n_files ? r->device : b->origins[r->file];
}

static uint64_t key_of(enum key_tag tag, word_t device, word_t word)
{
	return 1ull << 63 | (uint64_t)tag << 60 | (uint64_t)device << 30 | word;
}

static struct slot *slot_of(struct build *b, uint64_t key)
{
	uint64_t h = key * 0x9e3779b97f4a7c15u;
	size_t i = (h ^ h >> 29) & (N_SLOTS - 1);
	while (b->slots[i].key != 0 && b->slots[i].key != key)
		i = (i + 1) & (N_SLOTS - 1);
	return &b->slots[i];
}

static uint32_t look_up(struct build *b, enum key_tag tag, word_t device, word_t word)
{
	const struct slot *s = word ? slot_of(b, key_of(tag, device, word)) : NULL;
	return s != NULL && s->key != 0 ? s->at : CASE_NONE;
}

static void enter(struct build *b, enum key_tag tag, word_t device, word_t word, uint32_t at)
{
	struct slot *s = word ? slot_of(b, key_of(tag, device, word)) : NULL;
	if (s == NULL || (s->key == 0 && b->n_slots >= N_SLOTS_USED))
		return;
	b->n_slots += s->key == 0;
	*s = (struct slot){key_of(tag, device, word), at};
}

/* ---- which case an event belongs to ---- */

static int64_t gap_ms(const struct record *r, int64_t since_ms)
{
	return r->at_ms == TIME_NONE || since_ms == TIME_NONE ? 0 : r->at_ms - since_ms;
}

/* A login's line within a session that is being resumed: the gateway prints the address once more. */
static bool is_resuming(const struct build *b, const struct one_case *k, uint32_t place)
{
	const struct store *s = b->c->store;
	const struct record *r = store_at(s, place);
	for (uint32_t i = place + 1; i < store_n(s) && i < place + LOOKAHEAD; i++) {
		const struct record *later = store_at(s, i);
		if (gap_ms(later, r->at_ms) > CASE_LOGIN_MS)
			break;
		if (record_is_reconnect(later) &&
		        (later->user == r->user || record_side(later) == SIDE_CLIENT))
			return true;
	}
	const struct record *last = store_at(s, k->last);
	return record_is_reconnect(last) && gap_ms(r, last->at_ms) <= CASE_LOGIN_MS;
}

static bool is_late_kind(const struct record *r)
{
	return r->kind == EVENT_TUNNEL_DOWN || r->kind == EVENT_SESSION_END ||
	       r->kind == EVENT_SESSION_LOST || r->kind == EVENT_DPD_DEAD;
}

static bool is_tail(const struct record *r, const struct one_case *k)
{
	return is_late_kind(r) && gap_ms(r, k->end_at_ms) <= CASE_TAIL_MS;
}

/* May the event be one of this case's, going by what happened to it so far? */
static bool is_open_for(const struct build *b, const struct one_case *k, uint32_t place)
{
	const struct record *r = store_at(b->c->store, place);
	if (k->source == SOURCE_ASA_SESSIONS || r->kind == EVENT_SNAPSHOT)
		return false;
	if (k->is_ended)
		return is_tail(r, k);
	if (r->kind != EVENT_CONNECTED || !k->has_begin || gap_ms(r, k->begin_at_ms) <= CASE_LOGIN_MS)
		return true;
	return (k->side == SIDE_CLIENT && (k->n.lost > 0 || k->n.replaced > 0)) || is_resuming(b, k, place);
}

static bool has_addr(const struct one_case *k, word_t addr)
{
	for (size_t i = 0; i < CASE_MAX_ADDRS; i++)
		if (k->addrs[i] == addr)
			return true;
	return addr == 0;
}

/* From another address than before: a move, unless the user has a second client. */
static bool is_move(const struct one_case *k, const struct record *r)
{
	if (r->kind == EVENT_SESSION_RESUMED || r->kind == EVENT_TUNNEL_REPLACED)
		return true;
	return r->kind != EVENT_CONNECTED && (!k->is_tls_up || r->kind == EVENT_SESSION_END);
}

/* The end of a session, in these lines, that says how long it lasted; CASE_NONE. */
static uint32_t end_near(const struct build *b, uint32_t place)
{
	const struct store *s = b->c->store;
	const struct record *r = store_at(s, place);
	for (uint32_t i = place; i < store_n(s) && i < place + LOOKAHEAD; i++) {
		const struct record *e = store_at(s, i);
		if (gap_ms(e, r->at_ms) > CASE_TAIL_MS)
			break;
		if (e->kind == EVENT_SESSION_END && e->size > 0 && e->user == r->user &&
		        e->public_ip == r->public_ip && device_of(b, e) == device_of(b, r))
			return i;
	}
	return CASE_NONE;
}

/* Of several sessions of one user from one address the one that ends here: the one that began when the
 * gateway says that it did. CASE_NONE: there is only one, or it does not say. */
static uint32_t of_duration(const struct build *b, uint32_t newest, uint32_t place)
{
	const struct record *r = store_at(b->c->store, place);
	uint32_t end = is_late_kind(r) && r->at_ms != TIME_NONE ? end_near(b, place) : CASE_NONE;
	uint32_t best = CASE_NONE, at = newest;
	int64_t least_ms = DURATION_OFF_MS;
	int n_open = 0;
	if (end == CASE_NONE)
		return CASE_NONE;
	const struct record *e = store_at(b->c->store, end);
	int64_t begin_at_ms = e->at_ms - INT64_C(1000) * e->size;
	for (int i = 0; at != CASE_NONE && i < MAX_CHAIN; i++, at = b->c->v[at].older) {
		const struct one_case *k = &b->c->v[at];
		if (!has_addr(k, r->public_ip) || !is_open_for(b, k, place))
			continue;
		n_open++;
		int64_t off_ms = k->begin_at_ms > begin_at_ms ? k->begin_at_ms - begin_at_ms
		                                              : begin_at_ms - k->begin_at_ms;
		if (k->has_begin && k->begin_at_ms != TIME_NONE && off_ms < least_ms) {
			best = at;
			least_ms = off_ms;
		}
	}
	return n_open > 1 ? best : CASE_NONE;
}

static uint32_t of_user(struct build *b, uint32_t place)
{
	const struct record *r = store_at(b->c->store, place);
	uint32_t newest = look_up(b, KEY_USER, device_of(b, r), r->user), at = of_duration(b, newest, place);
	if (at != CASE_NONE)
		return at;
	at = newest;
	for (int i = 0; at != CASE_NONE && i < MAX_CHAIN; i++, at = b->c->v[at].older)
		if (has_addr(&b->c->v[at], r->public_ip) && is_open_for(b, &b->c->v[at], place))
			return at;
	at = newest;
	for (int i = 0; at != CASE_NONE && i < MAX_CHAIN; i++, at = b->c->v[at].older)
		if (is_open_for(b, &b->c->v[at], place) && is_move(&b->c->v[at], r))
			return at;
	return CASE_NONE;
}

static uint32_t of_address(struct build *b, uint32_t place)
{
	const struct record *r = store_at(b->c->store, place);
	const word_t words[] = {r->inner, r->public_ip, r->inner};
	static const enum key_tag tags[] = {KEY_INNER, KEY_PUBLIC, KEY_INNER};
	word_t device = device_of(b, r);
	const word_t devices[] = {device, device, 0};
	/* inner addresses of several gateways may be the same: where that is known, a log's are its own */
	size_t n = device >= ORIGIN_FIRST ? 2 : N_ELEM(words);
	for (size_t i = 0; i < n; i++) {
		uint32_t at = look_up(b, tags[i], devices[i], words[i]);
		if (at != CASE_NONE && is_open_for(b, &b->c->v[at], place))
			return at;
	}
	return CASE_NONE;
}

static uint32_t find_case(struct build *b, uint32_t place)
{
	const struct record *r = store_at(b->c->store, place);
	uint32_t at;
	if (r->kind == EVENT_SNAPSHOT)
		return CASE_NONE;
	if (record_side(r) == SIDE_CLIENT || (r->user == 0 && r->public_ip == 0 && r->inner == 0)) {
		at = look_up(b, KEY_FILE, 0, r->file + 1);
		return at != CASE_NONE && is_open_for(b, &b->c->v[at], place) ? at : CASE_NONE;
	}
	return r->user ? of_user(b, place) : of_address(b, place);
}

/* ---- a new case ---- */

/* These say something of somebody who has no session; a gateway sees handshakes of strangers, too. */
static bool is_of_nobody(const struct record *r)
{
	if (r->kind == EVENT_AUTH_REJECTED || r->kind == EVENT_POOL_EXHAUSTED ||
	        r->kind == EVENT_CIPHER_MISMATCH || r->kind == EVENT_CONNECT_FAILED)
		return true;
	return record_side(r) == SIDE_GATEWAY && r->user == 0 && r->kind != EVENT_MTU &&
	       r->kind != EVENT_LARGE_PACKET && r->kind != EVENT_FRAG_NEEDED && r->kind != EVENT_SNAPSHOT;
}

/* A session of the same user from the same address goes on, as far as the log tells. */
static void mark_mixed(struct build *b, uint32_t at, const struct record *r)
{
	uint32_t other = b->c->v[at].older;
	for (int i = 0; other != CASE_NONE && r->public_ip != 0 && i < MAX_CHAIN; i++) {
		struct one_case *k = &b->c->v[other];
		if (!k->is_ended && k->is_tls_up && k->addrs[0] == r->public_ip) {
			k->is_mixed = true;
			b->c->v[at].is_mixed = true;
		}
		other = k->older;
	}
}

static uint32_t new_case(struct build *b, uint32_t place)
{
	const struct record *r = store_at(b->c->store, place);
	if (b->c->n == CASES_MAX) {
		b->c->n_lost++;
		return CASE_NONE;
	}
	uint32_t at = (uint32_t)b->c->n++;
	b->c->v[at] = (struct one_case){
	        .side = record_side(r),
	        .source = r->source,
	        .device = r->device,
	        .first_file = r->file,
	        .has_times = r->at_ms != TIME_NONE,
	        .has_zone = r->has_zone,
	        .begin_at_ms = r->at_ms,
	        .end_at_ms = TIME_NONE,
	        .dtls_up_at_ms = TIME_NONE,
	        .first = place,
	        .last = CASE_NONE,
	        .older = look_up(b, KEY_USER, device_of(b, r), r->user),
	        .partner = CASE_NONE,
	};
	mark_mixed(b, at, r);
	return at;
}

/* ---- where it is entered ---- */

static void append(struct build *b, uint32_t at, uint32_t place)
{
	const struct record *r = store_at(b->c->store, place);
	struct one_case *k = &b->c->v[at];
	if (k->last != CASE_NONE)
		b->c->next[k->last] = place;
	k->last = place;
	k->last_file = r->file;
	k->last_at_ms = r->last_at_ms;
	b->c->case_of[place] = at;
	case_take(b->c->store, k, r);
	if (k->side == SIDE_CLIENT || (r->user == 0 && r->public_ip == 0 && r->inner == 0))
		enter(b, KEY_FILE, 0, r->file + 1, at);
	if (k->side == SIDE_CLIENT || k->source == SOURCE_ASA_SESSIONS)
		return;
	word_t device = k->device != 0 ? k->device : device_of(b, r);
	enter(b, KEY_USER, device, k->user, at);
	enter(b, KEY_PUBLIC, device, k->addrs[0], at);
	enter(b, KEY_INNER, device, k->inner, at);
	enter(b, KEY_INNER, device, k->inner6, at);
	enter(b, KEY_INNER, 0, k->inner, at);
}

static void place_event(struct build *b, uint32_t place)
{
	const struct record *r = store_at(b->c->store, place);
	uint32_t at = find_case(b, place);
	if (r->at_ms != TIME_NONE && r->file < b->n_files && r->last_at_ms > b->file_ends[r->file])
		b->file_ends[r->file] = r->last_at_ms;
	if (at == CASE_NONE && !is_of_nobody(r))
		at = new_case(b, place);
	if (at != CASE_NONE)
		append(b, at, place);
}

/* ---- life ---- */

static size_t count_files(const struct store *s)
{
	size_t n = 0;
	for (size_t i = 0; i < store_n(s); i++)
		if (store_at(s, i)->file >= n)
			n = store_at(s, i)->file + 1u;
	return n < CASES_MAX ? n : CASES_MAX;
}

static void build(struct build *b)
{
	size_t n = store_n(b->c->store);
	for (size_t i = 0; i < b->n_files; i++)
		b->file_ends[i] = TIME_NONE;
	for (size_t i = 0; i < n; i++)
		b->c->next[i] = b->c->case_of[i] = CASE_NONE;
	for (size_t i = 0; i < n; i++)
		place_event(b, (uint32_t)i);
	for (size_t i = 0; i < b->c->n; i++) {
		struct one_case *k = &b->c->v[i];
		k->known_until_ms = k->last_file < b->n_files ? b->file_ends[k->last_file] : k->last_at_ms;
	}
	cases_join(b->c);
}

int cases_init(struct cases *c, const struct store *s)
{
	size_t n = store_n(s);
	struct build b = {.c = c, .n_files = count_files(s)};
	*c = (struct cases){.store = s};
	c->v = malloc((n < CASES_MAX ? n + 1 : CASES_MAX) * sizeof(*c->v));
	c->next = malloc((n + 1) * sizeof(*c->next));
	c->case_of = malloc((n + 1) * sizeof(*c->case_of));
	b.slots = calloc(N_SLOTS, sizeof(*b.slots));
	b.file_ends = malloc((b.n_files + 1) * sizeof(*b.file_ends));
	b.origins = origins_make(s, b.n_files);
	bool has_memory = c->v != NULL && c->next != NULL && c->case_of != NULL && b.slots != NULL &&
	                  b.file_ends != NULL && b.origins != NULL;
	if (has_memory)
		build(&b);
	else
		cases_done(c);
	free(b.slots);
	free(b.file_ends);
	free(b.origins);
	return has_memory ? 0 : -ENOMEM;
}

void cases_done(struct cases *c)
{
	free(c->v);
	free(c->next);
	free(c->case_of);
	*c = (struct cases){.n = 0};
}

bool case_is_open_source(const struct one_case *k)
{
	return k->source == SOURCE_OPENCONNECT || k->source == SOURCE_OCSERV;
}

int64_t case_until(const struct one_case *k)
{
	return k->is_ended && k->end_at_ms != TIME_NONE ? k->end_at_ms : k->known_until_ms;
}

bool case_lasted(const struct one_case *k, int64_t ms)
{
	int64_t until = case_until(k);
	return k->has_times && until != TIME_NONE && k->begin_at_ms != TIME_NONE &&
	       until - k->begin_at_ms >= ms;
}

uint32_t cases_find(const struct cases *c, uint32_t place, enum event_kind kind, enum tunnel_kind tunnel)
{
	for (uint32_t i = place; i != CASE_NONE; i = c->next[i]) {
		const struct record *r = store_at(c->store, i);
		if (r->kind == kind && (tunnel == TUNNEL_UNKNOWN || r->tunnel == tunnel))
			return i;
	}
	return CASE_NONE;
}

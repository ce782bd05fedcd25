#include "diagnose/store.h"

#include <stdlib.h>

#include "diagnose/words.h"

#define N_MERGE_SLOTS (1u << 16) /* latest record of each key; a collision costs a merge, nothing else */
#define TWIN_WINDOW   64         /* records of the same moment that are compared with each other */
#define TUNNEL_MS     2000       /* from the loss of a tunnel to the line that names it */
#define ADDR_MARK     0x00       /* first byte of words that are addresses: no text has it */

/* The end of summer time in a log without a zone: the same hour again. By the clock as it was read, two hours
 * would lie on each other, and sessions with them. */
#define N_CLOCKS     64
#define HOUR_MS      INT64_C(3600000)
#define DAY_MS       (24 * HOUR_MS)
#define STEP_MIN_MS  (50 * INT64_C(60000)) /* back by an hour, less the pause between two lines */
#define STEP_MAX_MS  (HOUR_MS + 30000)
#define NIGHT_END_MS (4 * HOUR_MS) /* it is done on Sundays before four */

struct clock {
	uint64_t key; /* of file and device; 0: free */
	int64_t last_ms, ahead_ms;
};

struct store {
	struct store_focus focus;
	struct clock clocks[N_CLOCKS];
	struct words words;
	struct record *records;
	size_t n;
	uint32_t *order; /* of records, by time; after store_finish() */
	size_t n_order;
	struct fact_record *facts;
	size_t n_facts;
	uint8_t *texts; /* of each: length in two bytes, then that many bytes */
	size_t n_texts;
	uint32_t *latest; /* index of a record + 1 */
	struct store_counts counts;
	/* the file that is being read */
	uint32_t file;
	int64_t last_at_ms;
	bool last_has_zone;
	word_t device;
};

/* ---- clocks ---- */

static uint64_t clock_key(const struct event *e)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ e->file; /* FNV-1a */
	for (size_t i = 0; i < e->device.n; i++)
		h = (h ^ e->device.p[i]) * UINT64_C(0x100000001b3);
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return h != 0 ? h : 1;
}

static bool is_sunday_night(int64_t at_ms)
{
	return (at_ms / DAY_MS + 4) % 7 == 0 && at_ms % DAY_MS < NIGHT_END_MS; /* 1970 began on a Thursday */
}

/* Adds the hours that the clock of this event was set back by so far. */
static int64_t count_on(struct store *s, const struct event *e)
{
	uint64_t key = clock_key(e);
	struct clock *c = &s->clocks[key >> 58];
	if (c->key != key)
		*c = (struct clock){.key = key, .last_ms = TIME_NONE};
	int64_t back_ms = c->last_ms != TIME_NONE ? c->last_ms - e->at_ms : 0;
	if (back_ms >= STEP_MIN_MS && back_ms <= STEP_MAX_MS && is_sunday_night(e->at_ms) &&
	        c->ahead_ms == 0) {
		c->ahead_ms = HOUR_MS;
		if (s->counts.n_clocks_back++ == 0)
			s->counts.clock_back_at_ms = c->last_ms;
	} else if (back_ms > STEP_MAX_MS) {
		c->ahead_ms = 0; /* an older log follows in the same file */
	}
	c->last_ms = e->at_ms;
	return e->at_ms + c->ahead_ms;
}

/* ---- texts and words ---- */

static word_t put_word(struct store *s, struct span text, bool *is_full)
{
	if (text.n > 0 && text.p[0] == ADDR_MARK)
		return 0;
	return words_put(&s->words, text, is_full);
}

static word_t put_addr(struct store *s, const struct ip_addr *a, bool *is_full)
{
	uint8_t b[2 + sizeof(a->b)] = {ADDR_MARK, a->family};
	if (!addr_is_set(a))
		return 0;
	memcpy(b + 2, a->b, sizeof(a->b));
	return words_put(&s->words, span_of(b, sizeof(b)), is_full);
}

struct ip_addr store_addr(const struct store *s, word_t w)
{
	struct span b = words_get(&s->words, w);
	struct ip_addr a = {.family = 0};
	if (b.n != 2 + sizeof(a.b) || b.p[0] != ADDR_MARK)
		return a;
	a.family = b.p[1];
	memcpy(a.b, b.p + 2, sizeof(a.b));
	return a;
}

struct span store_word(const struct store *s, word_t w)
{
	struct span b = words_get(&s->words, w);
	return b.n > 0 && b.p[0] == ADDR_MARK ? span_of(NULL, 0) : b;
}

word_t store_find_word(const struct store *s, struct span text)
{
	return words_find(&s->words, text);
}

size_t store_n_words(const struct store *s)
{
	return s->words.n;
}

static uint32_t put_text(struct store *s, struct span line)
{
	size_t n = line.n < STORE_MAX_TEXT_BYTES ? line.n : STORE_MAX_TEXT_BYTES, at = s->n_texts;
	if (n == 0)
		return 0;
	if (at + 2 + n > STORE_TEXTS_BYTES) {
		s->counts.n_texts_over_limit++;
		return 0;
	}
	s->texts[at] = (uint8_t)(n >> 8);
	s->texts[at + 1] = (uint8_t)n;
	memcpy(s->texts + at + 2, line.p, n);
	s->n_texts += 2 + n;
	return (uint32_t)at;
}

struct span store_text(const struct store *s, uint32_t text)
{
	if (text == 0)
		return span_of(NULL, 0);
	const uint8_t *at = s->texts + text;
	return span_of(at + 2, (size_t)at[0] << 8 | at[1]);
}

/* ---- what concerns the user in question ---- */

static bool has_focus(const struct store *s)
{
	return s->focus.user != NULL || addr_is_set(&s->focus.ip);
}

/* Without a user and an address an event may be anybody's: the client's own log. */
static bool is_in_focus(const struct store *s, const struct event *e)
{
	const struct ip_addr *ip = &s->focus.ip;
	if (s->focus.user != NULL && e->user.n > 0)
		return span_is_nocase(e->user, s->focus.user);
	if (!addr_is_set(ip) || (!addr_is_set(&e->public_ip) && !addr_is_set(&e->inner)))
		return true;
	return addr_eq(&e->public_ip, ip) || addr_eq(&e->inner, ip) || addr_eq(&e->peer, ip);
}

/* ---- repeats ---- */

static bool may_repeat(uint8_t kind)
{
	return kind == EVENT_LARGE_PACKET || kind == EVENT_FRAG_NEEDED || kind == EVENT_AUTH_REJECTED ||
	       kind == EVENT_POOL_EXHAUSTED || kind == EVENT_CIPHER_MISMATCH || kind == EVENT_MTU;
}

static bool has_same_meaning(const struct record *a, const struct record *b)
{
	return a->kind == b->kind && a->source == b->source && a->tunnel == b->tunnel &&
	       a->reason == b->reason && a->code == b->code && a->size == b->size && a->limit == b->limit &&
	       a->adapter == b->adapter && a->device == b->device && a->user == b->user &&
	       a->group == b->group && a->profile == b->profile && a->cause == b->cause &&
	       a->public_ip == b->public_ip && a->inner == b->inner && a->peer == b->peer &&
	       a->is_to_client == b->is_to_client;
}

static uint32_t *merge_slot(const struct store *s, const struct record *r)
{
	uint32_t parts[] = {r->kind, r->user, r->public_ip, r->inner, r->peer, r->size, r->limit, r->cause};
	uint32_t h = 2166136261u; /* FNV-1a over whole numbers: what collides is merely not merged */
	for (size_t i = 0; i < N_ELEM(parts); i++)
		h = (h ^ parts[i]) * 16777619u;
	return &s->latest[(h ^ h >> 15) & (N_MERGE_SLOTS - 1)];
}

static bool merge(struct store *s, const struct record *r, uint32_t *slot)
{
	if (*slot == 0)
		return false;
	struct record *old = &s->records[*slot - 1];
	if (!has_same_meaning(old, r) || old->file != r->file || old->count == UINT32_MAX)
		return false;
	if (old->at_ms != TIME_NONE &&
	        (r->at_ms < old->last_at_ms || r->at_ms - old->at_ms >= STORE_MERGE_MS))
		return false;
	old->count++;
	old->last_at_ms = r->at_ms;
	s->counts.n_repeats++;
	return true;
}

/* ---- sink ---- */

static void turn_to_file(struct store *s, uint32_t file)
{
	if (file == s->file)
		return;
	s->file = file;
	s->last_at_ms = TIME_NONE;
	s->last_has_zone = false;
	s->device = 0;
}

static struct record record_of(struct store *s, const struct event *e, bool *is_full)
{
	bool is_untimed = e->at_ms == TIME_NONE;
	int64_t at_ms = is_untimed ? s->last_at_ms : e->at_ms;
	return (struct record){
	        .at_ms = at_ms,
	        .last_at_ms = at_ms,
	        .count = 1,
	        .size = e->size,
	        .limit = e->limit,
	        .adapter = e->adapter,
	        .line = e->line,
	        .file = e->file,
	        .device = put_word(s, e->device, is_full),
	        .user = put_word(s, e->user, is_full),
	        .group = put_word(s, e->group, is_full),
	        .profile = put_word(s, e->profile, is_full),
	        .cause = put_word(s, e->cause, is_full),
	        .public_ip = put_addr(s, &e->public_ip, is_full),
	        .inner = put_addr(s, &e->inner, is_full),
	        .peer = put_addr(s, &e->peer, is_full),
	        .code = e->code,
	        .kind = e->kind,
	        .source = e->source,
	        .tunnel = e->tunnel,
	        .reason = e->reason,
	        .is_to_client = e->is_to_client,
	        .has_tls = e->has_tls,
	        .has_dtls = e->has_dtls,
	        .has_zone = is_untimed ? s->last_has_zone : e->has_zone,
	        .is_untimed = is_untimed,
	};
}

/* The second half of the room for lines is for those that prove something, not for every login. */
static bool is_telling(uint8_t kind)
{
	return kind != EVENT_CONNECTED && kind != EVENT_TUNNEL_UP && kind != EVENT_TUNNEL_DOWN &&
	       kind != EVENT_CIPHER;
}

static void lose(struct store *s, const struct event *e)
{
	s->counts.n_over_limit++;
	if (s->counts.first_lost_at_ms == TIME_NONE)
		s->counts.first_lost_at_ms = e->at_ms;
}

static void keep(struct store *s, const struct event *e, bool is_focus)
{
	size_t limit = has_focus(s) && !is_focus ? STORE_MAX_EVENTS - STORE_RESERVED : STORE_MAX_EVENTS;
	bool is_full = false;
	struct record r = record_of(s, e, &is_full);
	uint32_t *slot = may_repeat(e->kind) ? merge_slot(s, &r) : NULL;
	if (slot != NULL && merge(s, &r, slot))
		return;
	if (is_full || s->n >= limit) {
		lose(s, e);
		return;
	}
	if (is_focus && (s->n_texts < STORE_TEXTS_BYTES / 2 || is_telling(e->kind)))
		r.text = put_text(s, e->text);
	else if (is_focus)
		s->counts.n_texts_over_limit++;
	s->records[s->n++] = r;
	if (slot != NULL)
		*slot = (uint32_t)s->n;
}

static void on_event(void *ctx, const struct event *given)
{
	struct store *s = ctx;
	struct event copy = *given;
	const struct event *e = &copy;
	if (copy.at_ms < 0 || copy.at_ms > STORE_MAX_AT_MS)
		copy.at_ms = TIME_NONE; /* TIME_NONE is one of these */
	if (copy.at_ms != TIME_NONE && !copy.has_zone)
		copy.at_ms = count_on(s, &copy);
	turn_to_file(s, e->file);
	s->counts.n_offered++;
	if (e->at_ms != TIME_NONE) {
		s->last_at_ms = e->at_ms;
		s->last_has_zone = e->has_zone;
	}
	if (e->kind >= EVENT_N || e->source >= SOURCE_N)
		return;
	if (s->focus.since_ms != TIME_NONE && s->last_at_ms != TIME_NONE &&
	        s->last_at_ms < s->focus.since_ms - STORE_SINCE_CONTEXT_MS) {
		s->counts.n_before++;
		return;
	}
	keep(s, e, is_in_focus(s, e));
}

static void on_fact(void *ctx, const struct fact *f)
{
	struct store *s = ctx;
	bool is_full = false;
	turn_to_file(s, f->file);
	if (f->kind >= FACT_N || f->source >= SOURCE_N)
		return;
	word_t value = put_word(s, f->text, &is_full), scope = put_word(s, f->scope, &is_full);
	if (f->kind == FACT_DEVICE)
		s->device = value;
	if (is_full || s->n_facts >= STORE_MAX_FACTS) {
		s->counts.n_facts_over_limit++;
		return;
	}
	s->facts[s->n_facts++] = (struct fact_record){
	        .kind = f->kind,
	        .source = f->source,
	        .is_user = f->is_user,
	        .number = f->number,
	        .line = f->line,
	        .file = f->file,
	        .device = s->device,
	        .scope = scope,
	        .value = value,
	        .text = put_text(s, f->raw),
	};
}

struct sink store_sink(struct store *s)
{
	return (struct sink){.on_event = on_event, .on_fact = on_fact, .ctx = s};
}

/* ---- order ---- */

static int compare(const void *va, const void *vb, void *ctx)
{
	const struct store *s = ctx;
	const struct record *a = &s->records[*(const uint32_t *)va], *b = &s->records[*(const uint32_t *)vb];
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	if (a->file != b->file)
		return a->file < b->file ? -1 : 1;
	return a < b ? -1 : a > b; /* as they were told: a file may have the newest first */
}

/* The same line of the same log, which was given twice: plain and packed, or in two bundles. */
static bool is_twin(const struct store *s, const struct record *a, const struct record *b)
{
	return a->file != b->file && a->at_ms == b->at_ms && !a->is_untimed && has_same_meaning(a, b) &&
	       span_eq(store_text(s, a->text), store_text(s, b->text));
}

static bool has_twin(const struct store *s, const struct record *r)
{
	size_t first = s->n_order > TWIN_WINDOW ? s->n_order - TWIN_WINDOW : 0;
	for (size_t i = s->n_order; i > first; i--) {
		const struct record *old = &s->records[s->order[i - 1]];
		if (old->at_ms != r->at_ms)
			return false;
		if (is_twin(s, old, r))
			return true;
	}
	return false;
}

static bool is_before_since(const struct store *s, const struct record *r)
{
	return s->focus.since_ms != TIME_NONE && r->last_at_ms != TIME_NONE &&
	       r->last_at_ms < s->focus.since_ms - STORE_SINCE_CONTEXT_MS;
}

static void look_back(struct store *s)
{
	int64_t newest = TIME_NONE;
	for (size_t i = 0; i < s->n; i++)
		if (s->records[i].last_at_ms > newest)
			newest = s->records[i].last_at_ms;
	if (s->focus.since_back_ms > 0 && newest != TIME_NONE)
		s->focus.since_ms = newest - s->focus.since_back_ms;
}

/* "SVC closing connection: DPD failure" does not say of which tunnel; the lines right after it do. When both
 * go, it was the session's. */
static void name_tunnel(struct store *s, size_t i)
{
	struct record *r = &s->records[s->order[i]];
	for (size_t k = i + 1; k < s->n_order && k <= i + TWIN_WINDOW; k++) {
		const struct record *next = &s->records[s->order[k]];
		if (next->file != r->file || next->at_ms - r->at_ms > TUNNEL_MS)
			return;
		if (next->kind != EVENT_TUNNEL_DOWN || next->user != r->user ||
		        next->public_ip != r->public_ip || next->tunnel == TUNNEL_UNKNOWN)
			continue;
		r->tunnel = next->tunnel;
		if (r->tunnel == TUNNEL_TLS)
			return;
	}
}

static void name_tunnels(struct store *s)
{
	for (size_t i = 0; i < s->n_order; i++) {
		const struct record *r = &s->records[s->order[i]];
		bool is_down = r->kind == EVENT_DPD_DEAD || r->kind == EVENT_TUNNEL_DOWN;
		if (is_down && r->tunnel == TUNNEL_UNKNOWN && r->user != 0 && r->at_ms != TIME_NONE)
			name_tunnel(s, i);
	}
}

void store_finish(struct store *s)
{
	look_back(s);
	for (size_t i = 0; i < s->n; i++)
		s->order[i] = (uint32_t)i;
	qsort_r(s->order, s->n, sizeof(*s->order), compare, s);
	s->n_order = 0;
	for (size_t i = 0; i < s->n; i++) {
		uint32_t at = s->order[i];
		if (is_before_since(s, &s->records[at]))
			s->counts.n_before++;
		else if (has_twin(s, &s->records[at]))
			s->counts.n_repeats++;
		else
			s->order[s->n_order++] = at;
	}
	name_tunnels(s);
}

/* ---- life, reading ---- */

struct store *store_new(const struct store_focus *focus)
{
	struct store *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->focus = *focus;
	s->file = UINT32_MAX;
	s->last_at_ms = s->counts.first_lost_at_ms = s->counts.clock_back_at_ms = TIME_NONE;
	s->n_texts = 1; /* 0 is "none" */
	/* whole at once: what is never touched costs no memory */
	s->records = malloc(STORE_MAX_EVENTS * sizeof(*s->records));
	s->order = malloc(STORE_MAX_EVENTS * sizeof(*s->order));
	s->facts = malloc(STORE_MAX_FACTS * sizeof(*s->facts));
	s->texts = malloc(STORE_TEXTS_BYTES);
	s->latest = calloc(N_MERGE_SLOTS, sizeof(*s->latest));
	if (words_init(&s->words) < 0 || s->records == NULL || s->order == NULL || s->facts == NULL ||
	        s->texts == NULL || s->latest == NULL) {
		store_free(s);
		return NULL;
	}
	return s;
}

void store_free(struct store *s)
{
	if (s == NULL)
		return;
	words_done(&s->words);
	free(s->records);
	free(s->order);
	free(s->facts);
	free(s->texts);
	free(s->latest);
	free(s);
}

const struct store_focus *store_focus(const struct store *s)
{
	return &s->focus;
}

struct store_counts store_counts(const struct store *s)
{
	return s->counts;
}

size_t store_n(const struct store *s)
{
	return s->n_order;
}

const struct record *store_at(const struct store *s, size_t i)
{
	return &s->records[s->order[i]];
}

size_t store_n_facts(const struct store *s)
{
	return s->n_facts;
}

const struct fact_record *store_fact(const struct store *s, size_t i)
{
	return &s->facts[i];
}

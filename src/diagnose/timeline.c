#include "diagnose/timeline.h"

#include <errno.h>
#include <stdlib.h>

#include "diagnose/escape.h"

#define ECHO_MS 3000

/* ---- words ---- */

static const char *const reasons[REASON_N] = {
        [REASON_USER] = "asked for by the user",
        [REASON_ADMIN] = "ended by an administrator",
        [REASON_IDLE] = "idle timeout",
        [REASON_MAX_TIME] = "longest session time reached",
        [REASON_DPD] = "the peer did not answer",
        [REASON_PREEMPTED] = "replaced by a newer login",
        [REASON_SUSPEND] = "the machine went to sleep",
        [REASON_ERROR] = "error",
        [REASON_FORGOTTEN] = "the gateway does not know it any more",
};

static const char *tunnel_name(const struct record *r)
{
	return r->tunnel == TUNNEL_DTLS ? "DTLS tunnel" : r->tunnel == TUNNEL_TLS ? "TLS tunnel" : "tunnel";
}

static void say_reason(struct text *t, const struct store *s, const struct record *r)
{
	if (r->reason < REASON_N && reasons[r->reason] != NULL)
		text_fmt(t, " (%s)", reasons[r->reason]);
	else if (r->cause) {
		text_str(t, " (");
		escape_put(t, store_word(s, r->cause), 80);
		text_str(t, ")");
	}
}

static void say_addr(struct text *t, const struct store *s, const char *before, word_t w)
{
	char buf[ADDR_TEXT_MAX];
	struct ip_addr a = store_addr(s, w);
	if (addr_is_set(&a))
		text_fmt(t, "%s%s", before, addr_format(&a, buf));
}

static void say_large(struct text *t, const struct timeline_row *row)
{
	const struct record *r = row->record;
	text_fmt(t, "%u %s of %u bytes %s the client, threshold %u", row->count,
	        row->count == 1 ? "packet" : "packets", r->size, r->is_to_client ? "for" : "from", r->limit);
}

static void say_mtu(struct text *t, const struct record *r)
{
	const char *sep = "MTU announced: ";
	if (r->size)
		text_fmt(t, "%sTLS %u", sep, r->size);
	sep = r->size ? ", " : sep;
	if (r->limit)
		text_fmt(t, "%sDTLS %u", sep, r->limit);
	if (r->adapter)
		text_fmt(t, "%sadapter %u", r->size || r->limit ? ", " : sep, r->adapter);
}

static void say_code(struct text *t, const char *what, const struct record *r)
{
	text_str(t, what);
	if (r->code)
		text_fmt(t, ", reason code %u%s", r->code, r->code == 16 ? " (new MTU)" : "");
}

static const struct {
	const char *text;
	bool has_tunnel, has_reason;
} plain[EVENT_N] = {
        [EVENT_CONNECTED] = {"connected"},
        [EVENT_TUNNEL_UP] = {" up", true},
        [EVENT_TUNNEL_DOWN] = {" down", true, true},
        [EVENT_TUNNEL_FAILED] = {" could not be established", true, true},
        [EVENT_TUNNEL_REPLACED] = {": a new connection replaces the old one", true},
        [EVENT_DPD_DEAD] = {": the peer does not answer any more", true},
        [EVENT_SESSION_LOST] = {"connection lost, the session waits for the client", false, true},
        [EVENT_SESSION_RESUMED] = {"session resumed"},
        [EVENT_SESSION_END] = {"session ended", false, true},
        [EVENT_AUTH_REJECTED] = {"login refused", false, true},
        [EVENT_POOL_EXHAUSTED] = {"no inner address left"},
        [EVENT_CIPHER_MISMATCH] = {": no cipher in common", true},
        [EVENT_SUSPEND] = {"the machine goes to sleep"},
        [EVENT_WAKE] = {"the machine wakes up"},
        [EVENT_NETWORK_CHANGE] = {"the client's network changed"},
        [EVENT_TUNNEL_STALL] = {" went silent; data goes by the other one", true},
        [EVENT_SNAPSHOT] = {"session table"},
        [EVENT_CONNECT_FAILED] = {"could not connect", false, true},
};

void timeline_say(struct text *out, const struct store *s, const struct timeline_row *row)
{
	const struct record *r = row->record;
	switch (r->kind) {
	case EVENT_LARGE_PACKET:
		say_large(out, row);
		return;
	case EVENT_FRAG_NEEDED:
		say_addr(out, s, "ICMP to ", r->peer);
		text_fmt(out, "%spacket of %u bytes is over the MTU of %u", r->peer ? ": " : "", r->size,
		        r->limit);
		break;
	case EVENT_MTU:
		say_mtu(out, r);
		break;
	case EVENT_RECONFIGURE:
		say_code(out, "the client is being reconfigured", r);
		break;
	case EVENT_RECONNECT:
		say_code(out, "the client reconnects", r);
		break;
	case EVENT_ADAPTER_BOUNCE:
		text_str(out, "adapter goes down and up for a new MTU");
		if (r->adapter)
			text_fmt(out, " of %u", r->adapter);
		break;
	default:
		if (plain[r->kind].has_tunnel)
			text_str(out, tunnel_name(r));
		if (plain[r->kind].text != NULL)
			text_str(out, plain[r->kind].text);
		if (plain[r->kind].has_reason)
			say_reason(out, s, r);
	}
	if (r->kind == EVENT_CONNECTED)
		say_addr(out, s, ", inner address ", r->inner);
	if (r->kind == EVENT_SNAPSHOT)
		text_fmt(out, ": %s%s after %u s", r->has_tls ? "TLS" : "no TLS",
		        r->has_dtls ? " and DTLS" : ", no DTLS", r->size);
	if (row->count > 1)
		text_fmt(out, ", %u times", row->count);
}

void timeline_say_shift(struct text *out, const struct timeline *t)
{
	long long s = (t->shift_ms < 0 ? -t->shift_ms : t->shift_ms) / 1000;
	if (!t->has_both || s == 0)
		return;
	text_str(out, "the client's clock is ");
	if (s >= 3600)
		text_fmt(out, "%lld h ", s / 3600);
	if (s >= 60)
		text_fmt(out, "%lld min ", s / 60 % 60);
	text_fmt(out, "%lld s %s the gateway's; all times are the gateway's", s % 60,
	        t->shift_ms < 0 ? "ahead of" : "behind");
}

void timeline_say_offset(struct text *out, const struct timeline *t, const struct timeline_row *row)
{
	if (row->at_ms == TIME_NONE || t->begin_at_ms == TIME_NONE || row->at_ms - t->begin_at_ms < 1000)
		return;
	long long s = (row->at_ms - t->begin_at_ms + 500) / 1000;
	if (s < 600)
		text_fmt(out, "+%lld s", s);
	else if (s < 7200)
		text_fmt(out, "+%lld min", s / 60);
	else
		text_fmt(out, "+%lld h %lld min", s / 3600, s / 60 % 60);
}

/* ---- which sessions ---- */

static bool is_user(const struct store *s, const struct one_case *k)
{
	const struct store_focus *f = store_focus(s);
	if (f->user != NULL)
		return k->user != 0 && span_is_nocase(store_word(s, k->user), f->user);
	if (!addr_is_set(&f->ip))
		return false;
	const word_t words[] = {k->inner, k->inner6, k->addrs[0], k->addrs[1], k->addrs[2], k->addrs[3]};
	for (size_t i = 0; i < N_ELEM(words); i++) {
		struct ip_addr a = store_addr(s, words[i]);
		if (addr_eq(&a, &f->ip))
			return true;
	}
	return false;
}

/* The session of the worst finding that has one. */
static uint32_t example_of(const struct report *r)
{
	for (size_t i = 0; i < findings_n(r->findings); i++)
		if (findings_at(r->findings, i)->example != CASE_NONE)
			return findings_at(r->findings, i)->example;
	return CASE_NONE;
}

/* Where there is no more than one, what happened is told although nothing is wrong. */
static uint32_t only_one(const struct cases *c)
{
	bool is_pair = c->n == 2 && c->v[0].partner == 1;
	return c->n == 1 || is_pair ? 0 : CASE_NONE;
}

/* ---- rows ---- */

/* Several messages tell of one end. */
static bool is_end_again(const struct record *end, const struct record *r)
{
	return end != NULL && r->kind == EVENT_SESSION_END && r->reason == end->reason &&
	       (r->at_ms == TIME_NONE || end->at_ms == TIME_NONE || r->at_ms - end->at_ms <= CASE_TAIL_MS);
}

static void add_case(struct timeline *t, const struct cases *c, uint32_t at)
{
	const struct one_case *k = &c->v[at];
	int64_t since = store_focus(t->store)->since_ms;
	bool is_moved = k->side == SIDE_CLIENT && k->partner != CASE_NONE;
	const struct record *end = NULL;
	for (uint32_t i = k->first; i != CASE_NONE && t->n < TIMELINE_MAX_READ; i = c->next[i]) {
		const struct record *rec = store_at(t->store, i);
		if (is_end_again(end, rec))
			continue;
		end = rec->kind == EVENT_SESSION_END ? rec : end;
		int64_t at_ms =
		        rec->at_ms == TIME_NONE ? TIME_NONE : rec->at_ms + (is_moved ? k->shift_ms : 0);
		if (since != TIME_NONE && at_ms != TIME_NONE && at_ms < since)
			continue;
		t->rows[t->n++] = (struct timeline_row){rec, at_ms, rec->count, k->side};
	}
	if (t->user == 0)
		t->user = k->user;
	if (t->addr == 0)
		t->addr = k->addrs[0];
	if (is_moved)
		t->shift_ms = k->shift_ms;
	t->has_zone |= k->has_zone && !is_moved;
}

static void add_pair(struct timeline *t, const struct cases *c, uint32_t at)
{
	uint32_t other = c->v[at].partner;
	add_case(t, c, at);
	if (other != CASE_NONE) {
		t->has_both = true;
		add_case(t, c, other);
	}
}

static void collect(struct timeline *t, const struct report *r)
{
	const struct cases *c = findings_cases(r->findings);
	const struct store_focus *focus = store_focus(r->store);
	if (focus->user != NULL || addr_is_set(&focus->ip)) {
		for (uint32_t i = 0; i < c->n; i++)
			if (is_user(r->store, &c->v[i]))
				add_pair(t, c, i);
	}
	uint32_t shown = findings_n(r->findings) > 0 ? example_of(r) : only_one(c);
	bool is_asked = focus->user != NULL || addr_is_set(&focus->ip);
	if (t->n == 0 && shown != CASE_NONE && (!is_asked || findings_n(r->findings) > 0))
		add_pair(t, c, shown);
}

static int compare(const void *va, const void *vb)
{
	const struct timeline_row *a = va, *b = vb;
	if (a->at_ms != b->at_ms)
		return a->at_ms < b->at_ms ? -1 : 1;
	if (a->record->file != b->record->file)
		return a->record->file < b->record->file ? -1 : 1;
	return a->record < b->record ? -1 : a->record > b->record;
}

static bool is_same_row(const struct timeline_row *a, const struct timeline_row *b)
{
	return (a->record->kind == EVENT_LARGE_PACKET || a->record->kind == EVENT_FRAG_NEEDED) &&
	       a->record->kind == b->record->kind && a->record->size == b->record->size &&
	       a->record->limit == b->record->limit && a->record->peer == b->record->peer &&
	       a->record->is_to_client == b->record->is_to_client;
}

/* Agent and user interface of a client say the same thing twice; a gateway has a line for the handshake of a
 * tunnel and one for the tunnel. */
static bool is_echo(const struct timeline_row *a, const struct timeline_row *b)
{
	uint8_t before = a->record->kind, now = b->record->kind;
	bool is_again = (now == EVENT_CONNECTED && before == now) ||
	                (now == EVENT_RECONNECT && before == now) ||
	                (now == EVENT_RECONNECT && before == EVENT_RECONFIGURE);
	bool is_same_tunnel = now == EVENT_TUNNEL_UP && before == now &&
	                      a->record->tunnel == b->record->tunnel && a->side == b->side;
	return ((is_again && a->side == SIDE_CLIENT && b->side == SIDE_CLIENT) || is_same_tunnel) &&
	       a->at_ms != TIME_NONE && b->at_ms - a->at_ms <= ECHO_MS;
}

static void join_repeats(struct timeline *t)
{
	size_t n = 0;
	for (size_t i = 0; i < t->n; i++)
		if (n > 0 && is_echo(&t->rows[n - 1], &t->rows[i]))
			continue;
		else if (n > 0 && is_same_row(&t->rows[n - 1], &t->rows[i]))
			t->rows[n - 1].count += t->rows[i].count;
		else
			t->rows[n++] = t->rows[i];
	t->n = n;
}

static void leave_middle_out(struct timeline *t)
{
	size_t head = TIMELINE_MAX_ROWS * 2 / 3, tail = TIMELINE_MAX_ROWS - head;
	t->n_head = t->n;
	if (t->n <= TIMELINE_MAX_ROWS)
		return;
	t->n_left_out = t->n - head - tail;
	memmove(t->rows + head, t->rows + t->n - tail, tail * sizeof(*t->rows));
	t->n = head + tail;
	t->n_head = head;
}

int timeline_make(struct timeline *t, const struct report *r)
{
	*t = (struct timeline){.store = r->store, .begin_at_ms = TIME_NONE, .end_at_ms = TIME_NONE};
	t->rows = malloc(TIMELINE_MAX_READ * sizeof(*t->rows));
	if (t->rows == NULL)
		return -ENOMEM;
	collect(t, r);
	qsort(t->rows, t->n, sizeof(*t->rows), compare);
	join_repeats(t);
	leave_middle_out(t);
	if (t->n > 0) {
		size_t first = 0; /* rows without a time come first */
		while (first + 1 < t->n && t->rows[first].at_ms == TIME_NONE)
			first++;
		t->begin_at_ms = t->rows[first].at_ms;
		t->end_at_ms = t->rows[t->n - 1].at_ms;
	}
	return 0;
}

void timeline_done(struct timeline *t)
{
	free(t->rows);
	t->rows = NULL;
}

#include "diagnose/picture.h"

#include "diagnose/escape.h"

#define WIDTH     1000
#define LEFT      130 /* of the lanes; names stand before */
#define RIGHT     20
#define TOP       12
#define LANE      34
#define BAR       16
#define MARK      4  /* px, width of what happened at a moment */
#define APART     12 /* px between two triangles; nearer ones, or of one reconnect, are one */
#define N_TICKS   4
#define MTU_LABEL 46 /* px that a number needs */
#define BAR_LABEL 50 /* the same of a tunnel's name */

enum lane { LANE_TUNNEL, LANE_LARGE, LANE_RECONNECT, LANE_MTU, LANE_N };

/* What the picture shows of a timeline: a long end in which nothing happens is left out. */
struct view {
	const struct timeline *t;
	int64_t until_ms; /* at the right edge */
	bool is_shortened;
	bool has_lane[LANE_N]; /* by enum lane: something is in it */
	bool has_carrier[3];   /* by enum carrier: what is drawn */
};

static const char *const lane_names[LANE_N] = {"tunnel", "too large", "reconnect", "MTU"};

/* What carries data after a row. */
enum carrier { CARRY_NONE, CARRY_TLS, CARRY_DTLS };

struct state {
	bool is_tls, is_dtls;
};

static bool is_large(const struct record *r)
{
	return r->kind == EVENT_LARGE_PACKET || r->kind == EVENT_FRAG_NEEDED;
}

static bool is_reconnect(const struct record *r)
{
	return record_is_reconnect(r) && !(r->kind == EVENT_TUNNEL_REPLACED && r->tunnel == TUNNEL_DTLS);
}

/* What comes last in every session, long after anything else. */
static bool is_end(const struct record *r)
{
	return r->kind == EVENT_SESSION_END || r->kind == EVENT_TUNNEL_DOWN;
}

/* To a quarter beyond what happened last before the session's end, where that is much earlier. */
static struct view view_of(const struct timeline *t)
{
	struct view v = {.t = t, .until_ms = t->end_at_ms};
	size_t n = t->n;
	while (n > 1 && is_end(t->rows[n - 1].record))
		n--;
	int64_t busy_ms = t->rows[n - 1].at_ms - t->begin_at_ms,
	        idle_ms = t->end_at_ms - t->begin_at_ms - busy_ms;
	if (busy_ms > 0 && busy_ms < idle_ms) {
		v.until_ms = t->rows[n - 1].at_ms + busy_ms / 4;
		v.is_shortened = true;
	}
	v.has_lane[LANE_TUNNEL] = true;
	for (size_t i = 0; i < t->n && t->rows[i].at_ms < v.until_ms; i++) {
		const struct record *r = t->rows[i].record;
		v.has_lane[LANE_LARGE] |= is_large(r);
		v.has_lane[LANE_RECONNECT] |= is_reconnect(r);
		v.has_lane[LANE_MTU] |= r->adapter != 0;
	}
	return v;
}

static int x_of(const struct view *v, int64_t at_ms)
{
	int64_t begin_ms = v->t->begin_at_ms, span = v->until_ms - begin_ms;
	if (span <= 0 || at_ms <= begin_ms)
		return LEFT;
	if (at_ms >= v->until_ms)
		return WIDTH - RIGHT;
	return LEFT + (int)((at_ms - begin_ms) * (WIDTH - LEFT - RIGHT) / span);
}

/* Lanes that are drawn before this one. */
static int n_before(const struct view *v, enum lane lane)
{
	int n = 0;
	for (int i = 0; i < (int)lane; i++)
		n += v->has_lane[i];
	return n;
}

static int y_of(const struct view *v, enum lane lane)
{
	return n_before(v, lane) * LANE + TOP;
}

static enum carrier carrier_of(const struct state *s)
{
	return s->is_dtls ? CARRY_DTLS : s->is_tls ? CARRY_TLS : CARRY_NONE;
}

static void change(struct state *s, const struct record *r)
{
	bool is_up = r->kind == EVENT_TUNNEL_UP || r->kind == EVENT_TUNNEL_REPLACED;
	bool is_down =
	        r->kind == EVENT_TUNNEL_DOWN || r->kind == EVENT_DPD_DEAD || r->kind == EVENT_TUNNEL_STALL;
	if (r->kind == EVENT_SESSION_END || r->kind == EVENT_SESSION_LOST || r->kind == EVENT_SUSPEND)
		*s = (struct state){false, false};
	else if (r->kind == EVENT_SESSION_RESUMED && r->source == SOURCE_OPENCONNECT)
		*s = (struct state){true, false}; /* it makes both tunnels anew */
	else if (r->kind == EVENT_CONNECTED || r->kind == EVENT_SESSION_RESUMED)
		s->is_tls = true;
	else if (r->tunnel == TUNNEL_DTLS && r->kind == EVENT_TUNNEL_FAILED)
		s->is_dtls = false;
	else if (r->tunnel == TUNNEL_DTLS && (is_up || is_down))
		s->is_dtls = is_up;
	else if (is_up || is_down)
		s->is_tls = is_up;
}

/* Told by a word as well as by the colour, where there is room; and by the words that a pointer calls up. */
static void put_bar(struct text *out, struct view *v, enum carrier c, int64_t from, int64_t to)
{
	static const char *const classes[] = {"", "tls", "dtls"}, *const names[] = {"", "TLS", "DTLS"};
	int x = x_of(v, from), w = x_of(v, to) - x;
	if (c == CARRY_NONE || from >= v->until_ms || from == to)
		return;
	v->has_carrier[c] = true;
	text_fmt(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"><title>%s, ",
	        classes[c], x, y_of(v, LANE_TUNNEL), w > 0 ? w : 1, BAR, names[c]);
	when_say(out, from, v->t->has_zone, false);
	text_str(out, " to ");
	when_say(out, to, v->t->has_zone, false);
	text_str(out, "</title></rect>\n");
	if (w >= BAR_LABEL)
		text_fmt(out, "<text class=\"on\" x=\"%d\" y=\"%d\">%s</text>\n", x + 6,
		        y_of(v, LANE_TUNNEL) + 13, names[c]);
}

/* What the row says, for the pointer. */
static void put_title(struct text *out, const struct view *v, const struct timeline_row *row)
{
	struct text what = {0};
	text_str(out, "<title>");
	when_say(out, row->at_ms, v->t->has_zone, false);
	text_str(out, " ");
	timeline_say(&what, v->t->store, row);
	escape_html(out, span_str(text_cstr(&what)));
	text_done(&what);
	text_str(out, "</title>");
}

static void put_tunnels(struct text *out, struct view *v)
{
	struct state s = {false, false};
	int64_t from = v->t->begin_at_ms;
	for (size_t i = 0; i < v->t->n; i++) {
		const struct timeline_row *row = &v->t->rows[i];
		enum carrier before = carrier_of(&s);
		change(&s, row->record);
		if (carrier_of(&s) == before)
			continue;
		put_bar(out, v, before, from, row->at_ms);
		from = row->at_ms;
	}
	put_bar(out, v, carrier_of(&s), from, v->t->end_at_ms);
}

static void put_marks(struct text *out, const struct view *v)
{
	int last_x = -APART;
	int64_t last_ms = TIME_NONE;
	for (size_t i = 0; i < v->t->n && v->t->rows[i].at_ms < v->until_ms; i++) {
		const struct timeline_row *row = &v->t->rows[i];
		int x = x_of(v, row->at_ms);
		if (is_large(row->record)) {
			text_fmt(out, "<rect class=\"large\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\">",
			        x, y_of(v, LANE_LARGE), MARK, BAR);
			put_title(out, v, row);
			text_str(out, "</rect>\n");
		}
		bool is_same =
		        x - last_x < APART || (last_ms != TIME_NONE && row->at_ms - last_ms <= CASE_LOGIN_MS);
		if (!is_reconnect(row->record))
			continue;
		last_ms = row->at_ms;
		if (is_same)
			continue;
		text_fmt(out, "<path class=\"reconnect\" d=\"M%d %dl7 %dh-14z\">", x, y_of(v, LANE_RECONNECT),
		        BAR);
		put_title(out, v, row);
		text_str(out, "</path>\n");
		last_x = x;
	}
}

static void put_mtus(struct text *out, const struct view *v)
{
	uint32_t last = 0;
	int free_from = 0;
	for (size_t i = 0; i < v->t->n && v->t->rows[i].at_ms < v->until_ms; i++) {
		uint32_t mtu = v->t->rows[i].record->adapter;
		int x = x_of(v, v->t->rows[i].at_ms);
		if (mtu == 0 || mtu == last)
			continue;
		if (x > WIDTH - RIGHT - MTU_LABEL)
			x = WIDTH - RIGHT - MTU_LABEL;
		x = x < free_from ? free_from : x;
		text_fmt(out, "<text class=\"mtu\" x=\"%d\" y=\"%d\">%u</text>\n", x, y_of(v, LANE_MTU) + 13,
		        mtu);
		free_from = x + MTU_LABEL;
		last = mtu;
	}
}

static void put_axis(struct text *out, const struct view *v)
{
	int bottom = n_before(v, LANE_N) * LANE;
	for (int i = 0; i <= N_TICKS; i++) {
		int64_t begin_ms = v->t->begin_at_ms, at = begin_ms + (v->until_ms - begin_ms) * i / N_TICKS;
		int x = x_of(v, at);
		const char *anchor = i == N_TICKS ? "end" : i == 0 ? "start" : "middle";
		text_fmt(out,
		        "<path class=\"grid\" d=\"M%d 4V%d\"/>\n<text%s x=\"%d\" y=\"%d\" "
		        "text-anchor=\"%s\">",
		        x, bottom + 6, i % 2 ? " class=\"minor\"" : "", x, bottom + 22, anchor);
		when_say(out, at, v->t->has_zone, false);
		text_str(out, "</text>\n");
	}
}

static void put_names(struct text *out, const struct view *v)
{
	for (int i = 0; i < LANE_N; i++)
		if (v->has_lane[i])
			text_fmt(out, "<text x=\"0\" y=\"%d\">%s</text>\n", y_of(v, (enum lane)i) + 13,
			        lane_names[i]);
}

static void put_legend(struct text *out, const struct view *v)
{
	const struct {
		const char *class, *words;
		bool is_drawn;
	} keys[] = {{"tls", "TLS", v->has_carrier[CARRY_TLS]}, {"dtls", "DTLS", v->has_carrier[CARRY_DTLS]},
	        {"large", "packets over the limit", v->has_lane[LANE_LARGE]},
	        {"reconnect", "reconnect", v->has_lane[LANE_RECONNECT]}};
	text_str(out, "<p class=\"legend\">");
	for (size_t i = 0; i < N_ELEM(keys); i++)
		if (keys[i].is_drawn)
			text_fmt(out, "<span><span class=\"key %s\"></span>%s</span> ", keys[i].class,
			        keys[i].words);
	if (v->is_shortened) {
		text_str(out, "The session goes on until ");
		when_say(out, v->t->end_at_ms, v->t->has_zone, false);
		text_str(out, ".");
	}
	text_str(out, "</p>\n");
}

static bool is_timed(const struct timeline *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].at_ms == TIME_NONE)
			return false;
	return t->n > 1 && t->end_at_ms > t->begin_at_ms;
}

void picture_put(struct text *out, const struct timeline *t)
{
	if (!is_timed(t))
		return;
	struct view v = view_of(t);
	text_fmt(out,
	        "<div class=\"picture\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Timeline: "
	        "which tunnel carries data, packets over the limit, reconnects%s. The table that follows "
	        "says the "
	        "same in words.\">\n",
	        WIDTH, n_before(&v, LANE_N) * LANE + 30, v.has_lane[LANE_MTU] ? ", the adapter's MTU" : "");
	put_axis(out, &v);
	put_names(out, &v);
	put_tunnels(out, &v);
	put_marks(out, &v);
	put_mtus(out, &v);
	text_str(out, "</svg></div>\n");
	put_legend(out, &v);
}

#include "diagnose/picture.h"

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

/* What the picture shows of a timeline: a long end in which nothing happens is left out. */
struct view {
	const struct timeline *t;
	int64_t until_ms; /* at the right edge */
	bool is_shortened;
	bool has_mtu; /* the last lane is needed */
};

enum lane { LANE_TUNNEL, LANE_LARGE, LANE_RECONNECT, LANE_MTU, LANE_N };

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
	for (size_t i = 0; i < t->n; i++)
		v.has_mtu |= t->rows[i].record->adapter != 0;
	int64_t busy_ms = t->rows[n - 1].at_ms - t->begin_at_ms,
	        idle_ms = t->end_at_ms - t->begin_at_ms - busy_ms;
	if (busy_ms > 0 && busy_ms < idle_ms) {
		v.until_ms = t->rows[n - 1].at_ms + busy_ms / 4;
		v.is_shortened = true;
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

static int n_lanes(const struct view *v)
{
	return v->has_mtu ? LANE_N : LANE_MTU;
}

static int y_of(enum lane lane)
{
	return (int)lane * LANE + TOP;
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
	else if (r->kind == EVENT_CONNECTED || r->kind == EVENT_SESSION_RESUMED)
		s->is_tls = true;
	else if (r->tunnel == TUNNEL_DTLS && (is_up || is_down))
		s->is_dtls = is_up;
	else if (is_up || is_down)
		s->is_tls = is_up;
}

static void put_bar(struct text *out, const struct view *v, enum carrier c, int64_t from, int64_t to)
{
	static const char *const classes[] = {"", "tls", "dtls"};
	int x = x_of(v, from), w = x_of(v, to) - x;
	if (c != CARRY_NONE && from < v->until_ms)
		text_fmt(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
		        classes[c], x, y_of(LANE_TUNNEL), w > 0 ? w : 1, BAR);
}

static void put_tunnels(struct text *out, const struct view *v)
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
		if (is_large(row->record))
			text_fmt(out,
			        "<rect class=\"large\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", x,
			        y_of(LANE_LARGE), MARK, BAR);
		bool is_same =
		        x - last_x < APART || (last_ms != TIME_NONE && row->at_ms - last_ms <= CASE_LOGIN_MS);
		if (!is_reconnect(row->record))
			continue;
		last_ms = row->at_ms;
		if (is_same)
			continue;
		text_fmt(out, "<path class=\"reconnect\" d=\"M%d %dl7 %dh-14z\"/>\n", x, y_of(LANE_RECONNECT),
		        BAR);
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
		text_fmt(out, "<text class=\"mtu\" x=\"%d\" y=\"%d\">%u</text>\n", x, y_of(LANE_MTU) + 13,
		        mtu);
		free_from = x + MTU_LABEL;
		last = mtu;
	}
}

static void put_axis(struct text *out, const struct view *v)
{
	int bottom = n_lanes(v) * LANE;
	for (int i = 0; i <= N_TICKS; i++) {
		int64_t begin_ms = v->t->begin_at_ms, at = begin_ms + (v->until_ms - begin_ms) * i / N_TICKS;
		int x = x_of(v, at);
		const char *anchor = i == N_TICKS ? "end" : i == 0 ? "start" : "middle";
		text_fmt(out,
		        "<path class=\"grid\" d=\"M%d 4V%d\"/>\n<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">",
		        x, bottom + 6, x, bottom + 22, anchor);
		timeline_say_time(out, at, v->t->has_zone, false);
		text_str(out, "</text>\n");
	}
}

static void put_names(struct text *out, const struct view *v)
{
	for (int i = 0; i < n_lanes(v); i++)
		text_fmt(out, "<text x=\"0\" y=\"%d\">%s</text>\n", y_of((enum lane)i) + 13, lane_names[i]);
}

static void put_legend(struct text *out, const struct view *v)
{
	static const struct {
		const char *class, *words;
	} keys[] = {{"tls", "TLS"}, {"dtls", "DTLS"}, {"large", "packets over the limit"},
	        {"reconnect", "reconnect"}};
	text_str(out, "<p class=\"legend\">");
	for (size_t i = 0; i < N_ELEM(keys); i++)
		text_fmt(out, "<span><span class=\"key %s\"></span>%s</span> ", keys[i].class, keys[i].words);
	if (v->is_shortened) {
		text_str(out, "The session goes on until ");
		timeline_say_time(out, v->t->end_at_ms, v->t->has_zone, false);
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
	        "<div class=\"picture\"><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"timeline: "
	        "active tunnel, large packets, reconnects, adapter MTU\">\n",
	        WIDTH, n_lanes(&v) * LANE + 30);
	put_axis(out, &v);
	put_names(out, &v);
	put_tunnels(out, &v);
	put_marks(out, &v);
	put_mtus(out, &v);
	text_str(out, "</svg></div>\n");
	put_legend(out, &v);
}

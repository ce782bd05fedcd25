#include "diagnose/picture.h"

#define WIDTH     1000
#define LEFT      110 /* of the lanes; names stand before */
#define RIGHT     20
#define LANE      34
#define BAR       16
#define N_TICKS   5
#define MTU_LABEL 46 /* px that a number needs */

enum lane { LANE_TUNNEL, LANE_LARGE, LANE_RECONNECT, LANE_MTU, LANE_N };

static const char *const lane_names[LANE_N] = {"active tunnel", "large packets", "reconnects", "adapter MTU"};

/* What carries data after a row. */
enum carrier { CARRY_NONE, CARRY_TLS, CARRY_DTLS };

struct state {
	bool is_tls, is_dtls;
};

static int x_of(const struct timeline *t, int64_t at_ms)
{
	int64_t span = t->end_at_ms - t->begin_at_ms;
	if (span <= 0)
		return LEFT;
	return LEFT + (int)((at_ms - t->begin_at_ms) * (WIDTH - LEFT - RIGHT) / span);
}

static int y_of(enum lane lane)
{
	return (int)lane * LANE + 12;
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

static void put_bar(struct text *out, const struct timeline *t, enum carrier c, int64_t from, int64_t to)
{
	static const char *const classes[] = {"", "tls", "dtls"};
	int x = x_of(t, from), w = x_of(t, to) - x;
	if (c != CARRY_NONE)
		text_fmt(out, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n",
		        classes[c], x, y_of(LANE_TUNNEL), w > 0 ? w : 1, BAR);
}

static void put_tunnels(struct text *out, const struct timeline *t)
{
	struct state s = {false, false};
	int64_t from = t->begin_at_ms;
	for (size_t i = 0; i < t->n; i++) {
		enum carrier before = carrier_of(&s);
		change(&s, t->rows[i].record);
		if (carrier_of(&s) == before)
			continue;
		put_bar(out, t, before, from, t->rows[i].at_ms);
		from = t->rows[i].at_ms;
	}
	put_bar(out, t, carrier_of(&s), from, t->end_at_ms);
}

static void put_mark(struct text *out, const struct timeline *t, const struct timeline_row *row)
{
	const struct record *r = row->record;
	int x = x_of(t, row->at_ms);
	if (r->kind == EVENT_LARGE_PACKET || r->kind == EVENT_FRAG_NEEDED)
		text_fmt(out, "<rect class=\"large\" x=\"%d\" y=\"%d\" width=\"2\" height=\"%d\"/>\n", x,
		        y_of(LANE_LARGE), BAR);
	bool is_reconnect = r->kind == EVENT_RECONNECT || r->kind == EVENT_RECONFIGURE ||
	                    r->kind == EVENT_SESSION_RESUMED ||
	                    (r->kind == EVENT_TUNNEL_REPLACED && r->tunnel != TUNNEL_DTLS);
	if (is_reconnect)
		text_fmt(out, "<path class=\"reconnect\" d=\"M%d %dl7 %dh-14z\"/>\n", x, y_of(LANE_RECONNECT),
		        BAR);
}

static void put_mtus(struct text *out, const struct timeline *t)
{
	uint32_t last = 0;
	int free_from = 0;
	for (size_t i = 0; i < t->n; i++) {
		uint32_t mtu = t->rows[i].record->adapter;
		int x = x_of(t, t->rows[i].at_ms);
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

static void put_axis(struct text *out, const struct timeline *t)
{
	for (int i = 0; i <= N_TICKS; i++) {
		int64_t at = t->begin_at_ms + (t->end_at_ms - t->begin_at_ms) * i / N_TICKS;
		int x = x_of(t, at);
		const char *anchor = i == N_TICKS ? "end" : i == 0 ? "start" : "middle";
		text_fmt(out,
		        "<path class=\"grid\" d=\"M%d 4V%d\"/>\n<text x=\"%d\" y=\"%d\" text-anchor=\"%s\">",
		        x, LANE_N * LANE + 6, x, LANE_N * LANE + 22, anchor);
		timeline_say_time(out, at, t->has_zone, false);
		text_str(out, "</text>\n");
	}
}

static void put_names(struct text *out)
{
	for (int i = 0; i < LANE_N; i++)
		text_fmt(out, "<text x=\"0\" y=\"%d\">%s</text>\n", y_of((enum lane)i) + 13, lane_names[i]);
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
	text_fmt(out,
	        "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"timeline: active tunnel, large "
	        "packets, reconnects, "
	        "adapter MTU\">\n",
	        WIDTH, LANE_N * LANE + 30);
	put_axis(out, t);
	put_names(out);
	put_tunnels(out, t);
	for (size_t i = 0; i < t->n; i++)
		put_mark(out, t, &t->rows[i]);
	put_mtus(out, t);
	text_str(out, "</svg>\n<p class=\"legend\"><span class=\"key tls\"></span> TLS <span class=\"key "
	              "dtls\"></span> DTLS "
	              "<span class=\"key large\"></span> packets over the limit <span class=\"key "
	              "reconnect\"></span> "
	              "reconnect</p>\n");
}

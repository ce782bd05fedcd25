#include "diagnose/cure.h"

static void put_lines(struct text *t, const char *lines, const char *indent)
{
	struct span rest = span_str(lines);
	while (rest.n > 0) {
		text_str(t, indent);
		text_put(t, span_cut(&rest, '\n'));
		text_str(t, "\n");
	}
}

static void put(const struct find *x, struct text *t, const struct hit_groups *g, const struct cure *c)
{
	if (c->place == CURE_GLOBAL) {
		put_lines(t, c->lines, "");
		return;
	}
	for (size_t i = 0; i < g->n; i++) {
		remedy_put_group(x, t, &g->v[i]);
		text_str(t, c->place == CURE_WEBVPN ? " webvpn\n" : "");
		put_lines(t, c->lines, c->place == CURE_WEBVPN ? "  " : " ");
	}
}

void cure_add(struct find *x, const struct hit_groups *g, const struct cure *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct cure *c = &rows[i];
		if ((find_products(x) & c->products) == 0)
			continue;
		struct remedy *r = find_remedy(x, c->title);
		remedy_name_product(x, r, c->products);
		put(x, &r->config, g, c);
		text_str(&r->effect, c->effect);
		text_str(&r->side_effects, c->side_effects);
	}
}

void cure_add_here(struct find *x, const struct cure *rows, size_t n)
{
	struct hit_groups g = {.n = 1, .v = {{.group = x->f->group}}};
	cure_add(x, &g, rows, n);
}

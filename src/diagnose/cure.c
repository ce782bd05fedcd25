#include "diagnose/cure.h"

void cure_add(struct find *x, const struct hit_groups *g, const struct cure *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct cure *c = &rows[i];
		if ((find_products(x) & c->products) == 0)
			continue;
		struct remedy *r = find_remedy(x, c->title);
		remedy_name_product(x, r, c->products);
		paste_lines(x, &r->config, g, c->place, c->lines);
		text_str(&r->effect, c->effect);
		text_str(&r->side_effects, c->side_effects);
	}
}

void cure_add_here(struct find *x, const struct cure *rows, size_t n)
{
	struct hit_groups g = {.n = 1, .v = {{.group = x->f->group, .user = x->own_user}}};
	cure_add(x, &g, rows, n);
}

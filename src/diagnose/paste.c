#include "diagnose/paste.h"

void paste_say_owner(
        const struct find *x, struct text *t, const struct policy_setup *p, const struct setting *s)
{
	bool is_users = s->fact != NULL && s->fact->is_user;
	text_str(t, is_users ? "the attributes of user " : "group-policy ");
	find_say_word(x, t, is_users ? p->user : p->name);
}

void paste_group(const struct find *x, struct text *t, word_t group, word_t user)
{
	text_str(t, user ? "username " : "group-policy ");
	if (user || group)
		find_say_word(x, t, user ? user : group);
	else
		text_str(t, PASTE_NO_GROUP);
	text_str(t, " attributes\n");
}

static void put_indented(struct text *t, const char *lines, const char *indent)
{
	struct span rest = span_str(lines);
	while (rest.n > 0) {
		text_str(t, indent);
		text_put(t, span_cut(&rest, '\n'));
		text_str(t, "\n");
	}
}

static void put_one(const struct find *x, struct text *t, const struct hit_group *g, enum paste_place place,
        const char *lines)
{
	paste_group(x, t, g->group, g->user);
	text_str(t, place == PASTE_WEBVPN ? " webvpn\n" : "");
	put_indented(t, lines, place == PASTE_WEBVPN ? "  " : " ");
}

static bool has_several_devices(const struct hit_groups *g)
{
	for (size_t i = 1; i < g->n; i++)
		if (g->v[i].device != g->v[0].device)
			return true;
	return false;
}

static void put_device(const struct find *x, struct text *t, word_t device)
{
	text_str(t, "! ");
	if (device)
		find_say_word(x, t, device);
	else
		text_str(t, "a device that is not named");
	text_str(t, "\n");
}

static bool is_first_of_device(const struct hit_groups *g, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (g->v[k].device == g->v[i].device)
			return false;
	return true;
}

void paste_lines(const struct find *x, struct text *t, const struct hit_groups *g, enum paste_place place,
        const char *lines)
{
	if (place == PASTE_GLOBAL) {
		put_indented(t, lines, "");
		return;
	}
	bool has_names = has_several_devices(g);
	for (size_t i = 0; i < g->n; i++) {
		if (!is_first_of_device(g, i))
			continue;
		if (has_names)
			put_device(x, t, g->v[i].device);
		for (size_t k = i; k < g->n; k++)
			if (g->v[k].device == g->v[i].device)
				put_one(x, t, &g->v[k], place, lines);
	}
	if (g->is_cut)
		text_str(t, "! and so in the other group-policies of these users\n");
}

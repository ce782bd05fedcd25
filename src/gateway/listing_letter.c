/* The part of a list that one thread makes: from letter to letter, a few sessions each time. */
#include "gateway/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

struct render_now listing_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (struct render_now){.now_ms = loop_now(), .now_s = (uint64_t)t.tv_sec};
}

struct list_letter *list_letter_new(const struct session_choice *choice, uint8_t thread)
{
	struct list_letter *l = calloc(1, sizeof(*l));
	if (l == NULL || session_choice_copy(choice, &l->choice) < 0) {
		free(l);
		return NULL;
	}
	l->thread = thread;
	return l;
}

void list_letter_free(struct list_letter *l)
{
	const struct session_refs kind = {.kind = session_choice_kind(&l->choice)};
	for (size_t i = 0; i < l->n_refs; i++)
		session_ref_done(&kind, &l->refs[i]);
	for (size_t i = 0; i < l->n_rows; i++)
		text_done(&l->rows[i].text);
	free(l->refs);
	session_choice_done(&l->choice);
	free(l);
}

/* ---- the walk ---- */

static int ref_append(struct list_letter *l, const struct session *s)
{
	if (l->n_refs == l->refs_cap) {
		size_t cap = l->refs_cap ? 2 * l->refs_cap : 16;
		struct session_ref *refs = reallocarray(l->refs, cap, sizeof(*refs));
		if (refs == NULL)
			return -ENOMEM;
		l->refs = refs;
		l->refs_cap = cap;
	}
	int r = session_choice_ref(&l->choice, s, &l->refs[l->n_refs]);
	if (r == 0)
		l->n_refs++;
	return r;
}

static void walk_one(struct htab_node *node, void *arg)
{
	struct list_letter *l = arg;
	const struct session *s = CONTAINER_OF(node, struct session, keys[SESSION_BY_INDEX].own);
	l->n_seen++;
	if (!s->is_closing && session_choice_takes(&l->choice, s) && ref_append(l, s) < 0)
		l->is_short = true;
}

void list_letter_walk(struct worker *w, struct list_letter *l)
{
	const struct htab *all = &w->tables.by[SESSION_BY_INDEX];
	unsigned n_slots = 0;
	l->n_seen = 0;
	do
		l->cursor = htab_scan(all, l->cursor, walk_one, l);
	while (l->cursor != 0 && l->n_seen < LISTING_WALK_SESSIONS && ++n_slots < LISTING_WALK_SLOTS);
}

/* ---- a batch ---- */

/* As a member of an array that is indented by two blanks; there is no line break within a string. */
static int put_indented(const char *p, size_t n, void *ctx)
{
	struct span rest = span_of(p, n);
	while (rest.n > 0) {
		const uint8_t *end = memchr(rest.p, '\n', rest.n);
		size_t k = end ? (size_t)(end - rest.p) + 1 : rest.n;
		text_put(ctx, span_of(rest.p, k));
		if (end)
			text_str(ctx, "  ");
		rest = span_skip(rest, k);
	}
	return 0;
}

bool list_row_text(const struct list_form *f, const struct session_choice *c, bool is_json,
        const struct session *s, struct text *ret)
{
	const struct render_now now = listing_now();
	if (!session_choice_takes(c, s))
		return true;
	const struct render_session r = session_list_look(s);
	if (!is_json) {
		f->put(&r, &now, ret);
		return text_ok(ret);
	}
	json_t *j = f->put_json(&r, &now);
	bool is_good = j && json_dump_callback(j, put_indented, ret, RENDER_JSON_FLAGS) == 0;
	json_decref(j);
	return is_good && text_ok(ret);
}

void list_letter_show(struct worker *w, struct list_letter *l)
{
	for (size_t i = 0; i < l->n_rows; i++) {
		struct list_row *row = &l->rows[i];
		const struct session *s = session_by_index(w, row->index);
		row->is_found = s != NULL;
		if (s && !list_row_text(l->form, &l->choice, l->is_json, s, &row->text))
			l->is_short = true;
	}
}

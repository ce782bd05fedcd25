#include "diagnose/origin.h"

#include <stdlib.h>

#define SLACK_MS  300000 /* the last lines of one file and the first ones of the next */
#define FILES_MAX 512    /* with such logs, told apart: of more, all are of one gateway */

struct stretch {
	uint32_t file;
	int64_t first_ms, last_ms;
	bool has_login;
};

struct stretches {
	struct stretch v[FILES_MAX];
	size_t n;
	bool is_cut;
};

static bool is_of_nameless(const struct record *r)
{
	return r->source == SOURCE_ASA_SYSLOG && r->device == 0 && r->at_ms != TIME_NONE;
}

static bool is_login(const struct record *r)
{
	return r->user != 0 &&
	       (r->kind == EVENT_CONNECTED || r->kind == EVENT_TUNNEL_UP || r->kind == EVENT_TUNNEL_REPLACED);
}

static void take(struct stretches *t, const struct record *r)
{
	size_t i = 0;
	while (i < t->n && t->v[i].file != r->file)
		i++;
	if (i == FILES_MAX) {
		t->is_cut = true;
		return;
	}
	if (i == t->n)
		t->v[t->n++] = (struct stretch){r->file, r->at_ms, r->last_at_ms, false};
	t->v[i].has_login |= is_login(r);
	if (r->last_at_ms > t->v[i].last_ms)
		t->v[i].last_ms = r->last_at_ms;
}

static int compare(const void *va, const void *vb)
{
	const struct stretch *a = va, *b = vb;
	if (a->first_ms != b->first_ms)
		return a->first_ms < b->first_ms ? -1 : 1;
	return a->file < b->file ? -1 : a->file > b->file;
}

/* Each file goes on where the only gateway that could have written it stopped; when several could, it is of
 * none of them: sessions that are cut are better than mixed ones. */
static size_t part(const struct stretches *t, word_t *of_file)
{
	static const int64_t none = INT64_MIN;
	int64_t ends[FILES_MAX];
	size_t n = 0;
	for (size_t i = 0; i < t->n; i++) {
		size_t n_fit = 0, fit = 0;
		if (!t->v[i].has_login)
			continue;
		for (size_t k = 0; k < n; k++)
			if (ends[k] != none && ends[k] <= t->v[i].first_ms + SLACK_MS) {
				n_fit++;
				fit = k;
			}
		if (n_fit != 1)
			fit = n++;
		ends[fit] = t->v[i].last_ms;
		of_file[t->v[i].file] = (word_t)(ORIGIN_FIRST + fit);
	}
	return n;
}

word_t *origins_make(const struct store *s, size_t n_files)
{
	word_t *of_file = calloc(n_files + 1, sizeof(*of_file));
	struct stretches *t = calloc(1, sizeof(*t));
	for (size_t i = 0; of_file != NULL && t != NULL && i < store_n(s); i++)
		if (store_at(s, i)->file < n_files && is_of_nameless(store_at(s, i)))
			take(t, store_at(s, i));
	if (of_file == NULL || t == NULL) {
		free(of_file);
		free(t);
		return NULL;
	}
	qsort(t->v, t->n, sizeof(t->v[0]), compare);
	if (t->is_cut || part(t, of_file) < 2)
		memset(of_file, 0, n_files * sizeof(*of_file));
	free(t);
	return of_file;
}

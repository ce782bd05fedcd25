/* The statements of a configuration as a tree: what was said, in canonical words. The model is built from it,
 * and running-config prints it. */
#ifndef POLICY_STATEMENT_H
#define POLICY_STATEMENT_H

#include "base/htab.h"
#include "policy/arena.h"
#include "policy/syntax.h"

struct stmt_word {
	const char *text; /* keywords in full */
	uint32_t col;
	uint8_t elem; /* position of its element in the syntax of the row */
	bool is_quoted;
};

struct stmt {
	struct htab_node node;
	const struct command *row; /* NULL: the root, which is global mode */
	struct stmt *parent, *prev, *next, *first, *last;
	struct stmt_word *w;
	size_t n;
	uint32_t line;   /* where it was said, 1-based; 0: built in */
	bool is_builtin; /* exists without being said; printed only when something inside was said */
};

enum mode stmt_mode(const struct stmt *section);
struct span stmt_elem(const struct stmt *s, size_t i);
/* Word i is an argument, not a keyword. */
bool stmt_is_arg(const struct stmt *s, size_t i);
/* Index of the first word that fills this element ("NAME", "mask"); -1: it was not said. */
int stmt_find(const struct stmt *s, const char *elem);
/* The text of that word; NULL. */
const char *stmt_arg(const struct stmt *s, const char *elem);
/* The words in one line, secrets as ***** unless has_secrets; no line end. */
void stmt_format(const struct stmt *s, bool has_secrets, struct text *out);
/* It says what its row has as the default. */
bool stmt_is_default(const struct stmt *s);

/* Both are rows of one family about the same thing, as all three of a tunnel group. Siblings of a family are
 * neighbours. */
bool stmt_is_family(const struct stmt *a, const struct stmt *b);

/* The words of a matched line; NULL when out of memory. */
struct stmt *stmt_new(struct arena *a, const struct line *l, const struct match *m, uint32_t line_number);
/* Into section, or in place of the one that sets the same thing (whose children stay). Returns the one that
 * is in the tree now; NULL when out of memory. */
struct stmt *stmt_insert(struct htab *index, struct stmt *section, struct stmt *s);
/* Removes from section what a matched `no` line names. */
void stmt_remove(struct htab *index, struct stmt *section, const struct line *l, const struct match *m);

#endif

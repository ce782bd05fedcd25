/* Matches the words of a line against the rows of the command table.
 *
 * A keyword may be abbreviated as long as no other keyword is possible at its place; an exact word always
 * wins, and keywords win over arguments. */
#ifndef POLICY_SYNTAX_H
#define POLICY_SYNTAX_H

#include "policy/line.h"
#include "policy/table.h"

#define MATCH_MAX_EXPECTED 64

enum match_result {
	MATCH_OK,
	MATCH_UNKNOWN,    /* word `bad` is none of the expected ones */
	MATCH_RANGE,      /* word `bad` is a number outside min..max of row */
	MATCH_AMBIGUOUS,  /* word `bad` abbreviates all of the expected ones */
	MATCH_INCOMPLETE, /* the line ends where more is expected; bad is the number of words */
	MATCH_TOO_LONG,   /* word `bad` is too much: the command was complete before */
};

struct match {
	enum match_result result;
	const struct command *row; /* when OK or RANGE */
	size_t first;              /* index in the line of the first word matched */
	size_t n; /* words matched, from first; the last one may stand for the rest of the line */
	uint8_t elem[LINE_MAX_WORDS]; /* where in row->syntax the element of each word is */
	bool has_rest;                /* the last word is the rest of the line */
	size_t bad;                   /* index in the line */
	size_t n_expected;
	struct span expected[MATCH_MAX_EXPECTED]; /* elements, as in syntax */
	struct span nearest;                      /* the keyword nearest to word `bad`; empty: none is near */
	size_t nearest_distance;
};

/* Matches l->w[first...] against the rows of one mode. is_no: the `no` form, which may leave out the value:
 * OK as soon as everything that names the thing is there. */
void syntax_match(enum mode mode, const struct line *l, size_t first, bool is_no, struct match *ret);

/* The element that begins at pos, without "...". */
struct span syntax_elem(const char *syntax, size_t pos);
bool syntax_is_keyword(struct span elem);
/* The keywords with which a command begins, for messages: "ssl cipher". */
struct span syntax_keywords(const char *syntax);
/* Positions of the elements that may follow the one at pos (SYNTAX_START: the first ones); the position of
 * the terminating NUL among them means that the command may end there. Returns how many, at most
 * SYNTAX_MAX_NEXT. */
#define SYNTAX_START    SIZE_MAX
#define SYNTAX_MAX_NEXT 40
size_t syntax_next(const char *syntax, size_t pos, uint8_t ret[static SYNTAX_MAX_NEXT]);
/* Position of an element among the alternatives of its braces, 0-based; 0 outside braces. */
uint32_t syntax_choice(const char *syntax, size_t pos);
/* Levenshtein distance without case; SIZE_MAX when a word is too long to be a keyword. */
size_t syntax_distance(struct span a, struct span b);
#endif

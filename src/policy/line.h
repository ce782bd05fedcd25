/* One line of the file as words with their columns. */
#ifndef POLICY_LINE_H
#define POLICY_LINE_H

#include "base/span.h"
#include "base/util.h"

#define LINE_MAX_BYTES 8192
#define LINE_MAX_WORDS 160

struct word {
	struct span text; /* without the quotes */
	uint32_t col;     /* 1-based, in bytes */
	bool is_quoted;
};

struct line {
	struct span raw; /* without line end and trailing blanks */
	uint32_t indent; /* blanks before the first word */
	size_t n;
	bool has_more; /* more words than fit: only a command that takes the rest as text can use it */
	struct word w[LINE_MAX_WORDS];
};

/* Splits. n is 0 for an empty line. ERR_TOO_LARGE: over LINE_MAX_BYTES; ERR_MALFORMED: a control character,
 * whose column is in *ret_col. The words are views into raw. */
MUST_USE int line_split(struct span raw, struct line *ret, uint32_t *ret_col);

/* Everything from word i to the end of the line, as written. */
struct span line_rest(const struct line *l, size_t i);

#endif

/* "| include REGEX" and its relatives behind a command, as on the ASA: which lines of the answer are shown.
 */
#ifndef CTL_PIPE_H
#define CTL_PIPE_H

#include <regex.h>

#include "base/err.h"
#include "base/text.h"

#define PIPE_LINE_MAX 65536 /* bytes; of a longer line each part is taken for a line */

enum pipe_kind { PIPE_NONE, PIPE_INCLUDE, PIPE_EXCLUDE, PIPE_BEGIN };

struct pipe {
	enum pipe_kind kind;
	regex_t regex;    /* extended; not with PIPE_NONE */
	bool has_begun;   /* BEGIN: the line was seen */
	struct text part; /* of a line whose end has not come yet */
};

/* *argc becomes the number of words before the pipe. ERR_MALFORMED: why says what is wrong with it.
 * pipe_done() in any case. */
MUST_USE int pipe_parse(const char *const *argv, size_t *argc, struct pipe *ret, struct text *why);
/* Appends the lines of data that are to be shown to out; without a pipe, all bytes as they are. */
void pipe_take(struct pipe *p, struct span data, struct text *out);
/* The last line, when it has no end. */
void pipe_end(struct pipe *p, struct text *out);
void pipe_done(struct pipe *p);
/* For "?" behind the bar. */
const char *pipe_help(void);

#endif

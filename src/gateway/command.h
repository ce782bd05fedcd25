/* The words of the operator's commands: a table of syntaxes, matched with unambiguous abbreviations as on the
 * ASA. Pure. */
#ifndef GATEWAY_COMMAND_H
#define GATEWAY_COMMAND_H

#include "base/text.h"

#define COMMAND_MAX_WORDS   32
#define COMMAND_MAX_ARGS    4
#define COMMAND_MAX_ROWS    64 /* of one table: one bit of a uint64_t each */
#define COMMAND_MAX_OPTIONS 4

struct call;

/* A row without run only explains its last word. */
struct command {
	const char *syntax; /* words; "<what>" stands for any one word */
	const char *help;   /* one line, no full stop */
	void (*run)(struct call *c);
	uint8_t variant; /* for run */
	bool is_change;  /* logged, as %ASA-5-111008 */
	/* Further words that may follow in any order, those that begin with the same word once: a table whose
	 * rows have no run, but an option. */
	const struct command_table *options;
	uint8_t option; /* 1..: this row of such a table is a whole option; 0: only explains */
};

struct command_table {
	const struct command *v;
	size_t n; /* at most COMMAND_MAX_ROWS */
};

enum command_verdict {
	COMMAND_FOUND,
	COMMAND_UNKNOWN,    /* word [at] fits nothing */
	COMMAND_AMBIGUOUS,  /* word [at] is short for several */
	COMMAND_INCOMPLETE, /* more words must follow */
};

struct command_option {
	const struct command *row;
	const char *arg; /* NULL: it has none */
};

struct command_match {
	enum command_verdict verdict;
	const struct command *command; /* FOUND, or options are being read */
	const char *args[COMMAND_MAX_ARGS];
	size_t n_args;
	struct command_option options[COMMAND_MAX_OPTIONS];
	size_t n_options;
	size_t at; /* how many words fitted */
	/* where the match stands: the rows of this table that still fit; its words begin at argv[base] */
	const struct command_table *table;
	size_t base;
	uint64_t rows;
	const char *option_arg; /* of the option that is being read */
};

/* argv[0..argc) against the table; args borrow from argv. */
struct command_match command_find(const struct command_table *t, const char *const *argv, size_t argc);

/* What may follow the words that fitted and begins with prefix ("": all), each word once; "<cr>" when the
 * line may end here. */
typedef void command_next_f(void *ctx, struct span word, const char *help);
void command_next(const struct command_match *m, const char *prefix, command_next_f *f, void *ctx);

/* The line of an operator who got it wrong, and what is possible at that place. */
void command_complain(const struct command_match *m, const char *const *argv, struct text *out);
/* The list that "?" shows: words and help in two columns. */
void command_list(const struct command_match *m, const char *prefix, struct text *out);

#endif

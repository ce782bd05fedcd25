/* The options of a command as a table. Parsing, --help and the words of errors come from its rows;
 * tests/lint/manual.py compares the help with the manual pages.
 *
 * Forms: --name VALUE, --name=VALUE, a beginning of a name that fits one row only, -x VALUE, -xVALUE, letters
 * without values together (-vv). Options and words may be mixed; after "--" all are words, and "-" is one.
 *
 * Not getopt(3): it keeps its place in globals, prints by itself, and cannot say which option misses what. */
#ifndef BASE_OPTION_TABLE_H
#define BASE_OPTION_TABLE_H

#include <stdbool.h>

#include "base/text.h"
#include "base/util.h"

enum option_kind {
	OPTION_KIND_SWITCH, /* bool: becomes true */
	OPTION_KIND_COUNT,  /* unsigned: how often it was given */
	OPTION_KIND_SET,    /* unsigned or enum: becomes min */
	OPTION_KIND_TEXT,   /* const char *: points into argv, never empty */
	OPTION_KIND_NUMBER, /* uint32_t: min..max */
	OPTION_KIND_CHOICE, /* unsigned or enum: the value of one of words */
	OPTION_KIND_TAKE,   /* what take() makes of it */
	OPTION_KIND_HELP,
	OPTION_KIND_VERSION,
};

struct option_word {
	const char *word; /* NULL: end of the list */
	unsigned value;
};

/* at: the field in the caller's struct. False: what is wrong with the value was appended to why, as in "--pin
 * wants
 * ...", without a full stop. */
typedef bool option_take_f(void *at, const char *value, struct text *why);

struct option_row {
	const char *name; /* without dashes */
	char letter;      /* short form; 0: none */
	const char *arg;  /* what --help calls the value; NULL: takes none */
	const char *help;
	/* The rest by the macros below; may_be_0 besides. */
	enum option_kind kind;
	size_t at; /* of the field in the caller's struct */
	const char *unit; /* of a number; NULL: none */
	uint32_t min, max;
	const struct option_word *words;
	option_take_f *take;
	bool may_be_0; /* a number that may also be 0, for none */
};

/* Offset of field m of s; does not compile when its type is not the one that the kind writes. */
#define OPTION_PLACE(s, m, type) (offsetof(s, m) + 0 * sizeof(_Generic(((s *)0)->m, type : 0)))

#define OPTION_SWITCH(s, m) OPTION_KIND_SWITCH, OPTION_PLACE(s, m, bool)
#define OPTION_COUNT(s, m)  OPTION_KIND_COUNT, OPTION_PLACE(s, m, unsigned)
#define OPTION_SET(s, m, v) OPTION_KIND_SET, OPTION_PLACE(s, m, unsigned), .min = (v)
#define OPTION_TEXT(s, m)   OPTION_KIND_TEXT, OPTION_PLACE(s, m, const char *)
#define OPTION_NUMBER(s, m, what, low, high)                                                                 \
	OPTION_KIND_NUMBER, OPTION_PLACE(s, m, uint32_t), .unit = (what), .min = (low), .max = (high)
#define OPTION_CHOICE(s, m, list) OPTION_KIND_CHOICE, OPTION_PLACE(s, m, unsigned), .words = (list)
#define OPTION_TAKE(s, m, f)      OPTION_KIND_TAKE, offsetof(s, m), .take = (f)
#define OPTION_TAKE_ALL(f)        OPTION_KIND_TAKE, .take = (f) /* at: the struct */
#define OPTION_HELP               OPTION_KIND_HELP
#define OPTION_VERSION            OPTION_KIND_VERSION

struct option_table {
	const char *program;
	const char *command; /* of the program; NULL: it has none */
	const char *usage;   /* behind both in the first line of --help */
	const char *about;   /* lines between that and the options */
	const char *end;     /* lines after them; NULL: none */
	const struct option_row *rows;
	size_t n_rows;
	/* Words that are no options: how many there must be, and what to call them ("connect wants ..."). */
	size_t min_words, max_words;
	const char *words;
	bool is_over_at_word; /* the first word ends the options */
};

#define OPTION_ANY_NUMBER SIZE_MAX

struct option_words {
	char **v; /* in argv */
	size_t n;
};

enum options_verdict {
	OPTIONS_OK,   /* go on; nothing to say */
	OPTIONS_HELP, /* help or version was asked for, and is what to say */
	OPTIONS_BAD,  /* what to say is why, and where help is */
};

/* argv[0] is not looked at; the words are moved to its front, behind it. into is written as far as all was
 * right. A later option wins over an earlier one. say is empty before; option_table_say() afterwards. */
enum options_verdict option_table_parse(const struct option_table *t, int argc, char **argv, void *into,
        struct option_words *ret_words, struct text *say);
/* The complaint about something else than one option, in the same form: OPTIONS_BAD. fmt has no full stop. */
enum options_verdict option_table_refuse(const struct option_table *t, struct text *say, const char *fmt, ...)
        PRINTF_LIKE(3, 4);
/* Prints what there is to say, where it belongs, and frees it. Returns the exit status: 0, 1 for
 * OPTIONS_BAD. */
int option_table_say(enum options_verdict v, struct text *say);

#endif

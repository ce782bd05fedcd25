/* For tests of option tables: parses what a user would type and keeps what the program would say. */
#ifndef OPTIONS_UNIT_H
#define OPTIONS_UNIT_H

#include "base/option_table.h"
#include "unit.h"

/* What the last parse said. */
static char said[4096];

static inline int argc_of(char *const *argv)
{
	int n = 0;
	while (argv[n] != NULL)
		n++;
	return n;
}

static inline enum options_verdict said_keep(enum options_verdict v, struct text *say)
{
	size_t n = say->n < sizeof(said) ? say->n : sizeof(said) - 1;
	memcpy(said, text_cstr(say), n);
	said[n] = '\0';
	text_done(say);
	return v;
}

/* f(argc, argv, ret, say); argv ends with NULL. */
#define OPTIONS_PARSE(f, argv, ret)                                                                          \
	({                                                                                                   \
		struct text say_ = {0};                                                                      \
		char **argv_ = (argv);                                                                       \
		said_keep(f(argc_of(argv_), argv_, ret, &say_), &say_);                                      \
	})

#endif

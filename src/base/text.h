/* A growing text with a limit, for outputs whose length is not known: running-config, show commands, XML.
 * Sticky error: after out-of-memory or the limit, further puts do nothing and text_ok() is false. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdarg.h>

#include "base/span.h"
#include "base/util.h"

#define TEXT_MAX_BYTES (16u << 20)

struct text {
	char *p;  /* NUL-terminated once something was put; owned */
	size_t n; /* bytes without the NUL */
	size_t cap;
	bool is_bad;
	bool is_secret; /* memory is wiped when the text grows or ends; set it before the first put */
};

void text_put(struct text *t, struct span s);
void text_str(struct text *t, const char *s);
void text_fmt(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
void text_vfmt(struct text *t, const char *fmt, va_list ap) PRINTF_LIKE(2, 0);
/* Bytes from outside made safe for a log line or a terminal: printable ASCII stays, "\" becomes "\\",
 * everything else becomes \xNN. At most max bytes of the input are shown, then "...". */
void text_escaped(struct text *t, struct span s, size_t max);
/* The text as a C string, "" when empty; lives until the next put or text_done(). */
const char *text_cstr(const struct text *t);
/* Frees; the struct is empty and usable again. */
void text_done(struct text *t);

/* Would the byte, behind the one put last, be a control character of C1 in UTF-8? Asked of what is written: a
 * byte left out between the two must not let it come about. */
static inline bool text_makes_c1(char last, uint8_t c)
{
	return last == '\xc2' && c >= 0x80 && c < 0xa0;
}

static inline bool text_ok(const struct text *t)
{
	return !t->is_bad;
}

#endif

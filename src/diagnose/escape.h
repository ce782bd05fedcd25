/* Text from outside made safe to show. Valid UTF-8 stays as it is: user names and client logs come in all
 * languages; control characters, broken UTF-8 and characters that change the direction of writing become
 * \xNN. */
#ifndef DIAGNOSE_ESCAPE_H
#define DIAGNOSE_ESCAPE_H

#include "base/text.h"

/* At most max bytes of the input, then "...". The result is valid UTF-8 without control characters. */
void escape_put(struct text *t, struct span s, size_t max);
/* Of text that escape_put() made, or that is ours: for HTML content and attributes in quotes. */
void escape_html(struct text *t, struct span s);

#endif

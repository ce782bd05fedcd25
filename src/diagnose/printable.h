/* Bytes from outside as text that a terminal, JSON or a page may show. */
#ifndef DIAGNOSE_PRINTABLE_H
#define DIAGNOSE_PRINTABLE_H

#include "base/text.h"

/* UTF-8 stays as it is; control characters, marks that turn the direction of writing, and bytes that are not
 * UTF-8 become \xNN. At most max bytes of the input are shown, then "...". */
void text_printable(struct text *t, struct span s, size_t max);

/* Length of the character at the start of s, 1 to 4; 0: not UTF-8 (RFC 3629: no surrogates, no longer form
 * than needed). */
size_t utf8_length(struct span s);

#endif

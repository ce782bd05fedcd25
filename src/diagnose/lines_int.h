/* Between lines.c and its parts. */
#ifndef DIAGNOSE_LINES_INT_H
#define DIAGNOSE_LINES_INT_H

#include "diagnose/lines.h"

/* What the first bytes of a file are, and how long its mark is. */
enum lines_form probe_form(struct span head, size_t *ret_mark_bytes);

#define UTF16_IN_BYTES 32768

/* Decoder of UTF-16: keeps what a block ends in the middle of. */
struct lines_utf16 {
	uint8_t out[UTF16_IN_BYTES / 2 * 3];
	uint8_t odd; /* first byte of a unit */
	bool has_odd;
	uint16_t high; /* first half of a pair; 0: none */
};

/* Takes at most UTF16_IN_BYTES off *in; the result is in u->out. */
struct span utf16_decode(struct lines_utf16 *u, struct span *in, bool is_big);

#endif

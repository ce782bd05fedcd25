/* Blocks of bytes to lines of UTF-8, in whatever text they are written: LF, CRLF or CR; UTF-8 with or
 * without mark, UTF-16 of either order with or without mark. Other encodings of one byte or several
 * (Latin-1, Shift-JIS) pass as they are. A file that is no text is found out by its first bytes. */
#ifndef DIAGNOSE_LINES_H
#define DIAGNOSE_LINES_H

#include "diagnose/reader.h"

#define LINES_PROBE_BYTES 4096 /* looked at before the first line */

enum lines_form {
	LINES_UNDECIDED,
	LINES_BYTES, /* UTF-8 or any other superset of ASCII */
	LINES_UTF16LE,
	LINES_UTF16BE,
	LINES_BINARY, /* no text: no line comes of it */
};

struct lines {
	/* line is borrowed until the return. number is 1-based; what a lone CR parts within a line has the
	 * number of the line, as editors count. */
	void (*on_line)(void *ctx, struct span line, uint32_t number);
	void *ctx;
	enum lines_form form;
	uint8_t separator; /* '\n', or '\r' when the file has no other */
	uint32_t n;        /* lines so far */
	uint32_t n_cut;    /* longer than LINE_MAX_BYTES */
	uint32_t n_junk;   /* with NUL bytes */
	uint8_t *carry;    /* begin of a line whose end is in a later block; LINES_CARRY_BYTES, owned */
	size_t n_carry;
	bool is_carry_cut;
	struct lines_utf16 *utf16; /* NULL: not needed yet; owned */
};

/* -ENOMEM */
MUST_USE int lines_init(
        struct lines *l, void (*on_line)(void *ctx, struct span line, uint32_t number), void *ctx);
/* False: the rest is not wanted, because it is no text (form) or there is no memory. */
bool lines_feed(struct lines *l, struct span block);
/* After the last block: the last line, which may have no newline. */
void lines_end(struct lines *l);
void lines_done(struct lines *l);

#endif

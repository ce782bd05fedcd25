/* One reader per format. The dispatcher (dispatch.c) offers each line of a file to the reader that took the
 * last one first, so a file may change its format in the middle (a case file pasted together). */
#ifndef DIAGNOSE_READER_H
#define DIAGNOSE_READER_H

#include "diagnose/event.h"

enum claim {
	CLAIM_NO,     /* not mine */
	CLAIM_WEAK,   /* plausible where I am: a foreign line of a configuration, the next line of an event */
	CLAIM_STRONG, /* nobody else writes such a line */
};

/* Where readers put what they understood. */
struct sink {
	void (*on_event)(void *ctx, const struct event *e);
	void (*on_fact)(void *ctx, const struct fact *f);
	void *ctx;
};

/* What a reader may know of the file beside its lines. */
struct file_hint {
	const char *name;      /* as given by the user; members of a zip: "bundle.zip:member" */
	int64_t written_at_ms; /* modification time: the year of lines without one; TIME_NONE: not known */
};

struct reader {
	enum source_kind source; /* the one it mostly makes; a reader may make others of its family */
	size_t state_bytes;      /* zeroed memory for one file */
	void (*begin)(void *state, const struct file_hint *hint, const struct sink *sink);
	/* One line: UTF-8 (bytes that are not are passed as they are), no newline, no CR, at most
	 * LINE_MAX_BYTES. Nothing of it is kept after the return unless copied into state. CLAIM_STRONG and
	 * CLAIM_WEAK mean it was consumed (sections, counters), with CLAIM_NO nothing in state may change.
	 * Must be quick to say no: it is asked for each foreign line of a gigabyte. */
	enum claim (*line)(void *state, struct span line, uint32_t number);
	/* End of the file, or another reader takes over: emit what waits for its next line. state stays: in a
	 * file of mixed lines this one may be asked again, and end() comes again. */
	void (*end)(void *state);
};

#define LINE_MAX_BYTES 16384 /* longer lines are cut there and counted in a note of the file */

/* All readers, in the order in which they are asked; NULL-terminated (readers.c). */
extern const struct reader *const readers[];

#endif

/* What the user sees, and the event log: one line of English per thing that happened, in the words of Cisco's
 * client (cisco-facts.md 7.2). With --events each also becomes one JSON object a line. */
#ifndef CLIENT_EVENTS_H
#define CLIENT_EVENTS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/span.h"
#include "base/text.h"
#include "base/util.h"

#define EVENTS_KEEP_MAX        512  /* the newest, in memory for `culvert dart` */
#define EVENTS_KEEP_LINE_BYTES 2048 /* a longer one is not kept */

enum event_type { EVENT_INFO, EVENT_WARNING, EVENT_ERROR };

struct events {
	FILE *file; /* NULL: none */
	unsigned verbosity;
	bool is_silent;              /* in the background: nobody reads the terminal any more */
	char *kept[EVENTS_KEEP_MAX]; /* the JSON lines; owned; event number modulo the size */
	uint64_t n_seen;             /* number of the next event */
};

/* path NULL: no file. -errno when it cannot be opened. */
MUST_USE int events_open(struct events *ev, const char *path, unsigned verbosity);
void events_close(struct events *ev);

/* Number of the oldest event in memory. events_kept() gives its line, NULL when it is not there (any more).
 */
uint64_t events_first(const struct events *ev);
const char *events_kept(const struct events *ev, uint64_t number);

/* A state that the user sees: a line on standard output, and an event. */
void events_say(struct events *ev, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Something went wrong and the user should act: standard error, and an event of type Error. */
void events_fail(struct events *ev, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* For the event log only; on standard error too with --verbose. code 0: none. */
void events_note(struct events *ev, enum event_type type, unsigned code, const char *fmt, ...)
        PRINTF_LIKE(4, 5);

/* Text of a peer for people: control characters (C1 too) become blanks or are dropped, at most max bytes. */
void events_clean(struct text *out, struct span peer_text, size_t max);

#endif

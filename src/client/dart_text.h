/* Texts of the bundle: events in the form of Cisco's DART, and what must not get into it. Pure. */
#ifndef CLIENT_DART_TEXT_H
#define CLIENT_DART_TEXT_H

#include <stdbool.h>

#include "base/text.h"

#define DART_LINE_MAX 16384 /* bytes of one JSON line of an event log */

/* One event: a JSON object as --events writes it, appended as in cisco-facts.md 7.1, local time. False: it is
 * none, and nothing was appended. */
bool dart_event_put(struct span json_line, struct text *out);
/* Ends what dart_event_put() wrote. */
void dart_events_end(struct text *out);

/* Appends in, without the values of cookies, tokens, passwords and shared keys, and without PEM blocks of
 * private keys: none should be there, but the texts come from other programs and from files that the user
 * named. */
void dart_scrub(struct span in, struct text *out);

#endif

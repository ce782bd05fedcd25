/* The statistics as Cisco's client exports them (cisco-facts.md 7.4): sections, one label and value a line.
 */
#ifndef CLIENT_EXPORT_H
#define CLIENT_EXPORT_H

#include <jansson.h>

#include "base/text.h"

/* A value for people: "-" when it is missing or empty. Lives as long as o. */
const char *export_value(json_t *o, const char *key);
/* stats: what the session answers to "stats"; what is missing in it is shown as 0 or "-". */
void export_stats(json_t *stats, struct text *out);
/* Name and version of the system, one line. */
void export_os(struct text *out);

#endif

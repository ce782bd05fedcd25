/* Tunnels go down for many reasons that are no fault of theirs: the session ends, the machine sleeps or
 * moves. Whether something of that kind is near. */
#ifndef DIAGNOSE_UPHEAVAL_H
#define DIAGNOSE_UPHEAVAL_H

#include "diagnose/cases.h"

/* The whole session is coming to an end, sleeps or moves: what the tunnels do then means nothing. */
bool record_is_upheaval(const struct record *r);
/* One of its session is within CASE_TAIL_MS of the record at this place. *from: where to begin, at first the
 * session's first; it is moved on, for the next question about a later place of the same session. */
bool upheaval_is_near(const struct cases *c, uint32_t place, uint32_t *from);
/* The TLS tunnel, and nothing else, is said to be dead. */
bool record_is_tls_dead(const struct record *r);
bool record_is_dtls_down(const struct record *r);

#endif

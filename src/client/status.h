/* What `culvert status` and `culvert stats` tell: made as JSON by the running session, shown as text by the
 * asker (ask.h). Keys as in contract.md section 3. */
#ifndef CLIENT_STATUS_H
#define CLIENT_STATUS_H

#include "base/text.h"

struct session;

/* A control_fn: "status", "stats", "disconnect", "events", "events N" (from that number on). */
void status_answer(void *session, struct span word, bool is_owner, struct text *out);
/* On standard error, for SIGUSR1. */
void status_print_stats(struct session *s);

#endif

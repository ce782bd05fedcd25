/* What `culvert status` and `culvert stats` tell: made as JSON by the running session, shown as text by the
 * asker. Keys as in contract.md section 3. */
#ifndef CLIENT_STATUS_H
#define CLIENT_STATUS_H

#include "base/text.h"

struct session;

/* A control_fn: "status", "stats", "disconnect". */
void status_answer(void *session, struct span word, bool is_owner, struct text *out);
/* On standard error, for SIGUSR1. */
void status_print_stats(struct session *s);

/* The asking programs: argv after the command's name. Return an enum culvert_exit. */
int status_command(int argc, char **argv);
int stats_command(int argc, char **argv);
int disconnect_command(int argc, char **argv);

#endif

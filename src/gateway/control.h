/* The console's end inside the worker (src/ctl is the other). */
#ifndef GATEWAY_CONTROL_H
#define GATEWAY_CONTROL_H

#include "gateway/process.h"

/* All of these in the main thread, whose worker w is. */
/* Takes the listening socket; below 0: a gateway without a console. -ENOMEM, -errno. */
MUST_USE int control_open(struct worker *w, int listen_fd);
/* An answer of auth or of the monitor to a question of a command. */
void control_on_answer(struct worker *w, const struct ipc_msg *m);
/* A line of debug output, for every console that wants this level. Never waits. */
void control_debug_line(struct control *ctl, unsigned level, const char *text);
/* So many lines were lost before they came here. */
void control_debug_lost(struct control *ctl, uint32_t n);
void control_close(struct worker *w);

#endif

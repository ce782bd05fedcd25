/* The console's end inside the worker (src/ctl is the other). */
#ifndef GATEWAY_CONTROL_H
#define GATEWAY_CONTROL_H

#include "gateway/worker.h"

MUST_USE int control_open(struct worker *w, int listen_fd);
void control_on_auth(struct worker *w, const struct ipc_msg *m);
void control_on_monitor(struct worker *w, const struct ipc_msg *m);
void control_close(struct worker *w);

#endif

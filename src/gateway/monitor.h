/* The monitor: root, tiny. Opens what needs rights, starts the other processes, hands descriptors over, and
 * starts again what died. Parses the configuration and messages of its children, never a client's byte. */
#ifndef GATEWAY_MONITOR_H
#define GATEWAY_MONITOR_H

#include "gateway/options.h"
#include "policy/model.h"

/* Runs until a signal ends it; takes the reference to config. ready_fd: gets one byte when everything serves,
 * for the parent that waits before it leaves us in the background; -1: none. Returns the exit status. */
int monitor_run(const struct options *opts, struct config *config, int ready_fd);

#endif

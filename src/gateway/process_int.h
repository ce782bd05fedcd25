/* Between the files of the process: process.c (start, end, the monitor's messages), process_fd.c
 * (descriptors), process_config.c (settings), process_counts.c, process_lines.c (log and debug). All but the
 * counts: the main thread only. */
#ifndef GATEWAY_PROCESS_INT_H
#define GATEWAY_PROCESS_INT_H

#include "gateway/process.h"

/* process_fd.c */
/* The thread with that number; made when it is heard of first. -ERANGE, -ENOMEM, what worker_new() said. */
MUST_USE int process_thread(struct process *p, uint16_t index, struct worker **ret);
/* Takes the descriptor: kept, or used and closed. An error ends the process. */
MUST_USE int process_take_fd(struct process *p, const struct ipc_fd *f, int fd);

/* process_config.c: into the main thread; what fails leaves the former setting. fd stays the caller's. */
MUST_USE int process_take_config(struct process *p, int fd);
MUST_USE int process_take_cert(struct worker *w, int fd);
/* What `from` has, for another thread that opens it. NULL: memory is short. */
struct mail *process_settings_letter(const struct worker *from);
/* What the main thread has, to all others. -ENOMEM: some may have it. */
MUST_USE int process_share_settings(struct process *p);

/* process_counts.c */
void process_counts_init(struct process_counts *c);

/* process_lines.c: the log's way to the monitor, from all threads. */
void process_log_open(struct process *p);

#endif

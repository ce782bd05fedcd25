/* What the `logging` commands mean for the log of a process (io/log.h), and the way of its messages to the
 * monitor, who has the buffer and the log hosts. */
#ifndef GATEWAY_LOG_SETUP_H
#define GATEWAY_LOG_SETUP_H

#include <pthread.h>
#include <stdatomic.h>

#include "io/log.h"
#include "ipc/chan.h"
#include "policy/model.h"

/* Least severe level of the program's own log. */
uint8_t log_setup_own_level(const struct config *c);
/* Settings of single messages, level and form of the own log, and fn for what buffer or log hosts want. */
void log_setup_apply(const struct config *c, log_relay_fn *fn, void *ctx);

/* CLOCK_MONOTONIC. */
uint64_t log_setup_now_us(void);

/* Worker's or auth's end of the way to the monitor. */
#define LOG_RELAY_WAITING_MAX                                                                                \
	512u /* messages for a monitor that does not read; then they are lost, counted */

struct log_relay {
	struct chan *monitor;
	void (*wants_write)(void *ctx); /* something waits in the channel: poll it for writing */
	/* m comes from another thread than the one of the channel: brings it there, to log_relay_send().
	 * false: lost. NULL: such messages are lost. */
	bool (*elsewhere)(void *ctx, const struct ipc_msg *m);
	void *ctx;
	pthread_t thread;   /* the only one that may use the channel */
	atomic_uint n_lost; /* since the last message that went out */
};

/* In the channel's thread. */
void log_relay_send(struct log_relay *r, struct ipc_msg *m);
/* From now on, and with each new configuration. */
void log_relay_apply(struct log_relay *r, const struct config *c);

#endif

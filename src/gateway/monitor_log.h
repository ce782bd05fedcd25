/* Buffer and log hosts, in the monitor: takes the finished messages of all processes, which it passes on and
 * never reads. */
#ifndef GATEWAY_MONITOR_LOG_H
#define GATEWAY_MONITOR_LOG_H

#include "gateway/log_ring.h"
#include "gateway/log_sender.h"
#include "ipc/msg.h"

#define MONITOR_LOG_ORDER_MS                                                                                 \
	10u /* a message rests so long: one that was said before it may come after it                        \
	     */
#define MONITOR_LOG_PENDING_MAX 512u /* more do not rest */

#define LOG_QUEUE_MAX 8192u /* what `logging queue 0` means, the largest there is */

struct log_pending;

struct monitor_log {
	uv_loop_t *loop;
	const struct config *config; /* the monitor's; NULL: not yet */
	struct log_ring ring;
	struct log_sender *hosts[POLICY_MAX_LOG_HOSTS];
	struct log_host targets[POLICY_MAX_LOG_HOSTS]; /* interface borrows from config */
	size_t n_hosts;
	struct log_pending *first, *last; /* by time of origin */
	unsigned n_pending;
	struct loop_timer timer; /* the oldest of them has rested */
	uint64_t n_buffered, n_trapped, n_lost;
};

MUST_USE int monitor_log_open(struct monitor_log *l, uv_loop_t *loop);
/* From now on, and with each new configuration, which must live until the next one. Messages of the process
 * itself come here, too. */
void monitor_log_apply(struct monitor_log *l, const struct config *c);
/* A message of another process. is_too_often: count it only. */
void monitor_log_take(struct monitor_log *l, const struct ipc_log *in, bool is_too_often);
/* Answers LOG_QUERY, LOG_CLEAR, LOG_HOST_QUERY, LOG_ITEM_QUERY. */
void monitor_log_answer(struct monitor_log *l, const struct ipc_msg *in, struct ipc_msg *ret);
/* Before the loop ends. */
void monitor_log_close(struct monitor_log *l);

#endif

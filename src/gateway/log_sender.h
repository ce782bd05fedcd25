/* One log host: datagrams, or a TCP connection that is opened again and again, with a bounded queue. Nothing
 * here ever waits. What the host sends is read and forgotten. */
#ifndef GATEWAY_LOG_SENDER_H
#define GATEWAY_LOG_SENDER_H

#include "base/span.h"
#include "io/loop.h"
#include "policy/model.h"

#define LOG_SENDER_BACKOFF_MIN_MS 1000u
#define LOG_SENDER_BACKOFF_MAX_MS 60000u
#define LOG_SENDER_CONNECT_MS     10000u /* a connection not made by then is given up */
#define LOG_SENDER_SILENT_MS      20000u /* bytes not acknowledged for so long: the host is gone */

struct log_sender;

struct log_sender_stats {
	uint64_t n_sent, n_errors, n_dropped; /* messages; errors: of sending and connecting */
	uint32_t n_waiting;
	bool is_up; /* TCP: connected */
};

/* TCP only: the connection is there, or lost; told once each. */
typedef void log_sender_fn(void *ctx, const struct log_host *host, bool is_up);

/* Copies host. Sockets are opened with the first message. 0 or -ENOMEM. */
MUST_USE int log_sender_new(uv_loop_t *loop, const struct log_host *host, log_sender_fn *on_change, void *ctx,
        struct log_sender **ret);
/* Its memory goes when the loop has closed its handles; what waits is dropped. NULL is fine. */
void log_sender_free(struct log_sender *s);
bool log_sender_is_for(const struct log_sender *s, const struct log_host *host);
/* One frame: sent, or queued when fewer than max_waiting wait (TCP), or dropped and counted. */
void log_sender_put(struct log_sender *s, struct span frame, uint32_t max_waiting);
struct log_sender_stats log_sender_stats(const struct log_sender *s);

#endif

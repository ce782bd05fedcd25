/* What the threads of the worker process share, and what its main thread does for all of them: it talks to
 * the monitor and to consoles, and is thread 0. No other process-wide state exists. */
#ifndef GATEWAY_PROCESS_H
#define GATEWAY_PROCESS_H

#include <stdatomic.h>

#include "gateway/log_setup.h"
#include "gateway/owners.h"
#include "gateway/session_tunnel.h"
#include "gateway/worker.h"
#include "io/steer.h"

/* Lines for log or consoles that wait for the main thread; more are lost. */
#define PROCESS_LETTERS_MAX 512u

struct control;

/* Counted over all threads. */
struct process_counts {
	pthread_mutex_t lock;
	struct tunnel_count tunnels[N_TUNNEL_KINDS];
	struct ratelimit log_strangers; /* lines that anybody can cause, by message */
	struct ratelimit accepts;       /* new connections by address, while many wait to log in */
	bool is_pre_login_high;    /* over the high watermark of n_pre_login, and not below the low since */
	ms_t pre_login_told_at_ms; /* when the log heard of a watermark last */
};

struct process {
	struct worker *threads[OWNERS_MAX_THREADS]; /* [0]: the main thread */
	uint16_t n_threads;                         /* from START on */
	uv_thread_t ids[OWNERS_MAX_THREADS];        /* from 1 on */
	uint16_t n_started;
	uint8_t hash_key[16];
	struct owners owners;
	steer_slot *steer[STEER_N_KEYS]; /* NULL: the kernel does not ask us */
	struct process_counts counts;
	atomic_uint n_conns, n_pre_login;
	atomic_uint debug_level;  /* the highest that a console wants, 0: nobody debugs */
	atomic_uint n_letters;    /* lines on their way to the main thread */
	atomic_uint n_lines_lost; /* of debug */

	/* the main thread only */
	struct chan monitor;
	struct loop_fd monitor_poll;
	int control_fd;
	struct control *control; /* the console (control.c); NULL: no socket */
	struct log_relay log_relay;
	ms_t started_at_ms;
	uint32_t max_conns; /* what the descriptor limit allows; set before the threads start */
};

/* The process: talks to the monitor on this socket until told to stop. Returns the exit status. */
int worker_main(int monitor_fd);

/* What makes a process without threads usable (tests). */
void process_init(struct process *p);

/* Any thread to any thread. */
void process_mail(struct worker *to, struct mail *m);
/* From thread w to the first of `threads` (bit n is thread n): copied; dropped and counted when it has too
 * much already. */
void process_hand_over(
        struct worker *w, uint64_t threads, const struct handover_head *head, struct span bytes);
/* Thread w cannot go on, for want of auth or TUN: the process ends, clients resume. */
void process_fail(struct worker *w);

/* May a line that strangers cause be written? As ratelimit_allows(). */
bool process_may_log(struct process *p, uint64_t key, ms_t now_ms, uint32_t *ret_suppressed);
void process_tunnels(struct process *p, struct tunnel_count ret[static N_TUNNEL_KINDS]);
/* A connection more or less. */
void process_count_conn(struct process *p, int by);
/* One more, or less, that has no session. 1 or -1 when a watermark was crossed of which the log should hear;
 * else 0. */
int process_count_pre_login(struct process *p, int by, ms_t now_ms);
/* Slots for connections without a session are few: while many are taken, no address gets more of them than a
 * fair share, so that one attacker does not keep everybody else out. */
bool process_has_room(struct process *p, const struct ip_addr *peer, ms_t now_ms);

/* A line of debug output, for every console that wants this level. Never waits. */
void process_debug_line(struct worker *w, unsigned level, const char *text);

static inline unsigned process_debug_level(const struct worker *w)
{
	return atomic_load_explicit(&w->process->debug_level, memory_order_relaxed);
}

#endif

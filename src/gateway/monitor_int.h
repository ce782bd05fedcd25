/* Shared by monitor*.c only. */
#ifndef GATEWAY_MONITOR_INT_H
#define GATEWAY_MONITOR_INT_H

#include <limits.h>

#include "gateway/child.h"
#include "gateway/gateway_if.h"
#include "gateway/identity.h"
#include "gateway/monitor.h"
#include "gateway/monitor_log.h"
#include "io/loop.h"

#define MONITOR_USER "culvert"
/* Children that have not ended by then are killed; together 3 s. */
#define MONITOR_STOP_WORKER_MS 2000u
#define MONITOR_STOP_AUTH_MS   1000u

enum monitor_signal { MONITOR_CHLD, MONITOR_HUP, MONITOR_TERM, MONITOR_INT, MONITOR_N_SIGNALS };

/* A running child, or the wait for its restart. */
struct monitor_child {
	struct monitor *m;
	enum child_role role;
	pid_t pid; /* 0: none */
	struct chan chan;
	struct loop_fd poll;
	bool is_polled;    /* until its close has come back from the loop */
	bool is_up;        /* said READY */
	bool is_told;      /* SHUTDOWN was sent: its end is no fault */
	bool is_deaf;      /* an answer could not be sent */
	unsigned n_deaths; /* in a row */
	ms_t started_at_ms;
	struct loop_timer kill_timer;
};

struct monitor {
	const struct options *opts;
	uv_loop_t loop;
	uv_signal_t signals[MONITOR_N_SIGNALS];
	struct config *config;
	struct identity identity;
	struct gateway_if ifs;
	struct monitor_log log;

	uid_t uid; /* of the other processes */
	gid_t gid;
	char auth_dir[PATH_MAX];  /* sessions and the like: state of auth */
	char empty_dir[PATH_MAX]; /* root directory of the worker */
	int auth_dir_fd, log_fd, ready_fd;

	struct monitor_child children[CHILD_N_ROLES];
	struct loop_timer restart_timer;
	bool is_ready, is_stopping, tells_clients;
	int exit_status;
};

/* monitor_open.c: everything that may fail at start; one line in why. */
MUST_USE int monitor_open(struct monitor *m, struct text *why);
void monitor_close(struct monitor *m);
MUST_USE int monitor_log_target(const struct options *opts, const struct config *c, struct text *why);
/* The certificate's pin, for those who connect to us. */
void monitor_pin_tell(const struct monitor *m);

/* monitor_child.c */
MUST_USE int monitor_children_init(struct monitor *m);
MUST_USE int monitor_children_start(struct monitor *m);
/* SIGCHLD. */
void monitor_children_reap(struct monitor *m);
void monitor_children_reload(struct monitor *m);
/* SHUTDOWN to all, and the end of their patience. */
void monitor_children_stop(struct monitor *m, bool tells_clients);
bool monitor_children_alive(const struct monitor *m);
/* With SIGKILL, now or when it still lives then. */
void monitor_child_kill(struct monitor_child *c, ms_t in_ms);

/* monitor_channel.c */
/* Listens to what the child says; what it may not say is its death. On failure the channel is closed or, when
 * only the watch failed, open. -errno. */
MUST_USE int monitor_channel_open(struct monitor_child *c);
void monitor_channel_end(struct monitor_child *c);
/* The log of a child that is dead; everything else it wanted is void. */
void monitor_last_words(struct monitor_child *c);

/* monitor_hand.c: what a child is given. 0 or what chan_send() says: then it is of no use. */
/* Configuration, certificate and log file: before START, and before a RELOAD. */
MUST_USE int monitor_hand_settings(struct monitor_child *c);
/* All that auth, or the worker, has of its own; settings included. */
MUST_USE int monitor_hand_auth(struct monitor_child *c);
MUST_USE int monitor_hand_worker(struct monitor_child *c);
/* Both ends of the sockets between worker and auth, one a thread. */
MUST_USE int monitor_hand_pairs(struct monitor_child *auth, struct monitor_child *worker);
MUST_USE int monitor_hand_start(struct monitor_child *c);

/* monitor.c */
/* Reads the file again. messages: what the operator should see. The former stays on failure. */
MUST_USE int monitor_reload(struct monitor *m, struct text *messages);
void monitor_ready(struct monitor *m);
void monitor_stop(struct monitor *m, bool tells_clients, int exit_status);
/* The last child is gone. */
void monitor_children_gone(struct monitor *m);

#endif

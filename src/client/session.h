/* The life of one session after the login: CONNECT, both tunnels, adapter, reconnects, end. */
#ifndef CLIENT_SESSION_H
#define CLIENT_SESSION_H

#include "client/adapter.h"
#include "tunnel/backoff.h"
#include "client/control.h"
#include "client/datapath.h"
#include "client/exits.h"
#include "client/gate.h"
#include "client/netwatch.h"
#include "client/redial.h"
#include "client/wakeup.h"
#include "tunnel/alerts.h"
#include "tunnel/classic.h"

#define SESSION_RESUME_DEFAULT_S                                                                             \
	1800 /* when the gateway names no limit; the ASA's default (cisco-facts.md 2.3) */
#define SESSION_SIGNALS 5

enum session_state { SESSION_CONNECTING, SESSION_CONNECTED, SESSION_RECONNECTING, SESSION_ENDING };

struct session_switch {
	enum link_channel from, to;
	const char *cause;
	ms_t gap_ms;
};

/* What only the seamless policy needs. */
struct session_seamless {
	struct redial redial;  /* when neither tunnel answers */
	bool is_dtls_replaced; /* DTLS was taken down by ourselves, for another one: no loss */
};

struct session_stats {
	uint64_t switches, reconnects;
	struct session_switch last; /* valid when switches > 0 */
	ms_t dtls_probe_at_ms;      /* 0: none under way */
	int64_t dtls_rtt_ms;        /* -1: not known */
	ms_t connected_at_ms;
	uint64_t unknown_packets;  /* ignored for their type */
	bool is_unknown_told[256]; /* by type */
};

struct session_rules {
	struct alerts alerts;
	struct wakeup wakeup;
};

struct session {
	uv_loop_t loop;
	const struct connect_options *opt;
	struct events *ev;
	struct gate *gate;
	enum session_state state;
	int exit_code;
	bool has_params;
	bool is_connect_repeated; /* the first CONNECT was sent once more */
	bool is_udp_lost;         /* and the user was told */
	struct tunnel_params params;
	struct link link;
	struct classic classic;   /* runs only with MTU_CLASSIC */
	enum link_channel active; /* what was last told to the user */
	struct tunnel_tls tls;
	struct tunnel_dtls dtls;
	struct datapath path;
	struct adapter adapter;
	struct session_seamless seamless;
	struct control control;
	struct netwatch netwatch;
	struct backoff backoff;
	ms_t retry_at_ms; /* next dial; MS_NEVER */
	ms_t hint_at_ms;  /* classic: last DTLS probe because of a hint */
	uint8_t master_secret[DTLS_SECRET_BYTES];
	struct session_stats stats;
	struct session_rules rules;
	struct loop_timer timer;
	uv_signal_t signals[SESSION_SIGNALS];
	void (*on_connected)(void *ctx); /* once */
	void *ctx;
};

/* Runs until the end. conn: what the login left (taken over), or a closed one. Returns an enum culvert_exit.
 */
int session_run(const struct connect_options *o, struct gate *g, struct conn *conn, struct events *ev,
        void (*on_connected)(void *ctx), void *ctx);

/* For the control socket (status.c). */
void session_end_by_user(struct session *s);
const char *session_state_name(enum session_state st);

#endif

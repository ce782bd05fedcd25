/* One thread of the worker process: everything that touches a client's bytes. One loop, one TUN queue, one
 * listener, one UDP socket, and the sessions whose CONNECT came by them.
 *
 *	TCP listener -> conn (TLS, HTTP, login) -> CONNECT -> session
 *	UDP socket   -> dtls_rx (route by peer, or by the id in a ClientHello) -> session
 *	TUN queue    -> forward (route by inner destination) -> session -> DTLS or TLS
 *
 * All state of a thread hangs off its struct worker, and no other thread touches it: they send letters
 * (mail.h) and hand packets over (handover.h). What they share is in struct process. */
#ifndef GATEWAY_WORKER_H
#define GATEWAY_WORKER_H

#include "base/htab.h"
#include "datapath/outlet.h"
#include "gateway/handover.h"
#include "gateway/mail.h"
#include "gateway/session_key.h"
#include "gateway/switches.h"
#include "io/dtls.h"
#include "io/loop.h"
#include "io/ratelimit.h"
#include "io/tls.h"
#include "io/tun.h"
#include "io/udp.h"
#include "ipc/chan.h"
#include "policy/model.h"

#define WORKER_TLS_RX_BYTES (256u << 10) /* one recv() of ciphertext */
#define WORKER_TUN_SLOT     16512        /* largest inner packet and one byte more, rounded */
#define WORKER_TUN_HEADROOM 64           /* for the header of a record */
#define WORKER_TUN_TURN     (256u << 10) /* bytes from TUN after which others have their turn */
/* Steps of TLS handshakes between two waits of the loop, a quarter of a millisecond each: the data of
 * sessions goes on beside a crowd that logs in. */
#define WORKER_HANDSHAKES 4
/* So many were put off: another four. With more than 1024 descriptors ready libuv asks the kernel up to 48
 * times in one turn; each of these is as good as a wait, the others had theirs. */
#define WORKER_PUT_OFF_MAX   1024
#define WORKER_DTLS_OUT      (64u << 10)
#define WORKER_OTHER_FDS     64    /* descriptors that are not clients' connections */
#define WORKER_MAX_PRE_LOGIN 4096u /* connections without a session; more are closed at accept */

#define WORKER_CROWDED_PRE_LOGIN 1024u /* from here on one address gets a limited rate of them */
#define WORKER_LOG_ACCEPT        1     /* for worker_may_log(), of lines without an id */
#define WORKER_LOG_DTLS_OLD      2

struct conn;
struct session;
struct process;

/* What is counted for the whole process; names as in `show asp drop` (cisco-facts.md 4.1). */
enum drop_reason {
	DROP_NO_SESSION,   /* mp-svc-no-session */
	DROP_FLOW_CONTROL, /* mp-svc-flow-control: the client does not read */
	DROP_BAD_FRAMING,  /* mp-svc-bad-framing */
	DROP_BAD_LENGTH,   /* mp-svc-bad-length */
	DROP_UNKNOWN_TYPE, /* mp-svc-unknown-type */
	DROP_SPOOFED,      /* svc-selector-failure: inner source is not the session's */
	DROP_NO_FRAGMENT,  /* mp-svc-no-fragment: larger than the tunnel's MTU, and not to be cut */
	DROP_NO_CHANNEL,   /* mp-svc-no-channel: TUN did not take it */
	DROP_HANDOVER,     /* mp-svc-handover: the thread that has the session is behind */
	DROP_DELETING,     /* mp-svc-delete-in-progress: came after the session's end */
	/* flows, not packets */
	DROP_REPLACED,      /* svc-replacement-conn: a newer connection took a tunnel's place */
	DROP_TLS_HANDSHAKE, /* ssl-handshake-failed */
	DROP_TLS_CLOSED,    /* ssl-received-close-alert */
	DROP_TLS_DECRYPT,   /* ssl-record-decrypt-error */
	DROP_DTLS_HELLO,    /* dtls-hello-close: a ClientHello that was ours and made a handshake go on */
	N_DROP_REASONS,
};

struct worker_tables {
	uint8_t hash_key[16];
	struct htab by[N_SESSION_KEYS]; /* sessions; by token they are asked for by others only */
	struct htab by_ref;             /* conns that wait for an answer of auth */
};

/* Buffers that one turn of the loop uses and leaves empty. */
struct worker_scratch {
	uint8_t *tls_rx; /* WORKER_TLS_RX_BYTES */
	uint8_t *plain;  /* one record */
	uint8_t *record; /* one record to be encrypted */
	uint8_t *tun;    /* one packet or super-packet, WORKER_TUN_HEADROOM in front */
	uint8_t *syn;    /* WORKER_TUN_SLOT: the packet in hand, where it must be changed */
	uint8_t *piece;  /* WORKER_TUN_SLOT: a fragment of it */
	uint8_t *udp;    /* receive slots */
	struct udp_rx *udp_rx;
	struct dtls_out dtls_out;
	struct tls_out tls_out; /* memory for the next connection that writes */
	uint8_t *spare_long;    /* CSTP_LONG_BYTES for the next long packet that comes; NULL: in use */
};

struct worker_auth {
	struct chan chan;
	struct loop_fd poll;
	bool is_up;
	uint32_t last_ref; /* given to a question of a connection: 1..0x7fffffff */
};

struct worker_listener {
	int fd; /* TCP */
	struct loop_fd poll;
	struct loop_timer pause; /* no descriptor was left: when to try again */
};

struct worker_tun {
	struct tun dev; /* one queue; fds[0] < 0: none yet */
	struct loop_fd poll;
	struct outlet out; /* to the inside */
};

/* What the end of a turn of the loop has still to do; nothing between two of them. */
struct worker_turn {
	struct conn *dirty;           /* with output to flush */
	struct session *touched;      /* whose deadlines have moved */
	struct session *dtls_pending; /* whose active association's datagrams lie in scratch.dtls_out */
	struct session *dtls_same;    /* who alone the last datagram could be for; NULL: ask the tables */
	unsigned n_handshakes;        /* steps of TLS handshakes, since the loop last waited */
	unsigned n_put_off;           /* that had to wait, since then */
};

/* Counted by one thread since its start; consoles see the sum. */
struct worker_counts {
	uint64_t drops[N_DROP_REASONS];
	uint64_t n_handed_over; /* packets and datagrams that came to the wrong thread */
	struct switches switches;
};

struct worker {
	struct process *process;
	uint8_t index; /* of the thread, and of its queue and sockets */
	uv_loop_t loop;
	uv_async_t wake;      /* a letter or a packet has come */
	uv_prepare_t waiting; /* the loop is about to wait */
	struct mailbox mailbox;
	struct handover handover;
	struct config *config; /* current; sessions hold references to theirs */
	struct tls_server_ctx *tls_ctx;
	struct dtls_ctx *dtls_ctx;
	char cert_sha1[TLS_SHA1_TEXT_MAX];

	struct worker_auth auth;
	struct worker_listener listener;
	struct worker_tun tun;
	struct udp udp;
	struct loop_fd udp_poll;
	uint8_t ipc_state; /* enum ipc_state */
	bool has_no_super; /* --no-offload super */

	struct worker_tables tables;
	struct worker_scratch scratch;
	struct worker_turn turn;
	struct conn *conns;       /* all, doubly linked */
	struct session *sessions; /* all, doubly linked */
	uint32_t n_sessions;
	struct worker_counts counts;
	struct ratelimit log_sessions; /* lines that a client can cause, by message and session */
	struct ratelimit too_big;      /* ICMP "too big" by session and sender */
};

/* A thread's state, not running; then its descriptors are put into it, worker_open() makes it ready, and
 * after the sandbox was entered worker_go() lets events come. */
MUST_USE int worker_new(struct process *p, uint8_t index, struct worker **ret);
MUST_USE int worker_open(struct worker *w, unsigned offloads_refused);
MUST_USE int worker_go(struct worker *w);
/* Ends or leaves its sessions, and its loop. */
void worker_stop(struct worker *w, bool tells_clients);
/* Readable always, writable while something waits. */
void worker_watch_chan(struct loop_fd *f, const struct chan *c);

/* Asks auth; the answer comes to conn_on_auth(). 0, ERR_CLOSED or ERR_LIMIT when auth is away. */
MUST_USE int worker_ask_auth(struct worker *w, struct ipc_msg *m, struct conn *c);
/* A message nobody answers (LOST, END). 0, ERR_CLOSED when auth is away, ERR_LIMIT. */
MUST_USE int worker_tell_auth(struct worker *w, const struct ipc_msg *m);
/* One packet to the inside; leaves at the end of the turn. */
void worker_to_tun(struct worker *w, struct span packet);
/* Many packets in one, which leave at once. */
void worker_to_tun_super(struct worker *w, const struct super *u);
/* End of a turn: sends what waits for TUN, UDP and TCP, sets timers. */
void worker_flush(struct worker *w);
void worker_drop(struct worker *w, enum drop_reason why);
const char *worker_drop_name(enum drop_reason why); /* "mp-svc-no-session" */
/* May the line with this message id be written? False too often in a row: a peer causes it at will. session:
 * its index, or 0 for peers without one. */
bool worker_may_log(struct worker *w, uint32_t id, uint32_t session);

/* The loop's clock of this turn: cheap, for what happens per packet. */
static inline ms_t worker_now(const struct worker *w)
{
	return uv_now(&w->loop);
}

#endif

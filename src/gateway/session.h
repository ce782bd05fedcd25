/* One client's session in the worker: identity, inner addresses, and its two tunnels. It outlives both of
 * them: without any it waits to be resumed by its token until the auth process says it is over (behaviour.md,
 * "parent tunnel"). */
#ifndef GATEWAY_SESSION_H
#define GATEWAY_SESSION_H

#include "datapath/super.h"
#include "gateway/dtls_tunnel.h"
#include "gateway/session_key.h"
#include "gateway/session_tunnel.h"
#include "gateway/worker.h"
#include "mtu/derive.h"
#include "tunnel/link.h"
#include "wire/cstp.h"
#include "wire/params.h"

/* Sizes of inner packets, bytes: what the client was told, and where that comes from. */
struct session_mtu {
	uint16_t tls, dtls; /* announced: X-CSTP-MTU, X-DTLS-MTU; dtls 0: no DTLS offered. Seamless: equal */
	uint16_t base;      /* of the outer path, as announced */
	uint16_t next_fragment_id;     /* for IPv4 packets that had DF and are cut all the same */
	struct mtu_input in;           /* classic only: what was put into mtu_derive(), ... */
	struct mtu_derivation derived; /* ... and what came of it; all zero when seamless */
};

/* Packets that are too large for one datagram (wire/pieces.h). */
struct session_pieces {
	bool is_agreed;        /* the client may send them */
	uint16_t next_id;      /* of the next one that we cut */
	struct joiner *joiner; /* NULL until the first piece came */
};

/* Super-packets by TLS, whole (datapath/super.h). */
struct session_super {
	bool is_agreed; /* in the CONNECT of the TLS tunnel */
	struct super_pace pace;
	uint64_t n_tx, n_rx; /* of them, in all */
};

struct session_identity {
	uint32_t index, connection;
	char username[IPC_USER_MAX + 1];
	char tunnel_group[IPC_NAME_MAX + 1];
	char group_policy[IPC_NAME_MAX + 1];
	char user_agent[IPC_AGENT_MAX + 1];
	char hostname[IPC_HOST_MAX + 1];
	struct ip_prefix ip4, ip6;
	struct ip_addr peer; /* public address of the newest connection */
	uint16_t peer_port;
	uint64_t login_at_s; /* Unix time */
};

struct session {
	struct worker *w;
	struct session *prev, *next;
	struct session_key keys[N_SESSION_KEYS];
	struct session_identity id;
	struct config *config; /* the one that policy borrows from */
	struct group_policy_values policy;
	struct conn *conn; /* TLS tunnel; NULL while there is none */
	char tls_protocol[16], tls_cipher[64];
	struct session_dtls dtls;
	struct session_mtu mtu;
	struct session_pieces pieces;
	struct session_super super;
	struct link link;
	struct loop_timer timer;
	struct traffic traffic[LINK_N_CHANNELS]; /* of all tunnels of the channel */
	struct session_tunnels tunnels;
	uint16_t n_tls;                /* TLS tunnels so far */
	ms_t opened_at_ms, lost_at_ms; /* lost_at_ms: no TLS tunnel since; 0: there is one */
	uint32_t n_dpd_lost;           /* tunnels that DPD found dead */
	uint32_t n_nudges;             /* times that TCP was closed to make the client come back */
	bool is_closing;
};

/* A connection has asked for the tunnel and auth has agreed: makes the session, or finds it and replaces its
 * tunnels. On success the session owns the connection (each knows the other: conn_abort() is right from here
 * on) and *ret_reply holds the head to send. On failure the session is gone and auth knows. -ENOMEM, -ENOENT
 * (policy gone). */
MUST_USE int session_open(struct worker *w, struct conn *c, const struct ipc_session_info *info,
        const struct tunnel_request *req, struct text *ret_reply, struct session **ret);

/* Auth has opened the session, but no tunnel came of it (the connection died meanwhile, or session_open()
 * failed): auth must not take it for connected. A tunnel of an earlier connection that still stands stays. */
void session_not_opened(struct worker *w, const struct ipc_session_info *info);

/* After the reply is in the output: data may flow. */
void session_start(struct session *s);

/* One decrypted TLS record. */
void session_on_tls_record(struct session *s, struct span record);
/* Plaintext of one DTLS record. */
void session_on_dtls_record(struct session *s, struct span record);
/* What was read from TUN for the client; CSTP_HEADER_BYTES and SUPER_HEADER_BYTES in front of it are free. */
void session_send(struct session *s, struct split *split);

/* The two ways on, after the packet's treatment: into the tunnel that takes its size; from channel ch to TUN.
 */
void session_transmit(struct session *s, struct span packet);
void session_deliver(struct session *s, enum link_channel ch, struct span packet);

/* The TLS tunnel is gone (conn is about to free itself). */
void session_on_tls_lost(struct session *s, const char *why);
void session_on_dtls_lost(struct session *s, const char *why);

/* Ends the session for good. tells_client: DISCONNECT with the text first. auth is told unless reason is
 * IPC_END_N. */
void session_end(struct session *s, enum ipc_end_reason reason, const char *text, bool tells_client);
/* Closes the tunnels so that the client comes back (no DISCONNECT). */
void session_detach(struct session *s, const char *why);
void session_on_kick(struct session *s, enum ipc_kick_reason reason);

/* Sets the timer to the earliest deadline. */
void session_rearm(struct session *s);
/* The same at the end of this turn of the loop: call after anything that moves a deadline. */
void session_touch(struct session *s);
void session_settle(struct worker *w);

/* What waits to be put together is given up. */
void session_pieces_done(struct session *s);

/* "Group <g> User <u> IP <ip> " and the text, as 722xxx messages are. Left out when the session causes too
 * many of them. */
void session_log(struct session *s, unsigned severity, unsigned id, const char *fmt, ...) PRINTF_LIKE(4, 5);

#endif

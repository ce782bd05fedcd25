/* The session authority: which sessions exist, who holds which address, when one ends. Lives in the auth
 * process. No socket, no clock, no random source: time is an argument, entropy and everything that must be
 * told to others goes through struct authority_host.
 *
 * Life of a session: login() makes it pending, with a token; the first open() with that token gives it
 * addresses and connects it; lost() leaves it waiting, addresses kept; open() again resumes it; it ends by
 * end(), logoff(), the simultaneous-login limit, or a timeout in step().
 *
 * Times are seconds of Unix time that never run backward within one process (now_s). Sources:
 * cisco-facts.md 2.2 to 2.6, wire-protocol.md 7.4. */
#ifndef GATEWAY_AUTHORITY_H
#define GATEWAY_AUTHORITY_H

#include "ipc/msg.h"
#include "store/store.h"

#define AUTHORITY_PENDING_S    300u /* a token that nobody connects with lives so long */
#define AUTHORITY_PENDING_MAX  4096u
#define AUTHORITY_SESSIONS_MAX 100000u
#define AUTHORITY_POOLS_MAX    6u /* of one family in one policy, as on the ASA */
#define AUTHORITY_NEVER        UINT64_MAX

/* What the configuration says for one user in one tunnel group. The strings live until the caller's next
 * turn. */
struct authority_policy {
	const char *group_policy;
	uint32_t simultaneous_logins;  /* 0 = may not log in */
	uint32_t session_timeout_s;    /* 0 = none */
	uint32_t disconnected_limit_s; /* how long a lost session waits */
	const char *pools4[AUTHORITY_POOLS_MAX], *pools6[AUTHORITY_POOLS_MAX]; /* in the order to try */
	size_t n_pools4, n_pools6;
	struct ip_addr framed_ip4, framed_ip6; /* the user's own address; family 0: from the pools */
	uint8_t framed_ip4_len, framed_ip6_len;
};

enum authority_event_kind {
	AUTHORITY_ASSIGNED,     /* addr, from pool ("" = the user's own) */
	AUTHORITY_FREED,        /* addr, to pool */
	AUTHORITY_LOST,         /* waits to resume */
	AUTHORITY_RESUMED,      /* addr: where from now; session->peer: where from before */
	AUTHORITY_EXHAUSTED,    /* no address; pool: the last one tried, "" = none is configured */
	AUTHORITY_ENDED,        /* while no worker held it; reason: enum ipc_kick_reason */
	AUTHORITY_STORE_FAILED, /* err; session may be NULL; goes on in memory */
};

struct authority_event {
	enum authority_event_kind kind;
	const struct store_session *session;
	const char *pool;
	struct ip_addr addr;
	uint8_t family; /* EXHAUSTED: 4, 6; 0: neither was to be had */
	uint8_t reason;
	int err;
};

struct authority_host {
	void *ctx;
	/* n unpredictable bytes. 0 or -errno. */
	int (*entropy)(void *ctx, void *ret, size_t n);
	/* -ENOENT when the tunnel group does not exist any more. */
	int (*policy)(
	        void *ctx, const char *username, const char *tunnel_group, struct authority_policy *ret);
	/* Tell the worker thread owner; it still holds the connection. Reasons: enum ipc_kick_reason. */
	void (*kick)(void *ctx, int owner, const struct ipc_session_kick *kick);
	void (*event)(void *ctx, const struct authority_event *e);
};

struct authority_pool {
	const char *name;
	struct ip_addr first, last;
	uint8_t mask_len;
};

struct authority_login {
	const char *username, *tunnel_group;
	struct ip_addr peer;
};

struct authority;

/* Takes the store on success. 0, -ENOMEM, what entropy said. */
MUST_USE int authority_new(const struct authority_host *host, struct store *st, struct authority **ret);
/* Sessions stay in the store. NULL is fine. */
void authority_free(struct authority *a);

/* The pools of a new configuration; sessions keep the addresses they have. On failure (one pool not usable,
 * -ENOMEM) nothing has changed. */
MUST_USE int authority_set_pools(struct authority *a, const struct authority_pool *pools, size_t n);
/* All sessions of the store, waiting to resume. After authority_set_pools(). */
MUST_USE int authority_load(struct authority *a, uint64_t now_s);

/* The password was right: makes a pending session. ERR_LIMIT: none allowed for this user, or no room at all.
 */
MUST_USE int authority_login(struct authority *a, const struct authority_login *in,
        const struct authority_policy *policy, uint64_t now_s, uint8_t ret_token[static IPC_TOKEN_BYTES],
        uint32_t *ret_index);
/* CONNECT with a token. owner: number of the worker thread's socket, 0... Fills *ret, status included. */
void authority_open(struct authority *a, int owner, const struct ipc_session_open *in, uint64_t now_s,
        struct ipc_session_info *ret);
/* Messages about a connection that is not the session's present one are ignored. */
void authority_lost(struct authority *a, int owner, const struct ipc_session_lost *in, uint64_t now_s);
void authority_end(struct authority *a, int owner, const struct ipc_session_end *in);
/* The socket of a worker thread closed: all it held is lost, not ended. */
void authority_owner_gone(struct authority *a, int owner, uint64_t now_s);
/* Returns how many sessions were ended. */
uint32_t authority_logoff(struct authority *a, const struct ipc_logoff *in);

/* Ends what is over. */
void authority_step(struct authority *a, uint64_t now_s);
/* When to call it next; AUTHORITY_NEVER. */
uint64_t authority_due_s(const struct authority *a);

void authority_pool_info(const struct authority *a, const char *name, struct ipc_pool_info *ret);
/* The logins' counts are not the authority's and stay as they are. */
void authority_stats(const struct authority *a, struct ipc_stats_info *ret);
void authority_item(
        const struct authority *a, const struct ipc_session_query *in, struct ipc_session_item *ret);

#endif

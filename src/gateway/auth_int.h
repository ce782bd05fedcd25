/* Inside of the auth process, shared by its files only. */
#ifndef GATEWAY_AUTH_INT_H
#define GATEWAY_AUTH_INT_H

#include "gateway/auth_verify.h"
#include "gateway/authority.h"
#include "gateway/log_setup.h"
#include "gateway/login_queue.h"
#include "io/loop.h"
#include "io/ratelimit.h"
#include "ipc/chan.h"
#include "policy/model.h"

#define AUTH_LINKS_MAX POLICY_MAX_THREADS

struct auth;

/* The socket to one thread of the worker; owner number of the authority is its index. */
struct auth_link {
	struct auth *auth;
	struct chan chan;
	struct loop_fd poll;
	unsigned index;
	uint64_t serial; /* tells it from an earlier one with the same index */
	bool is_deaf;    /* an answer could not be sent */
};

/* One login: waits in the queue, then its password is checked in a thread of libuv's pool. */
struct job {
	struct login_ticket ticket;
	uv_work_t work;
	struct auth *auth;
	unsigned link_index;
	uint64_t link_serial;
	uint32_t ref;
	/* from the beginning of the check on */
	struct config *config;            /* a reference: a reload meanwhile does not matter */
	const struct tunnel_group *group; /* of config */
	const struct local_user *user;    /* of config; NULL: there is none of this name */
	bool has_hashes;                  /* of config: see auth_verify() */
	int result;
	struct ipc_login login; /* wiped when done */
};

struct auth {
	uv_loop_t loop;
	struct chan monitor;
	struct loop_fd monitor_poll;
	struct loop_timer timer;
	struct auth_link *links[AUTH_LINKS_MAX];
	uint64_t n_links_ever;
	struct login_queue logins;
	struct loop_timer login_timer; /* of those that wait too long */
	struct authority *authority;
	struct auth_lockout *lockout;
	struct config *config;
	bool has_hashes;         /* some user of config has a hash */
	int config_fd, state_fd; /* as they came, -1 */
	uint8_t state;           /* enum ipc_state */
	bool is_ending;
	struct log_relay log_relay;
	int exit_status;
	ms_t wall_offset_ms; /* Unix time = this + loop_now(): never runs backward while the process lives */
	uint64_t n_logins_ok, n_logins_refused;
	struct ratelimit
	        refusals; /* lines about refused logins, which anybody can cause: by client address, */
	struct ratelimit refusals_all; /* and of all together */
};

/* auth.c */
uint64_t auth_now_s(const struct auth *auth);
/* After anything that may have brought a deadline nearer. */
void auth_timer_update(struct auth *auth);
/* authority_host.entropy */
int auth_entropy(void *ctx, void *ret, size_t n);
/* Reads the configuration that the monitor handed over last; on failure the former one stays. -ENOENT: none
 * came.
 */
MUST_USE int auth_config_take(struct auth *auth);
/* READY to the monitor. */
void auth_ready_send(struct auth *auth);

/* auth_start.c: an error ends the process. */
MUST_USE int auth_start(struct auth *auth, const struct ipc_start *in);

/* auth_link.c */
/* Takes fd: the socket to that thread, in place of a former one. -ERANGE, -ENOMEM. */
MUST_USE int auth_link_open(struct auth *auth, unsigned index, int fd);
/* Whatever the reason, its sessions wait to be resumed: a worker that broke must not cost the users theirs.
 */
void auth_link_close(struct auth_link *l);
/* From now on its questions are answered. */
MUST_USE int auth_link_watch(struct auth_link *l);
/* NULL when the thread that asked is gone. */
struct auth_link *auth_link_find(const struct auth *auth, unsigned index, uint64_t serial);
void auth_link_send(struct auth_link *l, struct ipc_msg *m);
/* authority_host.kick */
void auth_kick(void *ctx, int owner, const struct ipc_session_kick *kick);

/* auth_login.c: answers now or when the password was checked. */
void login_begin(struct auth_link *l, const struct ipc_msg *m);
void login_on_timer(struct loop_timer *t, ms_t now_ms);
/* Nobody waits for an answer any more. */
void login_drop_all(struct auth *auth);

/* auth_config.c */
/* Reads the descriptor and makes it the configuration; on failure the former one stays. */
MUST_USE int auth_config_apply(struct auth *auth, int fd);
/* authority_host.policy */
int auth_config_policy(
        void *ctx, const char *username, const char *tunnel_group, struct authority_policy *ret);
MUST_USE int auth_config_resolve(const struct config *c, const struct tunnel_group *group,
        const struct local_user *user, struct group_policy_values *ret);
/* The part of a policy that the authority wants; borrows from v. */
void auth_config_digest(
        const struct config *c, const struct group_policy_values *v, struct authority_policy *ret);

/* auth_log.c: the ASA's texts, cisco-facts.md 3.3, 3.4, 3.6. */
/* authority_host.event */
void auth_log_event(void *ctx, const struct authority_event *e);
void auth_log_login(const struct job *j, const char *policy, const char *why_refused); /* NULL: successful */
/* A refused login of this client: may there be lines about it? */
bool auth_may_log(struct auth *auth, const struct ip_addr *peer);
void auth_log_locked(const struct auth *auth, const struct ipc_login *in);
void auth_log_crowded(const struct auth *auth, const struct ipc_login *in, const char *why);
void auth_log_certificate(const struct auth *auth, const struct ipc_login *in, const char *tunnel_group);
void auth_log_no_server(const struct auth *auth, const struct ipc_login *in, const char *server);
void auth_log_group_lock(const struct job *j, const char *locked_to);
void auth_log_protocol(const struct job *j, const char *policy);
void auth_log_limit(const struct job *j, const char *policy, uint32_t limit);
void auth_log_started(const struct job *j, const char *policy);

#endif

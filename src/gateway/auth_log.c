/* What the log says of logins, of addresses, and of sessions that no worker holds. */
#include <stdio.h>

#include "base/text.h"
#include "gateway/auth_int.h"
#include "io/log.h"

/* Names made safe for a line, freed together. */
struct who {
	struct text user, group;
	char ip[ADDR_TEXT_MAX];
	const char *policy;
};

static struct who who_open(
        const char *user, const char *group, const char *policy, const struct ip_addr *peer)
{
	struct who w = {.policy = policy && policy[0] ? policy : POLICY_DEFAULT_GROUP_POLICY};
	text_escaped(&w.user, span_str(user), IPC_USER_MAX);
	text_escaped(&w.group, span_str(group), IPC_NAME_MAX);
	addr_format(peer, w.ip);
	return w;
}

static void who_done(struct who *w)
{
	text_done(&w->user);
	text_done(&w->group);
}

static struct who who_of_job(const struct job *j, const char *policy)
{
	return who_open(j->login.username, j->group->name, policy, &j->login.peer);
}

/* A name that no user has may be a password, typed into the wrong field (cisco-facts.md 3). */
static const char *shown_name(const struct config *c, const char *username)
{
	bool is_shown = c->logging.shows_usernames || config_find_user(c, span_str(username)) != NULL;
	return is_shown ? username : "*****";
}

bool auth_may_log(struct auth *auth, const struct ip_addr *peer)
{
	uint32_t n_suppressed = 0;
	ms_t now_ms = loop_now();
	struct ip_addr who = addr_customer(peer);
	if (!ratelimit_allows(&auth->refusals, ratelimit_key(span_of(&who, sizeof(who)), 0), now_ms, NULL) ||
	        !ratelimit_allows(&auth->refusals_all, 0, now_ms, &n_suppressed))
		return false;
	if (n_suppressed > 0)
		log_line(LOG_NOTICE, "%u refused logins were left out of the log: too many", n_suppressed);
	return true;
}

static void log_refused(const struct job *j, const char *why)
{
	struct who w =
	        who_open(shown_name(j->config, j->login.username), j->group->name, NULL, &j->login.peer);
	log_msg(6, "ASA", 113015,
	        "AAA user authentication Rejected : reason = %s : local database : user = %s : user IP = %s",
	        why, text_cstr(&w.user), w.ip);
	log_msg(6, "ASA", 716039,
	        "Group <%s> User <%s> IP <%s> Authentication: rejected, Session Type: WebVPN.", w.policy,
	        text_cstr(&w.user), w.ip);
	who_done(&w);
}

static void log_accepted(const struct job *j, const char *policy)
{
	struct who w = who_of_job(j, policy);
	const char *user = text_cstr(&w.user);
	log_msg(6, "ASA", 113012, "AAA user authentication Successful : local database : user = %s", user);
	if (j->user->policy[0] != '\0')
		log_msg(6, "ASA", 113011, "AAA retrieved user specific group policy (%s) for user = %s",
		        w.policy, user);
	else
		log_msg(6, "ASA", 113009, "AAA retrieved default group policy (%s) for user = %s", w.policy,
		        user);
	log_msg(6, "ASA", 113008, "AAA transaction status ACCEPT : user = %s", user);
	/* no rule of dynamic access policies exists here, so the ASA's default record is what applies */
	log_msg(6, "ASA", 734001,
	        "DAP: User %s, Addr %s, Connection AnyConnect: The following DAP records were selected for "
	        "this "
	        "connection: DfltAccessPolicy",
	        user, w.ip);
	log_msg(6, "ASA", 716038,
	        "Group <%s> User <%s> IP <%s> Authentication: successful, Session Type: WebVPN.", w.policy,
	        user, w.ip);
	who_done(&w);
}

void auth_log_login(const struct job *j, const char *policy, const char *why_refused)
{
	if (why_refused)
		log_refused(j, why_refused);
	else
		log_accepted(j, policy);
}

void auth_log_locked(const struct auth *auth, const struct ipc_login *in)
{
	struct who w = who_open(shown_name(auth->config, in->username), in->tunnel_group, NULL, &in->peer);
	log_msg(6, "ASA", 113015,
	        "AAA user authentication Rejected : reason = Account has been locked out : local database : "
	        "user = %s : user IP = %s",
	        text_cstr(&w.user), w.ip);
	who_done(&w);
}

void auth_log_crowded(const struct auth *auth, const struct ipc_login *in, const char *why)
{
	struct who w = who_open(shown_name(auth->config, in->username), in->tunnel_group, NULL, &in->peer);
	log_msg(4, "CULVERT", 101012, "Login of user %s from %s refused without a check of the password: %s",
	        text_cstr(&w.user), w.ip, why);
	who_done(&w);
}

void auth_log_certificate(const struct auth *auth, const struct ipc_login *in, const char *tunnel_group)
{
	struct who w = who_open(shown_name(auth->config, in->username), tunnel_group, NULL, &in->peer);
	log_msg(4, "CULVERT", 101011,
	        "Login of user %s from %s refused: tunnel-group %s demands a certificate (authentication "
	        "certificate), which this gateway cannot check",
	        text_cstr(&w.user), w.ip, text_cstr(&w.group));
	who_done(&w);
}

void auth_log_no_server(const struct auth *auth, const struct ipc_login *in, const char *server)
{
	struct who w = who_open(shown_name(auth->config, in->username), NULL, NULL, &in->peer);
	log_msg(6, "ASA", 113014, "AAA authentication server not accessible : server = %s : user = %s",
	        server, text_cstr(&w.user));
	who_done(&w);
}

void auth_log_group_lock(const struct job *j, const char *locked_to)
{
	log_msg(4, "ASA", 113040,
	        "Terminating the VPN connection attempt from %s. Reason: This connection is group locked to "
	        "%s.",
	        j->group->name, locked_to);
}

void auth_log_protocol(const struct job *j, const char *policy)
{
	struct who w = who_of_job(j, policy);
	log_msg(4, "ASA", 722050,
	        "Group <%s> User <%s> IP <%s> Session terminated: SVC not enabled for the user", w.policy,
	        text_cstr(&w.user), w.ip);
	log_line(LOG_NOTICE, "group-policy %s: vpn-tunnel-protocol does not list ssl-client", w.policy);
	who_done(&w);
}

void auth_log_limit(const struct job *j, const char *policy, uint32_t limit)
{
	struct who w = who_of_job(j, policy);
	log_msg(4, "ASA", 113029,
	        "Group <%s> User <%s> IP <%s> Session could not be established: session limit of %u reached",
	        w.policy, text_cstr(&w.user), w.ip, limit);
	who_done(&w);
}

void auth_log_started(const struct job *j, const char *policy)
{
	struct who w = who_of_job(j, policy);
	log_msg(6, "ASA", 716001, "Group <%s> User <%s> IP <%s> WebVPN session started.", w.policy,
	        text_cstr(&w.user), w.ip);
	log_msg(6, "ASA", 113039, "Group <%s> User <%s> IP <%s> AnyConnect parent session started.", w.policy,
	        text_cstr(&w.user), w.ip);
	who_done(&w);
}

static const char *duration_format(uint64_t s, char *buf, size_t cap)
{
	unsigned long long day = s / 86400, h = s / 3600 % 24, m = s / 60 % 60, sec = s % 60;
	if (day)
		(void)snprintf(buf, cap, "%llud %lluh:%02llum:%02llus", day, h, m, sec);
	else
		(void)snprintf(buf, cap, "%lluh:%02llum:%02llus", h, m, sec);
	return buf;
}

/* A session that waited to be resumed: no worker thread knows it any more, so its end is logged here. */
static void ended(const struct auth *auth, const struct store_session *s, const struct who *w, uint8_t reason)
{
	static const char *const texts[IPC_KICK_N] = {
	        [IPC_KICK_REPLACED] = "Port Preempted",
	        [IPC_KICK_SESSION_TIMEOUT] = "Max time exceeded",
	        [IPC_KICK_EXPIRED] = "Idle Timeout",
	        [IPC_KICK_ADMIN] = "Administrator Reset",
	};
	/* the same in the words of 716002 */
	static const char *const texts_716002[IPC_KICK_N] = {
	        [IPC_KICK_REPLACED] = "Port preempted",
	        [IPC_KICK_SESSION_TIMEOUT] = "Max time exceeded",
	        [IPC_KICK_EXPIRED] = "Idle timeout",
	        [IPC_KICK_ADMIN] = "Administrator reset",
	};
	char duration[48];
	uint64_t now_s = auth_now_s(auth);
	log_msg(6, "ASA", 716002, "Group <%s> User <%s> IP <%s> WebVPN session terminated: %s.", w->policy,
	        text_cstr(&w->user), w->ip,
	        reason < IPC_KICK_N && texts_716002[reason] ? texts_716002[reason] : "Unknown");
	duration_format(now_s > s->login_at_s ? now_s - s->login_at_s : 0, duration, sizeof(duration));
	log_msg(4, "ASA", 113019,
	        "Group = %s, Username = %s, IP = %s, Session disconnected. Session Type: AnyConnect-Parent, "
	        "Duration: %s, "
	        "Bytes xmt: 0, Bytes rcv: 0, Reason: %s",
	        text_cstr(&w->group), text_cstr(&w->user), w->ip, duration,
	        reason < IPC_KICK_N && texts[reason] ? texts[reason] : "Unknown");
}

static void assigned(const struct store_session *s, const struct who *w, const char *pool, const char *addr)
{
	if (pool[0] == '\0') {
		log_msg(6, "CULVERT", 737101, "IPAA: Session=0x%08x, Client assigned its own address %s",
		        s->index, addr);
		return;
	}
	log_msg(6, "ASA", 737006, "IPAA: Session=0x%08x, Local pool request succeeded for tunnel-group %s",
	        s->index, text_cstr(&w->group));
	log_msg(6, "ASA", 737026, "IPAA: Session=0x%08x, Client assigned %s from local pool %s", s->index,
	        addr, pool);
}

static void exhausted(const struct store_session *s, const struct who *w, const struct authority_event *e)
{
	log_msg(5, "ASA", 737034, "IPAA: Session=0x%08x, %s address: %s%s", s->index,
	        e->family == 6 ? "IPv6" : "IPv4",
	        e->pool[0] ? "no free address in local pool " : "no address pool is configured", e->pool);
	log_msg(3, "ASA", 722020,
	        "TunnelGroup <%s> GroupPolicy <%s> User <%s> IP <%s> No address available for SVC connection",
	        text_cstr(&w->group), w->policy, text_cstr(&w->user), w->ip);
}

static void session_event(const struct auth *auth, const struct authority_event *e)
{
	const struct store_session *s = e->session;
	struct who w = who_open(s->username, s->tunnel_group, s->group_policy, &s->peer);
	char addr[ADDR_TEXT_MAX];
	addr_format(&e->addr, addr);
	switch (e->kind) {
	case AUTHORITY_ASSIGNED:
		assigned(s, &w, e->pool, addr);
		break;
	case AUTHORITY_FREED:
		if (e->pool[0])
			log_msg(6, "ASA", 737016, "IPAA: Session=0x%08x, Freeing local pool %s address %s",
			        s->index, e->pool, addr);
		break;
	case AUTHORITY_EXHAUSTED:
		exhausted(s, &w, e);
		break;
	case AUTHORITY_LOST:
		log_msg(6, "ASA", 716058,
		        "Group <%s> User <%s> IP <%s> AnyConnect session lost connection. Waiting to resume.",
		        w.policy, text_cstr(&w.user), w.ip);
		break;
	case AUTHORITY_RESUMED:
		log_msg(6, "ASA", 716059,
		        "Group <%s> User <%s> IP <%s> AnyConnect session resumed connection from IP <%s>.",
		        w.policy, text_cstr(&w.user), w.ip, addr);
		break;
	case AUTHORITY_ENDED:
		ended(auth, s, &w, e->reason);
		break;
	case AUTHORITY_STORE_FAILED:
		break;
	}
	who_done(&w);
}

void auth_log_event(void *ctx, const struct authority_event *e)
{
	if (e->kind == AUTHORITY_STORE_FAILED)
		log_msg(3, "CULVERT", 101002,
		        "Session store: a change was not written, it lives in memory only (error %d)",
		        e->err);
	else
		session_event(ctx, e);
}

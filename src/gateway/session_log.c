#include "gateway/session_log.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "gateway/http.h"
#include "gateway/render.h"
#include "io/log.h"

#define WHO_MAX         512
#define REASON_MAX      64
#define CLIENT_TEXT_MAX 128 /* bytes of what a client says at its end */

/* "Group <g> User <u> IP <ip>" in front of every 722xxx message. */
static const char *log_prefix(const struct session *s, char *buf, size_t cap)
{
	char addr[ADDR_TEXT_MAX];
	struct text user = {0};
	text_escaped(&user, span_str(s->id.username), IPC_USER_MAX);
	snprintf(buf, cap, "Group <%s> User <%s> IP <%s>",
	        s->policy.policy_name ? s->policy.policy_name : "unknown", text_cstr(&user),
	        addr_format(&s->id.peer, addr));
	text_done(&user);
	return buf;
}

void session_log(struct session *s, unsigned severity, unsigned id, const char *fmt, ...)
{
	char who[WHO_MAX], what[512];
	va_list args;
	if (!log_wants_msg(severity, id) || !worker_may_log(s->w, id, s->id.index))
		return;
	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	log_msg(severity, "ASA", id, "%s %s", log_prefix(s, who, sizeof(who)), what);
}

/* ---- begin ---- */

static void no_ip6(struct session *s)
{
	char addr[ADDR_TEXT_MAX];
	struct text user = {0};
	if (!log_wants_msg(4, 722041) || !worker_may_log(s->w, 722041, s->id.index))
		return;
	text_escaped(&user, span_str(s->id.username), IPC_USER_MAX);
	log_msg(4, "ASA", 722041,
	        "TunnelGroup <%s> GroupPolicy <%s> User <%s> IP <%s> No IPv6 address available for SVC "
	        "connection",
	        s->id.tunnel_group, s->id.group_policy, text_cstr(&user), addr_format(&s->id.peer, addr));
	text_done(&user);
}

void session_log_offer(
        struct session *s, const struct ipc_session_info *info, const struct tunnel_request *req)
{
	if (req->wants_ip6 && info->ip6.family == 0)
		no_ip6(s);
	if (s->policy.dtls && s->dtls.suite == DTLS_NONE && (req->has_master_secret || req->suites != 0))
		session_log(s, LOG_NOTICE, 722043, "DTLS disabled: unable to negotiate cipher");
}

static void first_up(struct session *s)
{
	char ip4[ADDR_TEXT_MAX], ip6[ADDR_TEXT_MAX];
	struct text agent = {0};
	text_escaped(&agent, span_str(s->id.user_agent), IPC_AGENT_MAX);
	if (!http_knows_agent(span_str(s->id.user_agent)))
		session_log(s, LOG_INFO, 722053, "Unknown client user-agent connection");
	session_log(s, LOG_INFO, 722055, "Client Type: %s", text_cstr(&agent));
	session_log(s, LOG_INFO, 722051, "IPv4 Address <%s> IPv6 address <%s> assigned to session",
	        s->id.ip4.addr.family ? addr_format(&s->id.ip4.addr, ip4) : "0.0.0.0",
	        s->id.ip6.addr.family ? addr_format(&s->id.ip6.addr, ip6) : "::");
	session_log(s, LOG_NOTICE, 722033, "First TCP SVC connection established for SVC session.");
	text_done(&agent);
}

void session_log_up(struct session *s, bool is_first, bool was_lost)
{
	if (is_first)
		first_up(s);
	else if (was_lost)
		session_log(s, LOG_NOTICE, 722034, "New TCP SVC connection, no existing connection.");
	else
		session_log(s, LOG_NOTICE, 722032, "New TCP SVC connection replacing old connection.");
	session_log(s, LOG_INFO, 722022, "TCP SVC connection established without compression");
}

/* ---- the two tunnels: messages of our own ---- */

static bool wants_own(struct session *s, unsigned severity, unsigned id)
{
	return log_wants_msg(severity, id) && worker_may_log(s->w, id, s->id.index);
}

void session_log_switched(struct session *s, const struct choice_switch *c)
{
	char who[WHO_MAX];
	if (!wants_own(s, LOG_NOTICE, 722101))
		return;
	log_msg(LOG_NOTICE, "CULVERT", 722101,
	        "%s Data to the client moved from %s to %s, cause: %s, gap: %u ms",
	        log_prefix(s, who, sizeof(who)), choice_mode_name(c->from), choice_mode_name(c->to),
	        choice_cause_name(c->cause), (unsigned)c->gap_ms);
}

void session_log_limit(struct session *s, const struct link_limit *l)
{
	char who[WHO_MAX];
	if (!wants_own(s, LOG_NOTICE, 722102))
		return;
	log_msg(LOG_NOTICE, "CULVERT", 722102,
	        "%s Path limit of the DTLS tunnel changed from %u to %u bytes, cause: %s",
	        log_prefix(s, who, sizeof(who)), l->old_bytes, l->new_bytes, pmtu_cause_name(l->cause));
}

void session_log_nudge(struct session *s)
{
	char who[WHO_MAX];
	if (!wants_own(s, LOG_NOTICE, 722103))
		return;
	log_msg(LOG_NOTICE, "CULVERT", 722103,
	        "%s DTLS does not answer and the client does not notice: closing TCP, so that it comes back",
	        log_prefix(s, who, sizeof(who)));
}

/* ---- end ---- */

void session_log_disconnect(struct session *s, const struct disconnect *d)
{
	/* by the upper three bits of the code; the message is 722007 and so on */
	static const struct {
		const char *name;
		unsigned severity;
	} levels[8] = {{"EMERGENCY", 3}, {"ALERT", 3}, {"CRITICAL", 3}, {"ERROR", 5}, {"WARNING", 5},
	        {"NOTICE", 5}, {"INFO", 6}, {"DEBUG", 6}};
	const unsigned level = d->has_code ? d->code >> 5 : LOG_NOTICE,
	               type = d->has_code ? d->code & 31u : 0;
	struct text t = {0};
	text_escaped(&t, d->text, CLIENT_TEXT_MAX);
	session_log(s, levels[level].severity, 722007 + level, "SVC Message: %u/%s: %s.", type,
	        levels[level].name, text_cstr(&t));
	text_done(&t);
}

/* "User Requested" is "User requested" in 716002. */
static const char *reason_716002(const char *why, char buf[static REASON_MAX])
{
	snprintf(buf, REASON_MAX, "%s", why);
	for (size_t i = 1; i < REASON_MAX && buf[i] != '\0'; i++)
		buf[i] = (char)tolower((unsigned char)buf[i]);
	return buf;
}

static void totals(struct session *s, const struct traffic *t)
{
	session_log(s, LOG_DEBUG, 722029,
	        "SVC Session Termination: Conns: %u, DPD Conns: %u, Comp resets: 0, Dcmp resets: 0.",
	        s->n_tls, s->n_dpd_lost);
	session_log(s, LOG_DEBUG, 722030,
	        "SVC Session Termination: In: %llu (+%llu) bytes, %llu (+%llu) packets, %llu drops.",
	        (unsigned long long)t->rx_bytes, (unsigned long long)t->rx_control_bytes,
	        (unsigned long long)t->rx_packets, (unsigned long long)t->rx_control_packets,
	        (unsigned long long)t->rx_drops);
	session_log(s, LOG_DEBUG, 722031,
	        "SVC Session Termination: Out: %llu (+%llu) bytes, %llu (+%llu) packets, %llu drops.",
	        (unsigned long long)t->tx_bytes, (unsigned long long)t->tx_control_bytes,
	        (unsigned long long)t->tx_packets, (unsigned long long)t->tx_control_packets,
	        (unsigned long long)t->tx_drops);
}

static void disconnected(const struct session *s, const struct traffic *t, const char *why)
{
	char addr[ADDR_TEXT_MAX];
	struct text user = {0}, lasted = {0};
	const uint64_t now_s = (uint64_t)time(NULL);
	text_escaped(&user, span_str(s->id.username), IPC_USER_MAX);
	render_duration(now_s > s->id.login_at_s ? now_s - s->id.login_at_s : 0, &lasted);
	log_msg(LOG_WARNING, "ASA", 113019,
	        "Group = %s, Username = %s, IP = %s, Session disconnected. Session Type: AnyConnect-Parent, "
	        "Duration: %s, Bytes xmt: %llu, Bytes rcv: %llu, Reason: %s",
	        s->id.tunnel_group, text_cstr(&user), addr_format(&s->id.peer, addr), text_cstr(&lasted),
	        (unsigned long long)t->tx_bytes, (unsigned long long)t->rx_bytes, why);
	text_done(&user);
	text_done(&lasted);
}

void session_log_end(struct session *s, const char *why, bool is_ours)
{
	char reason[REASON_MAX], who[WHO_MAX];
	const struct traffic t = session_traffic(s);
	if (is_ours)
		session_log(s, LOG_NOTICE, 722038, "SVC terminating session: %s.", why);
	if (s->conn != NULL)
		session_log(s, LOG_NOTICE, 722037, "SVC closing connection: %s.", why);
	if (s->dtls.active.dtls != NULL)
		session_log(s, LOG_INFO, 722023, "UDP SVC connection terminated without compression");
	if (s->conn != NULL)
		session_log(s, LOG_INFO, 722023, "TCP SVC connection terminated without compression");
	totals(s, &t);
	log_msg(LOG_INFO, "ASA", 716002, "%s WebVPN session terminated: %s.", log_prefix(s, who, sizeof(who)),
	        reason_716002(why, reason));
	disconnected(s, &t, why);
}

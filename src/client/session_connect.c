#include "client/session_internal.h"

#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

#include "tunnel/login.h"

/* What is asked for, in bytes, as openconnect counts (wire-protocol.md 5.1): the worst DTLS record and UDP
 * header; the base MTU of a path that is not known, and the least of one that is. */
#define MTU_OVERHEAD     90
#define BASE_MTU_UNKNOWN 1406
#define BASE_MTU_MIN     1280
#define REASON_SHOWN_MAX 256 /* bytes of the gateway's words */

void session_format_request(void *ctx, uint16_t base_mtu, struct text *out)
{
	struct session *s = ctx;
	struct text host = {0};
	char name[PARAMS_NAME_BYTES] = "localhost";
	if (gethostname(name, sizeof(name) - 1) != 0)
		(void)snprintf(name, sizeof(name), "localhost");
	login_host_format(s->gate->host, s->gate->port, &host);
	uint16_t ip_bytes = s->gate->peer.addr.family == 6 ? 40 : 20;
	if (base_mtu < BASE_MTU_MIN)
		base_mtu = base_mtu == 0 ? BASE_MTU_UNKNOWN : BASE_MTU_MIN;
	struct tunnel_request_out q = {
	        .host = text_cstr(&host),
	        .user_agent = GATE_USER_AGENT,
	        .cookie = s->gate->cookie,
	        .hostname = name,
	        .base_mtu = base_mtu,
	        .mtu = (uint16_t)(base_mtu - MTU_OVERHEAD - ip_bytes),
	        .wants_ip6 = true,
	        .master_secret = s->opt->tunnel.has_no_dtls ? NULL : s->master_secret,
	        .suites = DTLS_SUITES_AEAD,
	        .own = {.is_own = true,
	                .has_steer = session_is_seamless(s),
	                .has_pieces = session_is_seamless(s),
	                .has_super = session_wants_super(s)},
	};
	if (s->has_params) {
		q.old4 = s->params.ip4.addr;
		q.old6 = s->params.ip6.addr;
	}
	tunnel_request_format(&q, out);
	text_done(&host);
}

static void explain_refusal(struct session *s, const struct http_head *head)
{
	struct text why = {0};
	struct span reason = http_header(head, "X-Reason");
	events_clean(&why, reason.n ? reason : head->reason, REASON_SHOWN_MAX);
	events_note(s->ev, EVENT_ERROR, 0, "The gateway answered CONNECT with %u: %s", head->status,
	        text_cstr(&why));
	if (head->status == 401)
		events_fail(
		        s->ev, "The gateway does not accept the session any more. Connect again to log in.");
	else
		events_fail(s->ev, "The gateway cannot give a tunnel now: %s (HTTP %u).", text_cstr(&why),
		        head->status);
	text_done(&why);
}

static bool is_same_session(const struct tunnel_params *a, const struct tunnel_params *b)
{
	return addr_eq(&a->ip4.addr, &b->ip4.addr) && a->ip4.len == b->ip4.len &&
	       addr_eq(&a->ip6.addr, &b->ip6.addr);
}

void session_plan_retry(struct session *s)
{
	uint32_t random = 0;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		random = 0; /* jitter only */
	s->retry_at_ms = backoff_next_ms(&s->backoff, loop_now(), random);
}

static int on_refusal(struct session *s, const struct http_head *head)
{
	bool is_final = head->status == 401 || !s->has_params;
	if (is_final) {
		explain_refusal(s, head);
		session_end(s, EXIT_BY_GATEWAY);
	} else {
		events_note(s->ev, EVENT_WARNING, 0, "The gateway answered CONNECT with %u, trying again.",
		        head->status);
		session_plan_retry(s);
		session_tick(s);
	}
	return ERR_REFUSED;
}

static int first_params(struct session *s, const struct http_head *head)
{
	int err = session_adapter_first(s, head);
	if (err == 0)
		err = datapath_open(&s->path, &s->loop, &s->adapter.tun, ADAPTER_MTU_MAX);
	if (err)
		session_end(s, EXIT_NETWORK);
	s->netwatch.adapter_index = s->adapter.net.index;
	return err;
}

/* For the event log: what the gateway asked of us. */
static void note_settings(struct session *s)
{
	const struct tunnel_params *p = &s->params;
	events_note(s->ev, EVENT_INFO, 0,
	        "Received VPN Session Configuration Settings: SSL MTU: %u, DTLS MTU: %u, Split Include: %zu, "
	        "Split Exclude: %zu, SSL DPD: %u, SSL KeepAlive: %u, DTLS DPD: %u, DTLS KeepAlive: %u, "
	        "Session Timeout: %u, Disconnected Timeout: %u, Idle Timeout: %u, Lease Duration: %u "
	        "(seconds, 0: "
	        "none)",
	        p->cstp_mtu, p->dtls_mtu, p->n_include, p->n_exclude, p->cstp.dpd_s, p->cstp.keepalive_s,
	        p->dtls.dpd_s, p->dtls.keepalive_s, p->session_timeout_s, p->disconnected_timeout_s,
	        p->idle_timeout_s, p->lease_s);
}

int session_on_answer(void *ctx, const struct http_head *head)
{
	struct session *s = ctx;
	struct tunnel_params fresh = {0};
	if (head->status != 200)
		return on_refusal(s, head);
	int err = tunnel_params_parse(head, &fresh);
	if (err) {
		events_fail(s->ev, "The gateway's tunnel parameters cannot be used: %s.", err_text(err));
		session_end(s, EXIT_BY_GATEWAY);
		return err;
	}
	if (!(DTLS_SUITES_AEAD & 1u << fresh.suite)) /* not what was asked for */
		fresh.suite = DTLS_NONE;
	bool is_first = !s->has_params;
	if (!is_first && !is_same_session(&s->params, &fresh)) {
		events_fail(s->ev, "The gateway gave other addresses than before, so the session is lost. "
		                   "Connect again.");
		tunnel_params_done(&fresh);
		session_end(s, EXIT_BY_GATEWAY);
		return ERR_PEER_PROTOCOL;
	}
	tunnel_params_done(&s->params);
	s->params = fresh;
	s->has_params = true;
	note_settings(s);
	session_rules_on_params(s);
	session_seamless_on_params(s);
	if (is_first)
		return first_params(s, head);
	return session_adapter_again(s);
}

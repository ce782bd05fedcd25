/* The same as JSON: `show vpn-sessiondb detail anyconnect` with the keys of contract.md 4. */
#include <stdio.h>
#include <time.h>

#include "gateway/conn.h"
#include "gateway/render.h"

json_t *render_json_text(const char *s)
{
	json_t *j = json_string(s); /* NULL when it is not UTF-8 */
	if (j)
		return j;
	struct text t = {0};
	text_escaped(&t, span_str(s), strlen(s));
	j = json_string(text_cstr(&t));
	text_done(&t);
	return j;
}

static json_t *addr_json(const struct ip_addr *a)
{
	char text[ADDR_TEXT_MAX];
	return addr_is_set(a) ? json_string(addr_format(a, text)) : json_null();
}

static json_t *time_json(uint64_t unix_s)
{
	time_t t = (time_t)unix_s;
	struct tm tm;
	char text[32] = "";
	if (gmtime_r(&t, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(text);
}

/* 0 means not known. */
static json_t *known(uint64_t v)
{
	return v ? json_integer((json_int_t)v) : json_null();
}

json_t *render_rtt_json(const struct link *l, enum link_channel ch)
{
	int64_t rtt_ms = link_rtt_ms(l, ch);
	return rtt_ms >= 0 ? json_integer(rtt_ms) : json_null();
}

static json_t *channel_json(const char *state, const char *cipher, const char *protocol, json_t *rtt_ms,
        uint16_t mtu, const struct traffic *t)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:i, s:I, s:I, s:I, s:I}", "state", state, "cipher",
	        render_json_text(cipher), "protocol", render_json_text(protocol), "rtt_ms", rtt_ms, "mtu",
	        (int)mtu, "tx_bytes", (json_int_t)t->tx_bytes, "rx_bytes", (json_int_t)t->rx_bytes,
	        "tx_packets", (json_int_t)t->tx_packets, "rx_packets", (json_int_t)t->rx_packets);
}

static json_t *tls_json(const struct render_session *r)
{
	const struct session *s = r->s;
	if (!s->conn)
		return json_null();
	/* the answer to our own question, which waits in queues as data does, before the kernel's */
	json_t *rtt = render_rtt_json(&s->link, LINK_TLS);
	if (json_is_null(rtt) && r->tls_rtt_us)
		rtt = json_real(r->tls_rtt_us / 1000.0);
	json_t *j = channel_json(
	        "connected", s->tls_cipher, s->tls_protocol, rtt, s->mtu.tls, &s->traffic[LINK_TLS]);
	/* CSTP packets that were many in one */
	if (j && (json_object_set_new(j, "super_tx", json_integer((json_int_t)s->super.n_tx)) < 0 ||
	                 json_object_set_new(j, "super_rx", json_integer((json_int_t)s->super.n_rx)) < 0)) {
		json_decref(j);
		return NULL;
	}
	return j;
}

static json_t *dtls_json(const struct session *s)
{
	bool is_up = link_is_up(&s->link, LINK_DTLS);
	if (!is_up && !s->dtls.active.dtls && !s->dtls.next.dtls)
		return json_null();
	const char *state = !is_up                                  ? "connecting"
	                    : s->link.channels[LINK_DTLS].is_paused ? "paused"
	                                                            : "connected";
	return channel_json(state, s->dtls.cipher, s->dtls.protocol, render_rtt_json(&s->link, LINK_DTLS),
	        s->mtu.dtls, &s->traffic[LINK_DTLS]);
}

static json_t *mtu_json(const struct session *s)
{
	bool has_dtls = s->dtls.suite != DTLS_NONE;
	return json_pack("{s:o, s:o, s:o, s:s}", "tls", known(s->mtu.tls), "dtls",
	        has_dtls ? known(s->mtu.dtls) : json_null(), "path_limit",
	        known(link_path_limit_bytes(&s->link)), "policy",
	        s->policy.mtu_policy == MTU_POLICY_CLASSIC ? "classic" : "seamless");
}

static json_t *tunnel_json(const struct session *s, enum tunnel_kind kind, const struct render_now *now)
{
	static const char *const kinds[N_TUNNEL_KINDS] = {"parent", "tls", "dtls"};
	const struct session_tunnel *t = &s->tunnels.v[kind];
	struct traffic c = session_tunnel_traffic(s, kind);
	ms_t idle_ms = session_tunnel_idle_since_ms(s, kind);
	char id[24];
	snprintf(id, sizeof(id), "%u.%u", s->id.index, t->number);
	return json_pack("{s:s, s:s, s:o, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I}", "kind", kinds[kind], "id",
	        id, "up_s", /* not known of a session that this process has only heard of */
	        t->up_at_ms ? json_integer((json_int_t)((now->now_ms - t->up_at_ms) / 1000)) : json_null(),
	        "idle_s", (json_int_t)(now->now_ms > idle_ms ? (now->now_ms - idle_ms) / 1000 : 0),
	        "idle_timeout_s", known(s->policy.idle_timeout_s), "tx_bytes", (json_int_t)c.tx_bytes,
	        "rx_bytes", (json_int_t)c.rx_bytes, "tx_packets", (json_int_t)c.tx_packets, "rx_packets",
	        (json_int_t)c.rx_packets, "tx_drops", (json_int_t)c.tx_drops, "rx_drops",
	        (json_int_t)c.rx_drops);
}

/* Those that are up. */
static json_t *tunnels_json(const struct session *s, const struct render_now *now)
{
	json_t *a = json_array();
	for (enum tunnel_kind k = 0; a && k < N_TUNNEL_KINDS; k++) {
		if (s->tunnels.v[k].is_up && json_array_append_new(a, tunnel_json(s, k, now)) < 0) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}

/* Over all tunnels since the login. */
static int put_totals(json_t *j, const struct session *s)
{
	struct traffic sum = session_traffic(s);
	const struct {
		const char *key;
		uint64_t value;
	} fields[] = {
	        {"bytes_tx", sum.tx_bytes},
	        {"bytes_rx", sum.rx_bytes},
	        {"pkts_tx", sum.tx_packets},
	        {"pkts_rx", sum.rx_packets},
	        {"pkts_tx_drop", sum.tx_drops},
	        {"pkts_rx_drop", sum.rx_drops},
	};
	int r = 0;
	for (size_t i = 0; i < N_ELEM(fields); i++)
		r |= json_object_set_new(j, fields[i].key, json_integer((json_int_t)fields[i].value));
	return r;
}

json_t *render_session_json(const struct render_session *r, const struct render_now *now)
{
	const struct session *s = r->s;
	uint64_t duration_s = now->now_s > s->id.login_at_s ? now->now_s - s->id.login_at_s : 0;
	bool is_lost = s->lost_at_ms != 0 && now->now_ms > s->lost_at_ms;
	json_t *j = json_pack("{s:o, s:I, s:o, s:o, s:o, s:i, s:o, s:o, s:o, s:I, s:I, s:s}", "username",
	        render_json_text(s->id.username), "index", (json_int_t)s->id.index, "assigned_ip",
	        addr_json(&s->id.ip4.addr), "assigned_ip6", addr_json(&s->id.ip6.addr), "public_ip",
	        addr_json(&s->id.peer), "public_port", (int)s->id.peer_port, "group_policy",
	        render_json_text(s->id.group_policy), "tunnel_group", render_json_text(s->id.tunnel_group),
	        "login_time", time_json(s->id.login_at_s), "duration_s", (json_int_t)duration_s,
	        "inactivity_s", (json_int_t)(is_lost ? (now->now_ms - s->lost_at_ms) / 1000 : 0), "active",
	        link_channel_name(link_active(&s->link)));
	if (!j)
		return NULL;
	int bad = json_object_set_new(j, "tls", tls_json(r)) | json_object_set_new(j, "dtls", dtls_json(s)) |
	          json_object_set_new(j, "mtu", mtu_json(s)) | put_totals(j, s) |
	          json_object_set_new(j, "tunnels", tunnels_json(s, now)) |
	          json_object_set_new(j, "thread", s->w ? json_integer(s->w->index) : json_null()) |
	          json_object_set_new(j, "why", json_string(link_why(&s->link))) |
	          json_object_set_new(j, "switches", json_integer((json_int_t)switches_of(&s->link))) |
	          json_object_set_new(j, "nudges", json_integer((json_int_t)s->n_nudges)) |
	          json_object_set_new(j, "client_version", render_json_text(s->id.user_agent)) |
	          json_object_set_new(j, "client_hostname", render_json_text(s->id.hostname));
	if (!bad)
		return j;
	json_decref(j);
	return NULL;
}

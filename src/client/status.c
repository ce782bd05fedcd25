#include "client/status.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/parse.h"
#include "client/export.h"
#include "client/session.h"

/* ---- JSON of a session ---- */

static json_t *address_json(const struct ip_prefix *p)
{
	char text[ADDR_TEXT_MAX];
	return addr_is_set(&p->addr) ? json_string(addr_format(&p->addr, text)) : json_null();
}

static json_t *channel_json(const char *state, const char *protocol, const char *cipher, int64_t rtt_ms,
        unsigned mtu, const struct channel_counters *c)
{
	json_t *o = json_pack("{s:s, s:s?, s:s?}", "state", state, "protocol", protocol, "cipher", cipher);
	json_object_set_new(o, "rtt_ms", rtt_ms >= 0 ? json_integer(rtt_ms) : json_null());
	json_object_set_new(o, "mtu", mtu ? json_integer(mtu) : json_null());
	json_object_set_new(o, "tx_bytes", json_integer((json_int_t)c->tx_bytes));
	json_object_set_new(o, "rx_bytes", json_integer((json_int_t)c->rx_bytes));
	json_object_set_new(o, "tx_packets", json_integer((json_int_t)c->tx_packets));
	json_object_set_new(o, "rx_packets", json_integer((json_int_t)c->rx_packets));
	json_object_set_new(o, "tx_control_bytes", json_integer((json_int_t)c->tx_control_bytes));
	json_object_set_new(o, "rx_control_bytes", json_integer((json_int_t)c->rx_control_bytes));
	json_object_set_new(o, "tx_control_packets", json_integer((json_int_t)c->tx_control_packets));
	json_object_set_new(o, "rx_control_packets", json_integer((json_int_t)c->rx_control_packets));
	json_object_set_new(o, "tx_wire_bytes", json_integer((json_int_t)c->tx_wire_bytes));
	json_object_set_new(o, "rx_wire_bytes", json_integer((json_int_t)c->rx_wire_bytes));
	return o;
}

static json_t *tls_json(const struct session *s)
{
	static const char *const states[] = {"down", "connecting", "connecting", "connecting", "up"};
	struct tls_info info = {0};
	struct sock_tcp_facts facts;
	int64_t rtt_ms = -1;
	bool is_up = s->tls.stage == TUNNEL_TLS_UP;
	struct channel_counters count = s->tls.count;
	count.tx_wire_bytes = s->tls.conn.tx_bytes;
	count.rx_wire_bytes = s->tls.conn.rx_bytes;
	if (is_up)
		tls_info(s->tls.conn.tls, &info);
	if (is_up && sock_tcp_facts(s->tls.conn.fd, &facts) == 0)
		rtt_ms = (facts.rtt_us + 500) / 1000;
	return channel_json(
	        states[s->tls.stage], info.protocol, info.cipher, rtt_ms, s->params.cstp_mtu, &count);
}

static json_t *dtls_json(const struct session *s)
{
	static const char *const states[] = {"off", "waiting", "connecting", "up"};
	struct dtls_info info = {0};
	bool is_up = s->dtls.stage == TUNNEL_DTLS_UP;
	unsigned mtu = s->params.dtls_mtu ? s->params.dtls_mtu : s->params.cstp_mtu;
	if (is_up)
		tunnel_dtls_info(&s->dtls, &info);
	int64_t rtt_ms = s->opt->tunnel.mtu_policy == MTU_CLASSIC ? s->stats.dtls_rtt_ms
	                                                          : link_rtt_ms(&s->link, LINK_DTLS);
	return channel_json(
	        states[s->dtls.stage], info.protocol, info.cipher, is_up ? rtt_ms : -1, mtu, &s->dtls.count);
}

static json_t *switch_json(const struct session_stats *st)
{
	if (st->switches == 0)
		return json_null();
	return json_pack("{s:s, s:s, s:s, s:I}", "from", link_channel_name(st->last.from), "to",
	        link_channel_name(st->last.to), "cause", st->last.cause, "gap_ms",
	        (json_int_t)st->last.gap_ms);
}

static json_t *causes_json(const struct link *l)
{
	json_t *o = json_object();
	for (enum choice_cause c = 0; c < CAUSE_N; c++)
		json_object_set_new(
		        o, choice_cause_name(c), json_integer((json_int_t)l->choice.counts.switches[c]));
	return o;
}

/* Where data flows and why, and how large packets of DTLS may be. */
static void put_seamless(const struct session *s, json_t *o)
{
	const struct link *l = &s->link;
	bool is_known = link_is_up(l, LINK_DTLS) && l->pmtu.good_bytes > 0;
	json_object_set_new(o, "why", json_string(link_why(l)));
	json_object_set_new(o, "peer", json_string(l->peer.name));
	json_object_set_new(o, "path_limit", is_known ? json_integer(l->pmtu.good_bytes) : json_null());
	json_object_set_new(o, "path_state", json_string(pmtu_state_name(l->pmtu.state)));
	json_object_set_new(o, "path_black_holes", json_integer((json_int_t)l->pmtu.n_black_holes));
	json_object_set_new(o, "switches_by_cause", causes_json(l));
	json_object_set_new(o, "suspicions", json_integer((json_int_t)l->choice.counts.suspicions));
	json_object_set_new(o, "duplicates", json_integer((json_int_t)l->choice.counts.duplicates));
	json_object_set_new(o, "packets_in_pieces", json_integer((json_int_t)l->n_in_pieces));
	json_object_set_new(o, "super_sent", json_integer((json_int_t)s->path.n_super_up));
	json_object_set_new(o, "super_received", json_integer((json_int_t)s->path.n_super_down));
	json_object_set_new(o, "packets_oversize", json_integer((json_int_t)l->n_oversize));
	json_object_set_new(o, "told_too_big", json_integer((json_int_t)s->path.n_told));
	json_object_set_new(o, "dpd_sent", json_integer((json_int_t)l->n_dpd_sent));
}

static json_t *status_json(const struct session *s)
{
	enum link_channel active = link_active(&s->link);
	json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "state", session_state_name(s->state), "gateway",
	        s->gate->host, "user", s->gate->user, "group", s->gate->group);
	json_object_set_new(o, "inner4", address_json(&s->params.ip4));
	json_object_set_new(o, "inner6", address_json(&s->params.ip6));
	json_object_set_new(
	        o, "adapter", s->adapter.is_open ? json_string(s->adapter.tun.name) : json_null());
	json_object_set_new(
	        o, "adapter_mtu", s->adapter.is_open ? json_integer(s->adapter.mtu) : json_null());
	json_object_set_new(o, "active",
	        active == LINK_N_CHANNELS ? json_null() : json_string(link_channel_name(active)));
	json_object_set_new(o, "unknown_packets", json_integer((json_int_t)s->stats.unknown_packets));
	json_object_set_new(o, "tls", tls_json(s));
	json_object_set_new(o, "dtls", dtls_json(s));
	put_seamless(s, o);
	json_object_set_new(o, "switches", json_integer((json_int_t)s->stats.switches));
	json_object_set_new(o, "reconnects", json_integer((json_int_t)s->stats.reconnects));
	json_object_set_new(o, "adapter_bounces", json_integer((json_int_t)s->adapter.bounces));
	json_object_set_new(o, "mtu_policy",
	        json_string(s->opt->tunnel.mtu_policy == MTU_CLASSIC ? "classic" : "seamless"));
	json_object_set_new(o, "last_switch", switch_json(&s->stats));
	json_object_set_new(o, "drops_up", json_integer((json_int_t)s->path.drops_up));
	json_object_set_new(o, "drops_down", json_integer((json_int_t)s->path.drops_down));
	json_object_set_new(o, "connected_s",
	        s->stats.connected_at_ms
	                ? json_integer((json_int_t)((loop_now() - s->stats.connected_at_ms) / 1000))
	                : json_null());
	return o;
}

static json_t *routes_json(const struct ip_prefix *p, size_t n)
{
	char text[PREFIX_TEXT_MAX];
	json_t *a = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(a, json_string(prefix_format(&p[i], text)));
	return a;
}

/* The routes come with the statistics only: there may be many. */
static json_t *stats_json(const struct session *s)
{
	json_t *o = status_json(s);
	json_object_set_new(o, "version", json_string(CULVERT_VERSION));
	json_object_set_new(o, "secured_routes", routes_json(s->params.include, s->params.n_include));
	json_object_set_new(o, "non_secured_routes", routes_json(s->params.exclude, s->params.n_exclude));
	return o;
}

/* Events from that number on, as many as one answer holds; "next" is the number to ask for then. */
static void events_put(const struct events *ev, uint64_t number, struct text *out)
{
	const char *comma = "";
	if (number < events_first(ev))
		number = events_first(ev);
	text_str(out, "{\"events\":[");
	for (; number < ev->n_seen && out->n + EVENTS_KEEP_LINE_BYTES + 64 < CONTROL_ANSWER_MAX; number++) {
		const char *line = events_kept(ev, number);
		if (line == NULL)
			continue;
		text_fmt(out, "%s%s", comma, line);
		comma = ",";
	}
	text_fmt(out, "],\"next\":%llu}", (unsigned long long)number);
}

static void events_answer(const struct session *s, struct span from, bool is_owner, struct text *out)
{
	uint32_t number = 0;
	if (!is_owner)
		text_str(out, "{\"error\":\"only root and the owner of the session may read its events\"}");
	else if (from.n > 0 && parse_u32(from, 0, UINT32_MAX, &number))
		text_str(out, "{\"error\":\"events wants a number\"}");
	else
		events_put(s->ev, number, out);
}

static void json_put(json_t *o, struct text *out)
{
	char *line = json_dumps(o, JSON_COMPACT);
	if (line != NULL)
		text_str(out, line);
	else
		out->is_bad = true;
	free(line);
	json_decref(o);
}

void status_answer(void *session, struct span word, bool is_owner, struct text *out)
{
	struct session *s = session;
	if (span_is(word, "status")) {
		json_put(status_json(s), out);
	} else if (span_is(word, "stats")) {
		json_put(stats_json(s), out);
	} else if (span_is(word, "events")) {
		events_answer(s, (struct span){0}, is_owner, out);
	} else if (span_starts(word, "events ")) {
		events_answer(s, span_of(word.p + 7, word.n - 7), is_owner, out);
	} else if (!span_is(word, "disconnect")) {
		text_str(out, "{\"error\":\"unknown request\"}");
	} else if (!is_owner) {
		text_str(out, "{\"error\":\"only root and the owner of the session may end it\"}");
	} else {
		text_str(out, "{\"ok\":true}");
		uv_kill(uv_os_getpid(), SIGTERM); /* after the answer is on its way */
	}
}

void status_print_stats(struct session *s)
{
	struct text t = {0};
	json_t *o = stats_json(s);
	if (!s->ev->is_silent) {
		export_stats(o, &t);
		fputs(text_cstr(&t), stderr);
	}
	text_done(&t);
	json_decref(o);
}

/* show vpn-sessiondb [detail] anyconnect */
#include <stdio.h>
#include <time.h>

#include "gateway/conn.h"
#include "gateway/render.h"

#define VALUE_MAX 256

void render_duration(uint64_t seconds, struct text *out)
{
	if (seconds >= 86400)
		text_fmt(out, "%llud ", (unsigned long long)(seconds / 86400));
	text_fmt(out, "%uh:%02um:%02us", (unsigned)(seconds % 86400 / 3600), (unsigned)(seconds % 3600 / 60),
	        (unsigned)(seconds % 60));
}

void render_time(uint64_t unix_s, struct text *out)
{
	time_t t = (time_t)unix_s;
	struct tm tm;
	char clock[32], date[32];
	if (!gmtime_r(&t, &tm))
		return;
	strftime(clock, sizeof(clock), "%H:%M:%S UTC %a %b", &tm);
	strftime(date, sizeof(date), "%Y", &tm);
	text_fmt(out, "%s %d %s", clock, tm.tm_mday, date);
}

static const char *name_in(const char *cipher, const char *const table[][2], const char *otherwise)
{
	for (size_t i = 0; table[i][0]; i++) {
		if (strstr(cipher, table[i][0]))
			return table[i][1];
	}
	return otherwise;
}

const char *render_encryption(const char *cipher)
{
	static const char *const names[][2] = {
	        {"AES256-GCM", "AES-GCM-256"},
	        {"AES_256_GCM", "AES-GCM-256"},
	        {"AES128-GCM", "AES-GCM-128"},
	        {"AES_128_GCM", "AES-GCM-128"},
	        {"CHACHA20", "CHACHA20-POLY1305"},
	        {"AES256", "AES256"},
	        {"AES128", "AES128"},
	        {NULL, NULL},
	};
	return name_in(cipher, names, "none");
}

const char *render_hashing(const char *cipher)
{
	static const char *const names[][2] = {
	        {"SHA384", "SHA384"},
	        {"SHA256", "SHA256"},
	        {"CHACHA20", "SHA256"}, /* the name of the TLS 1.2 suites leaves it out */
	        {"SHA", "SHA1"},
	        {NULL, NULL},
	};
	return name_in(cipher, names, "none");
}

/* ---- lines: two columns, the second one is optional ---- */

static void line(struct text *out, const char *indent, const char *label, const char *value,
        const char *label2, const char *value2)
{
	if (label2)
		text_fmt(out, "%s%-13s: %-22s %-13s: %s\n", indent, label, value, label2, value2);
	else
		text_fmt(out, "%s%-13s: %s\n", indent, label, value);
}

static void line_u64(struct text *out, const char *indent, const char *label, uint64_t value,
        const char *label2, uint64_t value2)
{
	char a[24], b[24];
	snprintf(a, sizeof(a), "%llu", (unsigned long long)value);
	snprintf(b, sizeof(b), "%llu", (unsigned long long)value2);
	line(out, indent, label, a, label2, b);
}

/* What a client chose, made safe for a terminal. */
static const char *safe(const char *s, char buf[static VALUE_MAX])
{
	struct text t = {0};
	text_escaped(&t, span_str(s), VALUE_MAX - 4);
	snprintf(buf, VALUE_MAX, "%s", text_cstr(&t));
	text_done(&t);
	return buf;
}

static struct traffic traffic_sum(const struct session *s)
{
	struct traffic sum = {0};
	for (size_t i = 0; i < LINK_N_CHANNELS; i++) {
		const struct traffic *t = &s->traffic[i];
		sum.tx_bytes += t->tx_bytes;
		sum.rx_bytes += t->rx_bytes;
		sum.tx_packets += t->tx_packets;
		sum.rx_packets += t->rx_packets;
		sum.tx_drops += t->tx_drops;
		sum.rx_drops += t->rx_drops;
	}
	return sum;
}

static void put_traffic(struct text *out, const char *indent, const struct traffic *t, bool has_packets)
{
	line_u64(out, indent, "Bytes Tx", t->tx_bytes, "Bytes Rx", t->rx_bytes);
	if (!has_packets)
		return;
	line_u64(out, indent, "Pkts Tx", t->tx_packets, "Pkts Rx", t->rx_packets);
	line_u64(out, indent, "Pkts Tx Drop", t->tx_drops, "Pkts Rx Drop", t->rx_drops);
}

static void put_addresses(struct text *out, const char *indent, const struct session *s)
{
	char ip4[ADDR_TEXT_MAX], ip6[ADDR_TEXT_MAX], peer[ADDR_TEXT_MAX];
	addr_format(&s->id.ip4.addr, ip4);
	addr_format(&s->id.ip6.addr, ip6);
	addr_format(&s->id.peer, peer);
	bool has_ip4 = addr_is_set(&s->id.ip4.addr), has_ip6 = addr_is_set(&s->id.ip6.addr);
	line(out, indent, has_ip4 || !has_ip6 ? "Assigned IP" : "Assigned IPv6", has_ip4 ? ip4 : ip6,
	        "Public IP", peer);
	if (has_ip4 && has_ip6)
		line(out, indent, "Assigned IPv6", ip6, NULL, NULL);
}

/* ---- the session ---- */

static bool has_tls(const struct session *s)
{
	return s->conn != NULL;
}

static bool has_dtls(const struct session *s)
{
	return link_is_up(&s->link, LINK_DTLS);
}

static void put_per_tunnel(
        struct text *out, const struct session *s, const char *label, const char *(*name)(const char *))
{
	text_fmt(out, "%-13s: AnyConnect-Parent: (1)none", label);
	if (has_tls(s))
		text_fmt(out, "  SSL-Tunnel: (1)%s", name(s->tls_cipher));
	if (has_dtls(s))
		text_fmt(out, "  DTLS-Tunnel: (1)%s", name(s->dtls.cipher));
	text_str(out, "\n");
}

static void put_times(struct text *out, const struct session *s, const struct render_now *now)
{
	text_fmt(out, "%-13s: ", "Login Time");
	render_time(s->id.login_at_s, out);
	text_fmt(out, "\n%-13s: ", "Duration");
	render_duration(now->now_s > s->id.login_at_s ? now->now_s - s->id.login_at_s : 0, out);
	text_fmt(out, "\n%-13s: ", "Inactivity");
	bool is_lost = s->lost_at_ms != 0 && now->now_ms > s->lost_at_ms;
	render_duration(is_lost ? (now->now_ms - s->lost_at_ms) / 1000 : 0, out);
	text_str(out, "\n");
}

static void put_session(
        struct text *out, const struct session *s, const struct render_now *now, bool is_detail)
{
	char user[VALUE_MAX], index[16];
	struct traffic sum = traffic_sum(s);
	snprintf(index, sizeof(index), "%u", s->id.index);
	line(out, "", "Username", safe(s->id.username, user), "Index", index);
	put_addresses(out, "", s);
	text_fmt(out, "%-13s: AnyConnect-Parent%s%s\n", "Protocol", has_tls(s) ? " SSL-Tunnel" : "",
	        has_dtls(s) ? " DTLS-Tunnel" : "");
	line(out, "", "License", "AnyConnect Premium", NULL, NULL);
	put_per_tunnel(out, s, "Encryption", render_encryption);
	put_per_tunnel(out, s, "Hashing", render_hashing);
	put_traffic(out, "", &sum, is_detail);
	line(out, "", "Group Policy", s->id.group_policy, "Tunnel Group", s->id.tunnel_group);
	put_times(out, s, now);
	line(out, "", "VLAN Mapping", "N/A", "VLAN", "none");
}

/* ---- detail: one block for each tunnel ---- */

struct tunnel {
	const char *name, *client_type, *port_kind; /* "TCP" or "UDP" */
	const char *protocol, *cipher;
	const struct traffic *traffic;
	unsigned number; /* of the tunnel ID */
	uint16_t src_port, dst_port;
	bool has_assigned;
};

static void put_minutes(
        struct text *out, const char *label, uint64_t total_s, const char *left_label, uint64_t used_s)
{
	char total[32], left[32];
	if (total_s == 0)
		return;
	snprintf(total, sizeof(total), "%llu Minutes", (unsigned long long)(total_s / 60));
	snprintf(left, sizeof(left), "%llu Minutes",
	        (unsigned long long)(used_s < total_s ? (total_s - used_s) / 60 : 0));
	line(out, "  ", label, total, left_label, left);
}

static void put_limits(struct text *out, const struct session *s, const struct render_now *now)
{
	uint64_t idle_s =
	        now->now_ms > s->link.last_data_ms ? (now->now_ms - s->link.last_data_ms) / 1000 : 0;
	uint64_t age_s = now->now_s > s->id.login_at_s ? now->now_s - s->id.login_at_s : 0;
	put_minutes(out, "Conn Time Out", s->policy.session_timeout_s, "Conn TO Left", age_s);
	put_minutes(out, "Idle Time Out", s->policy.idle_timeout_s, "Idle TO Left", idle_s);
}

static void put_tunnel(
        struct text *out, const struct session *s, const struct render_now *now, const struct tunnel *t)
{
	char id[24], port[8], dst[8], src_label[16], dst_label[16], peer[ADDR_TEXT_MAX], agent[VALUE_MAX];
	text_fmt(out, "\n%s:\n", t->name);
	snprintf(id, sizeof(id), "%u.%u", s->id.index, t->number);
	snprintf(port, sizeof(port), "%u", t->src_port);
	snprintf(dst, sizeof(dst), "%u", t->dst_port);
	snprintf(src_label, sizeof(src_label), "%s Src Port", t->port_kind);
	snprintf(dst_label, sizeof(dst_label), "%s Dst Port", t->port_kind);
	line(out, "  ", "Tunnel ID", id, NULL, NULL);
	if (t->has_assigned)
		put_addresses(out, "  ", s);
	else
		line(out, "  ", "Public IP", addr_format(&s->id.peer, peer), NULL, NULL);
	line(out, "  ", "Encryption", render_encryption(t->cipher), "Hashing", render_hashing(t->cipher));
	if (t->cipher[0])
		line(out, "  ", "Ciphersuite", t->cipher, NULL, NULL);
	line(out, "  ", "Encapsulation", t->protocol, src_label, port);
	line(out, "  ", dst_label, dst, "Auth Mode", "userPassword");
	put_limits(out, s, now);
	line(out, "  ", "Client Type", t->client_type, NULL, NULL);
	line(out, "  ", "Client Ver", safe(s->id.user_agent, agent), NULL, NULL);
	put_traffic(out, "  ", t->traffic, true);
}

static void put_tunnels(struct text *out, const struct session *s, const struct render_now *now)
{
	static const struct traffic none;
	unsigned number = s->n_tls > 0 ? 2u * s->n_tls : 2;
	uint16_t tls_port = s->config ? (uint16_t)s->config->webvpn.tls_port : 0;
	uint16_t dtls_port = s->config ? (uint16_t)s->config->webvpn.dtls_port : 0;
	uint16_t dtls_src = 0;
	udp_addr_ip(&s->dtls.active.path.peer, &dtls_src);
	struct tunnel parent = {"AnyConnect-Parent", "AnyConnect", "TCP", s->tls_protocol, "", &none, 1,
	        s->id.peer_port, tls_port, true};
	struct tunnel tls = {"SSL-Tunnel", "SSL VPN Client", "TCP", s->tls_protocol, s->tls_cipher,
	        &s->traffic[LINK_TLS], number, s->id.peer_port, tls_port, true};
	struct tunnel dtls = {"DTLS-Tunnel", "DTLS VPN Client", "UDP", s->dtls.protocol, s->dtls.cipher,
	        &s->traffic[LINK_DTLS], number + 1, dtls_src, dtls_port, true};
	text_str(out, "\nAnyConnect-Parent Tunnels: 1\n");
	if (has_tls(s))
		text_str(out, "SSL-Tunnel Tunnels: 1\n");
	if (has_dtls(s))
		text_str(out, "DTLS-Tunnel Tunnels: 1\n");
	put_tunnel(out, s, now, &parent);
	if (has_tls(s))
		put_tunnel(out, s, now, &tls);
	if (has_dtls(s))
		put_tunnel(out, s, now, &dtls);
}

void render_sessions(
        const struct render_list *l, const struct render_now *now, bool is_detail, struct text *out)
{
	if (l->n == 0) {
		text_str(out, "INFO: There are presently no active sessions\n");
		return;
	}
	text_fmt(out, "\nSession Type: AnyConnect%s\n", is_detail ? " Detailed" : "");
	for (size_t i = 0; i < l->n; i++) {
		text_str(out, "\n");
		put_session(out, l->v[i].s, now, is_detail);
		if (is_detail)
			put_tunnels(out, l->v[i].s, now);
	}
}

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

/* "01:40:44 UTC Tue Feb 5 2013" */
static void put_time(uint64_t unix_s, struct text *out)
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

/* The names of the ASA for one of OpenSSL's: "AES-GCM-256", "SHA384"; "none" when there is none. */
static const char *encryption_name(const char *cipher)
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

static const char *hashing_name(const char *cipher)
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

void render_line(
        struct text *out, const char *label, const char *value, const char *label2, const char *value2)
{
	line(out, "", label, value, label2, value2);
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

static bool has(const struct session *s, enum tunnel_kind kind)
{
	return s->tunnels.v[kind].is_up;
}

static void put_per_tunnel(
        struct text *out, const struct session *s, const char *label, const char *(*name)(const char *))
{
	text_fmt(out, "%-13s: AnyConnect-Parent: (1)none", label);
	if (has(s, TUNNEL_TLS))
		text_fmt(out, "  SSL-Tunnel: (1)%s", name(s->tls_cipher));
	if (has(s, TUNNEL_DTLS))
		text_fmt(out, "  DTLS-Tunnel: (1)%s", name(s->dtls.cipher));
	text_str(out, "\n");
}

static void put_times(struct text *out, const struct session *s, const struct render_now *now)
{
	text_fmt(out, "%-13s: ", "Login Time");
	put_time(s->id.login_at_s, out);
	text_fmt(out, "\n%-13s: ", "Duration");
	render_duration(now->now_s > s->id.login_at_s ? now->now_s - s->id.login_at_s : 0, out);
	text_fmt(out, "\n%-13s: ", "Inactivity");
	bool is_lost = s->lost_at_ms != 0 && now->now_ms > s->lost_at_ms;
	render_duration(is_lost ? (now->now_ms - s->lost_at_ms) / 1000 : 0, out);
	text_str(out, "\n");
}

/* As the ASA makes it: the gateway's address, the session's number, its login. */
static void put_audit_id(struct text *out, const struct session *s)
{
	uint32_t host = s->config ? addr_to_v4(&s->config->webvpn.listen) : 0;
	text_fmt(out, "%-13s: %08x%08x%08x\n", "Audt Sess ID", host, s->id.index << 12,
	        (uint32_t)s->id.login_at_s);
}

static void put_session(
        struct text *out, const struct session *s, const struct render_now *now, bool is_detail)
{
	char user[VALUE_MAX], index[16];
	struct traffic sum = session_traffic(s);
	snprintf(index, sizeof(index), "%u", s->id.index);
	line(out, "", "Username", safe(s->id.username, user), "Index", index);
	put_addresses(out, "", s);
	text_fmt(out, "%-13s: AnyConnect-Parent%s%s\n", "Protocol", has(s, TUNNEL_TLS) ? " SSL-Tunnel" : "",
	        has(s, TUNNEL_DTLS) ? " DTLS-Tunnel" : "");
	line(out, "", "License", "AnyConnect Premium", NULL, NULL);
	put_per_tunnel(out, s, "Encryption", encryption_name);
	put_per_tunnel(out, s, "Hashing", hashing_name);
	put_traffic(out, "", &sum, is_detail);
	line(out, "", "Group Policy", s->id.group_policy, "Tunnel Group", s->id.tunnel_group);
	put_times(out, s, now);
	line(out, "", "VLAN Mapping", "N/A", "VLAN", "none");
	put_audit_id(out, s);
	line(out, "", "Security Grp", "none", NULL, NULL);
}

/* ---- detail: one block for each tunnel ---- */

struct tunnel {
	enum tunnel_kind kind;
	const char *client_type, *port_kind; /* "TCP" or "UDP" */
	const char *protocol, *cipher;
	uint16_t src_port, dst_port;
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

static void put_limits(
        struct text *out, const struct session *s, const struct render_now *now, enum tunnel_kind kind)
{
	ms_t since_ms = session_tunnel_idle_since_ms(s, kind);
	uint64_t idle_s = now->now_ms > since_ms ? (now->now_ms - since_ms) / 1000 : 0;
	uint64_t age_s = now->now_s > s->id.login_at_s ? now->now_s - s->id.login_at_s : 0;
	put_minutes(out, "Conn Time Out", s->policy.session_timeout_s, "Conn TO Left", age_s);
	put_minutes(out, "Idle Time Out", s->policy.idle_timeout_s, "Idle TO Left", idle_s);
}

/* As far as the client's name for itself says it; NULL: it does not. */
static const char *client_os(const char *agent)
{
	static const char *const names[][2] = {
	        {"Windows", "Windows"},
	        {"AnyConnect Win", "Windows"},
	        {"Darwin", "Mac OS X"},
	        {"Mac OS", "Mac OS X"},
	        {"mac-intel", "Mac OS X"},
	        {"Android", "Android"},
	        {"Apple", "iOS"},
	        {"inux", "Linux"},
	        {NULL, NULL},
	};
	return name_in(agent, names, NULL);
}

static void put_client(struct text *out, const struct session *s, const char *client_type)
{
	char agent[VALUE_MAX];
	const char *os = client_os(s->id.user_agent);
	if (os)
		line(out, "  ", "Client OS", os, NULL, NULL);
	line(out, "  ", "Client Type", client_type, NULL, NULL);
	if (s->id.user_agent[0])
		line(out, "  ", "Client Ver", safe(s->id.user_agent, agent), NULL, NULL);
}

static void put_ports(struct text *out, const struct tunnel *t)
{
	char src[8], dst[8], src_label[16], dst_label[16];
	snprintf(src, sizeof(src), "%u", t->src_port);
	snprintf(dst, sizeof(dst), "%u", t->dst_port);
	snprintf(src_label, sizeof(src_label), "%s Src Port", t->port_kind);
	snprintf(dst_label, sizeof(dst_label), "%s Dst Port", t->port_kind);
	line(out, "  ", "Encapsulation", t->protocol[0] ? t->protocol : "none", src_label, src);
	line(out, "  ", dst_label, dst, "Auth Mode", "userPassword");
}

static void put_tunnel(
        struct text *out, const struct session *s, const struct render_now *now, const struct tunnel *t)
{
	char id[24];
	struct traffic carried = session_tunnel_traffic(s, t->kind);
	snprintf(id, sizeof(id), "%u.%u", s->id.index, s->tunnels.v[t->kind].number);
	text_fmt(out, "\n%s:\n", session_tunnel_name(t->kind));
	line(out, "  ", "Tunnel ID", id, NULL, NULL);
	put_addresses(out, "  ", s);
	line(out, "  ", "Encryption", encryption_name(t->cipher), "Hashing", hashing_name(t->cipher));
	if (t->cipher[0])
		line(out, "  ", "Ciphersuite", t->cipher, NULL, NULL);
	put_ports(out, t);
	put_limits(out, s, now, t->kind);
	put_client(out, s, t->client_type);
	put_traffic(out, "  ", &carried, true);
}

static void put_tunnels(struct text *out, const struct session *s, const struct render_now *now)
{
	uint16_t tls_port = s->config ? (uint16_t)s->config->webvpn.tls_port : 0;
	uint16_t dtls_port = s->config ? (uint16_t)s->config->webvpn.dtls_port : 0;
	uint16_t dtls_src = 0;
	udp_addr_ip(&s->dtls.active.path.peer, &dtls_src);
	const struct tunnel all[N_TUNNEL_KINDS] = {
	        {TUNNEL_PARENT, "AnyConnect", "TCP", s->tls_protocol, "", s->id.peer_port, tls_port},
	        {TUNNEL_TLS, "SSL VPN Client", "TCP", s->tls_protocol, s->tls_cipher, s->id.peer_port,
	                tls_port},
	        {TUNNEL_DTLS, "DTLS VPN Client", "UDP", s->dtls.protocol, s->dtls.cipher, dtls_src,
	                dtls_port},
	};
	text_str(out, "\n");
	for (enum tunnel_kind k = 0; k < N_TUNNEL_KINDS; k++) {
		if (has(s, k))
			text_fmt(out, "%s Tunnels: 1\n", session_tunnel_name(k));
	}
	for (enum tunnel_kind k = 0; k < N_TUNNEL_KINDS; k++) {
		if (has(s, k))
			put_tunnel(out, s, now, &all[k]);
	}
}

void render_session_brief(const struct render_session *r, const struct render_now *now, struct text *out)
{
	text_str(out, "\n");
	put_session(out, r->s, now, false);
}

void render_session_detail(const struct render_session *r, const struct render_now *now, struct text *out)
{
	text_str(out, "\n");
	put_session(out, r->s, now, true);
	put_tunnels(out, r->s, now);
}

void render_sessions_head(bool is_detail, struct text *out)
{
	text_fmt(out, "\nSession Type: AnyConnect%s\n", is_detail ? " Detailed" : "");
}

void render_no_sessions(struct text *out)
{
	text_str(out, "INFO: There are presently no active sessions\n");
}

#include "../unit.h"

#include <stdlib.h>

#include "gateway/conn.h"
#include "gateway/process.h"
#include "gateway/render.h"
#include "gateway/session_list.h"

static struct conn conn = {.fd = -1};
static struct process process;
static struct worker worker = {.process = &process};
static const struct render_now now = {.now_ms = 10000000, .now_s = 1360028444 + 93905};

static struct ip_addr ip(const char *s)
{
	struct ip_addr a = {0};
	assert_int_equal(addr_parse(span_str(s), &a), 0);
	return a;
}

/* Both tunnels up; data now. */
static struct session sample(void)
{
	struct session s = {
	        .w = &worker, .conn = &conn, .mtu = {.tls = 1406, .dtls = 1406, .base = 1500}, .n_tls = 1};
	s.id = (struct session_identity){
	        .index = 57,
	        .username = "alice",
	        .tunnel_group = "SSL",
	        .group_policy = "GroupPolicy_SSL",
	        .user_agent = "AnyConnect Linux_64 4.10",
	        .peer_port = 50529,
	        .login_at_s = 1360028444,
	};
	s.id.ip4 = (struct ip_prefix){ip("10.10.10.2"), 24};
	s.id.peer = ip("172.16.250.15");
	strcpy(s.tls_protocol, "TLSv1.3");
	strcpy(s.tls_cipher, "TLS_AES_256_GCM_SHA384");
	strcpy(s.dtls.cipher, "PSK-AES128-GCM-SHA256");
	s.dtls.suite = DTLS_PSK_NEGOTIATE;
	s.dtls.limit_bytes = 1410;
	s.policy.idle_timeout_s = 1800;
	link_init(&s.link, now.now_ms - 5000);
	link_up(&s.link, LINK_TLS, &(struct link_timers){0}, now.now_ms - 5000);
	link_up(&s.link, LINK_DTLS, &(struct link_timers){0}, now.now_ms - 5000);
	session_tunnel_begin(&s, 1, now.now_ms - 6000);
	session_tunnel_up(&s, TUNNEL_TLS, now.now_ms - 5000);
	session_tunnel_up(&s, TUNNEL_DTLS, now.now_ms - 5000);
	s.traffic[LINK_TLS] = (struct traffic){835, 10, 1, 2, 3, 4};
	s.traffic[LINK_DTLS] = (struct traffic){303255, 269270, 5642, 5649, 1, 0};
	return s;
}

static void lose(struct session *s, enum tunnel_kind kind)
{
	link_down(&s->link, kind == TUNNEL_TLS ? LINK_TLS : LINK_DTLS, 0);
	session_tunnel_down(s, kind);
}

static char *detail(const struct session *s, bool is_detail)
{
	struct render_session v = {.s = s};
	struct text t = {0};
	render_sessions_head(is_detail, &t);
	(is_detail ? render_session_detail : render_session_brief)(&v, &now, &t);
	assert_true(text_ok(&t));
	return t.p; /* freed by the caller */
}

TEST(session_as_the_asa_shows_it)
{
	struct session s = sample();
	char *text = detail(&s, true);
	const char *want =
	        "\nSession Type: AnyConnect Detailed\n\n"
	        "Username     : alice                  Index        : 57\n"
	        "Assigned IP  : 10.10.10.2             Public IP    : 172.16.250.15\n"
	        "Protocol     : AnyConnect-Parent SSL-Tunnel DTLS-Tunnel\n"
	        "License      : AnyConnect Premium\n"
	        "Encryption   : AnyConnect-Parent: (1)none  SSL-Tunnel: (1)AES-GCM-256  DTLS-Tunnel: "
	        "(1)AES-GCM-128\n"
	        "Hashing      : AnyConnect-Parent: (1)none  SSL-Tunnel: (1)SHA384  DTLS-Tunnel: (1)SHA256\n"
	        "Bytes Tx     : 304090                 Bytes Rx     : 269280\n"
	        "Pkts Tx      : 5643                   Pkts Rx      : 5651\n"
	        "Pkts Tx Drop : 4                      Pkts Rx Drop : 4\n"
	        "Group Policy : GroupPolicy_SSL        Tunnel Group : SSL\n"
	        "Login Time   : 01:40:44 UTC Tue Feb 5 2013\n"
	        "Duration     : 1d 2h:05m:05s\n"
	        "Inactivity   : 0h:00m:00s\n"
	        "VLAN Mapping : N/A                    VLAN         : none\n"
	        "Audt Sess ID : 00000000000390005110631c\n"
	        "Security Grp : none\n"
	        "\nAnyConnect-Parent Tunnels: 1\nSSL-Tunnel Tunnels: 1\nDTLS-Tunnel Tunnels: 1\n"
	        "\nAnyConnect-Parent:\n  Tunnel ID    : 57.1\n";
	text[strlen(want)] = '\0';
	assert_string_equal(text, want);
	free(text);
}

TEST(each_tunnel_has_its_block)
{
	struct session s = sample();
	char *text = detail(&s, true);
	const char *want = "\nSSL-Tunnel:\n"
	                   "  Tunnel ID    : 57.2\n"
	                   "  Assigned IP  : 10.10.10.2             Public IP    : 172.16.250.15\n"
	                   "  Encryption   : AES-GCM-256            Hashing      : SHA384\n"
	                   "  Ciphersuite  : TLS_AES_256_GCM_SHA384\n"
	                   "  Encapsulation: TLSv1.3                TCP Src Port : 50529\n"
	                   "  TCP Dst Port : 0                      Auth Mode    : userPassword\n"
	                   "  Idle Time Out: 30 Minutes             Idle TO Left : 29 Minutes\n"
	                   "  Client OS    : Linux\n"
	                   "  Client Type  : SSL VPN Client\n"
	                   "  Client Ver   : AnyConnect Linux_64 4.10\n"
	                   "  Bytes Tx     : 835                    Bytes Rx     : 10\n";
	assert_non_null(strstr(text, want));
	assert_non_null(strstr(text, "\nDTLS-Tunnel:\n  Tunnel ID    : 57.3\n"));
	free(text);
}

TEST(waiting_session_is_inactive)
{
	struct session s = sample();
	s.conn = NULL;
	s.lost_at_ms = now.now_ms - 61000;
	lose(&s, TUNNEL_TLS);
	lose(&s, TUNNEL_DTLS);
	char *text = detail(&s, false);
	assert_non_null(strstr(text, "Protocol     : AnyConnect-Parent\n"));
	assert_non_null(strstr(text, "Inactivity   : 0h:01m:01s\n"));
	assert_null(strstr(text, "Tunnel ID"));
	free(text);
}

TEST(hostile_names_do_not_reach_the_terminal)
{
	struct session s = sample();
	strcpy(s.id.username, "a\x1b[2J\xff");
	strcpy(s.id.user_agent, "x\nIndex : 1");
	char *text = detail(&s, true);
	assert_null(strchr(text, '\x1b'));
	assert_null(strstr(text, "\nIndex"));
	free(text);
	struct render_session v = {.s = &s};
	json_t *j = render_session_json(&v, &now);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "username")), "a\\x1b[2J\\xff");
	json_decref(j);
}

TEST(json_has_the_keys_of_the_contract)
{
	static const char *const keys[] = {"username", "index", "assigned_ip", "assigned_ip6", "public_ip",
	        "group_policy", "tunnel_group", "login_time", "duration_s", "inactivity_s", "active", "tls",
	        "dtls", "mtu", "bytes_tx", "bytes_rx", "pkts_tx", "pkts_rx", "pkts_tx_drop", "pkts_rx_drop",
	        "switches", "tunnels"};
	static const char *const channel_keys[] = {"state", "cipher", "protocol", "rtt_ms", "mtu", "tx_bytes",
	        "rx_bytes", "tx_packets", "rx_packets"};
	struct session s = sample();
	struct render_session v = {.s = &s, .tls_rtt_us = 12500};
	s.link.pmtu.limit_bytes = 1410;
	json_t *j = render_session_json(&v, &now);
	for (size_t i = 0; i < N_ELEM(keys); i++)
		assert_non_null(json_object_get(j, keys[i]));
	for (size_t i = 0; i < N_ELEM(channel_keys); i++) {
		assert_non_null(json_object_get(json_object_get(j, "tls"), channel_keys[i]));
		assert_non_null(json_object_get(json_object_get(j, "dtls"), channel_keys[i]));
	}
	assert_int_equal(json_array_size(json_object_get(j, "tunnels")), 3);
	json_t *tunnel = json_array_get(json_object_get(j, "tunnels"), 2);
	assert_string_equal(json_string_value(json_object_get(tunnel, "id")), "57.3");
	assert_string_equal(json_string_value(json_object_get(tunnel, "kind")), "dtls");
	assert_int_equal(json_integer_value(json_object_get(tunnel, "rx_bytes")), 269270);
	assert_int_equal(json_integer_value(json_object_get(tunnel, "up_s")), 5);
	assert_string_equal(json_string_value(json_object_get(j, "active")), "dtls");
	assert_string_equal(json_string_value(json_object_get(j, "login_time")), "2013-02-05T01:40:44Z");
	assert_int_equal(json_integer_value(json_object_get(j, "bytes_tx")), 304090);
	assert_true(json_real_value(json_object_get(json_object_get(j, "tls"), "rtt_ms")) == 12.5);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "mtu"), "path_limit")), 1410);
	json_decref(j);
}

TEST(absent_tunnels_are_null)
{
	struct session s = sample();
	s.conn = NULL;
	s.dtls.suite = DTLS_NONE;
	lose(&s, TUNNEL_TLS);
	lose(&s, TUNNEL_DTLS);
	struct render_session v = {.s = &s};
	json_t *j = render_session_json(&v, &now);
	assert_true(json_is_null(json_object_get(j, "tls")));
	assert_true(json_is_null(json_object_get(j, "dtls")));
	assert_true(json_is_null(json_object_get(json_object_get(j, "mtu"), "dtls")));
	assert_string_equal(json_string_value(json_object_get(j, "active")), "none");
	json_decref(j);
}

TEST(numbers_of_tunnels_grow)
{
	struct session s = sample();
	session_tunnel_up(&s, TUNNEL_DTLS, now.now_ms); /* replaces the one that is up */
	s.traffic[LINK_DTLS].tx_bytes += 7;
	lose(&s, TUNNEL_TLS);
	session_tunnel_up(&s, TUNNEL_TLS, now.now_ms);
	assert_int_equal(s.tunnels.v[TUNNEL_PARENT].number, 1);
	assert_int_equal(s.tunnels.v[TUNNEL_DTLS].number, 4);
	assert_int_equal(s.tunnels.v[TUNNEL_TLS].number, 5);
	/* each tunnel counts for itself, the session for all of them */
	assert_int_equal(session_tunnel_traffic(&s, TUNNEL_DTLS).tx_bytes, 7);
	assert_int_equal(session_tunnel_traffic(&s, TUNNEL_TLS).tx_bytes, 0);
	assert_int_equal(session_traffic(&s).tx_bytes, 304097);
	struct session later = {.w = &worker};
	session_tunnel_begin(&later, 4, now.now_ms);
	session_tunnel_up(&later, TUNNEL_TLS, now.now_ms);
	assert_int_equal(later.tunnels.v[TUNNEL_PARENT].number, 1);
	assert_int_equal(later.tunnels.v[TUNNEL_TLS].number, 8);
}

TEST(tunnels_of_the_process_are_counted)
{
	process_init(&process);
	struct session a = sample(), b = sample();
	session_tunnel_up(&a, TUNNEL_TLS, now.now_ms);
	session_tunnel_end(&b);
	session_tunnel_end(&b);
	assert_int_equal(process.counts.tunnels[TUNNEL_TLS].n_active, 1);
	assert_int_equal(process.counts.tunnels[TUNNEL_TLS].n_peak, 2);
	assert_int_equal(process.counts.tunnels[TUNNEL_TLS].n_total, 3);
	assert_int_equal(process.counts.tunnels[TUNNEL_DTLS].n_active, 1);
	session_tunnel_end(&a);
	assert_int_equal(process.counts.tunnels[TUNNEL_PARENT].n_active, 0);
}

TEST(dtls_alone_is_inactive_with_its_own_timers)
{
	struct session s = sample();
	s.conn = NULL;
	s.lost_at_ms = now.now_ms - 540000;
	lose(&s, TUNNEL_TLS);
	s.link.channels[LINK_DTLS].last_rx_ms = now.now_ms - 700000;
	s.link.channels[LINK_DTLS].last_tx_ms = now.now_ms - 600000;
	s.link.last_data_ms = now.now_ms - 1200000;
	char *text = detail(&s, true);
	assert_non_null(strstr(text, "Protocol     : AnyConnect-Parent DTLS-Tunnel\n"));
	assert_non_null(strstr(text, "Inactivity   : 0h:09m:00s\n"));
	assert_non_null(strstr(text, "\nAnyConnect-Parent Tunnels: 1\nDTLS-Tunnel Tunnels: 1\n"));
	assert_null(strstr(text, "SSL-Tunnel"));
	const char *parent = strstr(text, "Tunnel ID    : 57.1"), *dtls = strstr(text, "Tunnel ID    : 57.3");
	assert_non_null(strstr(parent, "Idle Time Out: 30 Minutes             Idle TO Left : 10 Minutes\n"));
	assert_non_null(strstr(dtls, "Idle Time Out: 30 Minutes             Idle TO Left : 20 Minutes\n"));
	free(text);
	/* without any tunnel the parent's time runs from the loss */
	lose(&s, TUNNEL_DTLS);
	assert_int_equal(session_tunnel_idle_since_ms(&s, TUNNEL_PARENT), s.lost_at_ms);
}

static struct session_choice choice_of(uint8_t option, const char *arg)
{
	struct command row = {.option = option};
	struct session_choice c;
	assert_int_equal(session_choice_parse(&(struct command_option){&row, arg}, 1, &c), 0);
	return c;
}

TEST(filters)
{
	static const struct {
		uint8_t option;
		const char *yes, *no;
	} rows[] = {
	        {SESSION_FILTER_NAME, "alice", "alic"},
	        {SESSION_FILTER_ASSIGNED, "10.10.10.2", "172.16.250.15"},
	        {SESSION_FILTER_PUBLIC, "172.16.250.15", "10.10.10.2"},
	        {SESSION_FILTER_TUNNEL_GROUP, "SSL", "GroupPolicy_SSL"},
	        {SESSION_FILTER_GROUP_POLICY, "GroupPolicy_SSL", "SSL"},
	        {SESSION_FILTER_INDEX, "57", "5"},
	};
	struct session s = sample();
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct session_choice yes = choice_of(rows[i].option, rows[i].yes),
		                      no = choice_of(rows[i].option, rows[i].no);
		assert_true(session_choice_takes(&yes, &s));
		assert_false(session_choice_takes(&no, &s));
	}
	struct session_choice inactive = choice_of(SESSION_FILTER_INACTIVE, NULL);
	assert_false(session_choice_takes(&inactive, &s));
	s.lost_at_ms = 1;
	assert_true(session_choice_takes(&inactive, &s));
	struct command row = {.option = SESSION_FILTER_ASSIGNED};
	struct session_choice c;
	assert_true(session_choice_parse(&(struct command_option){&row, "10.0.0"}, 1, &c) < 0);
	row.option = SESSION_FILTER_INDEX;
	assert_true(session_choice_parse(&(struct command_option){&row, "-1"}, 1, &c) < 0);
}

TEST(orders)
{
	struct session s[3];
	for (int i = 0; i < 3; i++) {
		s[i] = sample();
		s[i].id.index = (uint32_t)(10 + i);
		s[i].id.peer.b[3] = (uint8_t)(7 - i);
	}
	strcpy(s[0].id.username, "zoe");
	s[1].lost_at_ms = 500;
	s[2].lost_at_ms = 300;
	s[1].traffic[LINK_TLS].tx_bytes = 1000000;
	static const struct {
		uint8_t option;
		uint32_t want[3];
	} rows[] = {
	        {SESSION_SORT_NAME, {11, 12, 10}},
	        {SESSION_SORT_INACTIVITY, {12, 11, 10}},
	        {SESSION_SORT_BYTES, {11, 10, 12}},
	        {SESSION_SORT_BYTES_TX, {11, 10, 12}},
	        {SESSION_SORT_PUBLIC, {12, 11, 10}},
	        {0, {10, 11, 12}},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		const struct session_choice c = {.sort = rows[i].option};
		struct session_refs refs = {.kind = session_choice_kind(&c)};
		struct session_ref ref;
		for (int k = 0; k < 3; k++) {
			assert_int_equal(session_choice_ref(&c, &s[k], &ref), 0);
			assert_int_equal(session_refs_add(&refs, &ref), 0);
		}
		for (int k = 0; k < 3; k++) {
			assert_true(session_refs_take(&refs, &ref));
			assert_int_equal(ref.index, rows[i].want[k]);
			session_ref_done(&refs, &ref);
		}
		session_refs_done(&refs);
	}
}

TEST(mtu_with_its_derivation)
{
	struct session s = sample();
	struct render_session v = {.s = &s, .path_mtu_bytes = 1500};
	struct text t = {0};
	s.policy.mtu_policy = MTU_POLICY_CLASSIC;
	s.mtu.in = (struct mtu_input){
	        .formula = MTU_CISCO,
	        .base_mtu = 1500,
	        .tcpmss = 1380,
	        .outer_family = 4,
	        .tls_version = MTU_TLS_1_0,
	        .tls_suite = mtu_suite_find(span_str("RC4-SHA")),
	        .dtls_version = MTU_DTLS_1_0,
	        .dtls_suite = mtu_suite_find(span_str("AES256-SHA")),
	};
	assert_int_equal(mtu_derive(&s.mtu.in, &s.mtu.derived), 0);
	s.mtu.tls = s.mtu.derived.tls;
	s.mtu.dtls = s.mtu.derived.dtls;
	render_mtu(&v, &now, &t);
	const char *want = "\nUsername     : alice                  Index        : 57\n"
	                   "TLS MTU      : 1347                   DTLS MTU     : 1418\n"
	                   "Adapter MTU  : 1418                   Configured   : none\n"
	                   "Base MTU     : 1500                   TCP Path MTU : 1500\n"
	                   "Policy       : classic                Formula      : cisco\n"
	                   "DTLS Limit   : 1410                   Path Limit   : none\n"
	                   "Active       : dtls                   Reason       : DTLS is alive\n"
	                   "TLS RTT      : none                   DTLS RTT     : none\n"
	                   "Reconnect    : expected when UDP is blocked\n"
	                   "  Iphdr=20 base-mtu=1500 def-mtu=1500 conf-mtu=1406\n"
	                   "  tcp-mss = 1380\n";
	assert_int_equal(strncmp(text_cstr(&t), want, strlen(want)), 0);
	const char *end = "  tls-mtu=1347 dtls-mtu=1418\n";
	assert_string_equal(text_cstr(&t) + t.n - strlen(end), end);
	text_done(&t);
	json_t *j = render_mtu_json(&v, &now);
	assert_int_equal(json_integer_value(json_object_get(j, "adapter")), 1418);
	assert_true(json_is_true(json_object_get(j, "reconnect_expected")));
	assert_true(json_is_null(json_object_get(j, "path_limit")));
	assert_true(json_array_size(json_object_get(json_object_get(j, "steps"), "dtls")) > 2);
	json_decref(j);
}

TEST(switches_by_cause_and_gap)
{
	static const struct choice_switch some[] = {
	        {CHOICE_DTLS, CHOICE_TLS, CAUSE_NO_ANSWER, 151},
	        {CHOICE_TLS, CHOICE_DTLS, CAUSE_PROVEN, 0},
	        {CHOICE_DTLS, CHOICE_TLS, CAUSE_NO_ANSWER, 60000},
	        {CHOICE_DTLS, CHOICE_TLS, CAUSE_SIZE, 0},
	};
	struct switches w = {.n_nudges = 7};
	struct text t = {0};
	for (size_t i = 0; i < N_ELEM(some); i++)
		switches_count(&w, &some[i]);
	render_switches(&w, &t);
	assert_non_null(strstr(text_cstr(&t), "\n  no answer                    2\n"));
	assert_non_null(strstr(text_cstr(&t), "\n  probe answered               1\n"));
	assert_non_null(strstr(text_cstr(&t), "\n  up to 200 ms                 1\n"));
	assert_non_null(strstr(text_cstr(&t), "\n  over 3000 ms                 1\n"));
	assert_non_null(strstr(text_cstr(&t), "comes back: 7\n"));
	text_done(&t);
	json_t *j = render_switches_json(&w), *gaps = json_object_get(j, "gaps");
	uint64_t n_lost = 0;
	for (size_t i = 0; i < json_array_size(gaps); i++)
		n_lost += (uint64_t)json_integer_value(json_object_get(json_array_get(gaps, i), "count"));
	assert_int_equal(n_lost, 2); /* a return, and a question of size, lose nothing */
	json_t *last = json_array_get(gaps, json_array_size(gaps) - 1);
	assert_true(json_is_null(json_object_get(last, "up_to_ms")));
	json_decref(j);
}

TEST(mtu_of_a_suite_without_a_formula)
{
	struct session s = sample();
	struct render_session v = {.s = &s};
	struct text t = {0};
	strcpy(s.tls_cipher, "NO-SUCH-SUITE");
	render_mtu(&v, &now, &t);
	const char *end = "Reconnect    : not expected\n"
	                  "  announced tls-mtu=1406 dtls-mtu=1406: one value for both tunnels\n";
	assert_string_equal(text_cstr(&t) + t.n - strlen(end), end);
	text_done(&t);
	json_t *j = render_mtu_json(&v, &now);
	assert_true(json_is_object(json_object_get(j, "steps")));
	json_decref(j);
}

/* A reconnect offers another suite; the name of the former tunnel's is still there. */
TEST(mtu_is_explained_with_the_suite_that_was_offered)
{
	struct session s = sample();
	struct render_session v = {.s = &s};
	struct text t = {0};
	lose(&s, TUNNEL_DTLS);
	s.dtls.suite = DTLS_V10_AES256_SHA;
	render_mtu(&v, &now, &t);
	assert_non_null(strstr(text_cstr(&t), "  DTLS Block size = 16\n"));
	text_done(&t);
}

TEST(drops_as_the_asa_shows_them)
{
	uint64_t drops[N_DROP_REASONS] = {
	        [DROP_BAD_LENGTH] = 19,
	        [DROP_SPOOFED] = 357898,
	        [DROP_NO_CHANNEL] = 156927,
	        [DROP_REPLACED] = 265258,
	        [DROP_TLS_HANDSHAKE] = 199468,
	        [DROP_DTLS_HELLO] = 3961576,
	};
	struct text t = {0};
	render_drops(drops, &(struct render_clearing){0}, &t);
	assert_string_equal(text_cstr(&t),
	        "Frame drop:\n"
	        "  SVC Module received bad data length (mp-svc-bad-length)                     19\n"
	        "  SVC Module does not have a channel for reinjection (mp-svc-no-channel)"
	        "                                  156927\n"
	        "\nLast clearing: Never\n"
	        "\nFlow drop:\n"
	        "  SVC inner policy mismatch failure (svc-selector-failure)                357898\n"
	        "  SVC replacement connection established (svc-replacement-conn)           265258\n"
	        "  SSL handshake failed (ssl-handshake-failed)                             199468\n"
	        "  DTLS hello processed and closed (dtls-hello-close)                     3961576\n"
	        "\nLast clearing: Never\n");
	text_done(&t);
	struct render_clearing c = {.at_s = 1360028444, .by = "uid 0"};
	render_drops(drops, &c, &t);
	assert_non_null(strstr(text_cstr(&t), "\nLast clearing: 01:40:44 UTC Feb 05 2013 by uid 0\n"));
	text_done(&t);
}

TEST(pool_with_its_addresses)
{
	struct ipc_pool_info p = {
	        .is_found = true, .mask_len = 29, .n_free = 3, .n_held = 1, .n_in_use = 1, .n_addrs = 2};
	p.first = ip("10.0.0.1");
	p.last = ip("10.0.0.5");
	p.addrs[0] = ip("10.0.0.4");
	p.addrs[1] = ip("10.0.0.2");
	struct text t = {0};
	render_pool_head(&t);
	render_pool(&p, true, &t);
	assert_string_equal(text_cstr(&t),
	        "Begin           End             Mask            Free     Held     In use\n"
	        "10.0.0.1        10.0.0.5        255.255.255.248 3        1        1\n"
	        "\nAvailable Addresses:\n10.0.0.1\n10.0.0.3\n10.0.0.5\n"
	        "\nIn Use Addresses:\n10.0.0.2\n10.0.0.4\n");
	text_done(&t);
}

TEST(summary_columns)
{
	struct render_summary s = {
	        .n_active = 127,
	        .n_total = 432,
	        .n_peak = 205,
	        .tunnels = {{127, 205, 432}, {125, 204, 1577}, {124, 202, 1508}},
	        .n_capacity = 5000,
	};
	struct text t = {0};
	render_summary(&s, &t);
	assert_non_null(strstr(text_cstr(&t),
	        "                                Active : Cumulative : Peak Concur : Inactive\n"
	        "                              ----------------------------------------------\n"
	        "AnyConnect Client            :    127 :        432 :         205 :        0\n"
	        "  SSL/TLS/DTLS               :    127 :        432 :         205 :        0\n"));
	assert_non_null(strstr(text_cstr(&t), "Device Load                  :     2%\n"));
	assert_non_null(strstr(text_cstr(&t),
	        "Tunnels Summary\n"
	        "---------------------------------------------------------------------------\n"
	        "                                Active : Cumulative : Peak Concurrent\n"
	        "                              ----------------------------------------------\n"
	        "AnyConnect-Parent            :    127 :        432 :             205\n"
	        "SSL-Tunnel                   :    125 :       1577 :             204\n"
	        "DTLS-Tunnel                  :    124 :       1508 :             202\n"
	        "---------------------------------------------------------------------------\n"
	        "Totals                       :    376 :       3517\n"
	        "---------------------------------------------------------------------------\n"));
	text_done(&t);
}

static const struct log_host log_hosts[1];
static struct config log_config = {.hostname = "gw1",
        .logging = {.is_enabled = 1,
                .trap_level = 6,
                .buffered_level = 7,
                .facility = 20,
                .has_timestamp = 1,
                .device_id = "",
                .is_device_hostname = true,
                .hosts = log_hosts,
                .n_hosts = 1}};

static struct ipc_log_item log_item(void)
{
	return (struct ipc_log_item){.number = 3,
	        .at_s = 1360028444,
	        .severity = 6,
	        .is_asa = true,
	        .id = 722022,
	        .text = "Group <G> says \xff"};
}

TEST(logging_as_the_asa_shows_it)
{
	const struct ipc_log_info info = {.n_buffered = 50, .n_trapped = 44, .n_lost = 1, .newest = 50};
	struct ipc_log_host_info h = {.is_tcp = true,
	        .port = 1470,
	        .interface = "inside",
	        .n_sent = 44,
	        .n_dropped = 2,
	        .n_waiting = 7};
	const struct ipc_log_item item = log_item();
	struct text t = {0};
	h.addr = ip("10.0.0.9");
	render_log_head(&log_config, &info, &t);
	render_log_host(&h, &t);
	render_log_foot(&log_config, &info, &t);
	render_log_item(&item, true, &t);
	render_log_item(&item, false, &t);
	assert_string_equal(text_cstr(&t),
	        "Syslog logging: enabled\n    Facility: 20\n    Timestamp logging: enabled\n"
	        "    Hide Username logging: enabled\n    Deny Conn when Queue Full: disabled\n"
	        "    Console logging: disabled\n    Monitor logging: disabled\n"
	        "    Buffer logging: level debugging, 50 messages logged\n"
	        "    Trap logging: level informational, facility 20, 44 messages logged\n"
	        "        Logging to inside 10.0.0.9 tcp/1470 Not connected errors: 0 dropped: 2 TX:44 "
	        "waiting: "
	        "7\n"
	        "    Permit-hostdown logging: disabled\n    History logging: disabled\n"
	        "    Device ID: hostname \"gw1\"\n    Mail logging: disabled\n    ASDM logging: disabled\n"
	        "    Messages lost between processes: 1\n"
	        "Feb 05 2013 01:40:44: %ASA-6-722022: Group <G> says \xff\n"
	        "%ASA-6-722022: Group <G> says \xff\n");
	text_done(&t);
}

TEST(logging_as_json)
{
	const struct ipc_log_info info = {.n_buffered = 50};
	const struct ipc_log_item item = log_item();
	json_t *o = render_log_json(&log_config, &info), *i = render_log_item_json(&item);
	assert_non_null(o);
	assert_non_null(i);
	assert_int_equal(
	        json_integer_value(json_object_get(json_object_get(o, "buffered"), "messages_logged")), 50);
	assert_true(json_is_array(json_object_get(json_object_get(o, "trap"), "hosts")));
	assert_true(json_is_array(json_object_get(o, "messages")));
	assert_string_equal(json_string_value(json_object_get(i, "id")), "%ASA-6-722022");
	json_decref(o);
	json_decref(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(session_as_the_asa_shows_it),
	        cmocka_unit_test(each_tunnel_has_its_block),
	        cmocka_unit_test(waiting_session_is_inactive),
	        cmocka_unit_test(hostile_names_do_not_reach_the_terminal),
	        cmocka_unit_test(json_has_the_keys_of_the_contract),
	        cmocka_unit_test(absent_tunnels_are_null),
	        cmocka_unit_test(numbers_of_tunnels_grow),
	        cmocka_unit_test(tunnels_of_the_process_are_counted),
	        cmocka_unit_test(dtls_alone_is_inactive_with_its_own_timers),
	        cmocka_unit_test(filters),
	        cmocka_unit_test(orders),
	        cmocka_unit_test(mtu_with_its_derivation),
	        cmocka_unit_test(switches_by_cause_and_gap),
	        cmocka_unit_test(mtu_of_a_suite_without_a_formula),
	        cmocka_unit_test(mtu_is_explained_with_the_suite_that_was_offered),
	        cmocka_unit_test(drops_as_the_asa_shows_them),
	        cmocka_unit_test(pool_with_its_addresses),
	        cmocka_unit_test(summary_columns),
	        cmocka_unit_test(logging_as_the_asa_shows_it),
	        cmocka_unit_test(logging_as_json),
	};
	return RUN(tests);
}

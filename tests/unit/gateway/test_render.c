#include "../unit.h"

#include <stdlib.h>

#include "gateway/conn.h"
#include "gateway/render.h"

static struct conn conn = {.fd = -1};
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
	struct session s = {.conn = &conn, .mtu_bytes = 1406, .base_mtu_bytes = 1500, .n_tls = 1};
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
	s.traffic[LINK_TLS] = (struct traffic){835, 10, 1, 2, 3, 4};
	s.traffic[LINK_DTLS] = (struct traffic){303255, 269270, 5642, 5649, 1, 0};
	return s;
}

static char *detail(const struct session *s, bool is_detail)
{
	struct render_session v = {.s = s};
	struct text t = {0};
	render_sessions(&(struct render_list){&v, 1}, &now, is_detail, &t);
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
	link_down(&s.link, LINK_TLS, 0);
	link_down(&s.link, LINK_DTLS, 0);
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
	json_t *j = render_sessions_json(&(struct render_list){&v, 1}, &now);
	assert_non_null(j);
	assert_string_equal(
	        json_string_value(json_object_get(json_array_get(j, 0), "username")), "a\\x1b[2J\\xff");
	json_decref(j);
}

TEST(json_has_the_keys_of_the_contract)
{
	static const char *const keys[] = {"username", "index", "assigned_ip", "assigned_ip6", "public_ip",
	        "group_policy", "tunnel_group", "login_time", "duration_s", "inactivity_s", "active", "tls",
	        "dtls", "mtu", "bytes_tx", "bytes_rx", "pkts_tx", "pkts_rx", "pkts_tx_drop", "pkts_rx_drop",
	        "switches"};
	static const char *const channel_keys[] = {"state", "cipher", "protocol", "rtt_ms", "mtu", "tx_bytes",
	        "rx_bytes", "tx_packets", "rx_packets"};
	struct session s = sample();
	struct render_session v = {.s = &s, .tls_rtt_us = 12500};
	json_t *a = render_sessions_json(&(struct render_list){&v, 1}, &now);
	json_t *j = json_array_get(a, 0);
	for (size_t i = 0; i < N_ELEM(keys); i++)
		assert_non_null(json_object_get(j, keys[i]));
	for (size_t i = 0; i < N_ELEM(channel_keys); i++) {
		assert_non_null(json_object_get(json_object_get(j, "tls"), channel_keys[i]));
		assert_non_null(json_object_get(json_object_get(j, "dtls"), channel_keys[i]));
	}
	assert_string_equal(json_string_value(json_object_get(j, "active")), "dtls");
	assert_string_equal(json_string_value(json_object_get(j, "login_time")), "2013-02-05T01:40:44Z");
	assert_int_equal(json_integer_value(json_object_get(j, "bytes_tx")), 304090);
	assert_true(json_real_value(json_object_get(json_object_get(j, "tls"), "rtt_ms")) == 12.5);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(j, "mtu"), "path_limit")), 1410);
	json_decref(a);
}

TEST(absent_tunnels_are_null)
{
	struct session s = sample();
	s.conn = NULL;
	s.dtls.suite = DTLS_NONE;
	link_down(&s.link, LINK_TLS, 0);
	link_down(&s.link, LINK_DTLS, 0);
	struct render_session v = {.s = &s};
	json_t *a = render_sessions_json(&(struct render_list){&v, 1}, &now);
	json_t *j = json_array_get(a, 0);
	assert_true(json_is_null(json_object_get(j, "tls")));
	assert_true(json_is_null(json_object_get(j, "dtls")));
	assert_true(json_is_null(json_object_get(json_object_get(j, "mtu"), "dtls")));
	assert_string_equal(json_string_value(json_object_get(j, "active")), "none");
	json_decref(a);
}

TEST(drops_as_the_asa_shows_them)
{
	uint64_t drops[N_DROP_REASONS] = {
	        [DROP_BAD_LENGTH] = 19, [DROP_SPOOFED] = 357898, [DROP_NO_CHANNEL] = 156927};
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
	render_pool(&p, &t);
	assert_string_equal(text_cstr(&t),
	        "Begin           End             Mask            Free     Held     In use\n"
	        "10.0.0.1        10.0.0.5        255.255.255.248 3        1        1\n"
	        "\nAvailable Addresses:\n10.0.0.1\n10.0.0.3\n10.0.0.5\n"
	        "\nIn Use Addresses:\n10.0.0.2\n10.0.0.4\n");
	text_done(&t);
}

TEST(summary_columns)
{
	struct render_summary s = {.n_active = 127,
	        .n_total = 432,
	        .n_peak = 205,
	        .n_tls = 125,
	        .n_dtls = 124,
	        .n_capacity = 5000};
	struct text t = {0};
	render_summary(&s, &t);
	assert_non_null(strstr(text_cstr(&t),
	        "                                Active : Cumulative : Peak Concur : Inactive\n"
	        "                              ----------------------------------------------\n"
	        "AnyConnect Client            :    127 :        432 :         205 :        0\n"
	        "  SSL/TLS/DTLS               :    127 :        432 :         205 :        0\n"));
	assert_non_null(strstr(text_cstr(&t), "Device Load                  :     2%\n"));
	text_done(&t);
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
	        cmocka_unit_test(drops_as_the_asa_shows_them),
	        cmocka_unit_test(pool_with_its_addresses),
	        cmocka_unit_test(summary_columns),
	};
	return RUN(tests);
}

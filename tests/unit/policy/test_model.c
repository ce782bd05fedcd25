#include "policy_unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static char *example(void)
{
	FILE *f = fopen(ASA_EXAMPLE, "r");
	assert_non_null(f);
	char *text = calloc(1, 65536);
	assert_in_range(fread(text, 1, 65535, f), 1, 65534);
	fclose(f);
	return text;
}

TEST(an_empty_file_is_a_working_configuration)
{
	struct config *c = good("");
	struct group_policy_values v = resolved(c, POLICY_DEFAULT_WEBVPN_GROUP, "");
	assert_string_equal(c->hostname, "culvert");
	assert_string_equal(c->tunnel_interface, "culvert0");
	assert_int_equal(c->outside_mtu, 1500);
	assert_int_equal(c->webvpn.is_enabled, 0);
	assert_int_equal(c->webvpn.tls_port, 443);
	assert_int_equal(c->webvpn.dtls_port, 443);
	assert_int_equal(c->webvpn.idle_timeout_s, 1800);
	assert_int_equal(c->ssl.min_tls, TLS_V1_2);
	assert_int_equal(c->ssl.min_dtls, DTLS_V1_2);
	assert_int_equal(c->mtu_formula, MTU_FORMULA_EXACT);
	assert_int_equal(c->mtu_formula_negotiated, 0);
	assert_int_equal(c->tcpmss, 1380);
	assert_int_equal(c->logging.trap_level, 8);
	assert_string_equal(c->tunnel_groups[0].name, POLICY_DEFAULT_WEBVPN_GROUP);
	assert_int_equal(c->n_tunnel_groups, 3);
	assert_string_equal(c->tunnel_groups[0].auth_servers.v[0], "LOCAL");
	assert_int_equal(c->tunnel_groups[0].authentication, AUTH_AAA);
	assert_int_equal(c->tunnel_groups[2].type, TUNNEL_GROUP_L2L);
	assert_string_equal(c->policies[0].name, POLICY_DEFAULT_GROUP_POLICY);
	assert_string_equal(v.policy_name, POLICY_DEFAULT_GROUP_POLICY);
	assert_string_equal(v.banner, "");
	assert_string_equal(v.default_domain, "");
	assert_string_equal(v.group_lock, "");
	assert_int_equal(v.simultaneous_logins, 3);
	assert_int_equal(v.idle_timeout_s, 1800);
	assert_int_equal(v.idle_alert_s, 60);
	assert_int_equal(v.session_timeout_s, 0);
	assert_int_equal(v.keepalive_s, 20);
	assert_int_equal(v.dpd_client_s, 30);
	assert_int_equal(v.dpd_gateway_s, 30);
	assert_int_equal(v.rekey_s, 0);
	assert_int_equal(v.rekey_method, POLICY_REKEY_NONE);
	assert_int_equal(v.mtu, 0);
	assert_int_equal(v.dtls, 1);
	assert_int_equal(v.keep_installer, 1);
	assert_int_equal(v.mtu_policy, MTU_POLICY_SEAMLESS);
	assert_true(v.tunnel_protocols & TUNNEL_SSL_CLIENT);
	assert_int_equal(v.split4, SPLIT_TUNNEL_ALL);
	assert_null(v.split_acl);
	assert_int_equal(v.n_pools4, 0);
	config_put(c);
}

TEST(default_policy_has_every_attribute)
{
	struct config *c = good("");
	for (int a = 0; a < N_POLICY_ATTRS; a++) {
		if (!(c->policies[0].attrs.is_set & UINT64_C(1) << a))
			fail_msg("attribute %d has no default", a);
	}
	config_put(c);
}

TEST(the_complete_asa_example)
{
	char *text = example();
	struct config *c = good(text);
	struct group_policy_values v = resolved(c, "TG1", "vpn");
	assert_string_equal(v.policy_name, "ac_users_group");
	assert_string_equal(v.banner, "Authorized use only");
	assert_int_equal(v.n_dns4, 2);
	assert_int_equal(v.n_dns6, 0);
	assert_int_equal(v.idle_timeout_s, 1800);
	assert_int_equal(v.split4, SPLIT_TUNNEL_SPECIFIED);
	assert_int_equal(v.split6, SPLIT_TUNNEL_ALL);
	assert_int_equal(v.split_acl->n_nets, 1);
	assert_int_equal(v.split_acl->nets[0].len, 23);
	assert_int_equal(v.split_acl->nets[0].addr.b[2], 66);
	assert_int_equal(v.split_dns.n, 2);
	assert_string_equal(v.split_dns.v[1], "lab.example.com");
	assert_int_equal(v.n_pools4, 1);
	assert_string_equal(v.pools4[0]->name, "VPNPOOL");
	assert_int_equal(v.pools4[0]->mask_len, 24);
	assert_int_equal(v.pools6[0]->count, 254);
	assert_int_equal(v.mtu, 1406);
	assert_int_equal(v.rekey_s, 1800);
	assert_int_equal(v.rekey_method, POLICY_REKEY_SSL);
	assert_int_equal(v.dtls_compression, POLICY_COMPRESS_LZS);
	assert_int_equal(v.tunnel_protocols, TUNNEL_SSL_CLIENT);
	assert_int_equal(addr_to_v4(&v.framed_ip4), 0x0a0a0a4d);
	assert_int_equal(v.framed_mask_len, 24);
	const struct tunnel_group *g = config_find_tunnel_group(c, span_str("TG1"));
	assert_int_equal(g->auth_servers.n, 2);
	assert_int_equal(g->authentication, AUTH_AAA | AUTH_CERTIFICATE);
	assert_int_equal(c->users[0].privilege, 0);
	assert_int_equal(c->users[0].kind, SECRET_NONE);
	assert_string_equal(c->ssl.ciphers[SSL_SCOPE_DTLS12],
	        "PSK-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
	        "DHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES256-SHA384:ECDHE-RSA-AES256-SHA384:"
	        "DHE-RSA-AES256-SHA256:AES256-GCM-SHA384:AES256-SHA256");
	assert_string_equal(c->ssl.ciphers[SSL_SCOPE_DTLS1], "AES256-SHA:AES128-SHA");
	assert_int_equal(c->logging.trap_level, 6);
	assert_int_equal(c->webvpn.is_enabled, 1);
	assert_int_equal(c->webvpn.has_group_list, 1);
	config_put(c);
	free(text);
}

/* What is printed of the example is what was read, but for its comment and the ignored lines. */
TEST(the_example_prints_itself)
{
	char *text = example();
	struct config *c = good(text);
	struct text out = {0}, want = {0};
	config_format(c, 0, &out);
	for (struct span rest = span_str(text); rest.n > 0;) {
		struct span line = span_cut(&rest, '\n');
		bool is_dropped = span_starts(line, "!") || span_is(line, " cache") ||
		                  span_is(line, "  disable") || span_is(line, " error-recovery disable");
		if (is_dropped)
			continue;
		text_put(&want, line);
		text_str(&want, "\n");
	}
	assert_string_equal(text_cstr(&out), text_cstr(&want));
	text_done(&out);
	text_done(&want);
	config_put(c);
	free(text);
}

static void check_round_trip(const char *text, unsigned flags)
{
	struct config *a = good(text);
	struct text first = {0}, second = {0};
	config_format(a, flags, &first);
	struct config *b = good(text_cstr(&first));
	config_format(b, flags, &second);
	assert_string_equal(text_cstr(&first), text_cstr(&second));
	assert_int_equal(a->n_users, b->n_users);
	text_done(&first);
	text_done(&second);
	config_put(a);
	config_put(b);
}

TEST(print_and_read_and_print_is_the_same)
{
	char *text = example();
	for (unsigned flags = 0; flags < 4; flags++) {
		check_round_trip(text, flags);
		check_round_trip("", flags);
		check_round_trip("username b password p\nusername a password \"x y\"\nusername b attributes\n"
		                 " webvpn\n  anyconnect mtu 1300\ngroup-policy DfltGrpPolicy attributes\n"
		                 " banner value a  \"b\" ! c\n",
		        flags);
	}
	free(text);
}

TEST(secrets_are_printed_only_when_asked)
{
	check_printed(
	        "username u password geheim privilege 3\n", 0, "username u password ***** privilege 3\n");
	check_printed("username u password geheim\n", CONFIG_SECRETS, "username u password geheim\n");
}

TEST(inheritance_and_precedence)
{
	struct config *c = good(
	        "ip local pool TP 10.1.0.1-10.1.0.9 mask 255.255.255.0\n"
	        "ip local pool UP 10.2.0.1-10.2.0.9 mask 255.255.255.0\n"
	        "group-policy DfltGrpPolicy attributes\n vpn-idle-timeout 1\n vpn-simultaneous-logins 1\n"
	        " vpn-session-timeout 1\n default-domain value dflt\n webvpn\n  anyconnect mtu 1001\n"
	        "group-policy T internal\ngroup-policy T attributes\n vpn-idle-timeout 2\n"
	        " vpn-simultaneous-logins 2\n vpn-session-timeout 2\n webvpn\n  anyconnect mtu 1002\n"
	        "group-policy U internal\ngroup-policy U attributes\n vpn-idle-timeout 3\n"
	        " vpn-simultaneous-logins 3\n address-pools value UP\n"
	        "group-policy A internal\ngroup-policy A attributes\n vpn-idle-timeout 4\n"
	        "tunnel-group G type remote-access\ntunnel-group G general-attributes\n"
	        " default-group-policy T\n address-pool TP\n"
	        "username u password p\nusername u attributes\n vpn-group-policy U\n"
	        " vpn-simultaneous-logins 5\n"
	        "username w password p\n");
	struct group_policy_values v = resolved(c, "G", "w");
	assert_string_equal(v.policy_name, "T");
	assert_int_equal(v.idle_timeout_s, 120);
	assert_int_equal(v.mtu, 1002);
	assert_string_equal(v.default_domain, "dflt");
	assert_string_equal(v.pools4[0]->name, "TP");
	v = resolved(c, "G", "u");
	assert_string_equal(v.policy_name, "U");
	assert_int_equal(v.idle_timeout_s, 180);
	assert_int_equal(v.session_timeout_s, 120); /* from the tunnel group's policy */
	assert_int_equal(v.simultaneous_logins, 5); /* the user's own */
	assert_string_equal(v.pools4[0]->name, "UP");
	/* what AAA names outranks the user's policy, what AAA says outranks all */
	const struct tunnel_group *g = config_find_tunnel_group(c, span_str("G"));
	const struct local_user *u = config_find_user(c, span_str("u"));
	struct policy_overlay said = {
	        .is_set = UINT64_C(1) << ATTR_SIMULTANEOUS_LOGINS, .v.simultaneous_logins = 9};
	assert_int_equal(config_resolve_policy(c, g, u, span_str("A"), &said, &v), 0);
	assert_string_equal(v.policy_name, "A");
	assert_int_equal(v.idle_timeout_s, 240);
	assert_int_equal(v.simultaneous_logins, 9);
	v.mtu = 77;
	assert_int_equal(config_resolve_policy(c, g, u, span_str("none"), NULL, &v), -ENOENT);
	assert_int_equal(v.mtu, 77);
	config_put(c);
}

/* As many as a file may have; reading them and finding each takes no longer for one of many. */
TEST(thousands_of_users)
{
	enum { N = 10000 };
	struct text t = {0};
	char name[16];
	for (int i = 0; i < N; i++)
		text_fmt(&t,
		        "username u%d password p\nusername u%d attributes\n vpn-simultaneous-logins %d\n", i,
		        i, i % 9);
	text_str(&t, "username u7 password other\n"); /* replaces */
	struct config *c = good(text_cstr(&t));
	text_done(&t);
	assert_int_equal(c->n_users, N);
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		const struct local_user *u = config_find_user(c, span_str(name));
		assert_non_null(u);
		assert_string_equal(u->name, name);
		assert_int_equal(u->attrs.v.simultaneous_logins, i % 9);
		assert_string_equal(u->secret, i == 7 ? "other" : "p");
	}
	assert_null(config_find_user(c, span_str("u")));
	assert_null(config_find_user(c, span_str("U1")));
	assert_null(config_find_user(c, span_str("")));
	config_put(c);
}

TEST(attributes_take_their_values)
{
	struct config *c = good(
	        "access-list S extended permit ip 2001:db8:5::/48 any6\naccess-list S standard permit host "
	        "10.0.0.1\n"
	        "group-policy DfltGrpPolicy attributes\n banner value one\\ntwo\n dns-server value 10.0.0.5 "
	        "2001:db8::53\n"
	        " wins-server value 10.0.0.6\n split-tunnel-policy excludespecified\n "
	        "split-tunnel-network-list value S\n"
	        " client-bypass-protocol enable\n split-tunnel-all-dns enable\n gateway-fqdn value "
	        "g.example\n"
	        " vpn-idle-timeout 35791394\n vpn-session-timeout none\n webvpn\n  anyconnect ssl dtls none\n"
	        "  anyconnect ssl keepalive none\n  anyconnect mtu-policy classic\n  anyconnect ssl rekey "
	        "method new-tunnel\n"
	        "webvpn\n listen 2001:db8::1\nssl server-version tlsv1.3\nmtu-formula cisco\n"
	        "crypto ca trustpoint TP\n certificate-file /c.pem\n key-file /k.pem\nssl trust-point TP "
	        "outside\n");
	struct group_policy_values v = resolved(c, POLICY_DEFAULT_WEBVPN_GROUP, "");
	assert_string_equal(v.banner, "one\ntwo");
	assert_int_equal(v.n_dns4, 1);
	assert_int_equal(v.n_dns6, 1);
	assert_int_equal(v.n_wins, 1);
	assert_int_equal(v.split4, SPLIT_EXCLUDE_SPECIFIED);
	assert_int_equal(v.split_acl->n_nets, 2);
	assert_int_equal(v.client_bypass, 1);
	assert_int_equal(v.split_all_dns, 1);
	assert_string_equal(v.gateway_fqdn, "g.example");
	assert_int_equal(v.idle_timeout_s, 35791394u * 60);
	assert_int_equal(v.dtls, 0);
	assert_int_equal(v.keepalive_s, 0);
	assert_int_equal(v.mtu_policy, MTU_POLICY_CLASSIC);
	assert_int_equal(v.rekey_method, POLICY_REKEY_NEW_TUNNEL);
	assert_int_equal(c->webvpn.listen.family, 6);
	assert_int_equal(c->ssl.min_tls, TLS_V1_3);
	assert_int_equal(c->mtu_formula, MTU_FORMULA_CISCO);
	assert_int_equal(c->mtu_formula_negotiated, 0);
	const struct trustpoint *t = config_find_trustpoint(c, span_str(c->ssl.trustpoint));
	assert_string_equal(t->certificate_file, "/c.pem");
	assert_string_equal(t->key_file, "/k.pem");
	config_put(c);
}

TEST(groups_by_alias_and_url)
{
	struct config *c = good(
	        "tunnel-group A type remote-access\ntunnel-group A webvpn-attributes\n"
	        " group-alias first enable\n group-alias off disable\n"
	        " group-url https://vpn.example.com/a enable\n group-url https://vpn.example.com/x disable\n"
	        "tunnel-group B type remote-access\ntunnel-group B webvpn-attributes\n"
	        " group-url https://b.example.com enable\n group-alias off enable\n");
	const struct tunnel_group *a = config_find_tunnel_group(c, span_str("A"));
	const struct tunnel_group *b = config_find_tunnel_group(c, span_str("B"));
	struct span any = {0}, host = span_str("VPN.example.com");
	assert_ptr_equal(config_find_tunnel_group_by_alias(c, span_str("first")), a);
	assert_ptr_equal(config_find_tunnel_group_by_alias(c, span_str("off")), b);
	assert_null(config_find_tunnel_group_by_alias(c, span_str("second")));
	assert_ptr_equal(config_find_tunnel_group_by_url(c, any, span_str("/a")), a);
	assert_ptr_equal(config_find_tunnel_group_by_url(c, host, span_str("/a/?x=1")), a);
	assert_null(config_find_tunnel_group_by_url(c, span_str("other"), span_str("/a")));
	assert_null(config_find_tunnel_group_by_url(c, any, span_str("/x")));
	assert_ptr_equal(config_find_tunnel_group_by_url(c, span_str("b.example.com"), span_str("/")), b);
	config_put(c);
	check_said(
	        "tunnel-group A type remote-access\ntunnel-group A webvpn-attributes\n group-alias x enable\n"
	        "tunnel-group B type remote-access\ntunnel-group B webvpn-attributes\n group-alias x "
	        "enable\n",
	        "t:6:14: error: another tunnel-group has this already\n");
}

TEST(restart_is_needed_for_ports_only)
{
	struct config *a = good("hostname a\nwebvpn\n port 443\n");
	struct config *b = good("hostname b\ntunnel-interface tun7\nwebvpn\n port 444\n");
	struct text t = {0};
	config_restart_needed(a, b, &t);
	assert_string_equal(text_cstr(&t), "tunnel-interface, port");
	text_done(&t);
	config_restart_needed(a, a, &t);
	assert_string_equal(text_cstr(&t), "");
	text_done(&t);
	config_put(a);
	config_put(b);
}

TEST(references_are_counted)
{
	struct config *c = good("");
	assert_ptr_equal(config_get(c), c);
	config_put(c);
	assert_string_equal(c->hostname, "culvert");
	config_put(c);
	config_put(NULL);
}

TEST(the_mtu_formula)
{
	static const struct {
		const char *conf;
		uint32_t formula, negotiated;
	} rows[] = {
	        {"mtu-formula cisco\n", MTU_FORMULA_CISCO, 0},
	        {"mtu-formula cisco negotiated\n", MTU_FORMULA_CISCO, 1},
	        {"mtu-formula cisco negotiated\nmtu-formula cisco\n", MTU_FORMULA_CISCO, 0},
	        {"mtu-formula cisco negotiated\nmtu-formula exact\n", MTU_FORMULA_EXACT, 0},
	        {"mtu-formula cisco negotiated\nno mtu-formula cisco negotiated\n", MTU_FORMULA_EXACT, 0},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct config *c = good(rows[i].conf);
		assert_int_equal(c->mtu_formula, rows[i].formula);
		assert_int_equal(c->mtu_formula_negotiated, rows[i].negotiated);
		config_put(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_empty_file_is_a_working_configuration),
	        cmocka_unit_test(default_policy_has_every_attribute),
	        cmocka_unit_test(the_complete_asa_example),
	        cmocka_unit_test(the_example_prints_itself),
	        cmocka_unit_test(print_and_read_and_print_is_the_same),
	        cmocka_unit_test(secrets_are_printed_only_when_asked),
	        cmocka_unit_test(inheritance_and_precedence),
	        cmocka_unit_test(thousands_of_users),
	        cmocka_unit_test(attributes_take_their_values),
	        cmocka_unit_test(groups_by_alias_and_url),
	        cmocka_unit_test(restart_is_needed_for_ports_only),
	        cmocka_unit_test(references_are_counted),
	        cmocka_unit_test(the_mtu_formula),
	};
	return RUN(tests);
}

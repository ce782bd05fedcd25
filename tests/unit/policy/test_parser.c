#include "policy_unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "policy/table.h"

TEST(errors_say_where_and_what)
{
	static const struct {
		const char *conf, *want;
	} rows[] = {
	        {"hostnmae x\n",
	                "t:1:1: error: \"hostnmae\" is not a command here; the nearest is \"hostname\"\n"},
	        {"\n!\nwebvpn\n prot 443\n",
	                "t:4:2: error: \"prot\" is not a command here; the nearest is \"port\"\n"},
	        {"webvpn\n port 0\n", "t:2:7: error: \"0\" is outside 1-65535 (port)\n"},
	        {"webvpn\n dtls prot 1\n",
	                "t:2:7: error: \"prot\" is not understood: expected \"port\"; nearest is \"port\"\n"},
	        {"mtu outside\n", "t:1:12: error: the line is incomplete: expected number\n"},
	        {"mtu outside 1500 9\n", "t:1:18: error: \"9\" is too much: expected the end of the line\n"},
	        {"mtu outside ten\n", "t:1:13: error: \"ten\" is not understood: expected number\n"},
	        {"mtu-formula x\n",
	                "t:1:13: error: \"x\" is not understood: expected \"exact\" or \"cisco\"\n"},
	        {"ip local pool P 10.0.0.9-10.0.0.1\n", "t:1:17: error: \"10.0.0.9-10.0.0.1\" is not "
	                                                "understood: expected IPv4 range FIRST-LAST\n"},
	        {"ip local pool P 10.0.0.1-10.0.1.1 mask 255.255.255.0\n",
	                "t:1:17: error: the range does not lie in one network of this mask\n"},
	        {"ip local pool P 10.0.0.1-10.0.0.9 mask 255.0.255.0\n",
	                "t:1:40: error: \"255.0.255.0\" is not understood: expected netmask such as "
	                "255.255.255.0\n"},
	        {"username bob nopassword\n",
	                "t:1:14: error: a user without a password is not accepted: expected \"password\"\n"},
	        {"hostname a\x01\n", "t:1:11: error: a control character\n"},
	        {"zz\x80y a\n", "t:1:1: error: \"zz\\x80y\" is not a command here\n"},
	        {"sysopt connection tcpmss 47\n",
	                "t:1:26: error: 47 is not 0 (off) and not in 48-65535 (bytes)\n"},
	        {"sysopt connection tcpmss minimum 47\n",
	                "t:1:34: error: 47 is not 0 (off) and not in 48-65535 (bytes)\n"},
	        {"sysopt connection tcpmss 65536\n", "t:1:26: error: \"65536\" is outside 0-65535 (bytes)\n"},
	        {"sysopt connection tcpmss -1\n",
	                "t:1:26: error: \"-1\" is not understood: expected number or \"minimum\"\n"},
	        {"sysopt connection tcpmss 99999999999\n",
	                "t:1:26: error: \"99999999999\" is outside 0-65535 (bytes)\n"},
	        {"mtu-formula exact negotiated\n",
	                "t:1:19: error: \"negotiated\" is too much: expected the end of the line\n"},
	        {"mtu-formula cisco x\n",
	                "t:1:19: error: \"x\" is not understood: expected \"negotiated\"\n"},
	        {"group-policy X internal\ngroup-policy X attributes\n webvpn\n  anyconnect mtu 575\n",
	                "t:4:18: error: \"575\" is outside 576-1462 (bytes)\n"},
	        {"group-policy X internal\ngroup-policy X attributes\n webvpn\n  anyconnect mtu 1463\n",
	                "t:4:18: error: \"1463\" is outside 576-1462 (bytes)\n"},
	        {"ipv6 local pool P 2001:db8::/126 5\n",
	                "t:1:34: error: the prefix has no room for so many addresses\n"},
	        {"username bob attributes\n vpn-idle-timeout 5\n",
	                "t:1:10: error: this username is not defined: there is no line \"username bob "
	                "password ...\"\n"},
	        {"group-policy X attributes\n", "t:1:14: error: this group-policy is not defined: there is "
	                                        "no line \"group-policy X internal\"\n"},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++)
		check_said(rows[i].conf, rows[i].want);
}

TEST(references_must_exist)
{
	static const struct {
		const char *conf, *want;
	} rows[] = {
	        {"group-policy X internal\ngroup-policy X attributes\n address-pools value A\n",
	                "t:3:22: error: there is no ip local pool \"A\"\n"},
	        {"group-policy X internal\ngroup-policy X attributes\n split-tunnel-network-list value A\n",
	                "t:3:34: error: there is no access-list with a line \"standard permit\" named "
	                "\"A\"\n"},
	        {"tunnel-group T type remote-access\ntunnel-group T general-attributes\n "
	         "default-group-policy A\n",
	                "t:3:23: error: there is no group-policy \"A\"\n"},
	        {"ssl trust-point A\n", "t:1:17: error: there is no crypto ca trustpoint \"A\"\n"},
	        {"username u password p\nusername u attributes\n vpn-group-policy A\n",
	                "t:3:19: error: there is no group-policy \"A\"\n"},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++)
		check_said(rows[i].conf, rows[i].want);
	/* what is defined further down is there */
	config_put(good("tunnel-group T type remote-access\ntunnel-group T general-attributes\n"
	                " default-group-policy A\ngroup-policy A internal\n"));
}

TEST(abbreviations)
{
	check_printed("sysopt conn tcpmss 1460\n", 0, "sysopt connection tcpmss 1460\n");
	check_printed("sysopt conn tcpmss 1300\nsysopt conn tcpmss min 536\n", 0,
	        "sysopt connection tcpmss 1300\nsysopt connection tcpmss minimum 536\n");
	check_printed("mtu-formula cis neg\n", 0, "mtu-formula cisco negotiated\n");
	check_printed("GROUP-policy X int\ngroup-policy X attr\n vpn-sim 2\n", 0,
	        "group-policy X internal\ngroup-policy X attributes\n vpn-simultaneous-logins 2\n");
	check_said("group-policy X internal\ngroup-policy X attributes\n vpn-s 5\n",
	        "t:3:2: error: \"vpn-s\" is ambiguous: \"vpn-simultaneous-logins\" or "
	        "\"vpn-session-timeout\"\n");
	/* an exact word is never ambiguous */
	check_printed("mtu outside 1400\nssl server-version tlsv1\n", 0,
	        "mtu outside 1400\nssl server-version tlsv1\n");
	/* ignored commands are known only in full */
	check_said("interf x\n",
	        "t:1:1: error: \"interf\" is not a command here; the nearest is \"interface\"\n");
}

TEST(modes_by_indentation)
{
	/* the second webvpn is the global one */
	check_printed("group-policy X internal\ngroup-policy X attributes\n webvpn\n  anyconnect mtu "
	              "1300\nwebvpn\n port 8443\n",
	        0,
	        "webvpn\n port 8443\ngroup-policy X internal\ngroup-policy X attributes\n webvpn\n  "
	        "anyconnect mtu 1300\n");
	/* back to the attributes after the inner webvpn */
	struct config *c =
	        good("group-policy X internal\ngroup-policy X attributes\n webvpn\n  anyconnect mtu 1300\n"
	             " vpn-idle-timeout 7\nhostname h\n");
	assert_int_equal(config_find_group_policy(c, span_str("X"))->attrs.v.idle_timeout_s, 420);
	assert_string_equal(c->hostname, "h");
	config_put(c);
}

TEST(modes_without_indentation)
{
	struct config *c =
	        good("group-policy X internal\ngroup-policy X attributes\nvpn-idle-timeout 7\nwebvpn\n"
	             "anyconnect mtu 1300\nexit\ndefault-domain value a.b\nhostname h\nwebvpn\nport 8443\n");
	const struct group_policy *p = config_find_group_policy(c, span_str("X"));
	assert_int_equal(p->attrs.v.mtu, 1300);
	assert_string_equal(p->attrs.v.default_domain, "a.b");
	assert_int_equal(c->webvpn.tls_port, 8443);
	config_put(c);
}

TEST(no_takes_back)
{
	check_printed("hostname a\nno hostname\n", 0, "");
	check_printed("ip local pool P 10.0.0.1-10.0.0.9\nno ip local pool P\n", 0, "");
	check_printed(
	        "username u password p\nusername u attributes\n vpn-idle-timeout 5\nno username u\n", 0, "");
	check_printed("group-policy X internal\ngroup-policy X attributes\n vpn-idle-timeout 5\n"
	              " vpn-idle-timeout alert-interval 2\n no vpn-idle-timeout\n",
	        0,
	        "group-policy X internal\ngroup-policy X attributes\n vpn-idle-timeout alert-interval 2\n");
	check_printed("webvpn\n enable outside\n no enable outside\n", 0, "");
	check_said("no ip local\n", "t:1:12: error: the line is incomplete: expected \"pool\"\n");
	/* built-in things stay, what was said inside them goes */
	struct config *c = good("group-policy DfltGrpPolicy attributes\n vpn-idle-timeout 5\nno group-policy "
	                        "DfltGrpPolicy\n");
	assert_int_equal(resolved(c, "DefaultWEBVPNGroup", "").idle_timeout_s, 1800);
	config_put(c);
}

TEST(later_lines_replace)
{
	check_printed("mtu outside 1400\nmtu inside 1300\nmtu outside 1500\n", 0,
	        "mtu outside 1500\nmtu inside 1300\n");
	check_printed("access-list A standard permit host 10.0.0.1\naccess-list A standard permit any4\n"
	              "access-list A standard permit any4\n",
	        0, "access-list A standard permit host 10.0.0.1\naccess-list A standard permit any4\n");
}

TEST(ignored_once_with_what_is_inside)
{
	check_said("interface GigabitEthernet0/0\n nameif outside\n ip address 10.0.0.1 255.0.0.0\n"
	           "interface GigabitEthernet0/1\n bogus\nhostname a\n bogus2\n",
	        "t:1:1: ignored: \"interface\" is outside the scope of this product (told once)\n"
	        "t:7:2: error: \"bogus2\" is not a command here\n");
	/* the same without indentation */
	check_said("interface Ethernet0\nzzzif outside\nhostname a\nzzzif x\n",
	        "t:1:1: ignored: \"interface\" is outside the scope of this product (told once)\n"
	        "t:4:1: error: \"zzzif\" is not a command here\n");
	check_said("access-list A extended permit tcp any any eq 80\ncrypto map M 1 match address X\nno "
	           "snmp-server location\n",
	        "t:1:1: ignored: \"access-list\" is outside the scope of this product (told once)\n"
	        "t:2:1: ignored: \"crypto map\" is outside the scope of this product (told once)\n"
	        "t:3:4: ignored: \"snmp-server\" is outside the scope of this product (told once)\n");
	check_said(": Saved\n!\n: end\nCryptochecksum:0123\n  ! x\r\n", "");
}

TEST(not_effective_is_said_unless_it_is_the_default)
{
	check_said("group-policy DfltGrpPolicy attributes\n webvpn\n  anyconnect ssl compression none\n"
	           "  anyconnect ssl compression lzs\n",
	        "t:4:3: warning: \"anyconnect ssl compression\" is accepted, but not effective yet\n");
}

TEST(old_words)
{
	check_printed("group-policy X internal\ngroup-policy X attributes\n webvpn\n  svc mtu 1300\n  svc "
	              "keepalive 60\n"
	              "  svc dpd-interval client none\n",
	        0,
	        "group-policy X internal\ngroup-policy X attributes\n webvpn\n  anyconnect mtu 1300\n"
	        "  anyconnect ssl keepalive 60\n  anyconnect dpd-interval client none\n");
}

TEST(one_error_for_a_mode_that_is_not_known)
{
	check_said("webvnp\n enable outside\n port 443\nwebvpn\n prot 443\n",
	        "t:1:1: error: \"webvnp\" is not a command here; the nearest is \"webvpn\"\n"
	        "t:5:2: error: \"prot\" is not a command here; the nearest is \"port\"\n");
}

/* "enable" and "arp" are commands to ignore, of the outermost mode. */
TEST(what_is_ignored_outside_ends_no_mode)
{
	check_said("webvpn\n enable outside none\n arp x\n dtls port 444\n",
	        "t:2:17: error: \"none\" is not understood: expected \"tls-only\"\n"
	        "t:3:2: error: \"arp\" is not a command here\n");
}

TEST(modes_of_commands_without_effect_are_skipped)
{
	check_said("crypto ca trustpoint T\n crl configure\n  no protocol ldap\n  cache-time 60\n",
	        "t:2:2: warning: \"crl\" is accepted, but not effective yet\n");
	/* what is understood counts all the same, however it is indented; behind it errors are errors again
	 */
	check_said("crypto ca trustpoint T\n crl configure\n   certificate-file x\n no what\n",
	        "t:2:2: warning: \"crl\" is accepted, but not effective yet\n"
	        "t:3:21: error: \"x\" is not understood: expected absolute path\n"
	        "t:4:5: error: \"what\" is not a command here\n");
}

TEST(an_open_quote_is_named)
{
	check_said("username u password \"a b\n",
	        "t:1:24: error: \"b\" is not understood: expected \"pbkdf2\", \"encrypted\", "
	        "\"nt-encrypted\", "
	        "\"mschap\" or \"privilege\"; a quote before it is not closed\n");
}

TEST(served_without_dtls_when_all_say_so)
{
	static const struct {
		const char *text;
		bool has_dtls;
	} rows[] = {
	        {"webvpn\n enable outside\n", true},
	        {"webvpn\n enable outside tls-only\n", false},
	        {"webvpn\n enable outside\n enable outside tls-only\n", false},
	        {"webvpn\n enable outside tls-only\n enable inside\n", true},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct text said;
		struct config *c = NULL;
		assert_int_equal(read_conf(rows[i].text, &said, &c), 0);
		assert_int_equal(c->webvpn.is_enabled, 1);
		assert_int_equal(c->webvpn.has_dtls, rows[i].has_dtls);
		text_done(&said);
		config_put(c);
	}
}

TEST(the_certificate_of_the_served_interface)
{
	static const char trustpoints[] = "crypto ca trustpoint A\ncrypto ca trustpoint B\n";
	static const struct {
		const char *lines, *name;
	} rows[] = {
	        {"ssl trust-point A\nssl trust-point B\n", "B"},
	        {"ssl trust-point A outside\nssl trust-point B inside\n", "A"},
	        {"ssl trust-point A outside\nssl trust-point B\n", "A"},
	        {"ssl trust-point A\nssl trust-point B inside\n", "A"},
	        {"ssl trust-point A outside\nssl trust-point B outside vpnlb-ip\n", "A"},
	        {"ssl trust-point A outside\nssl trust-point B domain b.example\n", "A"},
	        {"ssl trust-point B inside\n", "B"},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct text t = {0}, said;
		struct config *c = NULL;
		text_fmt(&t, "%s%swebvpn\n enable outside\n", trustpoints, rows[i].lines);
		assert_int_equal(read_conf(text_cstr(&t), &said, &c), 0);
		assert_string_equal(c->ssl.trustpoint, rows[i].name);
		text_done(&t);
		text_done(&said);
		config_put(c);
	}
}

TEST(each_line_of_a_banner_counts)
{
	static const char text[] = "group-policy G internal\ngroup-policy G attributes\n banner value ***\n"
	                           " banner value a\\nb\n banner value ***\n";
	struct text said, again = {0};
	struct config *c = NULL;
	assert_int_equal(read_conf(text, &said, &c), 0);
	assert_string_equal(c->policies[1].attrs.v.banner, "***\na\nb\n***");
	config_format(c, 0, &again);
	assert_non_null(
	        strstr(text_cstr(&again), " banner value ***\n banner value a\\nb\n banner value ***\n"));
	config_put(c);
	text_done(&said);
	text_done(&again);
}

TEST(secrets)
{
	static const struct {
		const char *line;
		enum secret_kind kind;
	} rows[] = {
	        {"username u password secret", SECRET_PLAIN},
	        {"username u password \"two words\"", SECRET_PLAIN},
	        {"username u password $y$j9T$x$y privilege 15", SECRET_CRYPT},
	        {"username u password $6$x$y", SECRET_CRYPT},
	        {"username u password $sha512$5000$c2FsdA==$aGFzaA== pbkdf2", SECRET_PBKDF2},
	        {"username u password $sha512$5000$c2FsdA==$aGFzaA==", SECRET_PBKDF2},
	        {"username u password ***** pbkdf2", SECRET_NONE},
	        {"username u password *****", SECRET_NONE},
	        {"username u password 0a1b2c encrypted", SECRET_NONE},
	        {"username u password plain pbkdf2", SECRET_NONE},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct text said;
		struct config *c = NULL;
		assert_int_equal(read_conf(rows[i].line, &said, &c), 0);
		assert_int_equal(c->users[0].kind, rows[i].kind);
		assert_int_equal(said.n > 0, rows[i].kind == SECRET_NONE);
		text_done(&said);
		config_put(c);
	}
}

TEST(limits)
{
	struct text said;
	struct config *c;
	char *big = malloc(CONFIG_MAX_BYTES + 2);
	memset(big, '!', CONFIG_MAX_BYTES + 1);
	big[CONFIG_MAX_BYTES + 1] = '\0';
	assert_int_equal(read_conf(big, &said, &c), ERR_TOO_LARGE);
	assert_string_equal(text_cstr(&said), "t:1:1: error: the file is larger than 4194304 bytes\n");
	text_done(&said);
	big[9000] = '\0';
	assert_int_equal(read_conf(big, &said, &c), ERR_CONFIG);
	assert_string_equal(text_cstr(&said), "t:1:1: error: the line is longer than 8192 bytes\n");
	text_done(&said);
	memset(big, '\n', CONFIG_MAX_LINES + 1);
	big[CONFIG_MAX_LINES + 1] = '\0';
	assert_int_equal(read_conf(big, &said, &c), ERR_TOO_LARGE);
	text_done(&said);
	for (size_t i = 0; i < 2000; i += 2)
		memcpy(big + i, "x\n", 2);
	big[2000] = '\0';
	assert_int_equal(read_conf(big, &said, &c), ERR_CONFIG);
	size_t n = 0;
	for (const char *p = text_cstr(&said); (p = strchr(p, '\n')) != NULL; p++)
		n++;
	assert_int_equal(n, CONFIG_MAX_ERRORS);
	text_done(&said);
	free(big);
}

TEST(logging_settings)
{
	struct config *c = good("hostname gw1\nlogging enable\nlogging trap 7\nlogging buffered err\n"
	                        "logging host inside 10.0.0.1\nlogging host inside 10.0.0.1 6/1470\n"
	                        "logging host dmz 2001:db8::1 udp/5514\nlogging device-id hostname\n"
	                        "logging message 722051 level 3\nno logging message 113019\n"
	                        "no logging message 722051\nlogging message 111008 level debugging\n"
	                        "logging facility 16\nno logging hide username\n");
	const struct logging_settings *l = &c->logging;
	assert_int_equal(l->trap_level, 7);
	assert_int_equal(l->buffered_level, 3);
	assert_int_equal(l->facility, 16);
	assert_int_equal(l->buffer_bytes, 4096);
	assert_true(l->is_device_hostname && l->shows_usernames);
	assert_int_equal(l->n_hosts, 3);
	assert_true(!l->hosts[0].is_tcp && l->hosts[0].port == 514);
	assert_true(l->hosts[1].is_tcp && l->hosts[1].port == 1470);
	assert_true(l->hosts[2].addr.family == 6 && l->hosts[2].port == 5514);
	assert_string_equal(l->hosts[2].interface, "dmz");
	assert_int_equal(l->n_rules, 3);
	assert_true(l->rules[0].id == 111008 && l->rules[0].level == 7 && !l->rules[0].is_off);
	assert_true(
	        l->rules[1].id == 113019 && l->rules[1].level == POLICY_LOG_LEVEL_OFF && l->rules[1].is_off);
	assert_true(l->rules[2].id == 722051 && l->rules[2].level == 3 && l->rules[2].is_off);
	config_put(c);
	check_said("logging host inside 10.0.0.1 tcp/1470 secure\n",
	        "t:1:1: warning: \"logging host\" is accepted, but not effective yet\n");
	check_said("logging host inside 10.0.0.1 sctp/1\n",
	        "t:1:30: error: \"sctp/1\" is not understood: expected udp/PORT or tcp/PORT, \"secure\" or "
	        "\"format\"\n");
	check_said("no logging message 99\n", "t:1:20: error: \"99\" is outside 100000-999999 (message)\n");
}

/* Settings that exist only as `no ...` are printed as such, and taken back by the line without it. */
TEST(negative_settings)
{
	check_printed("no logging message 722051\nno logging message 113019\nno logging hide username\n"
	              "logging message 722051\n",
	        0, "no logging hide username\nno logging message 113019\n");
	check_printed("no logging hide username\nlogging hide username\n", 0, "");
	check_printed("logging message 722051 level errors\nno logging message 722051 level errors\n", 0, "");
	check_printed("logging message 722051 level errors\nlogging message 722051 level 7\n", 0,
	        "logging message 722051 level 7\n");
	check_printed("logging hide username\nlogging message 722051\n", 0, "");
	check_printed("group-policy GP internal\ngroup-policy GP attributes\n vpn-idle-timeout 5\n"
	              "no logging message 722051\n",
	        0,
	        "no logging message 722051\ngroup-policy GP internal\ngroup-policy GP attributes\n"
	        " vpn-idle-timeout 5\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(errors_say_where_and_what),
	        cmocka_unit_test(references_must_exist),
	        cmocka_unit_test(abbreviations),
	        cmocka_unit_test(modes_by_indentation),
	        cmocka_unit_test(modes_without_indentation),
	        cmocka_unit_test(no_takes_back),
	        cmocka_unit_test(later_lines_replace),
	        cmocka_unit_test(ignored_once_with_what_is_inside),
	        cmocka_unit_test(not_effective_is_said_unless_it_is_the_default),
	        cmocka_unit_test(old_words),
	        cmocka_unit_test(one_error_for_a_mode_that_is_not_known),
	        cmocka_unit_test(what_is_ignored_outside_ends_no_mode),
	        cmocka_unit_test(modes_of_commands_without_effect_are_skipped),
	        cmocka_unit_test(an_open_quote_is_named),
	        cmocka_unit_test(served_without_dtls_when_all_say_so),
	        cmocka_unit_test(the_certificate_of_the_served_interface),
	        cmocka_unit_test(each_line_of_a_banner_counts),
	        cmocka_unit_test(secrets),
	        cmocka_unit_test(limits),
	        cmocka_unit_test(logging_settings),
	        cmocka_unit_test(negative_settings),
	};
	return RUN(tests);
}

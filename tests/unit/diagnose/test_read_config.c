#include "diagnose/readers.h"

#include "reader_lines.h"
#include "../unit.h"

static void check(const char *input, const char *want)
{
	reader_lines_check(&reader_config, input, want);
}

/* A device with what stands around the statements of interest. */
static const char device[] = ": Saved\n"
                             ":\n"
                             ": Serial Number: 9A0000000\n"
                             "ASA Version 9.17(1)\n"
                             "!\n"
                             "hostname ciscoasa\n"
                             "enable password ***** pbkdf2\n"
                             "names\n"
                             "ip local pool VPNPOOL 10.10.10.1-10.10.10.254 mask 255.255.255.0\n"
                             "ipv6 local pool VPN6 2001:db8:10::1/64 254\n"
                             "!\n"
                             "interface GigabitEthernet0/0\n"
                             " nameif outside\n"
                             " security-level 0\n"
                             " ip address 10.1.1.2 255.255.255.0\n"
                             "!\n"
                             "object network WEB\n"
                             " host 10.48.66.9\n"
                             "access-list OUT extended permit tcp any object WEB eq www\n"
                             "mtu outside 1500\n"
                             "mtu inside 9000\n"
                             "sysopt connection tcpmss 1380\n"
                             "no sysopt connection permit-vpn\n"
                             "crypto map M 10 match address L2L\n"
                             "crypto map M 10 set peer 198.51.100.1\n"
                             "crypto map M 20 set peer 198.51.100.2\n"
                             "crypto map M 65535 ipsec-isakmp dynamic D\n"
                             "crypto ca certificate chain SSLTP\n"
                             " certificate 01\n"
                             "    308202f7 30820260 a0030201 02020101\n"
                             "  quit\n"
                             "ssl server-version tlsv1.2 dtlsv1.2\n"
                             "ssl cipher tlsv1.2 custom \"AES256-SHA256:AES128-SHA256\"\n"
                             "ssl cipher dtlsv1.2 high\n"
                             "ssl trust-point SSLTP outside\n"
                             "webvpn\n"
                             " port 444\n"
                             " enable outside\n"
                             " enable dmz tls-only\n"
                             " dtls port 4443\n"
                             " anyconnect image disk0:/anyconnect-win-4.10.07073-webdeploy-k9.pkg 1\n"
                             " cache\n"
                             "  disable\n"
                             "group-policy DfltGrpPolicy attributes\n"
                             " vpn-idle-timeout 30\n"
                             " vpn-session-timeout none\n"
                             "group-policy \"Staff Policy\" internal\n"
                             "group-policy \"Staff Policy\" attributes\n"
                             " vpn-idle-timeout none\n"
                             " vpn-idle-timeout alert-interval 1\n"
                             " vpn-session-timeout 720\n"
                             " address-pools value VPNPOOL POOL2\n"
                             " ipv6-address-pools value VPN6\n"
                             " webvpn\n"
                             "  anyconnect ssl dtls none\n"
                             "  anyconnect mtu 1300\n"
                             "  anyconnect ssl df-bit-ignore enable\n"
                             "  anyconnect ssl keepalive 20\n"
                             "  anyconnect dpd-interval client none\n"
                             "  anyconnect dpd-interval gateway 300\n"
                             " split-tunnel-policy tunnelspecified\n"
                             "tunnel-group TG1 type remote-access\n"
                             "tunnel-group TG1 general-attributes\n"
                             " address-pool (outside) VPNPOOL\n"
                             " default-group-policy \"Staff Policy\"\n"
                             "tunnel-group TG1 webvpn-attributes\n"
                             " group-alias TG1 enable\n"
                             "tunnel-group 198.51.100.1 type ipsec-l2l\n"
                             "tunnel-group 198.51.100.1 ipsec-attributes\n"
                             " ikev1 pre-shared-key *****\n"
                             "username vpn password ***** pbkdf2 privilege 0\n"
                             "username vpn attributes\n"
                             " vpn-group-policy ac_users_group\n"
                             " webvpn\n"
                             "  anyconnect mtu 1200\n"
                             "!\n"
                             "policy-map global_policy\n"
                             " class inspection_default\n"
                             "  inspect dns\n"
                             "Cryptochecksum:0123456789abcdef\n"
                             ": end\n"
                             "hello world\n";

TEST(whole_device)
{
	check(device, "6: device 0 text=<ciscoasa>\n"
	              "9: pool-size 254 scope=<VPNPOOL>\n"
	              "10: pool-size 254 scope=<VPN6>\n"
	              "20: base-mtu 1500 scope=<outside>\n"
	              "21: base-mtu 9000 scope=<inside>\n"
	              "22: tcpmss 1380\n"
	              "25: l2l 1 scope=<M>\n"
	              "32: tls-version 0 text=<tlsv1.2>\n"
	              "33: tls-ciphers 0 text=<custom \"AES256-SHA256:AES128-SHA256\">\n"
	              "34: dtls-ciphers 0 text=<high>\n"
	              "37: tls-port 444\n"
	              "38: webvpn 1 scope=<outside>\n"
	              "39: webvpn 1 scope=<dmz>\n"
	              "39: dtls 0 scope=<dmz>\n"
	              "40: dtls-port 4443\n"
	              "44: group-policy 1 scope=<DfltGrpPolicy>\n"
	              "45: idle-timeout 30 scope=<DfltGrpPolicy>\n"
	              "46: session-timeout 0 scope=<DfltGrpPolicy>\n"
	              "47: group-policy 1 scope=<Staff Policy>\n"
	              "49: idle-timeout 0 scope=<Staff Policy>\n"
	              "51: session-timeout 720 scope=<Staff Policy>\n"
	              "52: pool4 1 scope=<Staff Policy> text=<VPNPOOL>\n"
	              "52: pool4 1 scope=<Staff Policy> text=<POOL2>\n"
	              "53: pool6 1 scope=<Staff Policy> text=<VPN6>\n"
	              "55: dtls 0 scope=<Staff Policy>\n"
	              "56: group-mtu 1300 scope=<Staff Policy>\n"
	              "57: df-ignore 1 scope=<Staff Policy>\n"
	              "59: dpd-client 0 scope=<Staff Policy>\n"
	              "60: dpd-gateway 300 scope=<Staff Policy>\n"
	              "64: pool4 1 scope=<TG1> text=<VPNPOOL>\n"
	              "65: policy-of-profile 0 scope=<TG1> text=<Staff Policy>\n"
	              "68: l2l 1 scope=<198.51.100.1>\n"
	              "73: user's policy-of-user 0 scope=<vpn> text=<ac_users_group>\n"
	              "75: user's group-mtu 1200 scope=<vpn>\n");
	reader_lines_check_claims(&reader_config, device,
	        "SWSSWSWWSSWWSSWWWWWSSSSWSSWWWWWSSSSSSSSSSWWSSSSSSWSSSSSSSSSSWSSSSSWSSWWSSSSWSWWSS-");
}

/* What stands in a policy may stand below a user, who is then not taken for one. */
TEST(settings_of_a_user)
{
	check("group-policy GP attributes\n"
	      " vpn-tunnel-protocol ikev1 ikev2\n"
	      "username alice attributes\n"
	      " vpn-group-policy GP\n"
	      " vpn-simultaneous-logins 1\n"
	      " vpn-idle-timeout 10\n"
	      " vpn-session-timeout none\n"
	      " vpn-tunnel-protocol ikev2 ssl-client\n"
	      " webvpn\n"
	      "  anyconnect mtu 1200\n"
	      "  anyconnect ssl df-bit-ignore enable\n"
	      "  anyconnect ssl dtls none\n"
	      "  anyconnect dpd-interval client 20\n"
	      " service-type remote-access\n"
	      "group-policy GP attributes\n"
	      " ipv6-address-pools none\n",
	        "1: group-policy 1 scope=<GP>\n"
	        "2: ssl-client 0 scope=<GP> text=<ikev1 ikev2>\n"
	        "4: user's policy-of-user 0 scope=<alice> text=<GP>\n"
	        "5: user's logins 1 scope=<alice>\n"
	        "6: user's idle-timeout 10 scope=<alice>\n"
	        "7: user's session-timeout 0 scope=<alice>\n"
	        "8: user's ssl-client 1 scope=<alice> text=<ikev2 ssl-client>\n"
	        "10: user's group-mtu 1200 scope=<alice>\n"
	        "11: user's df-ignore 1 scope=<alice>\n"
	        "12: user's dtls 0 scope=<alice>\n"
	        "13: user's dpd-client 20 scope=<alice>\n"
	        "16: pool6 0 scope=<GP>\n");
}

/* Release 8.2 and older. */
TEST(old_keywords)
{
	check("PIX Version 8.2(5)\n"
	      "ssl encryption aes256-sha1 rc4-sha1\n"
	      "ssl server-version any\n"
	      "group-policy G attributes\n"
	      " webvpn\n"
	      "  svc mtu 1200\n"
	      "  svc dtls enable\n"
	      "  svc df-bit-ignore disable\n"
	      "  svc dpd-interval gateway 30\n",
	        "2: tls-ciphers 0 text=<aes256-sha1 rc4-sha1>\n"
	        "3: tls-version 0 text=<any>\n"
	        "4: group-policy 1 scope=<G>\n"
	        "6: group-mtu 1200 scope=<G>\n"
	        "7: dtls 1 scope=<G>\n"
	        "8: df-ignore 0 scope=<G>\n"
	        "9: dpd-gateway 30 scope=<G>\n");
}

TEST(sysopt)
{
	check("ciscoasa# sh run all sysopt\n"
	      "no sysopt traffic detailed-statistics\n"
	      "sysopt connection tcpmss 1380\n"
	      "sysopt connection tcpmss minimum 0\n"
	      "sysopt connection permit-vpn\n",
	        "1: device 0 text=<ciscoasa>\n3: tcpmss 1380\n");
	check("no sysopt connection tcpmss\n", "1: tcpmss 0\n");
	check("no sysopt connection tcpmss 1380\n", "1: tcpmss 0\n");
	check("sysopt conn tcpmss 1460\n", "1: tcpmss 1460\n");
	check("sysopt conn tcpmss 99999999999\n", "");
	check("sys co tcpmss 1460\n", "");
}

/* As people type and paste it: abbreviated, without indentation, with prompts, indented as a whole. */
TEST(typed)
{
	check("group-policy G attr\nwebvpn\nanyconnect mtu 1300\nanyconnect ssl df-bit-ignore "
	      "enable\ntunnel-group T type remote-access\n"
	      "tunnel-group T general-attributes\ndefault-group-policy G\n",
	        "1: group-policy 1 scope=<G>\n3: group-mtu 1300 scope=<G>\n4: df-ignore 1 scope=<G>\n7: "
	        "policy-of-profile 0 scope=<T> text=<G>\n");
	check("fw1(config)# group-policy G attributes\nfw1(config-group-policy)# "
	      "webvpn\nfw1(config-group-webvpn)# anyconnect mtu 1300\n"
	      "fw1(config-group-webvpn)# exit\nfw1(config)# sysopt connection tcpmss 1400\n",
	        "1: group-policy 1 scope=<G>\n3: group-mtu 1300 scope=<G>\n5: tcpmss 1400\n");
	check("    group-policy G attributes\n     vpn-idle-timeout 10\n     webvpn\n      anyconnect mtu "
	      "1300\n    group-policy H attributes\n     vpn-idle-timeout 20\n"
	      "    webvpn\n     enable outside\n",
	        "1: group-policy 1 scope=<G>\n2: idle-timeout 10 scope=<G>\n4: group-mtu 1300 scope=<G>\n5: "
	        "group-policy 1 scope=<H>\n6: idle-timeout 20 scope=<H>\n"
	        "8: webvpn 1 scope=<outside>\n");
}

TEST(several_devices)
{
	check("fw1/pri/act# show running-config\n: Saved\nASA Version 9.1(2)\nhostname fw1\ngroup-policy G "
	      "attributes\n vpn-idle-timeout 10\n: end\n"
	      "> show running-config\n: Saved\nNGFW Version 7.0.1\nhostname ftd\nvpn-idle-timeout "
	      "11\ngroup-policy G attributes\n vpn-idle-timeout 20\n",
	        "1: device 0 text=<fw1>\n4: device 0 text=<fw1>\n5: group-policy 1 scope=<G>\n6: "
	        "idle-timeout 10 scope=<G>\n"
	        "11: device 0 text=<ftd>\n14: idle-timeout 20 scope=<G>\n");
}

TEST(foreign)
{
	/* a router's configuration, prose, a log in the middle */
	reader_lines_check_claims(&reader_config,
	        "hostname R1\n!\nip local pool P 10.0.0.1 10.0.0.9\ncrypto map M 10 ipsec-isakmp\nwebvpn "
	        "gateway GW\ninterface Gi0/0\n mtu 1500\nusername joe secret x\n",
	        "W-W-----");
	reader_lines_check_claims(&reader_config,
	        "dear all,\nthe mtu is wrong\nport 443\nenable outside\nmtu = 1400\nanyconnect-win.pkg\n",
	        "------");
	reader_lines_check_claims(&reader_config,
	        "ASA Version 9.1(2)\nsame-security-traffic permit inter-interface\n<166>%ASA-6-722036: "
	        "x\nNov 16 01:00:00 x\nobject network X\n",
	        "SS--W");
	check("group-policy G attributes\nport 443\nenable outside\nhello\n",
	        "1: group-policy 1 scope=<G>\n");
	check("ASA Version 9\nip local pool P 10.0.0.9-10.0.0.1\nip local pool P x-y\nipv6 local pool P "
	      "2001:db8::1/64 many\nip local pool Q 0.0.0.0-255.255.255.255\n",
	        "5: pool-size 4294967295 scope=<Q>\n");
	check("group-policy \"unclosed attributes\ngroup-policy\ngroup-policy \"\" "
	      "attributes\ntunnel-group\n",
	        "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(whole_device),
	        cmocka_unit_test(settings_of_a_user),
	        cmocka_unit_test(old_keywords),
	        cmocka_unit_test(sysopt),
	        cmocka_unit_test(typed),
	        cmocka_unit_test(several_devices),
	        cmocka_unit_test(foreign),
	};
	return RUN(tests);
}

#include "client_lines.h"

#define W "ocserv[79]: worker[alice]: 192.0.2.5 "
#define M "ocserv[71]: main[alice]:192.0.2.5:40692 "

TEST(a_session_whose_udp_falls_silent)
{
	assert_lines_of_users(&reader_ocserv,
	        "ocserv[71]: main: initialized ocserv 1.1.6\n" M "new user session\n" M
	        "assigned IPv4: 10.8.0.5\n" W "suggesting DPD of 90 secs\n" W "sending IPv4 10.8.0.5\n" W
	        "setting data MTU to 1434\n" M "user logged in\n" W
	        "DTLS handshake completed (link MTU: 1500, data MTU: 1434)\n" W
	        "worker-vpn.c:1100: have not received any UDP message or DPD for long (181 secs, DPD is "
	        "90)\n" W "have not received any UDP message or DPD for long (271 secs, DPD is 90)\n" W
	        "have not received TCP DPD for long (271 secs)\n" M
	        "user disconnected (reason: user disconnected, rx: 924, tx: 1580)\n",
	        "4 ocserv-dpd=90\n"
	        "6 - mtu size=1434 limit=1434 inner=10.8.0.5 user=alice from=192.0.2.5\n"
	        "7 - connected inner=10.8.0.5 user=alice from=192.0.2.5\n"
	        "8 - up dtls inner=10.8.0.5 user=alice from=192.0.2.5\n"
	        "9 - stall dtls dpd inner=10.8.0.5 user=alice from=192.0.2.5 \"have not received any UDP "
	        "message or DPD for long (181 secs, DPD is 90)\"\n"
	        "11 - dpd-dead tls dpd inner=10.8.0.5 user=alice from=192.0.2.5 \"have not received TCP DPD "
	        "for long (271 secs)\"\n"
	        "12 - end user inner=10.8.0.5 user=alice from=192.0.2.5 \"user disconnected\"\n");
}

/* As 1.1.6 says it. */
TEST(silence_on_udp)
{
	assert_lines(&reader_ocserv,
	        W "No UDP data received for 13 seconds, using TCP instead\n" W
	          "have not received any UDP message or DPD for long (40 secs, DPD is 5)\n" W
	          "worker-vpn.c:1300: have not received UDP message or DPD for very long; disabling UDP "
	          "port\n" M "user logged in\n" M "user disconnected (reason: DPD timeout, rx: 0, tx: 656)\n",
	        "1 - stall dtls dpd \"No UDP data received for 13 seconds, using TCP instead\"\n4 - "
	        "connected\n"
	        "5 - end dpd \"DPD timeout\"\n");
}

TEST(reasons_of_the_end)
{
	static const char *const rows[][2] = {{"idle timeout", "end idle"},
	        {"session timeout", "end max-time"}, {"server disconnected", "end admin"},
	        {"unspecified error", "lost error"}, {"unspecified", "lost"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text in = {0}, want = {0};
		text_fmt(&in, "%suser logged in\n%suser disconnected (reason: %s, rx: 0, tx: 524)\n", M, M,
		        rows[i][0]);
		text_fmt(&want, "1 - connected\n2 - %s \"%s\"\n", rows[i][1], rows[i][0]);
		assert_lines(&reader_ocserv, text_cstr(&in), text_cstr(&want));
		text_done(&in);
		text_done(&want);
	}
	assert_lines(&reader_ocserv,
	        M "user logged in\n" M "user disconnected (reason: unspecified error, rx: 0, tx: 524)\n" M
	          "user logged in\n",
	        "1 - connected\n2 - lost error \"unspecified error\"\n3 - resumed\n");
	/* of a login that came to nothing */
	assert_lines(&reader_ocserv, M "user disconnected (reason: unspecified, rx: 0, tx: 0)\n", "");
}

TEST(refusals)
{
	assert_lines_of_users(&reader_ocserv,
	        M "ip-lease.c:285: could not figure out a valid IPv4 IP\n" M
	          "failed authentication attempt for user 'alice'\n" W
	          "failed cookie authentication attempt\n",
	        "1 - pool-exhausted user=alice from=192.0.2.5 \"could not figure out a valid IPv4 IP\"\n");
	assert_lines_of_users(&reader_ocserv,
	        "ocserv[9]: sec-mod: auth cont for user 'bob' (session: H8j6hx)\n"
	        "ocserv[7]: main: added 1 points (total 1) for IP '192.0.2.7' to ban list\n"
	        "ocserv[7]: main: added 10 points (total 11) for IP '192.0.2.7' to ban list\n"
	        "ocserv[7]: main: added 10 points (total 21) for IP '192.0.2.7' to ban list\n",
	        "3 - rejected user=bob from=192.0.2.7 \"added 10 points (total 11) for IP '192.0.2.7' to ban "
	        "list\"\n");
	assert_lines_of_users(&reader_ocserv,
	        "ocserv[9]: worker[bob]: 192.0.2.7 worker-auth.c:1724: failed authentication for 'bob'\n",
	        "1 - rejected user=bob from=192.0.2.7 \"failed authentication for 'bob'\"\n");
	assert_lines_of_users(&reader_ocserv,
	        "Nov 14 18:53:16 oc ocserv[12]: pam_sss(ocserv:auth): authentication failure; logname= uid=0 "
	        "euid=0 tty= ruser= rhost=192.0.2.7 user=bob\n",
	        "1 2014-11-14 18:53:16 rejected user=bob from=192.0.2.7 on=oc \"pam_sss(ocserv:auth): "
	        "authentication failure; logname= uid=0 euid=0 tty= ruser= rhost=192.0.2.7 user=bob\"\n");
}

TEST(forms_of_lines)
{
	assert_lines_of_users(&reader_ocserv,
	        "Oct 26 11:41:11 dmz ocserv[29972]: main[lar]: 192.0.2.5:54665 user logged in\n"
	        "2014-10-26T11:41:12.5+01:00 dmz ocserv[29972]: main[lar]: [fd10::5]:54665 user logged in\n"
	        "2014-10-26T11:41:12Z ocserv[29972]: worker[lar]: fd10::5 client disconnected prematurely\n"
	        "Oct 26 11:41:13 dmz ocserv[1]: worker: 192.0.2.5 worker-vpn.c:544: GnuTLS error (at "
	        "worker-vpn.c:433): No supported cipher suites have been found.\n"
	        "Oct 26 11:41:13 dmz ocserv[1]: worker: 192.0.2.5 GnuTLS error (at worker-vpn.c:433): No "
	        "supported cipher suites have been found.\n",
	        "1 2014-10-26 11:41:11 connected user=lar from=192.0.2.5 on=dmz\n"
	        "2 2014-10-26 10:41:12.500Z connected user=lar from=fd10::5 on=dmz\n"
	        "3 2014-10-26 11:41:12Z down tls user=lar from=fd10::5 \"client disconnected prematurely\"\n"
	        "4 2014-10-26 11:41:13 cipher-mismatch tls from=192.0.2.5 on=dmz \"GnuTLS error (at "
	        "worker-vpn.c:433): No supported cipher suites have been found.\"\n"
	        "5 2014-10-26 11:41:13 cipher-mismatch tls from=192.0.2.5 on=dmz \"GnuTLS error (at "
	        "worker-vpn.c:433): No supported cipher suites have been found.\"\n");
}

TEST(configuration)
{
	assert_lines(&reader_ocserv,
	        "isolate-workers = true\nudp-port = 8443\n# dpd = 10\ndpd = 90\nmobile-dpd = "
	        "1800\nswitch-to-tcp-timeout = 25\n"
	        "try-mtu-discovery = false\nmtu = 1420\nroute = default\n",
	        "2 dtls-port=8443\n4 ocserv-dpd=90\n6 dtls-to-tls=25\n7 mtu-discovery=0\n8 "
	        "ocserv-mtu=1420\n");
}

TEST(foreign_lines)
{
	assert_foreign(&reader_ocserv,
	        "mtu = 1500\ndpd = 3\n# x\nkey = value\n= \nudp-port = 443\nocserv[\nocserv[x]: "
	        "y\nocserv[1]\nocserv[1]x\n"
	        "Oct 26 11:41:11 dmz sshd[1]: main[lar]: 192.0.2.5 user logged in\n\n");
}

TEST(broken_off_anywhere)
{
	static const char whole[] =
	        "2014-10-26T11:41:12.5+01:00 dmz ocserv[29972]: main[lar]: [fd10::5]:54665 user disconnected "
	        "(reason: x, rx: 1\n" M
	        "added 10 points (total 11) for IP '192.0.2.7' to ban list\nswitch-to-tcp-timeout = 25\n";
	for (size_t n = 0; n < sizeof(whole); n++) {
		char *part = strndup(whole, n);
		struct lines_run r = {0};
		free(lines_read(&reader_ocserv, part, &r));
		free(part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_session_whose_udp_falls_silent),
	        cmocka_unit_test(silence_on_udp),
	        cmocka_unit_test(reasons_of_the_end),
	        cmocka_unit_test(refusals),
	        cmocka_unit_test(forms_of_lines),
	        cmocka_unit_test(configuration),
	        cmocka_unit_test(foreign_lines),
	        cmocka_unit_test(broken_off_anywhere),
	};
	return RUN(tests);
}

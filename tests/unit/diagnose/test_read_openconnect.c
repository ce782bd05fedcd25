#include "client_lines.h"

#define T(s, text) "[2013-11-16 12:01:" s "] " text "\n"

#define LOGIN                                                                                                \
	T("41", "POST https://192.0.2.1/")                                                                   \
	T("41", "Attempting to connect to server 192.0.2.1:443")                                             \
	T("41", "Connected to 192.0.2.1:443")                                                                \
	T("41", "SSL negotiation with 192.0.2.1")                                                            \
	T("41", "Connected to HTTPS on 192.0.2.1 with ciphersuite (TLS1.3)-(ECDHE-SECP256R1)-(AES-256-GCM)") \
	T("41", "Got HTTP response: HTTP/1.1 200 OK")                                                        \
	"Please enter your "                                                                                 \
	"username.\nUsername:alice\n"

#define CONNECT                                                                                              \
	T("41", "Got CONNECT response: HTTP/1.1 200 CONNECTED")                                              \
	T("41", "X-CSTP-Address: 10.8.0.5")                                                                  \
	T("41", "X-CSTP-Address-IP6: fd10:12::46aa/128")                                                     \
	T("41", "X-CSTP-DPD: 5")                                                                             \
	T("41", "X-DTLS-MTU: 1418")                                                                          \
	T("41", "X-CSTP-MTU: 1347")                                                                          \
	T("41", "CSTP connected. DPD 5, Keepalive 300") T("41", "DTLS initialised. DPD 7, Keepalive 300")

TEST(udp_dies_and_returns)
{
	assert_lines_of_users(&reader_openconnect,
	        LOGIN CONNECT T("41", "Established DTLS connection (using GnuTLS). Ciphersuite "
	                              "(DTLS1.2)-(PSK)-(AES-256-GCM).") T("41",
	                "Initiating MTU detection (min=576, max=1434)") T("42",
	                "Detected MTU of 1284 bytes (was 1434)") T("42",
	                "Configured as 10.8.0.5 + fd10:12::46aa/128, with SSL connected and DTLS connected")
	                T("47", "Send DTLS DPD") T("53", "DTLS Dead Peer Detection detected dead peer!") T(
	                        "58", "DTLS handshake timed out")
	                        T("58", "DTLS handshake failed: Resource temporarily unavailable, try again.")
	                                T("59", "Established DTLS connection (using GnuTLS). Ciphersuite "
	                                        "(DTLS1.2)-(PSK)-(AES-256-GCM).")
	                                        T("59", "Send BYE packet: Aborted by caller")
	                                                T("59", "User cancelled (SIGINT/SIGTERM); exiting."),
	        "15 2013-11-16 12:01:41 up tls inner=10.8.0.5 user=alice peer=192.0.2.1 "
	        "\"(TLS1.3)-(ECDHE-SECP256R1)-(AES-256-GCM)\"\n"
	        "15 2013-11-16 12:01:41 mtu size=1347 limit=1418 inner=10.8.0.5 user=alice peer=192.0.2.1\n"
	        "15 dpd=5 tls\n"
	        "15 2013-11-16 12:01:41 connected inner=10.8.0.5 user=alice peer=fd10:12::46aa\n"
	        "16 dpd=7 dtls\n"
	        "17 2013-11-16 12:01:41 up dtls inner=10.8.0.5 user=alice peer=192.0.2.1 "
	        "\"(DTLS1.2)-(PSK)-(AES-256-GCM)\"\n"
	        "19 2013-11-16 12:01:42 mtu limit=1284 adapter=1284 inner=10.8.0.5 user=alice "
	        "peer=192.0.2.1\n"
	        "22 2013-11-16 12:01:53 stall dtls dpd inner=10.8.0.5 user=alice peer=192.0.2.1\n"
	        "23 2013-11-16 12:01:58 failed dtls inner=10.8.0.5 user=alice peer=192.0.2.1 \"DTLS "
	        "handshake timed out\"\n"
	        "25 2013-11-16 12:01:59 up dtls inner=10.8.0.5 user=alice peer=192.0.2.1 "
	        "\"(DTLS1.2)-(PSK)-(AES-256-GCM)\"\n"
	        "27 2013-11-16 12:01:59 end user inner=10.8.0.5 user=alice peer=192.0.2.1\n");
}

#define UP "Configured as 10.8.0.5, with SSL connected and DTLS connected\n"

TEST(everything_dies_and_returns)
{
	assert_lines(&reader_openconnect,
	        UP
	        "DTLS Dead Peer Detection detected dead peer!\nConnect UDP socket: Network is unreachable\n"
	        "CSTP Dead Peer Detection detected dead peer!\nFailed to reconnect to host 192.0.2.1: "
	        "Network is unreachable\n"
	        "sleep 10s, remaining timeout 20s\nFailed to reconnect to host 192.0.2.1: Network is "
	        "unreachable\n"
	        "sleep 20s, remaining timeout 10s\nSSL negotiation with 192.0.2.1\n"
	        "Got CONNECT response: HTTP/1.1 200 CONNECTED\nX-CSTP-Server-Name: ocserv 1.1.6\nX-CSTP-MTU: "
	        "1434\nCSTP connected. DPD 5, "
	        "Keepalive 300\n"
	        "Read error on SSL session: Error in the pull function.\nSSL negotiation with 192.0.2.1\n"
	        "CSTP connected. DPD 5, Keepalive 300\n"
	        "Received server disconnect: b0 'Administrator Reset'\nSend BYE packet: Server request\n"
	        "Session terminated by server; exiting.\n",
	        "1 - connected inner=10.8.0.5\n2 - stall dtls dpd inner=10.8.0.5\n"
	        "3 - failed dtls inner=10.8.0.5 \"Connect UDP socket: Network is unreachable\"\n4 - dpd-dead "
	        "tls dpd inner=10.8.0.5\n"
	        "5 - lost inner=10.8.0.5 \"Network is unreachable\"\n"
	        "13 - up tls inner=10.8.0.5\n13 - mtu size=1434 inner=10.8.0.5\n13 ocserv-dpd=5 tls\n13 - "
	        "resumed "
	        "inner=10.8.0.5\n"
	        "14 - down tls inner=10.8.0.5 \"Error in the pull function.\"\n"
	        "16 - up tls inner=10.8.0.5\n16 - mtu size=1434 inner=10.8.0.5\n16 - "
	        "resumed "
	        "inner=10.8.0.5\n"
	        "19 - end admin inner=10.8.0.5 \"Administrator Reset\"\n");
}

TEST(refusals)
{
	assert_lines(&reader_openconnect,
	        LOGIN "Login failed.\nPlease enter your password.\nFailed to complete authentication\n",
	        "9 - rejected \"Login failed\"\n");
	assert_lines(&reader_openconnect,
	        T("40", "SSL negotiation with 192.0.2.1") T(
	                "40", "SSL connection failure: No supported cipher suites have been found.") T("40",
	                "Failed to open HTTPS connection to 192.0.2.1") "Failed to complete authentication\n",
	        "2 2013-11-16 12:01:40 cipher-mismatch tls \"No supported cipher suites have been "
	        "found.\"\n");
	assert_lines(&reader_openconnect,
	        "Got inappropriate HTTP CONNECT response: HTTP/1.1 503 Service Unavailable\nX-Reason: No "
	        "address available\n",
	        "1 - connect-failed \"Service Unavailable\"\n2 - pool-exhausted \"No address available\"\n");
	assert_lines(&reader_openconnect,
	        UP "Got inappropriate HTTP CONNECT response: HTTP/1.1 401 Unauthorized\n",
	        "1 - connected inner=10.8.0.5\n"
	        "2 - end forgotten inner=10.8.0.5 \"Got inappropriate HTTP CONNECT response: HTTP/1.1 401 "
	        "Unauthorized\"\n");
	assert_lines(&reader_openconnect, UP "Cookie is no longer valid, ending session\n",
	        "1 - connected inner=10.8.0.5\n2 - end forgotten inner=10.8.0.5 \"Cookie is no longer valid, "
	        "ending session\"\n");
}

TEST(a_first_connect_that_is_refused)
{
	assert_lines(&reader_openconnect,
	        "Got inappropriate HTTP CONNECT response: HTTP/1.1 401 Cookie is not acceptable\n",
	        "1 - connect-failed \"Cookie is not acceptable\"\n");
}

TEST(no_session_at_all)
{
	assert_lines(&reader_openconnect,
	        T("39", "Failed to connect to 192.0.2.1:443: Connection refused") T(
	                "39", "Failed to connect to host 192.0.2.1") T("39",
	                "Failed to open HTTPS connection to 192.0.2.1") "Failed to complete authentication\n",
	        "3 2013-11-16 12:01:39 connect-failed \"Failed to open HTTPS connection to 192.0.2.1\"\n");
	assert_lines(&reader_openconnect,
	        T("39", "POST https://192.0.2.1/") T("39", "Attempting to connect to server 192.0.2.1:443") T(
	                "39", "Failed to connect to 192.0.2.1:443: Connection refused") T("39",
	                "Failed to connect to host 192.0.2.1") T("39",
	                "Failed to open HTTPS connection to 192.0.2.1") "Failed to complete authentication\n",
	        "3 2013-11-16 12:01:39 connect-failed \"Failed to connect to 192.0.2.1:443: Connection "
	        "refused\"\n");
	assert_lines(&reader_openconnect,
	        "Attempting to connect to server 192.0.2.1:443\n"
	        "Server certificate verify failed: signer not found\n"
	        "SSL connection failure: Error in the certificate.\n"
	        "Failed to open HTTPS connection to 192.0.2.1\nFailed to complete authentication\n",
	        "3 - connect-failed \"certificate not accepted: signer not found\"\n");
	assert_lines(&reader_openconnect,
	        "getaddrinfo failed for host 'vpn.example.invalid': Name or service not known\n"
	        "Failed to open HTTPS connection to vpn.example.invalid\n",
	        "1 - connect-failed \"getaddrinfo failed for host 'vpn.example.invalid': Name or service not "
	        "known\"\n");
}

TEST(the_gateway_offers_no_dtls)
{
	assert_lines(&reader_openconnect,
	        "Got CONNECT response: HTTP/1.1 200 CONNECTED\nX-CSTP-MTU: 1472\n"
	        "CSTP connected. DPD 5, Keepalive 300\nNo DTLS address\n"
	        "Set up UDP failed; using SSL instead\n",
	        "3 - up tls\n3 - mtu size=1472\n3 dpd=5 tls\n3 - connected\n");
	assert_lines(&reader_openconnect,
	        "Got CONNECT response: HTTP/1.1 200 CONNECTED\nX-CSTP-MTU: 1472\nX-DTLS-App-ID: 929b\n"
	        "CSTP connected. DPD 5, Keepalive 300\nSet up UDP failed; using SSL instead\n",
	        "4 - up tls\n4 - mtu size=1472\n4 dpd=5 tls\n4 - connected\n"
	        "5 - failed dtls \"Set up UDP failed; using SSL instead\"\n");
}

/* The server's farewell has no reason; the time it announced has come. */
TEST(longest_time_of_a_session)
{
	assert_lines(&reader_openconnect,
	        T("40", "CSTP connected. DPD 5, Keepalive 300")
	                T("40", "Session authentication will expire at Sat Nov 16 12:01:50 2013")
	                        T("52", "Received server disconnect")
	                                T("52", "Session terminated by server; exiting."),
	        "1 2013-11-16 12:01:40 up tls\n1 dpd=5 tls\n1 2013-11-16 12:01:40 connected\n"
	        "4 2013-11-16 12:01:52 end max-time\n");
}

/* Under the name of the service that runs it, among others; in a container; with a time of its own. */
TEST(other_heads)
{
	assert_lines(&reader_openconnect,
	        "Nov 16 12:01:40 laptop vpn-up[7]: CSTP connected. DPD 5, Keepalive 300\n"
	        "Nov 16 12:01:41 laptop sshd[9]: Authentication failed for root\n"
	        "Nov 16 12:01:42 laptop vpn-up[7]: User cancelled (SIGINT/SIGTERM); exiting.\n",
	        "1 2014-11-16 12:01:40 up tls\n1 dpd=5 tls\n1 2014-11-16 12:01:40 connected\n"
	        "3 2014-11-16 12:01:42 end user\n");
	assert_lines(&reader_openconnect,
	        "vpn-1    | [2013-11-16 12:01:40] CSTP connected. DPD 5, Keepalive 300\nvpn-1    | \n",
	        "1 2013-11-16 12:01:40 up tls\n1 dpd=5 tls\n1 2013-11-16 12:01:40 connected\n");
	assert_lines(&reader_openconnect,
	        "Nov 16 12:01:40 laptop openconnect[7]: [2014-11-16 13:01:40] Established DTLS connection "
	        "(using "
	        "GnuTLS).\n",
	        "1 2014-11-16 12:01:40 up dtls\n");
}

/* Two runs in one file: the first one was killed. */
TEST(a_run_after_a_run)
{
	assert_lines(&reader_openconnect,
	        "CSTP connected. DPD 5, Keepalive 300\nCSTP Dead Peer Detection detected dead peer!\n"
	        "POST https://192.0.2.1/\nCSTP connected. DPD 5, Keepalive 300\n",
	        "1 - up tls\n1 dpd=5 tls\n1 - connected\n2 - dpd-dead tls dpd\n4 - up tls\n4 - connected\n");
}

TEST(forms_of_lines)
{
	assert_lines_of_users(&reader_openconnect,
	        "Oct 19 17:06:27 lap NetworkManager[949]: <info> VPN connected\n"
	        "Oct 19 17:06:27 lap openconnect[16363]: Connected vpn0 as 10.8.0.5, using SSL\n"
	        "Oct 19 17:06:27 lap openconnect[16363]: Established DTLS connection (using OpenSSL)\n"
	        "Oct 19 17:07:57 lap openconnect[16363]: DTLS Dead Peer Detection detected dead peer!\n",
	        "2 2014-10-19 17:06:27 connected inner=10.8.0.5 on=lap\n"
	        "3 2014-10-19 17:06:27 up dtls inner=10.8.0.5 on=lap\n"
	        "4 2014-10-19 17:07:57 stall dtls dpd inner=10.8.0.5 on=lap\n");
	assert_lines(&reader_openconnect,
	        "2013-11-10 04:01:31 | 2bf4 | Connected as 10.8.0.5, using SSL\n2013-11-10 04:01:33 | 2bf4 | "
	        "DTLS handshake failed: x\n"
	        "2013-11-10\t04:01:35\tINFO\tPID:3412\tTID:25900\t<VPNAuth.cpp>\t[L:271]\t[PRG_ERR] : DTLS "
	        "Dead Peer Detection detected dead peer!\n"
	        "2013-11-10 04:02 CSTP Dead Peer Detection detected dead peer!\n",
	        "1 2013-11-10 04:01:31 connected inner=10.8.0.5\n2 2013-11-10 04:01:33 failed dtls "
	        "inner=10.8.0.5 \"DTLS handshake failed: x\"\n"
	        "3 2013-11-10 04:01:35 stall dtls dpd inner=10.8.0.5\n4 2013-11-10 04:02:00 dpd-dead tls dpd "
	        "inner=10.8.0.5\n");
}

TEST(foreign_lines)
{
	assert_foreign(&reader_openconnect,
	        "[2013-11-16 12:01:41] something else\nLogin failed\nX-CSTP-MTU: 1347\nUser cancelled\n\n"
	        "Nov 16 01:28:50 asa %ASA-6-722051: Group <g> User <u> IP <10.1.1.1> Connected\n"
	        "2013-11-16 12:01 x\n2\n[\n[2\n2013-99-99 99:99 DTLS\n");
}

TEST(broken_off_anywhere)
{
	static const char whole[] = LOGIN CONNECT "Received server disconnect: b0 'x'\nNov 16 01:28:50 h "
	                                          "openconnect[1]: Connected as 1.2.3.4, using SSL\n";
	for (size_t n = 0; n < sizeof(whole); n++) {
		char *part = strndup(whole, n);
		struct lines_run r = {0};
		free(lines_read(&reader_openconnect, part, &r));
		free(part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(udp_dies_and_returns),
	        cmocka_unit_test(everything_dies_and_returns),
	        cmocka_unit_test(refusals),
	        cmocka_unit_test(a_first_connect_that_is_refused),
	        cmocka_unit_test(no_session_at_all),
	        cmocka_unit_test(the_gateway_offers_no_dtls),
	        cmocka_unit_test(longest_time_of_a_session),
	        cmocka_unit_test(a_run_after_a_run),
	        cmocka_unit_test(other_heads),
	        cmocka_unit_test(forms_of_lines),
	        cmocka_unit_test(foreign_lines),
	        cmocka_unit_test(broken_off_anywhere),
	};
	return RUN(tests);
}

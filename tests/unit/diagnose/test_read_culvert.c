#include "client_lines.h"

#define E(time, code, text)                                                                                  \
	"{\"t\":\"2013-11-26T12:09:" time                                                                    \
	"Z\",\"type\":\"Information\",\"source\":\"culvert\",\"code\":" #code ",\"text\":\"" text "\"}\n"

TEST(events_of_a_classic_client)
{
	assert_lines(&reader_culvert_events,
	        E("01.059", 0, "An SSL VPN connection to 192.0.2.1 has been requested by the user.") E(
	                "01.083", 0,
	                "Received VPN Session Configuration Settings: SSL MTU: 1350, DTLS MTU: 1434, Split "
	                "Include: 1, Split Exclude: 0, SSL DPD: 30, SSL KeepAlive: 20, DTLS DPD: 30, DTLS "
	                "KeepAlive: 20, Session Timeout: 0") E("01.085", 0,
	                "A SSL connection has been established using cipher TLS_AES_256_GCM_SHA384") E("01."
	                                                                                               "085",
	                0, "The Primary SSL connection has been established") E("01.085", 0,
	                "Message type information sent to the user: Connected to 192.0.2.1.") E("01.085", 0,
	                "A complete VPN connection has been established.") E("01.085", 0,
	                "Establishing the Primary DTLS connection") E("07.000", 0,
	                "The Primary DTLS connection is down: given up after 6 s") E("07.000", 16,
	                "Reconfigure reason code 16: New MTU configuration.") E("07.000", 0,
	                "The entire VPN connection is being reconfigured.") E("07.000", 0,
	                "Message type information sent to the user: Reconnecting to 192.0.2.1...") E("07.000",
	                0,
	                "A new MTU needs to be applied to the VPN network interface. Disabling and "
	                "re-enabling the Virtual Adapter. Applications utilizing the private network may "
	                "need to be restarted.") E("08.000", 0,
	                "Message type information sent to the user: Connected to 192.0.2.1.") E("09.000", 0,
	                "Message type information sent to the user: Disconnect in progress, please wait...")
	                E("09.000", 0,
	                        "The VPN client has sent a close message to the gateway: \\\"Ended by the "
	                        "user.\\\", Severity 5, Type 16")
	                        E("09.100", 0, "culvert ends with status 0."),
	        "2 2013-11-26 12:09:01.083Z mtu size=1350 limit=1434\n2 dpd=30 tls\n2 dpd=30 dtls\n"
	        "3 2013-11-26 12:09:01.085Z up tls \"TLS_AES_256_GCM_SHA384\"\n"
	        "5 2013-11-26 12:09:01.085Z connected\n"
	        "8 2013-11-26 12:09:07Z failed dtls \"given up after 6 s\"\n"
	        "9 2013-11-26 12:09:07Z reconfigure code=16 \"New MTU configuration.\"\n"
	        "12 2013-11-26 12:09:07Z bounce\n"
	        "13 2013-11-26 12:09:08Z resumed\n"
	        "16 2013-11-26 12:09:09.100Z end user\n");
}

TEST(events_of_a_seamless_client)
{
	assert_lines(&reader_culvert_events,
	        E("01", 0, "A complete VPN connection has been established.") E("01", 0,
	                "A DTLS connection has been established using cipher PSK-AES256-GCM-SHA384") E("02",
	                0, "Data goes by tls now, before by dtls: no answer (after 150 ms).") E("02", 0,
	                "Message type information sent to the user: UDP lost, continuing over TLS.") E("06",
	                0,
	                "The largest packet of the DTLS tunnel is 1280 bytes now, before 1434: probe lost.")
	                E("06", 0, "The adapter's MTU changed in place from 1434 to 1280.") E(
	                        "06", 0, "The computer has resumed after a suspend of 312 s.") E("13", 0,
	                        "Message type information sent to the user: UDP back.") E("14", 6,
	                        "Low level reconnect reason code 6: \\\"Reconnecting due to the disruption "
	                        "of the VPN connection to the secure gateway.\\\" (no answer to DPD)") E("15",
	                        0, "The gateway ended the session: Idle Timeout") E("16", 0,
	                        "Login failed.") E("17", 0,
	                        "The gateway cannot give a tunnel now: No address available (HTTP 503)."),
	        "1 2013-11-26 12:09:01Z connected\n2 2013-11-26 12:09:01Z up dtls \"PSK-AES256-GCM-SHA384\"\n"
	        "4 2013-11-26 12:09:02Z down dtls \"UDP lost, continuing over TLS.\"\n"
	        "5 2013-11-26 12:09:06Z mtu limit=1280 \"probe lost\"\n6 2013-11-26 12:09:06Z mtu "
	        "adapter=1280\n"
	        "7 2013-11-26 12:09:06Z wake\n8 2013-11-26 12:09:13Z up dtls \"UDP back.\"\n"
	        "9 2013-11-26 12:09:14Z dpd-dead tls dpd\n9 2013-11-26 12:09:14Z reconnect code=6 "
	        "\"Reconnecting due to the disruption of the VPN "
	        "connection to the secure gateway.\"\n"
	        "10 2013-11-26 12:09:15Z end idle \"Idle Timeout\"\n11 2013-11-26 12:09:16Z rejected \"Login "
	        "failed\"\n"
	        "12 2013-11-26 12:09:17Z pool-exhausted \"No address available (HTTP 503).\"\n");
}

TEST(log_of_the_gateway)
{
	assert_lines_of_users(&reader_culvert_events,
	        "{\"t\":\"2013-11-26T12:09:01.035Z\",\"program\":\"culvertd\",\"severity\":5,\"text\":"
	        "\"ready: TCP port 443\"}\n"
	        "{\"t\":\"2013-11-26T12:09:01.083Z\",\"program\":\"culvertd\",\"severity\":6,\"text\":"
	        "\"Group <GP1> User <tester> IP <192.0.2.2> Transmitting large packet 1418 (threshold "
	        "1347).\",\"id\":\"%ASA-6-722036\"}\n"
	        "{\"t\":\"2013-11-26T12:09:01.083Z\",\"program\":\"culvertd\",\"severity\":4,\"text\":"
	        "\"Group = DefaultWEBVPNGroup, Username = tester, IP = 192.0.2.2, Session disconnected. "
	        "Session Type: AnyConnect-Parent, Duration: 0h:00m:22s, Bytes xmt: 1932, Bytes rcv: 1848, "
	        "Reason: User Requested\",\"id\":\"%ASA-4-113019\"}\n",
	        "2 2013-11-26 12:09:01.083Z large size=1418 limit=1347 user=tester from=192.0.2.2 group=GP1\n"
	        "3 2013-11-26 12:09:01.083Z end user size=22 user=tester from=192.0.2.2 \"User "
	        "Requested\"\n");
}

TEST(escapes)
{
	assert_lines(&reader_culvert_events,
	        E("01", 0, "Termination reason code 9: A \\\\ \\u0041 \\u20ac \\n \\\" b") E("02", 0, "x\\")
	                E("02", 0, "x\\u00"),
	        "1 2013-11-26 12:09:01Z end \"A \\ A ?   \" b\"\n");
}

TEST(what_it_prints)
{
	assert_lines(&reader_culvert_client,
	        "Contacting 192.0.2.1.\nUser credentials entered.\nEstablishing VPN session...\nConnected to "
	        "192.0.2.1.\n"
	        "culvert: Warning: The Primary DTLS connection is down: timed out\nUDP lost, continuing over "
	        "TLS.\n"
	        "culvert: The gateway ended the session: Maximum Connect Time Exceeded\n",
	        "4 - connected\n5 - failed dtls \"timed out\"\n6 - down dtls \"UDP lost, continuing over "
	        "TLS.\"\n"
	        "7 - end max-time \"Maximum Connect Time Exceeded\"\n");
}

#define STATUS(nl)                                                                                           \
	"\"state\": \"connected\"," nl "  \"gateway\": \"192.0.2.1\"," nl "  \"user\": \"alice\"," nl        \
	"  \"inner4\": \"10.8.0.5\"," nl "  \"adapter_mtu\": 1434," nl "  \"active\": \"tls\"," nl           \
	"  \"tls\": {" nl "    \"state\": \"up\"," nl "    \"mtu\": 1350" nl "  }," nl "  \"dtls\": {" nl    \
	"    \"state\": \"waiting\"," nl "    \"mtu\": 1418" nl "  }," nl "  \"connected_s\": 77"

TEST(status_of_the_bundle)
{
	assert_lines_of_users(&reader_culvert_client, "{\n  " STATUS("\n") "\n}\n",
	        "2 - snapshot size=77 inner=10.8.0.5 user=alice peer=192.0.2.1\n"
	        "2 - mtu size=1350 limit=1418 adapter=1434 inner=10.8.0.5 user=alice peer=192.0.2.1\n");
	assert_lines(&reader_culvert_client,
	        "{\"state\":\"connected\",\"tls\":{\"state\":\"up\",\"mtu\":1350},\"dtls\":{\"state\":\"up\"}"
	        "}\n",
	        "1 - snapshot\n1 - mtu size=1350\n");
	assert_lines(&reader_culvert_client,
	        "{\"state\":\"connected\",\"tls\":7}\n{\"state\":\n  \"state\": \"x\n}\n  \"state\": "
	        "\"x\nfoo\n",
	        "");
}

TEST(the_rest_of_the_bundle_is_known)
{
	struct lines_run r = {0};
	free(lines_read(&reader_culvert_client,
	        "$ ip address show\n1: lo: <LOOPBACK>\n    inet 127.0.0.1/8\n\n$ ip rule show\n0:\tfrom "
	        "all\n",
	        &r));
	assert_int_equal(r.n_claims[CLAIM_NO], 0);
	assert_int_equal(r.n_claims[CLAIM_STRONG], 2);
}

TEST(foreign_lines)
{
	static const char text[] =
	        "{\"t\":\"2013-11-26T12:09:01Z\",\"program\":\"other\",\"text\":\"x\"}\n{\"t\":1}\n{\n}\n[]\n"
	        "{\"a\":{\"t\":\"x\"}}\nculvertd: ready\n  \"user\": \"x\"\n\n";
	assert_foreign(&reader_culvert_events, text);
	assert_foreign(&reader_culvert_client, text);
}

/* Cisco's client logs what culvert prints, but not line below line. */
TEST(sentences_of_ciscos_client)
{
	struct lines_run r = {0};
	free(lines_read(&reader_culvert_client,
	        "Message type information sent to the user:\nContacting vpn.example.com.\n\n"
	        "Message type information sent to the user:\nEstablishing VPN session...\n\n"
	        "Message type information sent to the user:\nEstablishing VPN - Configuring system...\n"
	        "Connected to x.\nContacting 10.1.1.1\n",
	        &r));
	assert_int_equal(r.n_claims[CLAIM_STRONG], 0);
}

TEST(broken_off_anywhere)
{
	static const char whole[] = E("01", 0, "a \\u0041") "{\n  " STATUS("\n") "\n}\n";
	for (size_t n = 0; n < sizeof(whole); n++) {
		char *part = strndup(whole, n);
		struct lines_run r = {0}, r2 = {0};
		free(lines_read(&reader_culvert_events, part, &r));
		free(lines_read(&reader_culvert_client, part, &r2));
		free(part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(events_of_a_classic_client),
	        cmocka_unit_test(events_of_a_seamless_client),
	        cmocka_unit_test(log_of_the_gateway),
	        cmocka_unit_test(escapes),
	        cmocka_unit_test(what_it_prints),
	        cmocka_unit_test(status_of_the_bundle),
	        cmocka_unit_test(the_rest_of_the_bundle_is_known),
	        cmocka_unit_test(foreign_lines),
	        cmocka_unit_test(sentences_of_ciscos_client),
	        cmocka_unit_test(broken_off_anywhere),
	};
	return RUN(tests);
}

#include "client_lines.h"

TEST(linux_old)
{
	assert_lines_of_users(&reader_client_syslog,
	        "Oct 18 12:30:31 host1 vpnagentd: Establishing the Primary SSL connection\n"
	        "Oct 18 12:30:31 host1 vpnagentd: The Primary SSL connection has been established\n"
	        "Oct 18 12:30:31 host1 vpnagentd: A complete VPN connection has been established.\n"
	        "Oct 18 12:30:31 host1 vpnagentd: Establishing the Primary DTLS connection\n"
	        "Oct 18 12:30:31 host1 vpnagentd: [p:4325  pp:1]: error - CdtpProtocol.cpp:507 (fe1f000b) "
	        "initiateTunnel\n"
	        "Oct 18 12:30:31 host1 vpnagentd: The Primary DTLS connection is down\n"
	        "Oct 18 12:31:11 host1 vpnagentd: [p:4325  pp:1]: error - CstpProtocol.cpp:1507 (fe1e000b) "
	        "CCstpProtocol::handleExpiredDPD\n"
	        "Oct 18 12:31:11 host1 vpnagentd: The Primary SSL connection is being re-established\n"
	        "Oct 18 12:31:11 host1 vpnagentd: The VPN client has sent a close message to the gateway: "
	        "\"Reconnecting to recover from error.\", Severity 3, Type 17\n"
	        "Oct 18 12:31:11 host1 vpnagentd: Low level reconnect reason code 6: \"Reconnecting due to "
	        "the disruption of the VPN connection to the secure gateway.\"\n",
	        "2 2014-10-18 12:30:31 up tls on=host1\n"
	        "3 2014-10-18 12:30:31 connected on=host1\n"
	        "6 2014-10-18 12:30:31 failed dtls on=host1\n"
	        "7 2014-10-18 12:31:11 dpd-dead tls dpd on=host1\n"
	        "8 2014-10-18 12:31:11 down tls on=host1\n"
	        "10 2014-10-18 12:31:11 reconnect code=6 on=host1 \"Reconnecting due to the disruption of "
	        "the VPN connection to the secure gateway.\"\n");
}

TEST(linux_new_and_journal)
{
	assert_lines_of_users(&reader_client_syslog,
	        "Nov 16 17:09:23 G acvpnagent[842]: Function: ResolveHostname File: "
	        "../../vpn/Common/HostLocator.cpp Line: 560 Resolved vpn.example.com to 192.0.2.7\n"
	        "Nov 16 17:09:23 G acvpnagent[842]: A new network interface has been detected.\n"
	        "2013-11-16T17:09:24+01:00 G csc_vpnagent[842]: A network interface has gone down.\n"
	        "2013-11-16T17:09:24.250000+0100 G csc_vpnagent[842]: A network interface has gone down.\n"
	        "Thu 2013-11-14 17:09:23 CET G acvpnagent[842]: A network interface has gone down.\n"
	        "1384618163.713300 G acvpnagent[842]: A network interface has gone down.\n"
	        "Nov 16 17:09:25 G acvpnagent[842]: message repeated 2 times: [ The Primary DTLS connection "
	        "is down]\n"
	        "Nov 16 17:09:26 G acvpnui[843]: Message type error sent to the user: Login failed.\n"
	        "Nov 16 17:09:27 G acvpnui[843]: VPN state: Disconnected\n",
	        "2 2014-11-16 17:09:23 network peer=192.0.2.7 on=G\n"
	        "3 2013-11-16 16:09:24Z network peer=192.0.2.7 on=G\n"
	        "4 2013-11-16 16:09:24.250Z network peer=192.0.2.7 on=G\n"
	        "5 2013-11-14 16:09:23Z network peer=192.0.2.7 on=G\n"
	        "6 2013-11-16 16:09:23Z network peer=192.0.2.7 on=G\n"
	        "7 2014-11-16 17:09:25 failed dtls peer=192.0.2.7 on=G\n"
	        "8 2014-11-16 17:09:26 rejected peer=192.0.2.7 on=G \"Login failed\"\n");
}

TEST(macos)
{
	assert_lines(&reader_client_syslog,
	        "2013-11-17 23:31:37.021496+0100 0x562 Default 0x0 49 0 vpnagentd: (libvpncommon.dylib) "
	        "[com.cisco.anyconnect.vpn:acvpnagent] A SSL connection has been established using cipher "
	        "ECDHE-RSA-AES256-GCM-SHA384\n"
	        "2013-11-17 23:31:37.022916+0100 0x562 Default 0x0 49 0 vpnagentd: (libvpncommon.dylib) "
	        "[com.cisco.anyconnect.vpn:acvpnagent] Function: calculateTunnelMTU File: "
	        "../../vpn/Agent/CstpProtocol.cpp Line: 2846 The candidate MTU (1399) is derived from the "
	        "physical interface MTU.\n"
	        "2013-11-17 23:31:38.021 Df vpnagentd[49:562] [com.cisco.anyconnect.vpn:acvpnagent] The "
	        "Primary DTLS connection is down\n"
	        "5/20/14 11:33:56.909 PM acvpnagent[69]: Reconfigure reason code 16: New MTU configuration.\n"
	        "default 10:24:15.630332-0700 Cisco AnyConnect Secure Mobility Client Message type warning "
	        "sent to the user: Login failed.\n",
	        "1 2013-11-17 22:31:37.021Z up tls \"ECDHE-RSA-AES256-GCM-SHA384\"\n"
	        "3 2013-11-17 23:31:38.021 failed dtls\n"
	        "4 2014-05-20 23:33:56.909 reconfigure code=16 \"New MTU configuration.\"\n"
	        "5 - rejected \"Login failed\"\n");
}

TEST(android)
{
	assert_lines(&reader_client_syslog,
	        "11-16 01:28:50.123  1234  1250 I acvpnagent: A new network interface has been detected.\n"
	        "I/acvpnagent( 1234): A network interface has gone down.\n"
	        "11-16 01:28:51.000 W/acvpnagent( 1234): Reconfigure reason code 16: New MTU configuration.\n"
	        "11-16 01:28:52.000 I/vpnapi  ( 1234): Message type information sent to the user: Connected "
	        "to 192.0.2.1.\n",
	        "1 2014-11-16 01:28:50.123 network\n"
	        "2 - network\n"
	        "3 2014-11-16 01:28:51 reconfigure code=16 \"New MTU configuration.\"\n"
	        "4 2014-11-16 01:28:52 resumed\n");
}

TEST(our_client_in_the_journal)
{
	assert_lines(&reader_client_syslog,
	        "Nov 16 17:09:23 G culvert[842]: Connected to 192.0.2.1.\nNov 16 17:09:24 G culvert[842]: "
	        "UDP lost, continuing over TLS.\n"
	        "Nov 16 17:09:24 G culvertd[842]: Connected to 192.0.2.1.\n",
	        "1 2014-11-16 17:09:23 connected\n2 2014-11-16 17:09:24 down dtls \"UDP lost, continuing "
	        "over TLS.\"\n");
}

TEST(foreign_lines)
{
	assert_foreign(&reader_client_syslog,
	        "Oct 18 12:30:31 asa : %ASA-6-722051: Group <vpn> User <vpnagentd> IP <10.1.1.1> x\n"
	        "webvpn\n anyconnect enable\ngroup-policy vpn attributes\n vpn-idle-timeout 30\n"
	        "Oct 18 12:30:31 host openvpn[1]: x\nOct 18 12:30:31 host ocserv[1]: worker[vpn]: 10.1.1.1 "
	        "x\n"
	        "vpnagentd\nacvpnagent[\nacvpnagent[1]\n\nvpn\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(linux_old),
	        cmocka_unit_test(linux_new_and_journal),
	        cmocka_unit_test(macos),
	        cmocka_unit_test(android),
	        cmocka_unit_test(our_client_in_the_journal),
	        cmocka_unit_test(foreign_lines),
	};
	return RUN(tests);
}

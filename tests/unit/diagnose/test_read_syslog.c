#include "diagnose/readers.h"

#include "diagnose/syslog_table.h"
#include "reader_lines.h"
#include "../unit.h"

static void check(const char *input, const char *want)
{
	reader_lines_check(&reader_syslog, input, want);
}

#define G "Group <ac_users_group> User <vpn> IP <10.1.75.111> "

TEST(tech_note_minute)
{
	check("Nov 16 2013 01:27:49 fw : %ASA-6-722055: " G
	      "Client Type: Cisco AnyConnect VPN Agent for Windows 3.1.04072\n"
	      "Nov 16 2013 01:27:49 fw : %ASA-6-722051: " G
	      "IPv4 Address <10.10.10.1> IPv6 address <::> assigned to session\n"
	      "Nov 16 2013 01:27:49 fw : %ASA-5-722033: " G
	      "First TCP SVC connection established for SVC session.\n"
	      "Nov 16 2013 01:27:49 fw : %ASA-6-722022: " G
	      "TCP SVC connection established without compression\n"
	      "Nov 16 2013 01:28:02 fw : %ASA-6-722036: " G
	      "Transmitting large packet 1418 (threshold 1347).\n"
	      "Nov 16 2013 01:28:02 fw : %ASA-6-602101: PMTU-D packet 1418 bytes greater than effective mtu "
	      "1347, dest_addr=10.10.10.1, src_addr=10.48.66.200, prot=TCP\n"
	      "Nov 16 2013 01:28:50 fw : %ASA-5-722011: " G
	      "SVC Message: 17/WARNING: Reconnecting the VPN tunnel..\n"
	      "Nov 16 2013 01:28:50 fw : %ASA-4-722037: " G "SVC closing connection: Transport closing.\n"
	      "Nov 16 2013 01:28:50 fw : %ASA-6-722023: " G
	      "TCP SVC connection terminated without compression\n"
	      "Nov 16 2013 01:28:51 fw : %ASA-5-722034: " G
	      "New TCP SVC connection, no existing connection.\n"
	      "Nov 16 2013 01:28:51 fw : %ASA-6-722022: " G
	      "TCP SVC connection established without compression\n",
	        "2: connected 2013-11-16T01:27:49 device=<fw> user=<vpn> group=<ac_users_group> "
	        "public=10.1.75.111 inner=10.10.10.1\n"
	        "3: up tls 2013-11-16T01:27:49 device=<fw> user=<vpn> group=<ac_users_group> "
	        "public=10.1.75.111\n"
	        "5: large 2013-11-16T01:28:02 device=<fw> user=<vpn> group=<ac_users_group> "
	        "public=10.1.75.111 1418/1347/0 to-client\n"
	        "6: frag-needed 2013-11-16T01:28:02 device=<fw> inner=10.10.10.1 peer=10.48.66.200 "
	        "1418/1347/0 to-client cause=<TCP>\n"
	        "7: reconnect 2013-11-16T01:28:50 device=<fw> user=<vpn> group=<ac_users_group> "
	        "public=10.1.75.111 cause=<Reconnecting the VPN tunnel.>\n"
	        "9: down tls 2013-11-16T01:28:50 device=<fw> user=<vpn> group=<ac_users_group> "
	        "public=10.1.75.111\n"
	        "10: replaced tls 2013-11-16T01:28:51 device=<fw> user=<vpn> group=<ac_users_group> "
	        "public=10.1.75.111\n");
}

/* Releases before 9.x left the variables bare; FTD has its own prefix. */
TEST(old_and_other_forms)
{
	check("%ASA-6-722036: Group Staff User jdoe IP 192.0.2.7 Transmitting large packet 1236 (threshold "
	      "1200).\n"
	      "%FTD-3-722035: Group <G> User <u> IP <192.0.2.7> Received large packet 1400 (threshold "
	      "1367).\n"
	      "%ASA-3-722035: Group G User u IP 192.0.2.7 Received large packet 1400 threshold 1367).\n"
	      "%ASA-5-722032: Group <G> User <u> IP <192.0.2.7> New SVC connection replacing old "
	      "connection.\n"
	      "%ASA-6-722022: Group G User u IP 192.0.2.7 UDP SVC connection established with compression\n"
	      "%ASA-4-722051: Group G User u IP 192.0.2.7 Address 10.1.1.5 assigned to session\n"
	      "%FTD-4-722051: Group <G> User <u> IP <2001:db8::7> IPv4 Address <10.1.1.5> IPv6 address "
	      "<2001:db8:10::5> assigned to session\n"
	      "%FTD-6-716059: Group <G> User <u> IP <192.0.2.7> AnyConnect session resumed. Connection from "
	      "192.0.2.8.\n"
	      "%ASA-6-716002: Group another-policy User alice IP 192.0.2.9 WebVPN session terminated: Idle "
	      "timeout.\n"
	      "%ASA-3-722020: TunnelGroup <TG> GroupPolicy <G> User <u> IP <192.0.2.7> No address available "
	      "for SVC connection\n"
	      "%ASA-3-722020: TunnelGroup TG GroupPolicy G User u IP 192.0.2.7 No address available for SVC "
	      "connection\n",
	        "1: large user=<jdoe> group=<Staff> public=192.0.2.7 1236/1200/0 to-client\n"
	        "2: large user=<u> group=<G> public=192.0.2.7 1400/1367/0\n"
	        "3: large user=<u> group=<G> public=192.0.2.7 1400/1367/0\n"
	        "4: replaced tls user=<u> group=<G> public=192.0.2.7\n"
	        "5: up dtls user=<u> group=<G> public=192.0.2.7\n"
	        "6: connected user=<u> group=<G> public=192.0.2.7 inner=10.1.1.5\n"
	        "7: connected user=<u> group=<G> public=2001:db8::7 inner=10.1.1.5 peer=2001:db8:10::5\n"
	        "8: resumed user=<u> group=<G> public=192.0.2.7 peer=192.0.2.8\n"
	        "9: end user=<alice> group=<another-policy> public=192.0.2.9 reason=idle cause=<Idle "
	        "timeout>\n"
	        "10: pool-exhausted user=<u> group=<G> profile=<TG> public=192.0.2.7 cause=<No address "
	        "available for SVC connection>\n"
	        "11: pool-exhausted user=<u> group=<G> profile=<TG> public=192.0.2.7 cause=<No address "
	        "available for SVC connection>\n");
}

TEST(names)
{
	check("%ASA-6-722036: Group <Group Policy> User <MacBook Pro of bob> IP <192.0.2.7> Transmitting "
	      "large packet 1 (threshold 2).\n"
	      "%ASA-6-722036: Group <G> User <CORP\\alice> IP <192.0.2.7> Transmitting large packet 1 "
	      "(threshold 2).\n"
	      "%ASA-6-722036: Group <G> User <first.o'last@example.com> IP <192.0.2.7> Transmitting large "
	      "packet 1 (threshold 2).\n"
	      "%ASA-6-722036: Group <G> User <a> IP <b> IP <192.0.2.7> Transmitting large packet 1 "
	      "(threshold 2).\n"
	      "%ASA-6-722036: Group <G> User <<x>> IP <192.0.2.7> Transmitting large packet 1 (threshold "
	      "2).\n"
	      "%ASA-6-722036: Group <G> User <J\xc3\xbcrgen \xe5\xb1\xb1> IP <192.0.2.7> Transmitting large "
	      "packet 1 (threshold 2).\n"
	      "%ASA-6-722036: Group <G> User <> IP <192.0.2.7> Transmitting large packet 1 (threshold 2).\n"
	      "%ASA-6-722036: Group <G> User <u> IP <x.x.x.x> Transmitting large packet 1 (threshold 2).\n"
	      "%ASA-6-113005: AAA user authentication Rejected : reason = AAA failure : server = 192.0.2.1 : "
	      "user = ***** : user IP = 192.0.2.7\n"
	      "{\"message\":\"%ASA-6-722036: Group \\u003cG\\u003e User \\u003cCORP\\\\eve\\u003e IP "
	      "\\u003c192.0.2.7\\u003e Transmitting large packet 1 (threshold 2).\"}\n"
	      "%ASA-6-722036: Group &lt;G&gt; User &lt;u&gt; IP &lt;192.0.2.7&gt; Transmitting large packet "
	      "1 (threshold 2).\n",
	        "1: large user=<MacBook Pro of bob> group=<Group Policy> public=192.0.2.7 1/2/0 to-client\n"
	        "2: large user=<CORP\\alice> group=<G> public=192.0.2.7 1/2/0 to-client\n"
	        "3: large user=<first.o'last@example.com> group=<G> public=192.0.2.7 1/2/0 to-client\n"
	        "4: large user=<a> IP <b> group=<G> public=192.0.2.7 1/2/0 to-client\n"
	        "5: large user=<<x>> group=<G> public=192.0.2.7 1/2/0 to-client\n"
	        "6: large user=<J\xc3\xbcrgen \xe5\xb1\xb1> group=<G> public=192.0.2.7 1/2/0 to-client\n"
	        "7: large group=<G> public=192.0.2.7 1/2/0 to-client\n"
	        "8: large user=<u> group=<G> 1/2/0 to-client\n"
	        "9: rejected public=192.0.2.7 cause=<AAA failure>\n"
	        "10: large user=<CORP\\eve> group=<G> public=192.0.2.7 1/2/0 to-client\n"
	        "11: large user=<u> group=<G> public=192.0.2.7 1/2/0 to-client\n");
}

#define END    "Group = TG, Username = u, IP = 192.0.2.7, Session disconnected. Session Type: "
#define COUNTS ", Duration: 1d 19h:41m:14s, Bytes xmt: 1, Bytes rcv: 2, Reason: "

TEST(ends)
{
	static const struct {
		const char *words, *reason;
	} rows[] = {{"User Requested", "reason=user "}, {"Idle Timeout", "reason=idle "},
	        {"Max time exceeded", "reason=max-time "}, {"Lost Carrier", "reason=dpd "},
	        {"Lost Service", "reason=dpd "}, {"DPD failure", "reason=dpd "},
	        {"Port Preempted", "reason=preempted "}, {"Connection Preempted", "reason=preempted "},
	        {"Administrator Reset", "reason=admin "}, {"Administrator Reboot", "reason=admin "},
	        {"Port Error", "reason=error "}, {"Peer Address Changed", ""}, {"Peer Reconnected", ""},
	        {"ACL Parse Error", "reason=error "}, {"Unknown", ""}};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct text in = {0}, want = {0};
		text_fmt(&in, "%%ASA-4-113019: " END "AnyConnect-Parent" COUNTS "%s\n", rows[i].words);
		text_fmt(&want, "1: end user=<u> profile=<TG> public=192.0.2.7 157274/0/0 %scause=<%s>\n",
		        rows[i].reason, rows[i].words);
		check(text_cstr(&in), text_cstr(&want));
		text_done(&in);
		text_done(&want);
	}
	check("%ASA-4-113019: " END "LAN-to-LAN" COUNTS "Lost Service\n", "");
	check("%ASA-4-113019: " END "IKEv2" COUNTS "Idle Timeout\n",
	        "1: end user=<u> profile=<TG> public=192.0.2.7 157274/0/0 reason=idle cause=<Idle "
	        "Timeout>\n");
}

/* One end of a session makes up to four messages, one rejected login two, one connection two. */
TEST(told_once)
{
	check("Nov 16 2013 01:00:00: %ASA-5-722012: Group <G> User <u> IP <192.0.2.7> SVC Message: "
	      "16/NOTICE: The user has requested to disconnect the connection..\n"
	      "Nov 16 2013 01:00:00: %ASA-6-716002: Group <G> User <u> IP <192.0.2.7> WebVPN session "
	      "terminated: User requested.\n"
	      "Nov 16 2013 01:00:01: %ASA-4-113019: " END "SSL" COUNTS "User Requested\n"
	      "Nov 16 2013 01:10:01: %ASA-4-113019: " END "SSL" COUNTS "User Requested\n"
	      "Nov 16 2013 02:00:00: %ASA-6-113015: AAA user authentication Rejected : reason = Invalid "
	      "password : local database : user = u : user IP = 192.0.2.7\n"
	      "Nov 16 2013 02:00:00: %ASA-6-716039: Group <G> User <u> IP <192.0.2.7> Authentication: "
	      "rejected, Session Type: WebVPN.\n"
	      "Nov 16 2013 02:00:01: %ASA-6-113015: AAA user authentication Rejected : reason = Invalid "
	      "password : local database : user = u : user IP = 192.0.2.7\n"
	      "Nov 16 2013 03:00:00: %ASA-6-716039: Group <G> User <u> IP <192.0.2.7> Authentication: "
	      "rejected, Session Type: WebVPN.\n",
	        "1: end 2013-11-16T01:00:00 user=<u> group=<G> public=192.0.2.7 reason=user cause=<The user "
	        "has requested to disconnect the connection.>\n"
	        "3: end 2013-11-16T01:00:01 user=<u> profile=<TG> public=192.0.2.7 157274/0/0 reason=user "
	        "cause=<User Requested>\n"
	        "4: end 2013-11-16T01:10:01 user=<u> profile=<TG> public=192.0.2.7 157274/0/0 reason=user "
	        "cause=<User "
	        "Requested>\n"
	        "5: rejected 2013-11-16T02:00:00 user=<u> public=192.0.2.7 cause=<Invalid password>\n"
	        "7: rejected 2013-11-16T02:00:01 user=<u> public=192.0.2.7 cause=<Invalid password>\n"
	        "8: rejected 2013-11-16T03:00:00 user=<u> group=<G> public=192.0.2.7 cause=<rejected, "
	        "Session Type: WebVPN>\n");
}

TEST(tunnels_come_and_go)
{
	check("%ASA-5-722033: " G "First UDP SVC connection established for SVC session.\n"
	      "%ASA-6-722022: " G "UDP SVC connection established without compression\n"
	      "%ASA-5-722037: " G "SVC closing connection: DPD failure.\n"
	      "%ASA-6-722023: " G "UDP SVC connection terminated without compression\n"
	      "%ASA-5-722034: " G "New UDP SVC connection, no existing connection.\n"
	      "%ASA-5-722032: " G "New UDP SVC connection replacing old connection.\n"
	      "%ASA-6-716058: " G "AnyConnect session lost connection. Waiting to resume.\n"
	      "%ASA-6-716059: " G "AnyConnect session resumed connection from IP <10.1.75.112>.\n"
	      "%ASA-5-722012: " G
	      "SVC Message: 16/NOTICE: Client PC is going into suspend mode (Sleep, Hibernate, etc)..\n"
	      "%ASA-5-722043: " G "DTLS disabled: unable to negotiate cipher\n"
	      "%ASA-5-722028: " G "Stale SVC connection closed.\n",
	        "1: up dtls user=<vpn> group=<ac_users_group> public=10.1.75.111\n"
	        "3: dpd-dead user=<vpn> group=<ac_users_group> public=10.1.75.111 reason=dpd cause=<DPD "
	        "failure>\n"
	        "4: down dtls user=<vpn> group=<ac_users_group> public=10.1.75.111 reason=dpd\n"
	        "5: up dtls user=<vpn> group=<ac_users_group> public=10.1.75.111\n"
	        "6: replaced dtls user=<vpn> group=<ac_users_group> public=10.1.75.111\n"
	        "7: lost user=<vpn> group=<ac_users_group> public=10.1.75.111\n"
	        "8: resumed user=<vpn> group=<ac_users_group> public=10.1.75.111 peer=10.1.75.112\n"
	        "9: suspend user=<vpn> group=<ac_users_group> public=10.1.75.111 reason=suspend "
	        "cause=<Client PC is going into suspend mode (Sleep, Hibernate, etc).>\n"
	        "10: cipher-mismatch dtls user=<vpn> group=<ac_users_group> public=10.1.75.111 cause=<unable "
	        "to negotiate cipher>\n");
}

/* A device that logs up to level 5 does not say which tunnel it was. */
TEST(level_of_the_log)
{
	check("Nov 16 2013 01:00:00 fw1 : %ASA-5-722037: " G "SVC closing connection: Transport closing.\n"
	      "Nov 16 2013 01:00:01 fw2 : %ASA-5-722037: " G "SVC closing connection: Transport closing.\n"
	      "Nov 16 2013 01:00:01 fw2 : %ASA-6-722023: " G
	      "TCP SVC connection terminated without compression\n"
	      "Nov 16 2013 01:10:00 fw1 : %ASA-5-722037: " G "SVC closing connection: Transport closing.\n"
	      "Nov 16 2013 01:10:00 fw2 : %ASA-5-722037: " G "SVC closing connection: Idle Timeout.\n"
	      "Nov 16 2013 01:10:00 fw2 : %ASA-6-722023: " G
	      "UDP SVC connection terminated without compression\n",
	        "1: down 2013-11-16T01:00:00 device=<fw1> user=<vpn> group=<ac_users_group> "
	        "public=10.1.75.111 cause=<Transport closing>\n"
	        "2: down 2013-11-16T01:00:01 device=<fw2> user=<vpn> group=<ac_users_group> "
	        "public=10.1.75.111 cause=<Transport closing>\n"
	        "3: down tls 2013-11-16T01:00:01 device=<fw2> user=<vpn> group=<ac_users_group> "
	        "public=10.1.75.111\n"
	        "4: down 2013-11-16T01:10:00 device=<fw1> user=<vpn> group=<ac_users_group> "
	        "public=10.1.75.111 cause=<Transport closing>\n"
	        "6: down dtls 2013-11-16T01:10:00 device=<fw2> user=<vpn> group=<ac_users_group> "
	        "public=10.1.75.111 reason=idle\n");
}

TEST(refusals)
{
	check("%ASA-4-113029: Group VPN User u IP 192.0.2.7 Session could not be established: session limit "
	      "of 5 reached\n"
	      "%ASA-4-113040: Terminating the VPN connection attempt from VPN. Reason: This connection is "
	      "group locked to OTHER.\n"
	      "%ASA-4-722056: Unsupported AnyConnect client connection rejected from 192.0.2.7. Client info: "
	      "Cisco AnyConnect 2.5.1. Reason: AnyConnect 2.x is not supported.\n"
	      "%ASA-4-722050: Group <G> User <u> IP <192.0.2.7> Session terminated: SVC not enabled for the "
	      "user\n"
	      "%ASA-4-722003: IP <192.0.2.7> Error authenticating SVC connect request.\n"
	      "%ASA-6-113014: AAA authentication server not accessible : server = 192.0.2.1 : user = u\n"
	      "%ASA-5-734002: DAP: User u, Addr 192.0.2.7: Connection terminated by the following DAP "
	      "records: Block\n"
	      "%CULVERT-4-101011: Login of user u from 192.0.2.7 refused: tunnel-group TG demands a "
	      "certificate\n"
	      "%ASA-4-101011: Login of user u from 192.0.2.7 refused: not the ASA's text\n"
	      "%ASA-5-737007: IPAA: Local pool request failed for tunnel-group 'TG'\n"
	      "%ASA-4-737019: IPAA: Session=0x0001, Unable to get address from group-policy or tunnel-group "
	      "local pools\n"
	      "%ASA-4-722041: TunnelGroup <TG> GroupPolicy <G> User <u> IP <192.0.2.7> No IPv6 address "
	      "available for SVC connection\n",
	        "1: rejected user=<u> group=<VPN> public=192.0.2.7 cause=<Session could not be established: "
	        "session limit of 5 reached>\n"
	        "2: rejected profile=<VPN> cause=<This connection is group locked to OTHER>\n"
	        "3: rejected public=192.0.2.7 cause=<AnyConnect 2.x is not supported>\n"
	        "4: rejected user=<u> group=<G> public=192.0.2.7 cause=<SVC not enabled for the user>\n"
	        "5: rejected public=192.0.2.7 cause=<Error authenticating SVC connect request>\n"
	        "6: rejected user=<u> cause=<not accessible>\n"
	        "7: rejected user=<u> public=192.0.2.7 cause=<by the following DAP records: Block>\n"
	        "8: rejected user=<u> public=192.0.2.7 cause=<tunnel-group TG demands a certificate>\n"
	        "10: pool-exhausted profile=<TG>\n"
	        "11: pool-exhausted cause=<group-policy or tunnel-group local pools>\n");
}

TEST(tls)
{
	check("%ASA-6-725006: Device failed SSL handshake with client outside:192.0.2.7/4433 to "
	      "203.0.113.1/443\n"
	      "%ASA-7-725014: SSL lib error. Function: ssl3_get_client_hello Reason: no shared cipher\n"
	      "%ASA-7-725014: SSL lib error. Function: SSL23_READ Reason: http request\n"
	      "%ASA-6-725006: Device failed SSL handshake with client outside:192.0.2.7/4433 to "
	      "203.0.113.1/443 for DTLSv1.2 session\n"
	      "%ASA-7-725012: Device chooses cipher AES256-SHA for the SSL session with client "
	      "outside:2001:db8::7/4433 to 2001:db8::1/443\n"
	      "%ASA-7-725012: Device chooses cipher : RC4-SHA for the SSL session with client "
	      "outside:192.0.2.7/4433\n"
	      "%ASA-7-711001: tls-mtu=1347 dtls-mtu=1418\n"
	      "%ASA-7-711001: computed tls-mtu=1347 dtls-mtu=1418 conf-mtu=1406\n",
	        "2: cipher-mismatch public=192.0.2.7 cause=<no shared cipher>\n"
	        "4: failed dtls public=192.0.2.7\n"
	        "5: cipher public=2001:db8::7 cause=<AES256-SHA>\n"
	        "6: cipher public=192.0.2.7 cause=<RC4-SHA>\n"
	        "7: mtu 1347/1418/0 cause=<tls-mtu=1347 dtls-mtu=1418>\n");
}

/* What culvertd logs under numbers of its own. */
/* As devices have it, the error before or without 725006. */
TEST(tls_error_behind_the_hello)
{
	check("%ASA-7-725008: SSL client outside:192.0.2.7/58911 proposes the following 8 cipher(s).\n"
	      "%ASA-7-725011: Cipher[1] : AES128-SHA\n"
	      "%ASA-7-725011: Cipher[2] : RC4-SHA\n"
	      "%ASA-7-725014: SSL lib error. Function: SSL3_GET_CLIENT_HELLO Reason: no shared cipher\n"
	      "%ASA-7-725008: SSL client outside:192.0.2.8/58911 to 203.0.113.1/443 proposes the following 1 "
	      "cipher(s)\n"
	      "%ASA-7-725014: SSL lib error. Function: tls_early_post_process_client_hello Reason: no shared "
	      "cipher\n"
	      "%ASA-6-725006: Device failed SSL handshake with client outside:192.0.2.8/58911 to "
	      "203.0.113.1/443\n",
	        "4: cipher-mismatch public=192.0.2.7 cause=<no shared cipher>\n"
	        "6: cipher-mismatch public=192.0.2.8 cause=<no shared cipher>\n");
}

TEST(culvertd)
{
	check("Nov 16 2013 01:00:00: %CULVERT-5-722101: " G
	      "Data to the client moved from dtls to both, cause: no answer, gap: 0 ms\n"
	      "Nov 16 2013 01:00:00: %CULVERT-5-722101: " G
	      "Data to the client moved from both to tls, cause: no answer, gap: 220 ms\n"
	      "Nov 16 2013 01:00:09: %CULVERT-5-722101: " G
	      "Data to the client moved from tls to dtls, cause: probe answered, gap: 0 ms\n"
	      "Nov 16 2013 01:00:09: %CULVERT-5-722101: " G
	      "Data to the client moved from none to tls, cause: established, gap: 0 ms\n"
	      "Nov 16 2013 01:00:10: %CULVERT-5-722103: " G
	      "DTLS does not answer and the client does not notice: closing TCP, so that it comes back\n"
	      "Nov 16 2013 01:00:11: %CULVERT-5-722102: " G
	      "Path limit of the DTLS tunnel changed from 1400 to 1100 bytes, cause: probe\n",
	        "2: stall dtls 2013-11-16T01:00:00 user=<vpn> group=<ac_users_group> public=10.1.75.111 "
	        "cause=<no answer, gap: 220 ms>\n"
	        "3: up dtls 2013-11-16T01:00:09 user=<vpn> group=<ac_users_group> public=10.1.75.111 "
	        "cause=<probe answered, gap: 0 ms>\n"
	        "5: stall dtls 2013-11-16T01:00:10 user=<vpn> group=<ac_users_group> public=10.1.75.111 "
	        "cause=<and the client does not notice: closing TCP, so that it comes back>\n");
}

TEST(broken_lines)
{
	/* as the tech note prints it, and as a mail program wraps it */
	check("%ASA-6-722036: Group <ac_users_group> User <vpn> IP <10.1.75.111>\n"
	      "Transmitting large packet 1418 (threshold 1347).\n"
	      "%FTD-6-602101:\n"
	      "PMTU-D packet 1400 bytes greater than effective mtu 1348,\n"
	      "dest_addr=10.10.10.1,\n"
	      "src_addr=10.48.66.200,\n"
	      "prot=TCP\n"
	      "Nov 16 2013 01:00:00: %ASA-6-722036: Group <G> User <j\n"
	      "doe> IP <192.0.2.7> Transmitting large packet 1418 (threshold 1347).\n",
	        "1: large user=<vpn> group=<ac_users_group> public=10.1.75.111 1418/1347/0 to-client\n"
	        "3: frag-needed inner=10.10.10.1 peer=10.48.66.200 1400/1348/0 to-client cause=<TCP>\n"
	        "8: large 2013-11-16T01:00:00 user=<jdoe> group=<G> public=192.0.2.7 1418/1347/0 "
	        "to-client\n");
	/* another message between: the first one is lost, nothing is made up */
	check("%ASA-6-722036: Group <G> User <u> IP <192.0.2.7>\n"
	      "%ASA-6-302013: Built inbound TCP connection 1\n"
	      "Transmitting large packet 1418 (threshold 1347).\n",
	        "");
	reader_lines_check_claims(&reader_syslog,
	        "%ASA-6-722036: Group <G> User <u> IP <192.0.2.7>\nTransmitting large packet 1418 (threshold "
	        "1347).\nhello\n",
	        "SS-");
}

TEST(repeated)
{
	check("Nov 16 01:28:50 fw %ASA-6-722036: Group <G> User <u> IP <192.0.2.7> Transmitting large packet "
	      "1418 (threshold 1347).\n"
	      "Nov 16 01:28:59 fw2 last message repeated 2 times\n"
	      "Nov 16 01:29:00 fw %ASA-6-302013: Built\n"
	      "Nov 16 01:29:01 fw last message repeated 2 times\n"
	      "Nov 16 01:29:02 fw message repeated 2 times: [ %ASA-6-722036: Group <G> User <u> IP "
	      "<192.0.2.7> Transmitting large packet 1418 (threshold 1347).]\n",
	        "1: large 2013-11-16T01:28:50 device=<fw> user=<u> group=<G> public=192.0.2.7 1418/1347/0 "
	        "to-client\n"
	        "2: large 2013-11-16T01:28:59 device=<fw2> user=<u> group=<G> public=192.0.2.7 1418/1347/0 "
	        "to-client\n"
	        "2: large 2013-11-16T01:28:59 device=<fw2> user=<u> group=<G> public=192.0.2.7 1418/1347/0 "
	        "to-client\n"
	        "5: large 2013-11-16T01:29:02 device=<fw> user=<u> group=<G> public=192.0.2.7 1418/1347/0 "
	        "to-client\n"
	        "5: large 2013-11-16T01:29:02 device=<fw> user=<u> group=<G> public=192.0.2.7 1418/1347/0 "
	        "to-client\n");
}

TEST(claims)
{
	reader_lines_check_claims(&reader_syslog,
	        "fw1/pri/act# show logging\n"
	        "Syslog logging: enabled\n"
	        "    Facility: 20\n"
	        "    Buffer logging: level informational, 12 messages logged\n"
	        "%ASA-6-302013: Built inbound TCP connection 1 for outside\n"
	        "%ASA-6-722036: garbage\n"
	        "\n"
	        "interface GigabitEthernet0/0\n"
	        "Nov 16 01:28:50 host sshd[1]: Accepted publickey for root\n",
	        "SSWWSS---");
}

TEST(table_is_sorted)
{
	uint32_t ids = 0, last = 0;
	for (uint32_t id = 100000; id < 1000000; id++) {
		size_t n;
		const struct syslog_row *r = syslog_rows(id, &n);
		assert_true((r != NULL) == (n > 0));
		for (size_t i = 0; i < n; i++)
			assert_int_equal(r[i].id, id);
		ids += n > 0;
		last = n > 0 ? id : last;
	}
	assert_int_equal(last, 737019);
	assert_true(ids > 40);
}

/* A hostile line costs no more than its steps. */
TEST(long_lines)
{
	struct text in = {0};
	text_str(&in, "%ASA-6-722036: Group <");
	for (int i = 0; i < 2500; i++)
		text_str(&in, "> User <");
	text_str(&in, "\n");
	for (int i = 0; i < 2000; i++)
		text_str(&in, "%ASA-6-722051: Group <> User <> IP <> IP <> User <> IP <> User <> IP <> User "
		              "<> IP <> User <> IP\n");
	check(text_cstr(&in), "");
	text_done(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(tech_note_minute),
	        cmocka_unit_test(old_and_other_forms),
	        cmocka_unit_test(names),
	        cmocka_unit_test(ends),
	        cmocka_unit_test(told_once),
	        cmocka_unit_test(tunnels_come_and_go),
	        cmocka_unit_test(level_of_the_log),
	        cmocka_unit_test(refusals),
	        cmocka_unit_test(tls),
	        cmocka_unit_test(tls_error_behind_the_hello),
	        cmocka_unit_test(culvertd),
	        cmocka_unit_test(broken_lines),
	        cmocka_unit_test(repeated),
	        cmocka_unit_test(claims),
	        cmocka_unit_test(table_is_sorted),
	        cmocka_unit_test(long_lines),
	};
	return RUN(tests);
}

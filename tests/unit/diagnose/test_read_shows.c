/* show vpn-sessiondb, show asp drop, debug webvpn anyconnect */
#include "diagnose/readers.h"

#include "reader_lines.h"
#include "../unit.h"

static const char old_layout[] =
        "Session Type: AnyConnect Detailed\n"
        "\n"
        "Username     : CP-7962G-SEPXXXXXXXXXXXX Index        : 57\n"
        "Assigned IP  : 10.10.10.2             Public IP    : 172.16.250.15\n"
        "Protocol     : AnyConnect-Parent SSL-Tunnel DTLS-Tunnel\n"
        "License      : AnyConnect Premium, AnyConnect for Cisco VPN Phone\n"
        "Encryption   : AnyConnect-Parent: (1)AES256  SSL-Tunnel: (1)AES128  DTLS-Tunnel: (1)AES128\n"
        "Hashing      : AnyConnect-Parent: (1)SHA1  SSL-Tunnel: (1)SHA1  DTLS-Tunnel: (1)SHA1\n"
        "Bytes Tx     : 305849                 Bytes Rx     : 270069\n"
        "Group Policy : GroupPolicy_SSL        Tunnel Group : SSL\n"
        "Login Time   : 01:40:44 UTC Tue Feb 5 2013\n"
        "Duration     : 23h:00m:28s\n"
        "Inactivity   : 0h:00m:00s\n"
        "NAC Result   : Unknown\n"
        "VLAN Mapping : N/A                    VLAN         : none\n"
        "\n"
        "AnyConnect-Parent Tunnels: 1\n"
        "\n"
        "AnyConnect-Parent:\n"
        "  Tunnel ID    : 57.1\n"
        "  Assigned IP  : 10.10.10.2             Public IP    : 172.16.250.15\n"
        "  Encryption   : AES256                 Hashing      : SHA1\n"
        "SSL-Tunnel:\n"
        "  Tunnel ID    : 57.2\n"
        "  Encryption   : AES128                 Hashing      : SHA1\n"
        "  Encapsulation: TLSv1.0                TCP Src Port : 50529\n"
        "DTLS-Tunnel:\n"
        "  Encryption   : AES192                 Hashing      : SHA1\n";

static const char new_layout[] = "fw1/pri/act# sh vpn-sessiondb detail anyconnect filter name CORP\\alice\n"
                                 "\n"
                                 "Session Type: AnyConnect Detailed\n"
                                 "\n"
                                 "Username     : CORP\\alice doe         Index        : 1204\n"
                                 "Assigned IP  : 10.10.10.9             Public IP    : 2001:db8::7\n"
                                 "Assigned IPv6: 2001:db8:10::9\n"
                                 "Protocol     : AnyConnect-Parent SSL-Tunnel\n"
                                 "License      : AnyConnect Premium\n"
                                 "Encryption   : AnyConnect-Parent: (1)none  SSL-Tunnel: (1)AES-GCM-256\n"
                                 "Hashing      : AnyConnect-Parent: (1)none  SSL-Tunnel: (1)SHA384\n"
                                 "Group Policy : Staff Policy           Tunnel Group : TG\n"
                                 "Login Time   : 08:15:44 CEDT Mon Mar 4 2024\n"
                                 "Duration     : 2d 4h:21m:44s\n"
                                 "Audt Sess ID : ac1063fe003fa0005e715555\n"
                                 "<--- More --->\r              \rSecurity Grp : none\n"
                                 "\n"
                                 "SSL-Tunnel:\n"
                                 "  Tunnel ID    : 1204.2\n"
                                 "  Encryption   : AES-GCM-256            Hashing      : SHA384\n"
                                 "  Ciphersuite  : ECDHE-RSA-AES256-GCM-SHA384\n"
                                 "  Encapsulation: TLSv1.2                TCP Src Port : 50529\n"
                                 "\n"
                                 "Username     : bob                    Index        : 1205\n"
                                 "Assigned IP  : 10.10.10.10            Public IP    : 192.0.2.8\n"
                                 "Protocol     : AnyConnect-Parent\n"
                                 "Duration     : 0h:09m:00s\n"
                                 "\n"
                                 "Username     : carol                  Index        : 1206\n"
                                 "Protocol     : IKEv2 IPsecOverNatT AnyConnect-Parent\n"
                                 "\n"
                                 "Session Type: LAN-to-LAN Detailed\n"
                                 "\n"
                                 "Username     : 192.0.2.99             Index        : 3\n"
                                 "Protocol     : SSL-Tunnel\n";

TEST(sessions)
{
	reader_lines_check(&reader_sessions, old_layout,
	        "5: snapshot 2013-02-06T00:41:12Z user=<CP-7962G-SEPXXXXXXXXXXXX> group=<GroupPolicy_SSL> "
	        "profile=<SSL> "
	        "public=172.16.250.15 inner=10.10.10.2 82828/0/0 has-tls has-dtls cause=<AES128 SHA1>\n");
	reader_lines_check_claims(&reader_sessions, old_layout, "SWSSSSSSSSSSSSSWSWSSSSSSSSSS");
	reader_lines_check(&reader_sessions, new_layout,
	        "8: snapshot 2024-03-06T12:37:28 device=<fw1> user=<CORP\\alice doe> group=<Staff Policy> "
	        "profile=<TG> "
	        "public=2001:db8::7 inner=10.10.10.9 peer=2001:db8:10::9 188504/0/0 has-tls "
	        "cause=<ECDHE-RSA-AES256-GCM-SHA384>\n"
	        "26: snapshot device=<fw1> user=<bob> public=192.0.2.8 inner=10.10.10.10 540/0/0\n");
}

TEST(sessions_short_and_foreign)
{
	reader_lines_check(&reader_sessions,
	        "Session Type: AnyConnect\n"
	        "\n"
	        "Username     : u                      Index        : 1\n"
	        "Assigned IP  : 10.1.1.1               Public IP    : 192.0.2.7\n"
	        "Protocol     : AnyConnect-Parent SSL-Tunnel DTLS-Tunnel\n"
	        "Encryption   : RC4 AES128\n"
	        "Login Time   : yesterday\n",
	        "5: snapshot user=<u> public=192.0.2.7 inner=10.1.1.1 has-tls has-dtls\n");
	reader_lines_check_claims(
	        &reader_sessions, "Username     : somebody\nDuration: 5 minutes\nhello\n\n", "----");
	reader_lines_check(&reader_sessions,
	        "Username     : u    Index        : 1\nDuration     : 99999999999h:1m:1s\n",
	        "1: snapshot user=<u>\n");
}

static const char drops[] =
        "ciscoasa# show asp drop\n"
        "\n"
        "Frame drop:\n"
        "  SVC Module does not have a channel for reinjection (mp-svc-no-channel)                            "
        "       156927\n"
        "  SVC Module unable to fragment packet (mp-svc-no-fragment)               148934\n"
        "  Flow is denied by configured rule (acl-drop)                         121615702\n"
        "  Something new (new-reason)                                                   7\n"
        "  Far too many (acl-drop)                            99999999999999\n"
        "\n"
        "Last clearing: Never\n"
        "\n"
        "Flow drop:\n"
        "  SVC replacement connection established (svc-replacement-conn)           265258\n"
        "  no name here 5\n"
        "\n"
        "Last clearing: 10:43:33 EDT Mar 27 2019 by genie\n";

TEST(asp_drop)
{
	reader_lines_check(&reader_drops, drops,
	        "1: device 0 text=<ciscoasa>\n"
	        "4: drop 156927 text=<mp-svc-no-channel>\n"
	        "5: drop 148934 text=<mp-svc-no-fragment>\n"
	        "6: drop 121615702 text=<acl-drop>\n"
	        "7: drop 7 text=<new-reason>\n"
	        "8: drop 4294967295 text=<acl-drop>\n"
	        "13: drop 265258 text=<svc-replacement-conn>\n");
	reader_lines_check_claims(&reader_drops, drops, "S-SSSSWSWSWSS-WS");
	reader_lines_check(&reader_drops,
	        "  SVC Module unable to fragment packet (mp-svc-no-fragment)  12\n  Jobs (all) 12\n",
	        "1: drop 12 text=<mp-svc-no-fragment>\n");
}

static const char debugging[] = "ciscoasa# debug webvpn anyconnect 255\n"
                                "INFO: debug webvpn anyconnect enabled at level 255\n"
                                "http_parse_cstp_method()\n"
                                "...input: 'CONNECT /CSCOSSLC/tunnel HTTP/1.1'\n"
                                "webvpn_cstp_parse_request_field()\n"
                                "IPADDR: '1', INDEX: '4', LOGIN: 'vpn'\n"
                                "CSTP state = WAIT_FOR_ADDRESS\n"
                                "webvpn_cstp_accept_address: 10.10.10.1/255.255.255.0\n"
                                "Iphdr=20 base-mtu=1500 def-mtu=1500 conf-mtu=1406\n"
                                "tcp-mss = 1380\n"
                                "path-mtu = 1380(mss)\n"
                                "mtu = 1380(path-mtu) - 0(opts) - 5(ssl) - 8(cstp) = 1367\n"
                                "tls-mtu = 1367(mtu) - 20(mac) = 1347\n"
                                "DTLS Block size = 16\n"
                                "dtls-mtu = 1440(mod-mtu) - 1(cdtp) - 20(mac) - 1(pad) = 1418\n"
                                "computed tls-mtu=1347 dtls-mtu=1418 conf-mtu=1406\n"
                                "DTLS enabled for intf=2 (outside)\n"
                                "tls-mtu=1347 dtls-mtu=1418\n"
                                "SVC: Sending response\n"
                                "Sending X-CSTP-MTU: 1347\n";

TEST(debug)
{
	reader_lines_check(&reader_debug, debugging, "18: mtu user=<vpn> inner=10.10.10.1 1347/1418/0\n");
	reader_lines_check_claims(&reader_debug, debugging, "SWSWSSSSSSSSSSSSSSSS");
	/* cut before the end; headers only; one after the other; ours */
	reader_lines_check(
	        &reader_debug, "computed tls-mtu=1347 dtls-mtu=1418 conf-mtu=1406\n", "1: mtu 1347/1418/0\n");
	reader_lines_check(&reader_debug,
	        "http_parse_cstp_method()\nIPADDR: '1', INDEX: '4', LOGIN: 'a'\nSending X-CSTP-MTU: "
	        "1367\nSending X-DTLS-MTU: 1390\n"
	        "http_parse_cstp_method()\nIPADDR: '1', INDEX: '5', LOGIN: 'b c'\ntls-mtu=1 "
	        "dtls-mtu=2\nSending X-CSTP-MTU: 1\n",
	        "4: mtu user=<a> 1367/1390/0\n7: mtu user=<b c> 1/2/0\n");
	reader_lines_check(&reader_debug,
	        "announced tls-mtu=1400 dtls-mtu=1400: one value for both tunnels\n", "1: mtu 1400/1400/0\n");
	/* mtu = 1400 is a line of ocserv.conf */
	reader_lines_check_claims(
	        &reader_debug, "mtu = 1400\ntls-mtu=99999999 dtls-mtu=1\nSetting x\n...input: 'x'\n", "----");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sessions),
	        cmocka_unit_test(sessions_short_and_foreign),
	        cmocka_unit_test(asp_drop),
	        cmocka_unit_test(debug),
	};
	return RUN(tests);
}

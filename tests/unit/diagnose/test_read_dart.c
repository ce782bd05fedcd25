#include "client_lines.h"

#define RULE "******************************************\n"
#define ITEM(date, time, text)                                                                               \
	RULE "\nDate        : " date "\nTime        : " time                                                 \
	     "\nType        : Warning\nSource      : acvpnagent\n\n"                                         \
	     "Description : " text "\n\n"

TEST(the_tech_note)
{
	assert_lines(&reader_dart,
	        RULE
	        "\nDate        : 11/16/2013\nTime        : 01:28:50\nType        : Warning\nSource      : "
	        "acvpnagent\n\nDescription : Reconfigure reason code 16:\nNew MTU configuration.\n\n" RULE
	        "\nDate        : 11/16/2013\nTime        : 01:28:50\nType        : Information\nSource      "
	        ": "
	        "acvpnagent\n\nDescription : The entire VPN connection is being reconfigured.\n\n" RULE
	        "\nDate        : 11/16/2013\nTime        : 01:28:51\nType        : Information\nSource      "
	        ": "
	        "acvpnui\n\nDescription : Message type information sent to the user:\nReconnecting to "
	        "10.1.1.2...\n\n" RULE
	        "\nDate        : 11/16/2013\nTime        : 01:28:51\nType        : Warning\nSource      : "
	        "acvpnagent\n\nDescription : A new MTU needs to be applied to the VPN network "
	        "interface.\nDisabling and re-enabling the Virtual Adapter. Applications utilizing "
	        "the\nprivate network may need to be restarted.\n\n" RULE,
	        "8 2013-11-16 01:28:50 reconfigure code=16 \"New MTU configuration.\"\n"
	        "37 2013-11-16 01:28:51 bounce\n");
}

TEST(a_whole_session)
{
	assert_lines(&reader_dart,
	        ITEM("11/16/2013", "1:28:01 AM",
	                "An SSL VPN connection to vpn.example.com has been requested by the user.")
	                ITEM("11/16/2013", "1:28:05 AM",
	                        "A SSL connection has been established using cipher RC4-SHA")
	                        ITEM("11/16/2013", "1:28:05 AM",
	                                "The Primary SSL connection to the secure gateway has been "
	                                "established.") ITEM("11/16/2013", "1:28:06 AM",
	                                "The VPN connection has been established and can now pass data.")
	                                ITEM("11/16/2013", "1:28:06 AM",
	                                        "Message type information sent to the user: Connected to "
	                                        "vpn.example.com.") ITEM("11/16/2013", "1:28:07 AM",
	                                        "Establishing the Primary DTLS connection") ITEM("11/16/2013",
	                                        "12:29:07 PM",
	                                        "The Primary DTLS connection is down") ITEM("11/16/2013",
	                                        "12:30:00 PM",
	                                        "Low level reconnect reason code 6: \"Reconnecting due to "
	                                        "the disruption of the VPN connection to the secure "
	                                        "gateway.\"") ITEM("11/16/2013", "12:30:02 PM",
	                                        "The VPN connection has been re-established and can now pass "
	                                        "data.") ITEM("11/16/2013", "12:31:00 PM",
	                                        "Termination reason code 9:\nClient PC is shutting down.")
	                                        ITEM("11/16/2013", "12:31:00 PM",
	                                                "VPN SESSION END: The VPN connection is terminated."),
	        "17 2013-11-16 01:28:05 up tls \"RC4-SHA\"\n"
	        "35 2013-11-16 01:28:06 connected\n"
	        "62 2013-11-16 12:29:07 failed dtls\n"
	        "71 2013-11-16 12:30:00 reconnect code=6 \"Reconnecting due to the disruption of the VPN "
	        "connection to the secure gateway.\"\n"
	        "80 2013-11-16 12:30:02 resumed\n"
	        "89 2013-11-16 12:31:00 end user \"Client PC is shutting down.\"\n");
}

TEST(what_the_gateway_said)
{
	assert_lines(&reader_dart,
	        ITEM("11/16/2013", "10:00:00", "Message type error sent to the user: Login failed.") ITEM(
	                "11/16/2013", "10:01:00",
	                "Message type error sent to the user:\nThe secure gateway has rejected the "
	                "connection attempt. A new connection attempt to the same or another secure gateway "
	                "is needed, which requires re-authentication. The following message was received "
	                "from the secure gateway: No assigned address") ITEM("11/16/2013", "10:02:00",
	                "The secure gateway has terminated the VPN connection. The following message was "
	                "received from the secure gateway: Idle Timeout") ITEM("11/16/2013", "10:03:00",
	                "The secure gateway has terminated the VPN connection. The following message was "
	                "received from the secure gateway: Administrator Reset"),
	        "8 2013-11-16 10:00:00 rejected \"Login failed\"\n"
	        "17 2013-11-16 10:01:00 pool-exhausted \"No assigned address\"\n"
	        "27 2013-11-16 10:02:00 end idle \"Idle Timeout\"\n"
	        "36 2013-11-16 10:03:00 end admin \"Administrator Reset\"\n");
}

TEST(developers_lines)
{
	assert_lines(&reader_dart,
	        ITEM("11/16/2013", "10:00:00",
	                "Function: OnTimerExpired\nFile: .\\CstpProtocol.cpp\nLine: 1507\nInvoked Function: "
	                "CCstpProtocol::handleExpiredDPD\nReturn Code: -31588341 (0xFE1E000B)\nDescription: "
	                "SOCKETTRANSPORT_ERROR_UNEXPECTED") ITEM("11/16/2013", "10:00:01",
	                "Function: CTlsProtocol::initialHandshake\nFile: DtlsProtocol.cpp\nLine: "
	                "502\nInvoked Function: SSL_connect\nReturn Code: 1 (0x1)\nDescription: "
	                "error:14094410:SSL routines:SSL3_READ_BYTES:sslv3 alert handshake failure")
	                ITEM("11/16/2013", "10:00:02",
	                        "Function: logInterfaces\nFile: a.cpp\nLine: 1\nIP Address Interface List: "
	                        "10.1.1.1") ITEM("11/16/2013", "10:00:03",
	                        "A new network interface has been detected.") ITEM("11/16/2013", "10:00:04",
	                        "The client's public address is now set to 192.168.1.1") ITEM("11/16/2013",
	                        "10:00:05",
	                        "The client's public address is now set to 192.168.1.1") ITEM("11/16/2013",
	                        "10:00:06", "The client's public address is now set to 10.4.1.7")
	                        ITEM("11/16/2013", "10:00:07", "The system is entering the suspend state.")
	                                ITEM("11/16/2013", "10:00:08",
	                                        "The system has resumed from a suspend."),
	        "8 2013-11-16 10:00:00 dpd-dead tls dpd\n"
	        "22 2013-11-16 10:00:01 cipher-mismatch dtls\n"
	        "48 2013-11-16 10:00:03 network\n"
	        "75 2013-11-16 10:00:06 network\n"
	        "84 2013-11-16 10:00:07 suspend\n"
	        "93 2013-11-16 10:00:08 wake\n");
}

TEST(languages)
{
	static const struct {
		const char *date, *time, *labels[5], *want;
	} rows[] = {
	        {"16.11.2013", "13:28:50", {"Datum", "Uhrzeit", "Typ", "Quelle", "Beschreibung"},
	                "2013-11-16 13:28:50"},
	        {"16/11/2013", "13:28:50", {"Date", "Heure", "Type", "Source", "Description"},
	                "2013-11-16 13:28:50"},
	        {"2013/11/16", "13:28:50", {"日付", "時刻", "種類", "ソース", "説明"}, "2013-11-16 13:28:50"},
	        {"2013年11月16日", "午後 1:28:50", {"日付", "時刻", "種類", "ソース", "説明"},
	                "2013-11-16 13:28:50"},
	        {"2013-11-16", "오후 1:28:50", {"날짜", "시간", "종류", "원본", "설명"},
	                "2013-11-16 13:28:50"},
	        {"2013. 11. 16.", "13:28:50", {"Dátum", "Idő", "Típus", "Forrás", "Leírás"},
	                "2013-11-16 13:28:50"},
	        {"2013/11/16", "下午 01:28:50", {"日期", "时间", "类型", "源", "描述"},
	                "2013-11-16 13:28:50"},
	        {"16/11/2013", "13.28.50", {"Data", "Ora", "Tipo", "Origine", "Descrizione"},
	                "2013-11-16 13:28:50"},
	        {"16.11.13", "13:28:50", {"Дата", "Время", "Тип", "Источник", "Описание"},
	                "2013-11-16 13:28:50"},
	        {"16\xe2\x80\x8f/11\xe2\x80\x8f/2013", "01:28:50 م",
	                {"التاريخ", "الوقت", "النوع", "المصدر", "الوصف"}, "2013-11-16 13:28:50"},
	        {"16.11.2013 г.", "13:28:50", {"Дата", "Час", "Тип", "Източник", "Описание"},
	                "2013-11-16 13:28:50"},
	        {"16-11-2013", "13:28:50", {"Datum", "Tijd", "Type", "Bron", "Beschrijving"},
	                "2013-11-16 13:28:50"},
	        {"2013-11-16", "13:28:50", {"Datum", "Tid", "Typ", "Källa", "Beskrivning"},
	                "2013-11-16 13:28:50"},
	        {"11/16/2013", "1:28:50\xe2\x80\xafPM", {"Date", "Time", "Type", "Source", "Description"},
	                "2013-11-16 13:28:50"},
	        {"11/16/2013", "12:28:50 AM", {"Date", "Time", "Type", "Source", "Description"},
	                "2013-11-16 00:28:50"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text in = {0}, want = {0};
		text_fmt(&in,
		        RULE "\n%s : %s\n%s : %s\n%s : x\n%s : acvpnagent\n\n%s : A network interface has "
		             "gone down.\n",
		        rows[i].labels[0], rows[i].date, rows[i].labels[1], rows[i].time, rows[i].labels[2],
		        rows[i].labels[3], rows[i].labels[4]);
		text_fmt(&want, "8 %s network\n", rows[i].want);
		assert_lines(&reader_dart, text_cstr(&in), text_cstr(&want));
		text_done(&in);
		text_done(&want);
	}
}

#define DOWN "A network interface has gone down."

TEST(day_and_month_by_a_later_line)
{
	assert_lines(&reader_dart,
	        ITEM("5/11/2013", "10:00:00", DOWN) ITEM("12/11/2013", "10:00:00", DOWN)
	                ITEM("13/11/2013", "10:00:00", DOWN),
	        "8 2013-11-05 10:00:00 network\n17 2013-11-12 10:00:00 network\n26 2013-11-13 10:00:00 "
	        "network\n");
	assert_lines(&reader_dart, ITEM("11/5/2013", "10:00:00", DOWN) ITEM("11/13/2013", "10:00:00", DOWN),
	        "8 2013-11-05 10:00:00 network\n17 2013-11-13 10:00:00 network\n");
}

TEST(day_and_month_by_their_distance)
{
	assert_lines(&reader_dart, ITEM("5/11/2013", "10:00:00", DOWN) ITEM("6/11/2013", "10:00:00", DOWN),
	        "8 2013-11-05 10:00:00 network\n17 2013-11-06 10:00:00 network\n");
	assert_lines(&reader_dart, ITEM("11/6/2013", "10:00:00", DOWN) ITEM("11/5/2013", "10:00:00", DOWN),
	        "8 2013-11-06 10:00:00 network\n17 2013-11-05 10:00:00 network\n");
}

TEST(day_and_month_by_the_files_age)
{
	/* written 2014-12-08: not on 9 December */
	assert_lines(&reader_dart, ITEM("12/10/2014", "10:00:00", DOWN), "8 2014-10-12 10:00:00 network\n");
}

TEST(day_and_month_guessed_and_said)
{
	assert_lines(&reader_dart, ITEM("11/5/2013", "10:00:00", DOWN),
	        "8 dates-guessed=1 11/5/2013\n8 2013-11-05 10:00:00 network\n");
	assert_lines(&reader_dart,
	        RULE
	        "\nFecha : 11/5/2013\nHora : 10:00:00\nTipo : x\nOrigen : acvpnagent\n\nDescripción : " DOWN
	        "\n",
	        "8 dates-guessed=2 11/5/2013\n8 2013-05-11 10:00:00 network\n");
}

TEST(more_events_than_can_wait)
{
	struct text in = {0};
	struct lines_run r = {0};
	for (int i = 0; i < 1000; i++)
		text_str(&in, ITEM("11/11/2013", "10:00:00", DOWN));
	char *got = lines_read(&reader_dart, text_cstr(&in), &r);
	size_t n = 0;
	for (const char *p = got; (p = strstr(p, " 2013-11-11 10:00:00 network\n")) != NULL; p++)
		n++;
	assert_int_equal(n, 1000);
	assert_int_equal(r.n_claims[CLAIM_NO], 0);
	free(got);
	text_done(&in);
}

TEST(other_modules_are_passed_over)
{
	assert_lines(&reader_dart,
	        RULE "\nDate : 11/16/2013\nTime : 10:00:00\nType : Information\nSource : "
	             "acnamagent\n\nDescription : " DOWN "\n",
	        "");
}

TEST(our_own_bundle)
{
	assert_lines(&reader_dart,
	        RULE "\nDate        : 11/26/2013\nTime        : 12:09:01\nType        : Information\nSource  "
	             "    : culvert\n\n"
	             "Description : Message type information sent to the user: UDP lost, continuing over "
	             "TLS.\n\n" RULE,
	        "8 2013-11-26 12:09:01 down dtls \"UDP lost, continuing over TLS.\"\n");
}

TEST(foreign_lines)
{
	assert_foreign(&reader_dart,
	        "interface GigabitEthernet0/0\n ip address 10.1.1.1 255.255.255.0\n!\n"
	        "Nov 16 01:28:50 asa : %ASA-6-722036: Group <g> User <u> IP <10.1.1.1> x\n"
	        "Time: 10:00\nDate of issue: 11/16/2013\n\n");
}

TEST(broken_off_anywhere)
{
	static const char whole[] =
	        ITEM("11/16/2013", "1:28:50 PM", "Reconfigure reason code 16:\nNew MTU configuration.");
	for (size_t n = 0; n < sizeof(whole); n++) {
		char *part = strndup(whole, n);
		struct lines_run r = {0};
		free(lines_read(&reader_dart, part, &r));
		free(part);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_tech_note),
	        cmocka_unit_test(a_whole_session),
	        cmocka_unit_test(what_the_gateway_said),
	        cmocka_unit_test(developers_lines),
	        cmocka_unit_test(languages),
	        cmocka_unit_test(day_and_month_by_a_later_line),
	        cmocka_unit_test(day_and_month_by_their_distance),
	        cmocka_unit_test(day_and_month_by_the_files_age),
	        cmocka_unit_test(day_and_month_guessed_and_said),
	        cmocka_unit_test(more_events_than_can_wait),
	        cmocka_unit_test(other_modules_are_passed_over),
	        cmocka_unit_test(our_own_bundle),
	        cmocka_unit_test(foreign_lines),
	        cmocka_unit_test(broken_off_anywhere),
	};
	return RUN(tests);
}

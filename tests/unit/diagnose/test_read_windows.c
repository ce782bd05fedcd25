#include "client_lines.h"

#define DOWN "A network interface has gone down."

#define TEXT(date, id, text)                                                                                 \
	"Log Name:      Cisco AnyConnect Secure Mobility Client\nSource:        acvpnagent\nDate:         "  \
	" " date "\nEvent ID:      " id                                                                      \
	"\nTask Category: None\nLevel:         Information\nKeywords:      Classic\nUser:          N/A\n"    \
	"Computer:      PC7.example.com\nDescription:\n" text "\n"

TEST(text_of_the_event_viewer)
{
	assert_lines_of_users(&reader_windows,
	        TEXT("10/26/2013 6:03:30 PM", "2048",
	                "A SSL connection has been established using cipher AES256-SHA256") TEXT("10/26/2013 "
	                                                                                         "6:03:31 PM",
	                "2048", "The VPN connection has been established and can now pass data.")
	                TEXT("10/26/2013 6:04:30 PM", "2018",
	                        "Reconfigure reason code 16:\nNew MTU configuration.")
	                        TEXT("10/26/2013 6:04:31 PM", "2",
	                                "Function: ConnectMgr::run\nFile: .\\CstpProtocol.cpp\nLine: 1360\n"
	                                "Invoked Function: CCstpProtocol::handleExpiredDPD\n"
	                                "Return Code: -31588341 (0xFE1E000B)\nDescription: X"),
	        "11 2013-10-26 18:03:30 up tls on=PC7.example.com \"AES256-SHA256\"\n"
	        "22 2013-10-26 18:03:31 connected on=PC7.example.com\n"
	        "33 2013-10-26 18:04:30 reconfigure code=16 on=PC7.example.com \"New MTU configuration.\"\n"
	        "45 2013-10-26 18:04:31 dpd-dead tls dpd on=PC7.example.com\n");
}

TEST(text_in_german)
{
	assert_lines(&reader_windows,
	        "Protokollname: Cisco AnyConnect Secure Mobility Client\nQuelle:        acvpnagent\n"
	        "Datum:         26.10.2013 18:03:30\nEreignis-ID:   2070\nAufgabenkategorie:Keine\nEbene:    "
	        "     Informationen\n"
	        "Schlüsselwörter:Klassisch\nBenutzer:      Nicht zutreffend\nComputer:      "
	        "PC7\nBeschreibung:\n" DOWN "\n",
	        "11 2013-10-26 18:03:30 network\n");
}

TEST(text_in_japanese)
{
	assert_lines(&reader_windows,
	        "ログの名前:         Cisco Secure Client - AnyConnect VPN\nソース:           csc_vpnagent\n"
	        "日付:            2013/10/26 18:03:30\nイベント ID:       2070\nタスクのカテゴリ:      "
	        "なし\nレベル:           情報\n"
	        "キーワード:         クラシック\nユーザー:          N/A\nコンピューター:       "
	        "PC7\n説明:\n" DOWN "\n",
	        "11 2013-10-26 18:03:30 network\n");
}

TEST(list_of_powershell)
{
	assert_lines(&reader_windows,
	        "\nTimeCreated  : 26/10/2013 18:03:30\nProviderName : acvpnagent\nId           : 2018\n"
	        "Message      : Reconfigure reason code 16:\n               New MTU configuration.\n\n"
	        "TimeCreated  : 26/10/2013 18:03:31\nProviderName : somebody\nId           : 1\n"
	        "Message      : " DOWN "\n\n"
	        "TimeCreated  : 26/10/2013 18:03:32\nProviderName : acvpnui\nId           : 2070\n"
	        "Message      : " DOWN "\n",
	        "5 2013-10-26 18:03:30 reconfigure code=16 \"New MTU configuration.\"\n"
	        "16 2013-10-26 18:03:32 network\n");
}

TEST(wevtutil_as_text)
{
	assert_lines(&reader_windows,
	        "Event[0]:\n  Log Name: Cisco AnyConnect Secure Mobility Client\n  Source: acvpnagent\n"
	        "  Date: 2013-10-26T18:03:30.000\n  Event ID: 2070\n  Task: N/A\n  Level: Information\n  "
	        "Opcode: N/A\n"
	        "  Keyword: Classic\n  User: N/A\n  User Name: N/A\n  Computer: PC7\n  Description: \n" DOWN
	        "\n\n"
	        "Event[1]:\n  Log Name: Cisco AnyConnect Secure Mobility Client\n  Source: acvpnui\n"
	        "  Date: 2013-10-26T18:03:31.000\n  Event ID: 3021\n  Task: N/A\n  Level: Error\n  Opcode: "
	        "N/A\n"
	        "  Keyword: Classic\n  User: N/A\n  User Name: N/A\n  Computer: PC7\n  Description: \n"
	        "Message type error sent to the user: Login failed.\n\n",
	        "14 2013-10-26 18:03:30 network\n29 2013-10-26 18:03:31 rejected \"Login failed\"\n");
}

#define XML(time, provider, data)                                                                            \
	"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider "            \
	"Name='" provider                                                                                    \
	"'/><EventID Qualifiers='25600'>2039</EventID><Level>4</Level><TimeCreated SystemTime='" time        \
	"'/><Channel>Cisco AnyConnect Secure Mobility "                                                      \
	"Client</Channel><Computer>PC7</Computer><Security/></System>"                                       \
	"<EventData><Data>" data "</Data></EventData></Event>"

TEST(xml_on_one_line)
{
	assert_lines_of_users(&reader_windows,
	        "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\n<Events>" XML(
	                "2013-10-26T18:03:30.290103700Z", "acvpnagent",
	                "The VPN connection has been established and can now pass data.")
	                XML("2013-10-26T18:03:31.5Z", "acvpnagent",
	                        "Low level reconnect reason code 6:&#xD;&#xA;&quot;A &lt;b&gt; &amp; "
	                        "c&#46;&quot;")
	                        XML("2013-10-26T18:03:32.5Z", "SomethingElse", DOWN) "</Events>\n",
	        "2 2013-10-26 18:03:30.290Z connected on=PC7\n"
	        "2 2013-10-26 18:03:31.500Z reconnect code=6 on=PC7 \"A <b> & c.\"\n");
}

TEST(xml_on_many_lines)
{
	assert_lines(&reader_windows,
	        "<Events>\n  <Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\">\n  "
	        "<System>\n"
	        "    <Provider Name=\"csc_vpnagent\" />\n    <TimeCreated SystemTime=\"2020-10-08 "
	        "15:58:49.2901037\" />\n  </System>\n"
	        "  <EventData>\n    <Data>Reconfigure reason code 16:\nNew MTU configuration.</Data>\n  "
	        "</EventData>\n</Event>\n</Events>\n",
	        "2 2020-10-08 15:58:49.290Z reconfigure code=16 \"New MTU configuration.\"\n");
}

TEST(xml_behind_the_text_of_the_same_event)
{
	assert_lines(&reader_windows,
	        TEXT("10/26/2013 8:03:30 PM", "2070", DOWN) "Event Xml:\n" XML("2013-10-26T18:03:30Z",
	                "acvpnagent", DOWN) "\n" TEXT("10/26/2013 8:04:30 PM", "2070", DOWN),
	        "13 2013-10-26 18:03:30Z network\n24 2013-10-26 20:04:30 network\n");
}

TEST(tables)
{
	assert_lines(&reader_windows,
	        "Level,Date and Time,Source,Event ID,Task Category\n"
	        "Information,10/26/2013 6:03:30 PM,acvpnagent,2070,None," DOWN "\n"
	        "Warning,10/26/2013 6:04:30 PM,acvpnagent,2018,None,\"Reconfigure reason code 16:\nNew MTU "
	        "\"\"configuration\"\".\n\"\n"
	        "Error,10/26/2013 6:05:30 PM,acvpnui,3021,None,Message type error sent to the user: Login "
	        "failed.\n",
	        "2 2013-10-26 18:03:30 network\n"
	        "3 2013-10-26 18:04:30 reconfigure code=16 \"New MTU \"configuration\".\"\n"
	        "6 2013-10-26 18:05:30 rejected \"Login failed\"\n");
	assert_lines(&reader_windows, "Informationen;26.10.2013 18:03:30;acvpnagent;2070;Keine;" DOWN "\n",
	        "1 2013-10-26 18:03:30 network\n");
	assert_lines(&reader_windows,
	        "Information\t2013/10/26 18:03:30\tcsc_vpnagent\t2070\tなし\t" DOWN "\n",
	        "1 2013-10-26 18:03:30 network\n");
}

TEST(powershell)
{
	assert_lines(&reader_windows,
	        "\"Message\",\"Id\",\"Level\",\"ProviderName\",\"LogName\",\"TimeCreated\"\n"
	        "\"Reconfigure reason code 16:\nNew MTU configuration.\",\"2018\",\"3\",\"acvpnagent\","
	        "\"Cisco AnyConnect Secure Mobility Client\",\"26/10/2013 18:03:30\"\n"
	        "\"" DOWN "\",\"2070\",\"4\",\"acvpnagent\",\"Cisco AnyConnect Secure Mobility "
	        "Client\",\"27/10/2013 18:03:30\"\n",
	        "2 2013-10-26 18:03:30 reconfigure code=16 \"New MTU configuration.\"\n4 2013-10-27 18:03:30 "
	        "network\n");
}

TEST(foreign_lines)
{
	assert_foreign(&reader_windows,
	        "Log Name:      Security\nSource:        Microsoft-Windows-Security-Auditing\nDate:          "
	        "10/26/2013 6:03:30 PM\n"
	        "Information,10/26/2013 6:03:30 PM,Service Control Manager,7036,None,The service entered the "
	        "running state.\n"
	        "Oct 26 18:03:30 asa %ASA-6-722051: Group <vpn> User <u> IP <10.1.1.1> x\n"
	        "webvpn\n enable outside\n anyconnect image disk0:/anyconnect-win-3.1.04066-k9.pkg 1\n"
	        " \"quoted\", text\n");
}

TEST(broken_off_anywhere)
{
	static const char whole[] = TEXT("10/26/2013 6:04:30 PM", "2018",
	        "Reconfigure reason code 16:\nNew MTU configuration.") "Event Xml:\n" XML("2013-10-26T18:03:"
	                                                                                  "30Z",
	        "acvpnagent", "&amp;&#x") "\nInformation,10/26/2013 6:03:30 PM,acvpnagent,2070,None,\"a\n";
	for (size_t n = 0; n < sizeof(whole); n++) {
		char *part = strndup(whole, n);
		struct lines_run r = {0};
		free(lines_read(&reader_windows, part, &r));
		free(part);
	}
}

TEST(longer_than_a_record)
{
	struct text in = {0};
	text_str(&in, "<Event xmlns='x'><System><Provider Name='acvpnagent'/></System><EventData><Data>");
	for (int i = 0; i < 3000; i++)
		text_str(&in, "&lt;&lt;\n");
	text_str(&in, "</Data></EventData></Event>\n" XML("2013-10-26T18:03:30Z", "acvpnagent", DOWN) "\n");
	assert_lines(&reader_windows, text_cstr(&in), "3002 2013-10-26 18:03:30Z network\n");
	text_done(&in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(text_of_the_event_viewer),
	        cmocka_unit_test(text_in_german),
	        cmocka_unit_test(text_in_japanese),
	        cmocka_unit_test(list_of_powershell),
	        cmocka_unit_test(wevtutil_as_text),
	        cmocka_unit_test(xml_on_one_line),
	        cmocka_unit_test(xml_on_many_lines),
	        cmocka_unit_test(xml_behind_the_text_of_the_same_event),
	        cmocka_unit_test(tables),
	        cmocka_unit_test(powershell),
	        cmocka_unit_test(foreign_lines),
	        cmocka_unit_test(broken_off_anywhere),
	        cmocka_unit_test(longer_than_a_record),
	};
	return RUN(tests);
}

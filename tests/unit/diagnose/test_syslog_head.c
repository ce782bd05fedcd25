#include "diagnose/syslog_head.h"

#include <stdio.h>
#include <time.h>

#include "../unit.h"

#define WRITTEN_MS INT64_C(1384646400000) /* 2013-11-17 00:00:00 */

/* "722036 A|device|2013-11-16T01:28:50Z|text": 'Q' when in quotes, xN when it stands for several */
static const char *read_line(const char *line)
{
	static char buf[1024];
	char at[40] = "-";
	struct syslog_head h;
	struct tm tm;
	if (!syslog_head_find(span_str(line), &h))
		return "none";
	uint32_t times = syslog_head_trim(&h);
	struct syslog_origin o = syslog_head_origin(&h, WRITTEN_MS);
	time_t t = (time_t)(o.at_ms / 1000);
	if (o.at_ms != TIME_NONE && gmtime_r(&t, &tm) != NULL)
		strftime(at, sizeof(at), o.has_zone ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, sizeof(buf), "%u %c%s x%u|%.*s|%s|%.*s", h.id, h.family == SYSLOG_ASA ? 'A' : 'C',
	        h.is_quoted ? "Q" : "", times, (int)o.device.n, (const char *)o.device.p, at, (int)h.text.n,
	        (const char *)h.text.p);
	return buf;
}

static void check(const char *const (*rows)[2], size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_string_equal(read_line(rows[i][0]), rows[i][1]);
}

/* Every way in which the device itself and the usual collectors write the head. */
TEST(heads)
{
	static const char *const rows[][2] = {
	        {"%ASA-6-722036: text", "722036 A x1||-|text"},
	        {"Nov 16 2013 01:28:50: %ASA-6-722036: text", "722036 A x1||2013-11-16T01:28:50|text"},
	        {"<166>Nov 16 2013 01:28:50: %ASA-6-722036: text", "722036 A x1||2013-11-16T01:28:50|text"},
	        {"<166>Nov 16 2013 01:28:50 asa1 : %ASA-6-722036: text",
	                "722036 A x1|asa1|2013-11-16T01:28:50|text"},
	        {"<166>:Nov 16 01:28:50 UTC: %ASA-vpn-6-722036: text",
	                "722036 A x1||2013-11-16T01:28:50Z|text"},
	        {"<166>:Nov 16 01:28:50 CET: %FTD--6-852002: text", "852002 A x1||2013-11-16T00:28:50Z|text"},
	        {"Nov 16 01:28:51 10.48.66.1 : %ASA-6-722036: text",
	                "722036 A x1|10.48.66.1|2013-11-16T01:28:51|text"},
	        {"Nov 16 01:28:51 10.48.66.1 %ASA-6-722036: text",
	                "722036 A x1|10.48.66.1|2013-11-16T01:28:51|text"},
	        {"Nov 16 01:28:51 relay Nov 16 2013 01:28:50 fw-1.example.com : %ASA-6-722036: text",
	                "722036 A x1|fw-1.example.com|2013-11-16T01:28:50|text"},
	        {"Nov 16 01:28:51 fw1 : Nov 16 01:28:50 EDT: %ASA-svc-4-722051: text",
	                "722051 A x1|fw1|2013-11-16T05:28:50Z|text"},
	        {"Nov 16 2013 01:28:50 localhost CiscoASA[999]: %ASA-4-113029: text",
	                "113029 A x1|localhost|2013-11-16T01:28:50|text"},
	        {"2020-09-30T09:06:09.254798+02:00 local4.err vpn-116 %ASA-3-722031: text",
	                "722031 A x1|vpn-116|2020-09-30T07:06:09Z|text"},
	        {"<166>2018-06-27T12:17:46Z asa : %ASA-6-110002: text",
	                "110002 A x1|asa|2018-06-27T12:17:46Z|text"},
	        {"<166>1 2018-06-27T12:17:46.123Z fw1 ASA - - - Jun 27 2018 12:17:45: %ASA-6-722036: text",
	                "722036 A x1|fw1|2018-06-27T12:17:45Z|text"},
	        {"<166>: 2024 Aug 07 10:29:42 UTC ccafa9b4-b48a-4156-b3af-de2d35e5f432 : %FTD-auth-6-113039: "
	         "text",
	                "113039 A x1|ccafa9b4-b48a-4156-b3af-de2d35e5f432|2024-08-07T10:29:42Z|text"},
	        {"2013-11-16 01:28:50\tLocal4.Info\t10.1.1.1\tNov 16 2013 01:28:49: %ASA-6-722036: text",
	                "722036 A x1|10.1.1.1|2013-11-16T01:28:49|text"},
	        {"000123: *Nov 16 01:28:50.250: %ASA-6-722036: text",
	                "722036 A x1||2013-11-16T01:28:50|text"},
	        {"<188>Nov 16 01:28:50 dev01: %FTD<Up>-4-313005: text",
	                "313005 A x1|dev01|2013-11-16T01:28:50|text"},
	        {"<165>%FTD-5-305013: text", "305013 A x1||-|text"},
	        {"<166>fw-2 %FTD-6-113005: text", "113005 A x1|fw-2|-|text"},
	        {"%ASA-5-111010 User 'a', running 'CLI'", "111010 A x1||-|User 'a', running 'CLI'"},
	        {"%PIX-6-602101: text", "602101 A x1||-|text"},
	        {"<165>Nov 16 2013 01:28:50 gw : %CULVERT-5-722101: text",
	                "722101 C x1|gw|2013-11-16T01:28:50|text"},
	        {"%FTD-6-602101:", "602101 A x1||-|"},
	        {"Nov 16 01:28:50 2001:db8::1 %ASA-6-722036: text",
	                "722036 A x1|2001:db8::1|2013-11-16T01:28:50|text"},
	        /* the year of a line without one: the last that is not in the future */
	        {"Dec 24 01:28:50 fw %ASA-6-722036: text", "722036 A x1|fw|2012-12-24T01:28:50|text"},
	};
	check(rows, N_ELEM(rows));
}

/* The relay knows its zone, the device does not say its own: one moment, two clocks. */
TEST(zones_of_relays)
{
	static const char *const rows[][2] = {
	        {"2013-11-16T00:28:51Z relay Nov 16 2013 01:28:50 fw : %ASA-6-722036: x",
	                "722036 A x1|fw|2013-11-16T00:28:50Z|x"},
	        {"2013-11-16T08:28:51+01:00 Nov 16 2013 01:58:50: %ASA-6-722036: x",
	                "722036 A x1||2013-11-16T07:28:50Z|x"},
	        /* clocks that differ by no zone's offset are not made to agree */
	        {"2013-11-16T00:28:51Z Nov 16 2013 01:35:50: %ASA-6-722036: x",
	                "722036 A x1||2013-11-16T01:35:50|x"},
	        {"2013-11-16T00:28:51Z Nov 15 2012 00:28:50: %ASA-6-722036: x",
	                "722036 A x1||2012-11-15T00:28:50|x"},
	};
	check(rows, N_ELEM(rows));
}

TEST(exports)
{
	static const char *const rows[][2] = {
	        {"\"2024-01-05T10:00:00Z\",\"fw1\",\"<166>Jan 05 2024 10:00:00: %ASA-6-722036: Group "
	         "\"\"a\"\" x.\",\"syslog\"",
	                "722036 AQ x1|fw1|2024-01-05T10:00:00Z|Group \"\"a\"\" x."},
	        {"{\"@timestamp\":\"2024-01-05T10:00:00.5Z\",\"host\":\"fw1\",\"source\":\"udp\",\"message\":"
	         "\"<166>%ASA-6-722036: Group \\\"a\\\".\"}",
	                "722036 AQ x1|fw1|2024-01-05T10:00:00Z|Group \\\"a\\\"."},
	        {"_time=2024-01-05T10:00:00Z host=fw9 sourcetype=cisco:asa _raw=%ASA-6-722036: x",
	                "722036 A x1|fw9|2024-01-05T10:00:00Z|x"},
	        {"Nov 16 01:28:50 fw rsyslogd: message repeated 3 times: [ %ASA-6-722036: x]",
	                "722036 A x3|rsyslogd|2013-11-16T01:28:50|x"},
	        {"Nov 16 01:28:50 fw message repeated 99999 times: [%ASA-6-722036: x]",
	                "722036 A x1000|fw|2013-11-16T01:28:50|x"},
	        {"Nov 16 01:28:50 fw message repeated no times: [%ASA-6-722036: x]",
	                "722036 A x1|times|2013-11-16T01:28:50|x]"},
	};
	check(rows, N_ELEM(rows));
}

TEST(not_messages)
{
	static const char *const rows[][2] = {
	        {"", "none"},
	        {"%", "none"},
	        {"100 % of %ASA- and %FTD-6 and %ASA-6-72203", "none"},
	        {"%ASA-6-7220361: seven digits", "none"},
	        {"%ASA-6-022036: leading zero", "none"},
	        {"%LINEPROTO-5-UPDOWN: x", "none"},
	        {"%SEC-6-106100: x", "none"},
	        {"%ASA 6 722036", "none"},
	        {"50 %, then %ASA-6-722036: x", "722036 A x1|then|-|x"},
	};
	check(rows, N_ELEM(rows));
}

TEST(repeats)
{
	static const struct {
		const char *line;
		uint32_t times;
		size_t before;
	} rows[] = {{"Nov 16 01:28:50 fw last message repeated 12 times", 12, 19},
	        {"last message repeated 1 time", 1, 0}, {"last message repeated 0 times", 0, 0},
	        {"last message repeated x times", 0, 0}, {"last message repeated 5000000000 times", 0, 0},
	        {"last message", 0, 12}};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct span before;
		assert_int_equal(syslog_head_repeats(span_str(rows[i].line), &before), rows[i].times);
		assert_int_equal(before.n, rows[i].before);
	}
}

/* Dates and records that other programs put around the line. */
TEST(collectors)
{
	static const char *const rows[][2] = {
	        /* a relay took the tag for APP-NAME of RFC 5424 */
	        {"<166>1 2024-01-05T10:00:00+00:00 fw1 %ASA-6-722036 - - - \xef\xbb\xbftext",
	                "722036 A x1|fw1|2024-01-05T10:00:00Z|text"},
	        {"<166>1 2024-01-05T10:00:00Z fw1 Cisco - - - %ASA-6-722036: text",
	                "722036 A x1|fw1|2024-01-05T10:00:00Z|text"},
	        /* names with states and contexts */
	        {"Jan 05 2024 10:00:00 fw1/pri/act : %ASA-6-722036: x",
	                "722036 A x1|fw1|2024-01-05T10:00:00|x"},
	        {"Jan 05 2024 10:00:00 fw1/admin: %ASA-6-722036: x",
	                "722036 A x1|fw1/admin|2024-01-05T10:00:00|x"},
	        {"2024-01-05T10:00:00Z fw1 local4/info %ASA-6-722036: x",
	                "722036 A x1|fw1|2024-01-05T10:00:00Z|x"},
	        /* CEF, with the message as it was, without its number, or as the name */
	        {"CEF:0|Cisco|ASA|9.14|722036|Transmitting large packet|6|rt=1704448800000 dvchost=fw1 "
	         "dvc=10.1.1.1 msg=%ASA-6-722036: Group <G> x. cat=vpn",
	                "722036 A x1|fw1|2024-01-05T10:00:00Z|Group <G> x."},
	        {"<166>Jan 05 10:00:09 relay CEF:0|CISCO|ASA||602101|PMTU|3|eventId=1 rt=Jan 05 2024 "
	         "10:00:00 "
	         "UTC dvchost=fw1 msg=PMTU-D packet, dest_addr\\=10.1.1.1",
	                "602101 A x1|fw1|2024-01-05T10:00:00Z|PMTU-D packet, dest_addr\\=10.1.1.1"},
	        {"CEF:0|Cisco|FTD|7.2|722036|Group <G> x.|6|rt=1704448800000 dvchost=fw1",
	                "722036 A x1|fw1|2024-01-05T10:00:00Z|Group <G> x."},
	        {"CEF:0|Other|Product|1|722036|Group <G> x.|6|rt=1704448800000", "none"},
	        {"CEF:0|Cisco|ASA", "none"},
	        {"[Jan 05 2024 10:00:00] [fw1] %ASA-6-722036: x", "722036 A x1|fw1|2024-01-05T10:00:00|x"},
	        {"[2024-01-05T10:00:00Z] %ASA-6-722036: x", "722036 A x1||2024-01-05T10:00:00Z|x"},
	        {"05 Jan 2024 10:00:00 fw1 %ASA-6-722036: x", "722036 A x1|fw1|2024-01-05T10:00:00|x"},
	        {"1/5/2024 2:00:00 PM 192.0.2.1 %ASA-6-722036: x",
	                "722036 A x1|192.0.2.1|2024-01-05T14:00:00|x"},
	        {"05.01.2024 10:00:00 192.0.2.1 %ASA-6-722036: x",
	                "722036 A x1|192.0.2.1|2024-01-05T10:00:00|x"},
	        {"01-05-2024\t10:00:00\tLocal4.Info\t192.0.2.1\t%ASA-6-722036: x",
	                "722036 A x1|192.0.2.1|2024-01-05T10:00:00|x"},
	        {"10.1.1.1:53 %ASA-6-722036: x", "722036 A x1||-|x"},
	        {"6|Jan 05 2024|10:00:00|722036|198.51.100.7|4431|10.1.1.2|443|Group <a|b> x.",
	                "722036 A x1||2024-01-05T10:00:00|Group <a|b> x."},
	        {"5|Jan 05 2024|10:00:00|722033|||Group <a> x.",
	                "722033 A x1||2024-01-05T10:00:00|Group <a> x."},
	        {"6|Jan 05 2024|10:00:00|72203|||x y", "none"},
	        /* the time behind the message, or in numbers */
	        {"{\"message\":\"%ASA-6-722036: "
	         "x\",\"@version\":\"1\",\"@timestamp\":\"2024-01-05T10:00:00.000Z\","
	         "\"host\":{\"name\":\"fw1\"}}",
	                "722036 AQ x1|fw1|2024-01-05T10:00:00Z|x"},
	        {"\"%ASA-6-722036: x\",\"2024-01-05T10:00:00.000+0000\",fw1",
	                "722036 AQ x1||2024-01-05T10:00:00Z|x"},
	        {"{\"host\":\"fw1\",\"short_message\":\"%ASA-6-722036: x\",\"timestamp\":1704448800.25}",
	                "722036 AQ x1|fw1|2024-01-05T10:00:00Z|x"},
	        {"{\"__REALTIME_TIMESTAMP\":\"1704448800000000\",\"_HOSTNAME\":\"fw1\",\"MESSAGE\":\"%ASA-6-"
	         "722036: x\"}",
	                "722036 AQ x1|fw1|2024-01-05T10:00:00Z|x"},
	        {"{\"date\":1704448800.5,\"log\":\"\\u003c166\\u003eJan 05 2024 11:00:00 fw1 : "
	         "%ASA-6-722036: x\\n\"}",
	                "722036 AQ x1|fw1|2024-01-05T10:00:00Z|x\\n"},
	        /* words of the message given twice are no host */
	        {"{\"message\":\"First TCP SVC connection.\",\"event\":{\"original\":\"<165>Jan 05 2024 "
	         "10:00:00: "
	         "%ASA-5-722033: First TCP SVC connection.\"}}",
	                "722033 AQ x1||2024-01-05T10:00:00|First TCP SVC connection."},
	};
	check(rows, N_ELEM(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(heads),
	        cmocka_unit_test(zones_of_relays),
	        cmocka_unit_test(exports),
	        cmocka_unit_test(not_messages),
	        cmocka_unit_test(repeats),
	        cmocka_unit_test(collectors),
	};
	return RUN(tests);
}

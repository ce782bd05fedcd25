#include "../unit.h"

#include "gateway/debug.h"

static struct text seen;
static unsigned level_max;

static void take(void *ctx, unsigned level, const char *line)
{
	(void)ctx;
	assert_null(strchr(line, '\n'));
	if (level <= level_max)
		text_fmt(&seen, "%s\n", line);
}

static const char *request(const char *head, unsigned level)
{
	static struct http_head h;
	size_t used;
	assert_int_equal(http_request_parse(span_str(head), &h, &used), 0);
	text_done(&seen);
	level_max = level;
	debug_format_request(&h, take, NULL);
	return text_cstr(&seen);
}

static const char *reply(const char *head)
{
	text_done(&seen);
	level_max = DEBUG_LEVEL_MAX;
	debug_format_reply(span_str(head), take, NULL);
	return text_cstr(&seen);
}

#define HEAD                                                                                                 \
	"CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: vpn.example.com\r\nUser-Agent: Cisco AnyConnect\r\n"     \
	"Cookie: webvpn=0123456789abcdef\r\nX-CSTP-Version: 1\r\nX-DTLS-Master-Secret: 00112233\r\n\r\n"

TEST(request_in_the_words_of_the_transcript)
{
	assert_string_equal(request(HEAD, DEBUG_DIALOGUE), "...input: 'CONNECT /CSCOSSLC/tunnel HTTP/1.1'\n"
	                                                   "...input: 'Host: vpn.example.com'\n"
	                                                   "...input: 'User-Agent: Cisco AnyConnect'\n"
	                                                   "Setting user-agent to: 'Cisco AnyConnect'\n"
	                                                   "...input: 'Cookie: *****'\n"
	                                                   "...input: 'X-CSTP-Version: 1'\n"
	                                                   "Setting version to '1'\n"
	                                                   "...input: 'X-DTLS-Master-Secret: *****'\n"
	                                                   "Found WebVPN cookie: 'webvpn=*****'\n");
	const char *all = request(HEAD, DEBUG_LEVEL_MAX);
	assert_int_equal(strncmp(all, "http_parse_cstp_method()\n...input: 'CONNECT ", 44), 0);
	assert_non_null(strstr(all, "webvpn_cstp_parse_request_field()\n"
	                            "...input: 'Host: vpn.example.com'\n"
	                            "Processing CSTP header line: 'Host: vpn.example.com'\n"));
}

TEST(secrets_are_masked_whatever_their_header_is_called)
{
	static const char *const names[] = {"Cookie", "COOKIE", "Authorization", "Proxy-Authorization",
	        "X-DTLS-Master-Secret", "X-Session-Token", "X-AnyConnect-STRAP-Verify", "X-Api-Key",
	        "Set-Cookie", "X-Password"};
	for (size_t i = 0; i < N_ELEM(names); i++) {
		char head[256];
		(void)snprintf(
		        head, sizeof(head), "CONNECT / HTTP/1.1\r\nHost: h\r\n%s: s3cr3t\r\n\r\n", names[i]);
		assert_null(strstr(request(head, DEBUG_LEVEL_MAX), "s3cr3t"));
		(void)snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\n%s: s3cr3t\r\n\r\n", names[i]);
		assert_null(strstr(reply(head), "s3cr3t"));
	}
}

TEST(timers_are_no_secrets)
{
	assert_string_equal(
	        reply("HTTP/1.1 200 CONNECTED\r\nX-CSTP-Keepalive: 20\r\nX-CSTP-Rekey-Time: 3600\r\n"
	              "X-CSTP-MTU: 1399\r\n\r\n"),
	        "SVC: Sending response\n"
	        "Sending HTTP/1.1 200 CONNECTED\n"
	        "Sending X-CSTP-Keepalive: 20\n"
	        "Sending X-CSTP-Rekey-Time: 3600\n"
	        "Sending X-CSTP-MTU: 1399\n");
}

TEST(long_and_odd_values_are_cut_and_escaped)
{
	static char head[9000];
	int n = snprintf(head, sizeof(head), "CONNECT / HTTP/1.1\r\nHost: h\r\nX-Filler: ");
	memset(head + n, '\xe9', 4000);
	memcpy(head + n + 4000, "\r\n\r\n", 5);
	const char *text = request(head, DEBUG_LEVEL_MAX);
	assert_non_null(strstr(text, "X-Filler: \\xe9\\xe9"));
	assert_null(strchr(text, '\xe9'));
	assert_true(strlen(text) < 2 * 4 * 1024 + 1024);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(request_in_the_words_of_the_transcript),
	        cmocka_unit_test(secrets_are_masked_whatever_their_header_is_called),
	        cmocka_unit_test(timers_are_no_secrets),
	        cmocka_unit_test(long_and_odd_values_are_cut_and_escaped),
	};
	return RUN(tests);
}

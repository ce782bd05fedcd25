#include "../unit.h"

#include <stdlib.h>
#include <time.h>

#include "client/dart_text.h"

#define RULE "******************************************\n"

TEST(event_in_the_form_of_the_note)
{
	static const char line[] =
	        "{\"t\":\"2013-11-16T01:28:50.190Z\",\"type\":\"Warning\",\"source\":\"acvpnagent\","
	        "\"code\":16,\"text\":\"Reconfigure reason code 16: New MTU configuration.\"}\n";
	struct text t = {0};
	assert_true(dart_event_put(span_str(line), &t));
	dart_events_end(&t);
	assert_string_equal(text_cstr(&t),
	        RULE "\nDate        : 11/16/2013\nTime        : 01:28:50\n"
	             "Type        : Warning\nSource      : acvpnagent\n\n"
	             "Description : Reconfigure reason code 16:\nNew MTU configuration.\n\n" RULE);
	text_done(&t);
}

TEST(what_is_no_event_adds_nothing)
{
	static const char *const lines[] = {
	        "",
	        "\n",
	        "Warning: disk full",
	        "{}",
	        "[]",
	        "{\"t\":\"yesterday\",\"type\":\"Warning\",\"source\":\"x\",\"text\":\"y\"}",
	        "{\"t\":\"2013-11-16T01:28:50Z\",\"type\":7,\"source\":\"x\",\"text\":\"y\"}",
	        "{\"t\":\"2013-11-16T01:28:50Z\",\"type\":\"Warning\",\"source\":\"x\"}",
	        "{\"t\":\"2013-11-16T01:28:50Z\",\"type\":\"Warning\",\"source\":\"x\",\"text\":\"cut",
	};
	struct text t = {0};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_false(dart_event_put(span_str(lines[i]), &t));
	assert_int_equal(t.n, 0);
}

TEST(secrets_are_removed)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
	        {"Cookie: webvpn=A1B2@3; lang=en\r\nHost: x", "Cookie: [removed]\r\nHost: x"},
	        {"Cookie: lang=en; sid=abc", "Cookie: [removed]"},
	        {"Set-Cookie: webvpn=abc", "Set-Cookie: [removed]"},
	        {"webvpn=A1B2@3 x", "webvpn=[removed] x"},
	        {"Authorization: Basic dXNlcjpwYXNz\nnext", "Authorization: [removed]\nnext"},
	        {"{\"h\": \"Authorization: Basic dXNl\", \"n\": 1}",
	                "{\"h\": \"Authorization: [removed]\", \"n\": 1}"},
	        {"sso-token: 7f;8a", "sso-token: [removed]"},
	        {"webvpnc=bu:/&p:t&iu:1/", "webvpnc=[removed]"},
	        {"<session-token>abc</session-token>", "<session-token>[removed]</session-token>"},
	        {"{\"password\": \"hunter2\", \"n\": 1}", "{\"password\": \"[removed]\", \"n\": 1}"},
	        {"{\\\"password\\\":\\\"hunter2\\\"}", "{\\\"password\\\":\\\"[removed]\\\"}"},
	        /* whatever is in a value, all of it goes */
	        {"{\"password\": \"two words, and; more\", \"n\": 1}",
	                "{\"password\": \"[removed]\", \"n\": 1}"},
	        {"{\"password\":\"with \\\"quotes\\\" in\"}", "{\"password\":\"[removed]\"}"},
	        {"{\\\"password\\\":\\\"a\\\\\\\"b c\\\"}", "{\\\"password\\\":\\\"[removed]\\\"}"},
	        {"<password>a b,c;d</password>", "<password>[removed]</password>"},
	        {"password='it is' x", "password='[removed]' x"},
	        {"password=a,b;c\\d x", "password=[removed] x"},
	        {"password=secret=5", "password=[removed]"},
	        {"password: \"no end\nnext", "password: \"[removed]\nnext"},
	        {"X-DTLS-Master-Secret: 00FF", "X-DTLS-Master-Secret: [removed]"},
	        {"password=password1 x", "password=[removed] x"},
	        {"PSK=0011 rest", "PSK=[removed] rest"},
	        {"a\n-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----\nb",
	                "a\n[private key removed]\nb"},
	        {"-----BEGIN EC PRIVATE KEY-----\nMII", "[private key removed]"},
	        /* and what is none stays */
	        {"The session cookie is too long.", "The session cookie is too long."},
	        {"cipher PSK-AES256", "cipher PSK-AES256"},
	        {"-----BEGIN CERTIFICATE-----\nMII\n", "-----BEGIN CERTIFICATE-----\nMII\n"},
	        {"cookie=", "cookie="},
	        {"", ""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text t = {0};
		dart_scrub(span_str(rows[i].in), &t);
		assert_string_equal(text_cstr(&t), rows[i].out);
		text_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(event_in_the_form_of_the_note),
	        cmocka_unit_test(what_is_no_event_adds_nothing),
	        cmocka_unit_test(secrets_are_removed),
	};
	setenv("TZ", "UTC", 1);
	tzset();
	return RUN(tests);
}

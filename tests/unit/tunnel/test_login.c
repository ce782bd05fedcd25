#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "tunnel/login.h"

/* Documents as ocserv 1.1.6 and an ASA 9 send them (wire-protocol.md 1.4, 1.7). */
#define OCS_HEAD                                                                                             \
	"HTTP/1.1 200 OK\r\nSet-Cookie: webvpncontext=CTX=; Max-Age=300; Secure; HttpOnly\r\n"               \
	"Content-Type: text/xml\r\nX-Transcend-Version: 1\r\n\r\n"
#define OCS_FORM(message, rest)                                                                              \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<config-auth client=\"vpn\" type=\"auth-request\">\n"   \
	"<version who=\"sg\">0.1(1)</version>\n<auth id=\"main\">\n<message>" message                        \
	"</message>\n<form method=\"post\" action=\"/auth\">\n" rest "</form></auth>\n</config-auth>"
#define OCS_USER     "<input type=\"text\" name=\"username\" label=\"Username:\" />\n"
#define OCS_PASSWORD "<input type=\"password\" name=\"password\" label=\"Password:\" />\n"
#define OCS_SECOND   "<input type=\"password\" name=\"secondary_password\" label=\"Password2:\" />\n"
#define OCS_GROUPS                                                                                           \
	"<select name=\"group_list\" label=\"Group:\">\n<option>DEFAULT</option>\n"                          \
	"<option value=\"grp2\">Second group</option>\n</select>\n"
#define OCS_DONE_HEAD                                                                                        \
	"HTTP/1.1 200 OK\r\nConnection: Keep-Alive\r\nContent-Type: text/xml\r\n"                            \
	"Set-Cookie: webvpncontext=SID=; Secure; HttpOnly\r\nSet-Cookie: webvpn=SID=; Secure; HttpOnly\r\n"  \
	"Set-Cookie: webvpnc=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; Secure; HttpOnly\r\n"          \
	"Set-Cookie: webvpnc=bu:/&p:t&iu:1/&sh:ABCDEF; path=/; Secure; HttpOnly\r\n\r\n"
#define OCS_DONE                                                                                             \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<config-auth client=\"vpn\" type=\"complete\">\n"       \
	"<version who=\"sg\">0.1(1)</version>\n<auth id=\"success\">\n<banner>Welcome</banner>"              \
	"<title>SSL VPN Service</title></auth></config-auth>"
#define ASA_HEAD                                                                                             \
	"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nTransfer-Encoding: chunked\r\n"        \
	"Connection: Keep-Alive\r\nX-Aggregate-Auth: 1\r\n\r\n"
#define ASA_FORM(error)                                                                                      \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                                                       \
	"<config-auth client=\"vpn\" type=\"auth-request\" aggregate-auth-version=\"2\">\n"                  \
	"<opaque is-for=\"sg\">\n<tunnel-group>TG</tunnel-group>\n<group-alias>A</group-alias>\n"            \
	"<config-hash>1595829378234</config-hash>\n</opaque>\n<auth id=\"main\">\n<title>Login</title>\n"    \
	"<message>Please enter your username and password.</message>\n<banner></banner>\n" error             \
	"<form>\n<input type=\"text\" name=\"username\" label=\"Username:\"></input>\n"                      \
	"<input type=\"password\" name=\"password\" label=\"Password:\"></input>\n"                          \
	"<select name=\"group_list\" label=\"GROUP:\"><option selected=\"true\">A</option>"                  \
	"<option>B</option></select>\n</form>\n</auth>\n</config-auth>"
#define ASA_DONE                                                                                             \
	"<config-auth client=\"vpn\" type=\"complete\" aggregate-auth-version=\"2\">\n"                      \
	"<session-id>77</session-id>\n<session-token>TOKEN@77@ABC</session-token>\n<auth id=\"success\">"    \
	"<banner></banner><message id=\"0\" param1=\"\" param2=\"\"></message></auth>\n</config-auth>"

static struct login *login;
static struct text sent;

static int begin(const char *group, bool is_interactive)
{
	struct login_config c = {
	        .host = "vpn.example",
	        .port = 443,
	        .group = group,
	        .user_agent = "AnyConnect-compatible test",
	        .version = "0.1",
	        .device_id = "linux-64",
	        .is_interactive = is_interactive,
	};
	login = malloc(sizeof(*login));
	return login_init(login, &c);
}

static void end(void)
{
	login_wipe(login);
	free(login);
	text_done(&sent);
}

static void respond(const char *head_text, const char *body)
{
	struct http_head *head = malloc(sizeof(*head));
	size_t used;
	assert_int_equal(http_response_parse(span_str(head_text), head, &used), 0);
	assert_int_equal(login->state, LOGIN_SEND);
	text_done(&sent);
	login_request_format(login, &sent);
	assert_true(text_ok(&sent));
	login_on_response(login, head, span_str(body));
	free(head);
}

static void answer(enum login_ask kind, const char *value)
{
	assert_int_equal(login->state, LOGIN_ASK);
	assert_int_equal(login_question(login).kind, kind);
	assert_int_equal(login_answer(login, span_str(value)), 0);
}

static bool has_sent(const char *what)
{
	return strstr(text_cstr(&sent), what) != NULL;
}

TEST(ocserv_two_forms)
{
	assert_int_equal(begin(NULL, false), 0);
	respond(OCS_HEAD, OCS_FORM("Please enter your username.", OCS_USER));
	assert_true(has_sent("POST / HTTP/1.1\r\nHost: vpn.example\r\n"));
	assert_true(has_sent("type=\"init\""));
	assert_true(has_sent("<group-access>https://vpn.example/</group-access>"));
	assert_false(has_sent("Cookie:"));
	answer(LOGIN_ASK_USERNAME, "alice");
	respond(OCS_HEAD, OCS_FORM("Please enter your password.", OCS_PASSWORD));
	assert_true(has_sent("POST /auth HTTP/1.1\r\n"));
	assert_true(has_sent("Cookie: webvpncontext=CTX=\r\n"));
	assert_true(has_sent("<username>alice</username>"));
	answer(LOGIN_ASK_PASSWORD, "s<cret&");
	respond(OCS_DONE_HEAD, OCS_DONE);
	assert_true(has_sent("<password>s&lt;cret&amp;</password>"));
	assert_false(has_sent("<username>"));
	assert_int_equal(login->state, LOGIN_DONE);
	assert_string_equal(login_cookie(login), "SID=");
	assert_string_equal(login->banner, "Welcome");
	end();
}

TEST(one_form_with_second_factor)
{
	assert_int_equal(begin(NULL, false), 0);
	respond(OCS_HEAD, OCS_FORM("Both.", OCS_USER OCS_PASSWORD));
	answer(LOGIN_ASK_USERNAME, "alice");
	answer(LOGIN_ASK_PASSWORD, "one");
	respond(OCS_HEAD, OCS_FORM("Code?", OCS_SECOND));
	answer(LOGIN_ASK_SECOND, "123456");
	respond(OCS_DONE_HEAD, OCS_DONE);
	assert_true(has_sent("<secondary_password>123456</secondary_password>"));
	assert_int_equal(login->state, LOGIN_DONE);
	end();
}

TEST(wrong_password_without_terminal)
{
	assert_int_equal(begin(NULL, false), 0);
	respond(OCS_HEAD, OCS_FORM("x", OCS_USER));
	answer(LOGIN_ASK_USERNAME, "alice");
	respond(OCS_HEAD, OCS_FORM("Please enter your password.", OCS_PASSWORD));
	answer(LOGIN_ASK_PASSWORD, "bad");
	respond(OCS_HEAD, OCS_FORM("Login failed.\nPlease enter your password.", OCS_PASSWORD));
	assert_int_equal(login->state, LOGIN_FAILED);
	assert_int_equal(login->failure, ERR_REFUSED);
	assert_non_null(strstr(login->error, "Login failed."));
	end();
}

TEST(wrong_password_with_terminal)
{
	assert_int_equal(begin(NULL, true), 0);
	respond(OCS_HEAD, OCS_FORM("x", OCS_USER));
	answer(LOGIN_ASK_USERNAME, "alice");
	respond(OCS_HEAD, OCS_FORM("Please enter your password.", OCS_PASSWORD));
	answer(LOGIN_ASK_PASSWORD, "bad");
	respond(OCS_HEAD, OCS_FORM("Login failed.", OCS_PASSWORD));
	assert_true(login_question(login).is_retry);
	answer(LOGIN_ASK_PASSWORD, "worse");
	respond("HTTP/1.1 401 Authentication failed\r\nContent-Length: 0\r\n\r\n", "");
	assert_int_equal(login->state, LOGIN_FAILED);
	assert_int_equal(login->failure, ERR_REFUSED);
	end();
}

TEST(asa_session_token_and_opaque)
{
	assert_int_equal(begin(NULL, false), 0);
	respond(ASA_HEAD, ASA_FORM(""));
	answer(LOGIN_ASK_USERNAME, "bob");
	answer(LOGIN_ASK_PASSWORD, "pw");
	respond(ASA_HEAD, ASA_DONE);
	assert_true(has_sent("<tunnel-group>TG</tunnel-group>"));
	assert_true(has_sent("<group-select>A</group-select>"));
	assert_true(has_sent("<username>bob</username>"));
	assert_int_equal(login->state, LOGIN_DONE);
	assert_string_equal(login_cookie(login), "TOKEN@77@ABC");
	end();
}

TEST(asa_error_is_told)
{
	assert_int_equal(begin(NULL, false), 0);
	respond(ASA_HEAD, ASA_FORM(""));
	answer(LOGIN_ASK_USERNAME, "bob");
	answer(LOGIN_ASK_PASSWORD, "pw");
	respond(ASA_HEAD, ASA_FORM("<error id=\"88\" param1=\"\" param2=\"\">Login failed.</error>\n"));
	assert_int_equal(login->state, LOGIN_FAILED);
	assert_string_equal(login->error, "Login failed.");
	end();
}

/* /GROUP is 404 at ocserv 1.1.6: the group is looked for in the list, and its own form is asked for once. */
TEST(group_by_label_after_path)
{
	assert_int_equal(begin("second group", false), 0);
	respond("HTTP/1.1 404 Not found\r\nContent-Length: 0\r\n\r\n", "");
	assert_true(has_sent("POST /second%20group HTTP/1.1\r\n"));
	respond(OCS_HEAD, OCS_FORM("x", OCS_USER OCS_GROUPS));
	assert_true(has_sent("POST / HTTP/1.1\r\n"));
	respond(OCS_HEAD, OCS_FORM("x", OCS_USER OCS_GROUPS));
	assert_true(has_sent("POST /auth HTTP/1.1\r\n"));
	assert_true(has_sent("type=\"init\""));
	assert_true(has_sent("<group-select>grp2</group-select>"));
	answer(LOGIN_ASK_USERNAME, "alice");
	respond(OCS_HEAD, OCS_FORM("x", OCS_PASSWORD));
	assert_true(has_sent("type=\"auth-reply\""));
	assert_true(has_sent("<group-select>grp2</group-select>"));
	end();
}

TEST(group_unknown)
{
	assert_int_equal(begin("nowhere", false), 0);
	respond("HTTP/1.1 404 Not found\r\nContent-Length: 0\r\n\r\n", "");
	respond(OCS_HEAD, OCS_FORM("x", OCS_USER OCS_GROUPS));
	assert_int_equal(login->state, LOGIN_FAILED);
	assert_non_null(strstr(login->error, "DEFAULT, Second group"));
	end();
}

TEST(group_asked_on_a_terminal)
{
	assert_int_equal(begin(NULL, true), 0);
	respond(ASA_HEAD, ASA_FORM(""));
	assert_int_equal(login_question(login).kind, LOGIN_ASK_GROUP);
	assert_int_equal(login_answer(login, span_str("C")), -EINVAL);
	answer(LOGIN_ASK_GROUP, ""); /* Enter: the selected one */
	answer(LOGIN_ASK_USERNAME, "bob");
	end();
}

TEST(redirect_to_other_host)
{
	assert_int_equal(begin(NULL, false), 0);
	respond("HTTP/1.1 302 Found\r\nSet-Cookie: a=b\r\nLocation: https://other.example:8443/x\r\n"
	        "Content-Length: 0\r\n\r\n",
	        "");
	assert_true(login->has_moved && login->wants_new_connection);
	assert_string_equal(login->host, "other.example");
	assert_int_equal(login->port, 8443);
	respond(OCS_HEAD, OCS_FORM("x", OCS_USER));
	assert_true(has_sent("POST /x HTTP/1.1\r\nHost: other.example:8443\r\n"));
	assert_false(has_sent("Cookie:"));
	end();
}

TEST(redirects_are_bounded)
{
	assert_int_equal(begin(NULL, false), 0);
	for (int i = 0; i < LOGIN_MAX_REDIRECTS; i++)
		respond("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n", "");
	respond("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n", "");
	assert_int_equal(login->state, LOGIN_FAILED);
	end();
	assert_int_equal(begin(NULL, false), 0);
	respond("HTTP/1.1 302 Found\r\nLocation: http://plain.example/\r\nContent-Length: 0\r\n\r\n", "");
	assert_int_equal(login->state, LOGIN_FAILED);
	end();
}

TEST(garbage_and_missing_cookie)
{
	assert_int_equal(begin(NULL, false), 0);
	respond(OCS_HEAD, "<html><body>Hello</body></html>");
	assert_int_equal(login->state, LOGIN_FAILED);
	end();
	assert_int_equal(begin(NULL, false), 0);
	respond(OCS_HEAD, OCS_DONE);
	assert_int_equal(login->failure, ERR_PEER_PROTOCOL);
	end();
}

TEST(endless_forms_end)
{
	assert_int_equal(begin(NULL, true), 0);
	for (int i = 0; i < LOGIN_MAX_REQUESTS && login->state == LOGIN_SEND; i++) {
		respond(OCS_HEAD, OCS_FORM("x", OCS_USER));
		if (login->state == LOGIN_ASK)
			answer(LOGIN_ASK_USERNAME, "alice");
	}
	assert_int_equal(login->state, LOGIN_FAILED);
	assert_int_equal(login->failure, ERR_LIMIT);
	end();
}

TEST(pad_hides_the_length)
{
	size_t sizes[2];
	for (int i = 0; i < 2; i++) {
		assert_int_equal(begin(NULL, false), 0);
		respond(OCS_HEAD, OCS_FORM("x", OCS_PASSWORD));
		answer(LOGIN_ASK_PASSWORD, i ? "longer-than-a" : "a");
		respond(OCS_DONE_HEAD, OCS_DONE);
		sizes[i] = sent.n;
		end();
	}
	assert_int_equal(sizes[0] % 64, sizes[1] % 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(ocserv_two_forms),
	        cmocka_unit_test(one_form_with_second_factor),
	        cmocka_unit_test(wrong_password_without_terminal),
	        cmocka_unit_test(wrong_password_with_terminal),
	        cmocka_unit_test(asa_session_token_and_opaque),
	        cmocka_unit_test(asa_error_is_told),
	        cmocka_unit_test(group_by_label_after_path),
	        cmocka_unit_test(group_unknown),
	        cmocka_unit_test(group_asked_on_a_terminal),
	        cmocka_unit_test(redirect_to_other_host),
	        cmocka_unit_test(redirects_are_bounded),
	        cmocka_unit_test(garbage_and_missing_cookie),
	        cmocka_unit_test(endless_forms_end),
	        cmocka_unit_test(pad_hides_the_length),
	};
	return RUN(tests);
}

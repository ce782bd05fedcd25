#include "../unit.h"

#include <stdio.h>

#include "wire/auth_xml.h"

#define DECL "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static struct auth_server_doc doc;

static int parse(const char *xml)
{
	memset(&doc, 0, sizeof(doc));
	return auth_server_doc_parse(span_str(xml), &doc);
}

static const char *form_with(const char *inside)
{
	static char buf[65536];
	snprintf(buf, sizeof(buf), "<config-auth><auth id=\"main\">%s</auth></config-auth>", inside);
	return buf;
}

TEST(ocserv_form)
{
	assert_int_equal(
	        parse(DECL "<config-auth client=\"vpn\" type=\"auth-request\">\n<version "
	                   "who=\"sg\">0.1(1)</version>\n"
	                   "<auth id=\"main\">\n<banner>hi</banner>\n<message>Please enter your "
	                   "username.</message>\n"
	                   "<form method=\"post\" action=\"/auth\">\n"
	                   "<input type=\"text\" name=\"username\" label=\"Username:\" />\n"
	                   "<select name=\"group_list\" label=\"Group:\">\n<option>DEFAULT</option>\n"
	                   "<option value=\"grp2\">Second "
	                   "group</option>\n</select>\n</form></auth>\n</config-auth>\n"),
	        0);
	assert_int_equal(doc.type, AUTH_DOC_REQUEST);
	assert_string_equal(doc.auth_id, "main");
	assert_string_equal(doc.banner, "hi");
	assert_string_equal(doc.message, "Please enter your username.");
	assert_string_equal(doc.action, "/auth");
	assert_int_equal(doc.n_inputs, 1);
	assert_int_equal(doc.inputs[0].type, AUTH_INPUT_TEXT);
	assert_string_equal(doc.inputs[0].name, "username");
	assert_string_equal(doc.select_name, "group_list");
	assert_string_equal(doc.select_label, "Group:");
	assert_int_equal(doc.n_options, 2);
	assert_string_equal(doc.options[0].value, "DEFAULT");
	assert_string_equal(doc.options[1].value, "grp2");
	assert_string_equal(doc.options[1].label, "Second group");
}

TEST(asa_form)
{
	assert_int_equal(
	        parse(DECL
	                "<config-auth client=\"vpn\" type=\"auth-request\" aggregate-auth-version=\"2\">\n"
	                "<opaque is-for=\"sg\">\n<tunnel-group>TG</tunnel-group>\n"
	                "<config-hash>1595829378234</config-hash>\n</opaque>\n<auth id=\"main\">\n"
	                "<title>Login</title>\n<message>Please enter your username and password.</message>\n"
	                "<banner></banner>\n<error id=\"88\" param1=\"7\" param2=\"\">Login failed (%s, "
	                "%s%s).</error>\n"
	                "<form>\n<input type=\"text\" name=\"username\" label=\"Username:\"></input>\n"
	                "<input type=\"password\" name=\"password\" label=\"Password:\"></input>\n"
	                "<input type=\"password\" name=\"secondary_password\" label=\"2nd\"></input>\n"
	                "<input type=\"reset\" name=\"Clear\"/><input type=\"submit\"/>\n"
	                "<select name=\"group_list\" label=\"GROUP:\"><option selected=\"true\">A</option>"
	                "<option>B</option></select>\n</form>\n</auth>\n</config-auth>\n"),
	        0);
	assert_string_equal(
	        doc.opaque, "\n<tunnel-group>TG</tunnel-group>\n<config-hash>1595829378234</config-hash>\n");
	assert_string_equal(doc.title, "Login");
	assert_string_equal(doc.error, "Login failed (7, %s).");
	assert_string_equal(doc.action, "/");
	assert_int_equal(doc.n_inputs, 3);
	assert_string_equal(doc.inputs[2].name, "secondary_password");
	assert_true(doc.options[0].is_selected);
	assert_false(doc.options[1].is_selected);
}

TEST(success)
{
	assert_int_equal(
	        parse(DECL
	                "<config-auth client=\"vpn\" type=\"complete\"><version who=\"sg\">0.1(1)</version>"
	                "<auth id=\"success\"><title>SSL VPN Service</title></auth></config-auth>"),
	        0);
	assert_int_equal(doc.type, AUTH_DOC_COMPLETE);
	assert_int_equal(
	        parse("<config-auth "
	              "type=\"complete\"><session-id>1</session-id><session-token>T@2</session-token>"
	              "<auth id=\"success\"><banner>b</banner><message id=\"0\" param1=\"\" "
	              "param2=\"\"></message></auth>"
	              "<config client=\"vpn\" "
	              "type=\"private\"><vpn-base-config><server-cert-hash>AB12</server-cert-hash>"
	              "</vpn-base-config><opaque is-for=\"vpn-client\">not "
	              "ours</opaque></config></config-auth>"),
	        0);
	assert_int_equal(doc.type, AUTH_DOC_COMPLETE);
	assert_string_equal(doc.session_token, "T@2");
	assert_string_equal(doc.session_id, "1");
	assert_string_equal(doc.server_cert_hash, "AB12");
	assert_string_equal(doc.banner, "b");
	assert_string_equal(doc.opaque, "");
}

TEST(legacy_root)
{
	assert_int_equal(parse("<auth id=\"main\"><message>m</message><form method=\"POST\" action=\"/x\">"
	                       "<input type=\"password\" name=\"password\"/></form></auth>"),
	        0);
	assert_int_equal(doc.type, AUTH_DOC_REQUEST);
	assert_string_equal(doc.action, "/x");
	assert_int_equal(doc.n_inputs, 1);
	assert_int_equal(parse("<auth id=\"success\"/>"), 0);
	assert_int_equal(doc.type, AUTH_DOC_COMPLETE);
}

TEST(certificates_scans_and_single_sign_on)
{
	assert_int_equal(parse("<config-auth><client-cert-request/></config-auth>"), 0);
	assert_true(doc.wants_client_cert);
	assert_int_equal(parse("<config-auth><host-scan><host-scan-ticket>1</host-scan-ticket></host-scan></"
	                       "config-auth>"),
	        0);
	assert_true(doc.wants_host_scan);
	assert_int_equal(parse(form_with("<sso-v2-login>https://h/?a=1&#x26;b=2</sso-v2-login><form>"
	                                 "<input type=\"sso\" name=\"sso-token\"></input></form>")),
	        0);
	assert_true(doc.has_sso);
	assert_int_equal(doc.inputs[0].type, AUTH_INPUT_SSO);
}

TEST(refused)
{
	static const char *const bad[] = {
	        "<config-auth/>",
	        "<html/>",
	        "<config-auth><auth id=\"main\"/><auth id=\"success\"/></config-auth>",
	        "<auth><form action=\"\"/></auth>",
	        "<auth><form method=\"get\"/></auth>",
	        "<auth><form><input type=\"text\"/></form></auth>",
	        "<!DOCTYPE auth><auth id=\"success\"/>",
	        "<auth><session-token>a&#10;b</session-token></auth>",
	};
	for (size_t i = 0; i < N_ELEM(bad); i++)
		assert_int_equal(parse(bad[i]), ERR_MALFORMED);
}

TEST(limits)
{
	struct text t = {0};
	text_str(&t, "<auth><form>");
	for (int i = 0; i <= AUTH_MAX_FIELDS; i++)
		text_str(&t, "<input type='text' name='n'/>");
	text_str(&t, "</form></auth>");
	assert_int_equal(parse(text_cstr(&t)), ERR_TOO_LARGE);
	t.n = 0;
	text_str(&t, "<auth><form><select name='group_list'>");
	for (int i = 0; i <= AUTH_MAX_OPTIONS; i++)
		text_str(&t, "<option>o</option>");
	text_str(&t, "</select></form></auth>");
	assert_int_equal(parse(text_cstr(&t)), ERR_TOO_LARGE);
	t.n = 0;
	text_str(&t, "<auth><message>");
	for (int i = 0; i < AUTH_TEXT_BYTES; i++)
		text_str(&t, "m");
	text_str(&t, "</message></auth>");
	assert_int_equal(parse(text_cstr(&t)), ERR_TOO_LARGE);
	text_done(&t);
}

TEST(selectors)
{
	assert_int_equal(parse(form_with("<form><select name=\"x\"><option>1</option></select>"
	                                 "<select name=\"group_list\"><option value=\"v\"/></select>"
	                                 "<select name=\"y\"><option>2</option></select></form>")),
	        0);
	assert_string_equal(doc.select_name, "group_list");
	assert_int_equal(doc.n_options, 1);
	assert_string_equal(doc.options[0].label, "v");
	assert_int_equal(parse(form_with("<form><select name=\"group_list\"></select></form>")), 0);
	assert_string_equal(doc.select_name, "");
}

static const struct auth_server_doc form = {.type = AUTH_DOC_REQUEST,
        .title = "Login",
        .message = "Name & <password>,\nplease.",
        .error = "Login failed.",
        .inputs = {{AUTH_INPUT_TEXT, "username", "Username:", ""},
                {AUTH_INPUT_PASSWORD, "password", "\"Pass\":", ""}, {AUTH_INPUT_HIDDEN, "h", "", "a\tb'"}},
        .n_inputs = 3,
        .select_label = "GROUP:",
        .options = {{"sales", "Sales & more", true}, {"B", "B", false}},
        .n_options = 2,
        .opaque = "<tunnel-group>T</tunnel-group>"};

TEST(written_form_reads_back)
{
	struct text t = {0};
	auth_server_doc_format(&form, &t);
	assert_true(text_ok(&t));
	assert_int_equal(parse(text_cstr(&t)), 0);
	assert_int_equal(doc.type, AUTH_DOC_REQUEST);
	assert_string_equal(doc.auth_id, "main");
	assert_string_equal(doc.message, form.message);
	assert_string_equal(doc.error, form.error);
	assert_string_equal(doc.action, "/");
	assert_string_equal(doc.opaque, form.opaque);
	assert_string_equal(doc.select_name, "group_list");
	assert_memory_equal(doc.inputs, form.inputs, sizeof(form.inputs));
	assert_memory_equal(doc.options, form.options, sizeof(form.options));
	text_done(&t);
}

TEST(written_form_is_what_an_asa_writes)
{
	static const struct auth_server_doc d = {.type = AUTH_DOC_REQUEST,
	        .message = "Hello",
	        .action = "/auth",
	        .inputs = {{AUTH_INPUT_PASSWORD, "password", "Password:", ""}},
	        .n_inputs = 1,
	        .opaque = "<tunnel-group>T</tunnel-group>"};
	struct text t = {0};
	auth_server_doc_format(&d, &t);
	assert_string_equal(text_cstr(&t),
	        DECL "<config-auth client=\"vpn\" type=\"auth-request\" aggregate-auth-version=\"2\">\n"
	             "<opaque is-for=\"sg\"><tunnel-group>T</tunnel-group></opaque>\n"
	             "<auth id=\"main\">\n<message>Hello</message>\n<form method=\"post\" action=\"/auth\">\n"
	             "<input type=\"password\" name=\"password\" label=\"Password:\"></input>\n"
	             "</form>\n</auth>\n</config-auth>\n");
	text_done(&t);
}

TEST(written_success_reads_back)
{
	static const struct auth_server_doc d = {.type = AUTH_DOC_COMPLETE,
	        .session_id = "7",
	        .session_token = "c2VjcmV0",
	        .banner = "Welcome",
	        .server_cert_hash = "0123456789ABCDEF"};
	struct text t = {0};
	auth_server_doc_format(&d, &t);
	assert_int_equal(parse(text_cstr(&t)), 0);
	assert_int_equal(doc.type, AUTH_DOC_COMPLETE);
	assert_string_equal(doc.auth_id, "success");
	assert_string_equal(doc.session_id, "7");
	assert_string_equal(doc.session_token, "c2VjcmV0");
	assert_string_equal(doc.banner, "Welcome");
	assert_string_equal(doc.server_cert_hash, d.server_cert_hash);
	text_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(ocserv_form),
	        cmocka_unit_test(asa_form),
	        cmocka_unit_test(success),
	        cmocka_unit_test(legacy_root),
	        cmocka_unit_test(certificates_scans_and_single_sign_on),
	        cmocka_unit_test(refused),
	        cmocka_unit_test(limits),
	        cmocka_unit_test(selectors),
	        cmocka_unit_test(written_form_reads_back),
	        cmocka_unit_test(written_form_is_what_an_asa_writes),
	        cmocka_unit_test(written_success_reads_back),
	};
	return RUN(tests);
}

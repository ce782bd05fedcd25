#include "../unit.h"

#include <stdio.h>

#include "wire/auth_xml.h"

#define DECL "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static struct auth_client_doc doc;

static int parse(const char *xml)
{
	memset(&doc, 0, sizeof(doc));
	return auth_client_doc_parse(span_str(xml), &doc);
}

static int parse_form(const char *body)
{
	memset(&doc, 0, sizeof(doc));
	return auth_client_form_parse(span_str(body), &doc);
}

/* An auth-reply around what is inside <auth>. */
static const char *reply_with(const char *inside)
{
	static char buf[16384];
	snprintf(buf, sizeof(buf), "<config-auth type=\"auth-reply\"><auth>%s</auth></config-auth>", inside);
	return buf;
}

TEST(openconnect_init)
{
	assert_int_equal(
	        parse(DECL
	                "<config-auth client=\"vpn\" type=\"init\" aggregate-auth-version=\"2\">"
	                "<version who=\"vpn\">v9.01-3</version><device-id>linux-64</device-id><capabilities>"
	                "<auth-method>single-sign-on-v2</auth-method></capabilities><client-cert-fail/>"
	                "<group-select>sales</group-select>"
	                "<group-access>https://vpn.example:4443/auth</group-access></config-auth>"),
	        0);
	assert_int_equal(doc.type, AUTH_DOC_INIT);
	assert_string_equal(doc.version, "v9.01-3");
	assert_string_equal(doc.device_id, "linux-64");
	assert_string_equal(doc.group_select, "sales");
	assert_string_equal(doc.group_access, "https://vpn.example:4443/auth");
	assert_true(doc.has_cert_fail);
	assert_false(doc.has_username);
	assert_string_equal(doc.opaque, "");
}

TEST(cisco_reply_with_white_space_and_opaque)
{
	assert_int_equal(
	        parse("\r\n" DECL
	              "<config-auth client=\"vpn\" type=\"auth-reply\" aggregate-auth-version=\"2\">\n"
	              "<version who=\"vpn\">\n4.10.07061\n</version>\n"
	              "<device-id computer-name=\"pc\" device-type=\"X\" platform-version=\"10\" "
	              "unique-id=\"AB\">win"
	              "</device-id>\n<mac-address-list>\n<mac-address "
	              "public-interface=\"true\">aa-bb-cc-dd-ee-ff"
	              "</mac-address>\n</mac-address-list>\n<session-token></session-token>\n<session-id></"
	              "session-id>\n"
	              "<opaque is-for=\"sg\">\n<tunnel-group>T&amp;G</tunnel-group><x  a='1' /></opaque>\n"
	              "<auth>\n<username>alice</username>\n<password> s&lt;&#233;&quot;cret </password>\n"
	              "<secondary_password>123456</secondary_password></auth>\n"
	              "<group-select>A</group-select></config-auth>\n"),
	        0);
	assert_int_equal(doc.type, AUTH_DOC_REPLY);
	assert_string_equal(doc.version, "4.10.07061");
	assert_string_equal(doc.device_id, "win");
	assert_string_equal(doc.opaque, "\n<tunnel-group>T&amp;G</tunnel-group><x  a='1' />");
	assert_string_equal(doc.username, "alice");
	assert_string_equal(doc.password, " s<\xc3\xa9\"cret ");
	assert_int_equal(doc.n_fields, 1);
	assert_string_equal(doc.fields[0].name, "secondary_password");
	assert_string_equal(doc.fields[0].value, "123456");
}

TEST(logout_and_unknown_type)
{
	assert_int_equal(
	        parse("<config-auth type=\"logout\"><session-token> t@1 </session-token></config-auth>"), 0);
	assert_int_equal(doc.type, AUTH_DOC_LOGOUT);
	assert_string_equal(doc.session_token, "t@1");
	assert_int_equal(parse("<config-auth type=\"other\"/>"), 0);
	assert_int_equal(doc.type, AUTH_DOC_UNKNOWN);
}

TEST(certificate_chains_are_a_field_without_what_is_in_them)
{
	assert_int_equal(
	        parse(reply_with("<client-cert-chain cert-store=\"1M\"><client-cert-sent-via-protocol/>"
	                         "<client-cert>AAAA</client-cert></client-cert-chain>")),
	        0);
	assert_int_equal(doc.n_fields, 1);
	assert_string_equal(doc.fields[0].value, "");
}

TEST(not_a_document)
{
	static const char *const bad[] = {
	        "",
	        "  \n",
	        "username=alice",
	        "<auth></auth>",
	        "<config-auth>",
	        "<config-auth></config-auth><config-auth/>",
	        "<config-auth><auth></config-auth></auth>",
	        "<config-auth>&nbsp;</config-auth>",
	        "<config-auth>&#0;</config-auth>",
	        "<config-auth>\x01</config-auth>",
	        "<config-auth>\xff</config-auth>",
	        "<!DOCTYPE config-auth><config-auth/>",
	        "<!DOCTYPE c [<!ENTITY a \"b\">]><config-auth>&a;</config-auth>",
	        "<!DOCTYPE c SYSTEM \"file:///etc/passwd\"><config-auth/>",
	        "<config-auth a=\"1\" a=\"2\"/>",
	};
	for (size_t i = 0; i < N_ELEM(bad); i++)
		assert_int_equal(parse(bad[i]), ERR_MALFORMED);
	/* UTF-16 is not what it was read as */
	assert_int_equal(auth_client_doc_parse(span_of("\xff\xfe<\0a\0/\0>\0", 10), &doc), ERR_MALFORMED);
}

TEST(two_answers_to_one_question)
{
	assert_int_equal(parse(reply_with("<username>a</username><username>b</username>")), ERR_MALFORMED);
	assert_int_equal(parse(reply_with("<password>a</password><password>a</password>")), ERR_MALFORMED);
	assert_int_equal(parse(reply_with("<group-select>a</group-select><group-select>b</group-select>")),
	        ERR_MALFORMED);
	assert_int_equal(
	        parse(reply_with("<group-select>a</group-select><group-select>a</group-select>")), 0);
	assert_int_equal(parse(reply_with("<username>a&#10;b</username>")), ERR_MALFORMED);
}

TEST(limits)
{
	static char big[(256u << 10) + 1];
	char name[AUTH_FIELD_BYTES + 64];
	memset(name, 'a', sizeof(name));
	memcpy(name, "<username>", 10);
	memcpy(name + 10 + AUTH_FIELD_BYTES, "</username>", 12);
	assert_int_equal(parse(reply_with(name)), ERR_TOO_LARGE);
	memcpy(name + 10 + AUTH_FIELD_BYTES - 1, "</username>", 12);
	assert_int_equal(parse(reply_with(name)), 0);

	memset(big, ' ', sizeof(big));
	assert_int_equal(auth_client_doc_parse(span_of(big, sizeof(big)), &doc), ERR_TOO_LARGE);

	struct text t = {0};
	text_str(&t, "<config-auth>");
	for (int i = 0; i < AUTH_XML_MAX_DEPTH; i++)
		text_str(&t, "<x>");
	assert_int_equal(auth_client_doc_parse(span_of(t.p, t.n), &doc), ERR_TOO_LARGE);
	t.n = 0;
	text_str(&t, "<config-auth>");
	for (int i = 0; i < AUTH_XML_MAX_ELEMENTS; i++)
		text_str(&t, "<x/>");
	assert_int_equal(auth_client_doc_parse(span_of(t.p, t.n), &doc), ERR_TOO_LARGE);
	t.n = 0;
	text_str(&t, "<config-auth");
	for (int i = 0; i < 17; i++)
		text_fmt(&t, " a%d=''", i);
	text_str(&t, "/>");
	assert_int_equal(auth_client_doc_parse(span_of(t.p, t.n), &doc), ERR_TOO_LARGE);
	t.n = 0;
	text_str(&t, "<config-auth><auth>");
	for (int i = 0; i <= AUTH_MAX_FIELDS; i++)
		text_fmt(&t, "<f%d/>", i);
	text_str(&t, "</auth></config-auth>");
	assert_int_equal(auth_client_doc_parse(span_of(t.p, t.n), &doc), ERR_TOO_LARGE);
	text_done(&t);
}

TEST(nothing_is_published_on_failure)
{
	memset(&doc, 0x5a, sizeof(doc));
	assert_int_equal(
	        auth_client_doc_parse(span_str("<config-auth type=\"init\"><auth>"), &doc), ERR_MALFORMED);
	for (size_t i = 0; i < sizeof(doc); i++)
		assert_int_equal(((uint8_t *)&doc)[i], 0x5a);
}

TEST(forms)
{
	assert_int_equal(parse_form("username=al%20ice&password=p%26%3d+x&group%5flist=grp"), 0);
	assert_int_equal(doc.type, AUTH_DOC_REPLY);
	assert_string_equal(doc.username, "al ice");
	assert_string_equal(doc.password, "p&= x");
	assert_string_equal(doc.group_select, "grp");
	assert_int_equal(parse_form("answer=42&secondary_password=1"), 0);
	assert_true(doc.has_password);
	assert_false(doc.has_username);
	assert_string_equal(doc.password, "42");
	assert_string_equal(doc.fields[0].name, "secondary_password");
	assert_int_equal(parse_form(""), 0);
	assert_int_equal(doc.type, AUTH_DOC_INIT);
	assert_int_equal(parse_form("username=%zz"), ERR_MALFORMED);
	assert_int_equal(parse_form("username=%00"), ERR_MALFORMED);
	assert_int_equal(parse_form("username=a%0ab"), ERR_MALFORMED);
	assert_int_equal(parse_form("password=a&answer=b"), ERR_MALFORMED);
}

static void field_add(struct auth_client_doc *d, const char *name, const char *value)
{
	struct auth_field *f = &d->fields[d->n_fields++];
	snprintf(f->name, sizeof(f->name), "%s", name);
	snprintf(f->value, sizeof(f->value), "%s", value);
}

TEST(written_reply_reads_back)
{
	static struct auth_client_doc d = {.type = AUTH_DOC_REPLY,
	        .version = "0.1",
	        .device_id = "linux-64",
	        .username = "o'neil",
	        .password = "<&>\"'\t\r\n\xc3\xa9",
	        .has_username = true,
	        .has_password = true,
	        .group_select = "a & b",
	        .opaque = "<tunnel-group>T</tunnel-group>"};
	field_add(&d, "secondary_password", "\xff\x01\xed\xa0\x80");
	field_add(&d, "verify_password", "no");
	field_add(&d, "bad name", "no");
	field_add(&d, "answer", "no: the password is there already");
	struct text t = {0};
	auth_client_doc_format(&d, &t);
	assert_true(text_ok(&t));
	assert_true(t.is_secret);
	assert_int_equal(parse(text_cstr(&t)), 0);
	assert_int_equal(doc.type, AUTH_DOC_REPLY);
	assert_string_equal(doc.username, d.username);
	assert_string_equal(doc.password, d.password);
	assert_string_equal(doc.group_select, d.group_select);
	assert_string_equal(doc.opaque, d.opaque);
	assert_int_equal(doc.n_fields, 1);
	assert_string_equal(doc.fields[0].value, "?????");
	text_done(&t);
}

TEST(answers_are_sent_as_password)
{
	static const char *const names[] = {"answer", "whichpin", "new_password"};
	for (size_t i = 0; i < N_ELEM(names); i++) {
		static struct auth_client_doc d;
		d = (struct auth_client_doc){.type = AUTH_DOC_REPLY};
		field_add(&d, names[i], "x");
		struct text t = {0};
		auth_client_doc_format(&d, &t);
		assert_int_equal(parse(text_cstr(&t)), 0);
		assert_string_equal(doc.password, "x");
		assert_int_equal(doc.n_fields, 0);
		text_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(openconnect_init),
	        cmocka_unit_test(cisco_reply_with_white_space_and_opaque),
	        cmocka_unit_test(logout_and_unknown_type),
	        cmocka_unit_test(certificate_chains_are_a_field_without_what_is_in_them),
	        cmocka_unit_test(not_a_document),
	        cmocka_unit_test(two_answers_to_one_question),
	        cmocka_unit_test(limits),
	        cmocka_unit_test(nothing_is_published_on_failure),
	        cmocka_unit_test(forms),
	        cmocka_unit_test(written_reply_reads_back),
	        cmocka_unit_test(answers_are_sent_as_password),
	};
	return RUN(tests);
}

#include "../unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "wire/http.h"

static const char INIT[] = "POST / HTTP/1.1\r\n"
                           "Host: vpn.example\r\n"
                           "User-Agent: Open AnyConnect VPN Agent v9.01-3\r\n"
                           "Cookie: webvpncontext=c3g=; webvpn=YWJj==; empty=\r\n"
                           "Accept: */*\r\n"
                           "Accept-Encoding: identity\r\n"
                           "X-Transcend-Version: 1\r\n"
                           "X-Aggregate-Auth: 1\r\n"
                           "X-Pad: 0000000000000000\r\n"
                           "Content-Type: application/xml; charset=utf-8\r\n"
                           "Content-Length: 5\r\n"
                           "\r\n";

static struct http_head head;
static size_t used;

static int request(const char *s)
{
	return http_request_parse(span_str(s), &head, &used);
}

static int response(const char *s)
{
	return http_response_parse(span_str(s), &head, &used);
}

TEST(an_openconnect_request_is_read)
{
	char with_body[sizeof(INIT) + 5];
	snprintf(with_body, sizeof(with_body), "%shello", INIT);
	assert_int_equal(request(with_body), 0);
	assert_int_equal(used, strlen(INIT));
	assert_true(span_is(head.method, "POST"));
	assert_true(span_is(head.target, "/"));
	assert_int_equal(head.minor, 1);
	assert_int_equal(head.n_headers, 10);
	assert_int_equal(head.body, HTTP_BODY_LENGTH);
	assert_int_equal(head.body_bytes, 5);
	assert_false(head.wants_close);
	assert_true(span_is(http_header(&head, "x-aggregate-auth"), "1"));
	assert_null(http_header(&head, "X-Aggregate").p);
	assert_true(span_is(http_cookie(&head, "webvpn"), "YWJj=="));
	assert_true(span_is(http_cookie(&head, "webvpncontext"), "c3g="));
	assert_non_null(http_cookie(&head, "empty").p);
	assert_int_equal(http_cookie(&head, "empty").n, 0);
	assert_null(http_cookie(&head, "webvpnc").p);
	assert_null(http_cookie(&head, "WEBVPN").p);
}

/* exactly as large as the input, so that a sanitizer sees a read beyond it */
static int parse_cut(int (*parse)(struct span, struct http_head *, size_t *), const char *s, size_t n)
{
	char *exact = malloc(n ? n : 1);
	memcpy(exact, s, n);
	int r = parse(span_of(exact, n), &head, &used);
	free(exact);
	return r;
}

TEST(every_truncation_wants_more)
{
	static const char answer[] = "HTTP/1.1 200 CONNECTED\nX-CSTP-MTU: 1434\r\n\r\n";
	for (size_t n = 0; n < strlen(INIT); n++)
		assert_int_equal(parse_cut(http_request_parse, INIT, n), ERR_MORE);
	assert_int_equal(parse_cut(http_request_parse, INIT, strlen(INIT)), 0);
	for (size_t n = 0; n < strlen(answer); n++)
		assert_int_equal(parse_cut(http_response_parse, answer, n), ERR_MORE);
	assert_int_equal(parse_cut(http_response_parse, answer, strlen(answer)), 0);
}

TEST(malformed_requests_are_refused)
{
	static const struct {
		const char *in;
		int want;
	} rows[] = {
	        {"GET / HTTP/1.1\r\n\r\n", 0},
	        {"GET / HTTP/1.0\r\n\r\n", 0},
	        {"CONNECT CSCOSSLC/tunnel HTTP/1.1\r\n\r\n", 0},
	        {"GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Type: x\r\n\r\n", 0},
	        {"GET / HTTP/1.1\r\nA:b\r\nB:\r\nC: \t x \t\r\n\r\n", 0},
	        {"GET / HTTP/2.0\r\n\r\n", ERR_UNSUPPORTED},
	        {"GET / HTTP/1.2\r\n\r\n", ERR_UNSUPPORTED},
	        {"GET / HTTP/1.11\r\n\r\n", ERR_UNSUPPORTED},
	        {"GET / http/1.1\r\n\r\n", ERR_MALFORMED},
	        {"GET /\r\n\r\n", ERR_MALFORMED},
	        {"GET  / HTTP/1.1\r\n\r\n", ERR_MALFORMED},
	        {"GET / HTTP/1.1 \r\n\r\n", ERR_UNSUPPORTED},
	        {" GET / HTTP/1.1\r\n\r\n", ERR_MALFORMED},
	        {"\r\nGET / HTTP/1.1\r\n\r\n", ERR_MALFORMED},
	        {"G(T / HTTP/1.1\r\n\r\n", ERR_MALFORMED},
	        {"GET /\xc3\xa4 HTTP/1.1\r\n\r\n", ERR_MALFORMED},
	        {"GET / HTTP/1.1\n\r\n", ERR_MALFORMED},
	        {"GET / HTTP/1.1\r\nA: b\n\r\n", ERR_MALFORMED},
	        {"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", ERR_MALFORMED},
	        {"GET / HTTP/1.1\r\nA : b\r\n\r\n", ERR_MALFORMED},
	        {"GET / HTTP/1.1\r\n: b\r\n\r\n", ERR_MALFORMED},
	        {"GET / HTTP/1.1\r\nAb\r\n\r\n", ERR_MALFORMED},
	        {"GET / HTTP/1.1\r\nA: b\rc\r\n\r\n", ERR_MALFORMED},
	        {"GET / HTTP/1.1\r\nA: \x01\r\n\r\n", ERR_MALFORMED},
	        {"GET / HTTP/1.1\r\nA: \x7f\r\n\r\n", ERR_MALFORMED},
	        {"\x16\x03\x01\x02", ERR_MALFORMED}, /* TLS where HTTP was expected: told at once */
	        {"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", ERR_MALFORMED},
	        {"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", ERR_MALFORMED},
	        {"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
	                ERR_MALFORMED},
	        {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", ERR_MALFORMED},
	        {"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", ERR_UNSUPPORTED},
	        {"POST / HTTP/1.1\r\nContent-Length: \r\n\r\n", ERR_MALFORMED},
	        {"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", ERR_MALFORMED},
	        {"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n", ERR_MALFORMED},
	        {"POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n", ERR_MALFORMED},
	        {"POST / HTTP/1.1\r\nContent-Length: 262144\r\n\r\n", 0},
	        {"POST / HTTP/1.1\r\nContent-Length: 262145\r\n\r\n", ERR_TOO_LARGE},
	        {"POST / HTTP/1.1\r\nContent-Length: 4294967296\r\n\r\n", ERR_TOO_LARGE},
	        {"POST / HTTP/1.1\r\nContent-Length: 18446744073709551617\r\n\r\n", ERR_TOO_LARGE},
	        {"CONNECT / HTTP/1.1\r\nContent-Length: 1\r\n\r\n", ERR_MALFORMED},
	        {"CONNECT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", ERR_MALFORMED},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		int r = request(rows[i].in);
		if (r != rows[i].want)
			print_error("row %zu: %s\n", i, rows[i].in);
		assert_int_equal(r, rows[i].want);
	}
	static const char nul[] = "GET / HTTP/1.1\r\nA: b\0c\r\n\r\n";
	assert_int_equal(http_request_parse(span_of(nul, sizeof(nul) - 1), &head, &used), ERR_MALFORMED);
}

TEST(nothing_is_written_on_failure)
{
	assert_int_equal(request("GET /ok HTTP/1.1\r\n\r\n"), 0);
	used = 77;
	assert_int_equal(request("GET /bad HTTP/1.1\r\nx\r\n\r\n"), ERR_MALFORMED);
	assert_true(span_is(head.target, "/ok"));
	assert_int_equal(used, 77);
}

TEST(connection_is_kept_or_closed)
{
	static const struct {
		const char *in;
		bool wants_close;
	} rows[] = {
	        {"GET / HTTP/1.1\r\n\r\n", false},
	        {"GET / HTTP/1.0\r\n\r\n", true},
	        {"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", false},
	        {"GET / HTTP/1.1\r\nConnection: foo, Close\r\n\r\n", true},
	        {"GET / HTTP/1.1\r\nConnection: closed\r\n\r\n", false},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		assert_int_equal(request(rows[i].in), 0);
		assert_int_equal(head.wants_close, rows[i].wants_close);
	}
}

TEST(responses_are_read)
{
	static const struct {
		const char *in;
		int want;
		enum http_body body;
	} rows[] = {
	        {"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", 0, HTTP_BODY_LENGTH},
	        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n", 0, HTTP_BODY_CHUNKED},
	        {"HTTP/1.1 200 CONNECTED\r\n\r\n", 0, HTTP_BODY_TO_CLOSE},
	        {"HTTP/1.1 200\r\n\r\n", 0, HTTP_BODY_TO_CLOSE},
	        {"HTTP/1.0 200 OK\n\n", 0, HTTP_BODY_TO_CLOSE},
	        {"HTTP/1.1 100 Continue\r\n\r\n", 0, HTTP_BODY_NONE},
	        {"HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n", 0, HTTP_BODY_NONE},
	        {"HTTP/1.1 304 Not Modified\r\n\r\n", 0, HTTP_BODY_NONE},
	        {"HTTP/1.1 401 Cookie is not acceptable\r\nContent-Length: 0\r\n\r\n", 0, HTTP_BODY_LENGTH},
	        {"HTTP/1.1 99 x\r\n\r\n", ERR_MALFORMED, 0},
	        {"HTTP/1.1 099 x\r\n\r\n", ERR_MALFORMED, 0},
	        {"HTTP/1.1 600 x\r\n\r\n", ERR_MALFORMED, 0},
	        {"HTTP/1.1 2000 x\r\n\r\n", ERR_MALFORMED, 0},
	        {"HTTP/1.1  200 x\r\n\r\n", ERR_MALFORMED, 0},
	        {"HTTP/2 200 x\r\n\r\n", ERR_UNSUPPORTED, 0},
	        {"ICY 200 OK\r\n\r\n", ERR_MALFORMED, 0},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		assert_int_equal(response(rows[i].in), rows[i].want);
		if (rows[i].want == 0)
			assert_int_equal(head.body, rows[i].body);
	}
	assert_int_equal(
	        response("HTTP/1.1 503 Service Unavailable\r\nX-Reason: Server error\r\n\r\nmore"), 0);
	assert_int_equal(head.status, 503);
	assert_true(span_is(head.reason, "Service Unavailable"));
	assert_true(span_is(http_header(&head, "X-Reason"), "Server error"));
}

/* A request whose one header line, without its end, has line_bytes bytes. */
static int request_with_line(size_t line_bytes)
{
	struct text t = {0};
	text_str(&t, "GET / HTTP/1.1\r\nA: ");
	for (size_t i = 3; i < line_bytes; i++)
		text_str(&t, "x");
	text_str(&t, "\r\n\r\n");
	int r = http_request_parse(span_of(t.p, t.n), &head, &used);
	text_done(&t);
	return r;
}

static int request_with_headers(size_t n, size_t value_bytes)
{
	struct text t = {0};
	text_str(&t, "GET / HTTP/1.1\r\n");
	for (size_t i = 0; i < n; i++)
		text_fmt(&t, "A: %0*d\r\n", (int)value_bytes, 0);
	text_str(&t, "\r\n");
	int r = http_request_parse(span_of(t.p, t.n), &head, &used);
	text_done(&t);
	return r;
}

TEST(limits_are_exact)
{
	assert_int_equal(request_with_line(HTTP_LINE_MAX_BYTES), 0);
	assert_int_equal(request_with_line(HTTP_LINE_MAX_BYTES + 1), ERR_TOO_LARGE);
	assert_int_equal(request_with_headers(HTTP_REQUEST_MAX_HEADERS, 1), 0);
	assert_int_equal(request_with_headers(HTTP_REQUEST_MAX_HEADERS + 1, 1), ERR_TOO_LARGE);
	/* 16 + 2 bytes around 2 lines of 5 + value */
	assert_int_equal(request_with_headers(2, (HTTP_HEAD_MAX_BYTES - 18) / 2 - 5), 0);
	assert_int_equal(used, HTTP_HEAD_MAX_BYTES);
	assert_int_equal(request_with_headers(2, (HTTP_HEAD_MAX_BYTES - 18) / 2 - 4), ERR_TOO_LARGE);
}

TEST(set_cookie_keeps_name_and_value)
{
	static const struct {
		const char *in, *name, *value;
	} rows[] = {
	        {"webvpn=YWJj==; Secure; HttpOnly", "webvpn", "YWJj=="},
	        {"webvpnc=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/", "webvpnc", ""},
	        {"webvpnc=bu:/&p:t&iu:1/&sh:AB; path=/", "webvpnc", "bu:/&p:t&iu:1/&sh:AB"},
	        {" a = b ", "a", "b"},
	        {"nothing", NULL, NULL},
	        {"", NULL, NULL},
	        {"=x", NULL, NULL},
	        {"a b=x", NULL, NULL},
	        {"a=x\ny", NULL, NULL},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct span name, value;
		int r = http_set_cookie_parse(span_str(rows[i].in), &name, &value);
		assert_int_equal(r, rows[i].name ? 0 : ERR_MALFORMED);
		assert_true(r < 0 || (span_is(name, rows[i].name) && span_is(value, rows[i].value)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_openconnect_request_is_read),
	        cmocka_unit_test(every_truncation_wants_more),
	        cmocka_unit_test(malformed_requests_are_refused),
	        cmocka_unit_test(nothing_is_written_on_failure),
	        cmocka_unit_test(connection_is_kept_or_closed),
	        cmocka_unit_test(responses_are_read),
	        cmocka_unit_test(limits_are_exact),
	        cmocka_unit_test(set_cookie_keeps_name_and_value),
	};
	return RUN(tests);
}

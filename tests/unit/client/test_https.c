#include "../unit.h"

#include <stdlib.h>

#include "base/err.h"
#include "client/https.h"

/* Feeds byte by byte; returns the last result and how many bytes were taken. */
static int feed(struct https_reply *r, const char *in, size_t *ret_used)
{
	int done = 0;
	size_t i = 0, n = strlen(in);
	while (i < n && done == 0)
		done = https_reply_feed(r, span_of(in + i++, 1));
	*ret_used = i;
	return done;
}

static struct https_reply *reply_new(bool is_connect)
{
	struct https_reply *r = malloc(sizeof(*r));
	https_reply_init(r, is_connect);
	return r;
}

static void reply_free(struct https_reply *r)
{
	https_reply_done(r);
	free(r);
}

TEST(by_length_after_continue)
{
	static const char in[] =
	        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello";
	struct https_reply *r = reply_new(false);
	size_t used;
	assert_int_equal(feed(r, in, &used), 1);
	assert_int_equal(used, strlen(in));
	assert_string_equal(text_cstr(&r->body), "hello");
	assert_int_equal(r->head.status, 200);
	assert_true(span_is(http_header(&r->head, "X"), "y"));
	reply_free(r);
}

TEST(by_chunks)
{
	struct https_reply *r = reply_new(false);
	size_t used;
	assert_int_equal(feed(r,
	                         "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
	                         "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
	                         &used),
	        1);
	assert_string_equal(text_cstr(&r->body), "abcde");
	reply_free(r);
}

TEST(to_the_end)
{
	struct https_reply *r = reply_new(false);
	size_t used;
	assert_int_equal(feed(r, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall", &used), 0);
	assert_int_equal(https_reply_eof(r), 1);
	assert_string_equal(text_cstr(&r->body), "all");
	reply_free(r);
	r = reply_new(false);
	assert_int_equal(feed(r, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nall", &used), 0);
	assert_int_equal(https_reply_eof(r), ERR_CLOSED);
	reply_free(r);
}

TEST(connect_leaves_the_rest)
{
	struct https_reply *r = reply_new(true);
	static const char in[] = "HTTP/1.1 200 CONNECTED\r\nX-CSTP-MTU: 1400\r\n\r\nSTF";
	assert_int_equal(https_reply_feed(r, span_str(in)), 1);
	assert_true(span_is(https_reply_rest(r), "STF"));
	reply_free(r);
}

TEST(malformed)
{
	struct https_reply *r = reply_new(false);
	assert_true(https_reply_feed(r, span_str("SSH-2.0-x\r\n\r\n")) < 0);
	reply_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(by_length_after_continue),
	        cmocka_unit_test(by_chunks),
	        cmocka_unit_test(to_the_end),
	        cmocka_unit_test(connect_leaves_the_rest),
	        cmocka_unit_test(malformed),
	};
	return RUN(tests);
}

/* CONNECT requests. What was read can be written, and reads the same. */
#include <stdlib.h>

#include "wire/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(const struct tunnel_request *q)
{
	static struct http_head h;
	char cookie[PARAMS_COOKIE_MAX_BYTES + 1] = "";
	struct tunnel_request back;
	struct text t = {0};
	size_t used;
	if (q->cookie.n > 0)
		memcpy(cookie, q->cookie.p, q->cookie.n);
	struct tunnel_request_out out = {
	        .host = "gateway",
	        .user_agent = q->user_agent,
	        .cookie = cookie,
	        .hostname = q->hostname,
	        .base_mtu = q->base_mtu,
	        .mtu = q->mtu,
	        .wants_ip6 = q->wants_ip6,
	        .master_secret = q->has_master_secret ? q->master_secret : NULL,
	        .suites = q->suites,
	        .own = q->own,
	};
	tunnel_request_format(&out, &t);
	if (!text_ok(&t) || http_request_parse(span_of(t.p, t.n), &h, &used) < 0 || used != t.n)
		abort();
	if (tunnel_request_parse(&h, &back) < 0 || !span_eq(back.cookie, q->cookie))
		abort();
	if (back.base_mtu != q->base_mtu || back.mtu != q->mtu || back.wants_ip6 != q->wants_ip6 ||
	        back.has_master_secret != q->has_master_secret || back.own.is_own != q->own.is_own ||
	        back.own.has_steer != q->own.has_steer || back.own.has_pieces != q->own.has_pieces)
		abort();
	if (q->has_master_secret && (back.suites != q->suites || memcmp(back.master_secret, q->master_secret,
	                                                                 DTLS_SECRET_BYTES) != 0))
		abort();
	text_done(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_head h;
	struct tunnel_request q;
	size_t used;
	if (http_request_parse(span_of(data, size), &h, &used) < 0 || tunnel_request_parse(&h, &q) < 0)
		return 0;
	if ((q.mtu != 0 && (q.mtu < PARAMS_MTU_MIN || q.mtu > PARAMS_MTU_MAX)) ||
	        (q.base_mtu != 0 && (q.base_mtu < PARAMS_BASE_MTU_MIN || q.base_mtu > PARAMS_MTU_MAX)))
		abort();
	write_and_read(&q);
	return 0;
}

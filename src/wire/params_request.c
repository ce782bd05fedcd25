/* The CONNECT request: wire-protocol.md 2.1 - 2.3. */
#include "base/parse.h"
#include "wire/params_internal.h"

static bool is_cookie_char(uint8_t c)
{
	return c > 0x20 && c < 0x7f && c != '"' && c != ',' && c != '\\' && c != ';';
}

static bool cookie_ok(struct span v)
{
	for (size_t i = 0; i < v.n; i++) {
		if (!is_cookie_char(v.p[i]))
			return false;
	}
	return v.n <= PARAMS_COOKIE_MAX_BYTES;
}

static bool has_word(struct span v, const char *word)
{
	size_t n = strlen(word);
	for (; v.n >= n; v = span_skip(v, 1)) {
		if (span_is_nocase(span_of(v.p, n), word))
			return true;
	}
	return false;
}

static uint32_t offered_suites(const struct http_head *h)
{
	uint32_t set = 0;
	for (size_t i = 0; i < h->n_headers; i++) {
		for (struct span list = h->headers[i].value; list.n > 0;) {
			struct span name = span_trim(span_cut(&list, ':'));
			if (span_is_nocase(h->headers[i].name, "X-DTLS-CipherSuite") ||
			        span_is_nocase(h->headers[i].name, "X-DTLS12-CipherSuite"))
				set |= 1u << dtls_suite_find(h->headers[i].name, name);
		}
	}
	return set & ~(1u << DTLS_NONE);
}

static int master_secret_parse(const struct http_head *h, struct tunnel_request *q)
{
	size_t n;
	struct span v = http_header(h, "X-DTLS-Master-Secret");
	if (v.n == 0)
		return 0;
	if (v.n != 2 * DTLS_SECRET_BYTES || parse_hex(v, q->master_secret, DTLS_SECRET_BYTES, &n) < 0)
		return ERR_MALFORMED;
	q->has_master_secret = true;
	return 0;
}

static void address_types_parse(const struct http_head *h, struct tunnel_request *q)
{
	struct span v = http_header(h, "X-CSTP-Address-Type");
	q->wants_ip4 = v.n == 0 || has_word(v, "IPv4");
	q->wants_ip6 = v.n == 0 || has_word(v, "IPv6");
}

int tunnel_request_parse(const struct http_head *h, struct tunnel_request *ret)
{
	struct tunnel_request q = {.cookie = http_cookie(h, "webvpn")};
	struct span agent = http_header(h, "User-Agent");

	if (!cookie_ok(q.cookie) || master_secret_parse(h, &q) < 0)
		return ERR_MALFORMED;
	if (agent.n >= sizeof(q.user_agent))
		agent.n = sizeof(q.user_agent) - 1; /* the beginning decides what it is */
	params_name(agent, q.user_agent, sizeof(q.user_agent));
	params_name(http_header(h, "X-CSTP-Hostname"), q.hostname, sizeof(q.hostname));
	q.base_mtu = (uint16_t)params_number(
	        http_header(h, "X-CSTP-Base-MTU"), PARAMS_BASE_MTU_MIN, PARAMS_MTU_MAX);
	q.mtu = (uint16_t)params_number(http_header(h, "X-CSTP-MTU"), PARAMS_MTU_MIN, PARAMS_MTU_MAX);
	address_types_parse(h, &q);
	q.has_full_ip6 = span_is_nocase(http_header(h, "X-CSTP-Full-IPv6-Capability"), "true");
	q.wants_mobile_license = span_is_nocase(http_header(h, "X-CSTP-License"), "mobile");
	q.suites = offered_suites(h);
	q.own = params_own_parse(http_header(h, "X-Culvert"));
	*ret = q;
	explicit_bzero(&q, sizeof(q));
	return 0;
}

static void cookie_put(struct text *out, const char *cookie)
{
	struct span v = span_str(cookie);
	if (v.n == 0 || !cookie_ok(v))
		return;
	text_str(out, "Cookie: webvpn=");
	text_put(out, v);
	text_str(out, "\r\n");
}

void tunnel_request_format(const struct tunnel_request_out *q, struct text *out)
{
	text_str(out, "CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\n");
	params_put_str(out, "Host", q->host);
	params_put_str(out, "User-Agent", q->user_agent);
	cookie_put(out, q->cookie);
	text_str(out, "X-CSTP-Version: 1\r\n");
	params_put_str(out, "X-CSTP-Hostname", q->hostname);
	params_put_u32(out, "X-CSTP-Base-MTU", q->base_mtu);
	params_put_u32(out, "X-CSTP-MTU", q->mtu);
	params_put_str(out, "X-CSTP-Address-Type", q->wants_ip6 ? "IPv6,IPv4" : "IPv4");
	params_put_addr(out, "X-CSTP-Address", &q->old4);
	if (q->wants_ip6) {
		text_str(out, "X-CSTP-Full-IPv6-Capability: true\r\n");
		params_put_addr(out, "X-CSTP-Address", &q->old6);
	}
	if (q->master_secret) {
		params_put_hex(
		        out, "X-DTLS-Master-Secret", span_of(q->master_secret, DTLS_SECRET_BYTES), true);
		params_put_suites(out, "X-DTLS-CipherSuite", q->suites);
		params_put_suites(out, "X-DTLS12-CipherSuite", q->suites);
	}
	params_own_format(&q->own, out);
	text_str(out, "\r\n");
}

/* Answers to CONNECT. What was read can be written in each form, and reads the same; written again it is the
 * same. */
#include <stdlib.h>

#include "wire/params.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_and_read(const struct tunnel_params *p, const struct tunnel_format_opts *opts)
{
	static struct http_head h;
	static struct tunnel_params back;
	struct text t = {0}, again = {0};
	size_t used;
	tunnel_params_format(p, opts, &t);
	if (!text_ok(&t) || http_response_parse(span_of(t.p, t.n), &h, &used) < 0 || used != t.n)
		abort();
	if (h.n_headers > 0 && http_header(&h, "X-CSTP-Version").n != 1)
		abort();
	/* an MTU that was told only with a DTLS suite that is not ours has no line */
	int r = tunnel_params_parse(&h, &back);
	if (r == ERR_PEER_PROTOCOL && p->cstp_mtu == 0 && p->suite == DTLS_NONE) {
		text_done(&t);
		return;
	}
	if (r < 0)
		abort();
	tunnel_params_format(&back, opts, &again);
	if (!span_eq(span_of(t.p, t.n), span_of(again.p, again.n)))
		abort();
	tunnel_params_done(&back);
	text_done(&t);
	text_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_head h;
	static struct tunnel_params p;
	size_t used;
	if (http_response_parse(span_of(data, size), &h, &used) < 0 || tunnel_params_parse(&h, &p) < 0)
		return 0;
	for (int form = 0; form < 4; form++) {
		struct tunnel_format_opts opts = {.has_full_ip6 = form & 1, .is_anyconnect = form & 2};
		write_and_read(&p, &opts);
	}
	tunnel_params_done(&p);
	return 0;
}

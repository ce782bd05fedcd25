/* ns per record of the whole layer, DTLS: framing, nonce, AEAD, replay window; OpenSSL's layer beside it. */
#include "micro.h"

#include "io/dtls.h"

#define BATCH 32 /* datagrams written, then read */

struct pair {
	struct dtls *from, *to;
	struct dtls_out out, back;
	size_t n;
};

static uint8_t plain[DTLS_PLAIN_MAX], got[DTLS_PLAIN_MAX];

static void pass(struct dtls *d, struct dtls_out *in)
{
	(void)!dtls_handshake(d);
	for (size_t i = 0; i < in->n_dgram; i++) {
		dtls_feed(d, span_of(in->p + in->dgram[i].offset, in->dgram[i].len));
		(void)!dtls_handshake(d);
	}
	dtls_out_reset(in);
}

static void pair_up(struct pair *p, const char *suite, bool is_openssl)
{
	static const uint8_t psk[DTLS_PSK_BYTES] = {1};
	struct dtls_ctx *c;

	micro_must(dtls_ctx_new(&c), "context");
	micro_must(dtls_client_new_psk(c, span_str("id"), psk, suite, &p->from), "client");
	micro_must(dtls_server_new_psk(c, psk, NULL, &p->to), "server");
	micro_must(dtls_out_init(&p->out, 1 << 20, BATCH), "output");
	micro_must(dtls_out_init(&p->back, 1 << 20, BATCH), "output");
	dtls_ctx_put(c);
	dtls_set_output(p->from, &p->out);
	dtls_set_output(p->to, &p->back);
	if (is_openssl) {
		dtls_keep_openssl(p->from);
		dtls_keep_openssl(p->to);
	}
	for (int i = 0; i < 5; i++) {
		pass(p->from, &p->back);
		pass(p->to, &p->out);
	}
	micro_must(dtls_is_up(p->from) && dtls_is_up(p->to) ? 0 : -1, "handshake");
}

static void write_batch(void *ctx)
{
	struct pair *p = ctx;

	dtls_out_reset(&p->out);
	for (int i = 0; i < BATCH; i++)
		micro_must(dtls_write(p->from, span_of(plain, p->n)), "write");
}

static void write_and_read(void *ctx)
{
	struct pair *p = ctx;
	uint8_t *at;

	write_batch(p);
	for (int i = 0; i < BATCH; i++) {
		dtls_feed_writable(p->to, p->out.p + p->out.dgram[i].offset, p->out.dgram[i].len);
		micro_must(dtls_read_view(p->to, got, sizeof(got), &at) == (int)p->n ? 0 : -1, "read");
	}
}

static void row(const char *suite, bool is_openssl)
{
	static const size_t sizes[] = {64, 512, 1400};
	struct pair p = {0};

	pair_up(&p, suite, is_openssl);
	printf("DTLS %-9s %-22s", is_openssl ? "OpenSSL" : "ours", suite);
	for (size_t i = 0; i < N_ELEM(sizes); i++) {
		p.n = sizes[i];
		double w = micro_ns(write_batch, &p, 1000) / BATCH;
		printf(" %7.0f /%7.0f", w, micro_ns(write_and_read, &p, 1000) / BATCH - w);
	}
	printf("\n");
	dtls_free(p.from);
	dtls_free(p.to);
	dtls_out_done(&p.out);
	dtls_out_done(&p.back);
}

int main(void)
{
	static const char *const suites[] = {"PSK-AES256-GCM-SHA384", "PSK-CHACHA20-POLY1305"};

	printf("ns per record, write / read, of 64, 512, 1400 bytes\n");
	for (size_t i = 0; i < N_ELEM(suites); i++) {
		row(suites[i], true);
		row(suites[i], false);
	}
	return 0;
}

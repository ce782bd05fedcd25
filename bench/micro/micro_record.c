/* ns per record of the whole layers: framing, nonce, AEAD, replay window; OpenSSL's beside ours. */
#include "micro.h"

#include "io/dtls.h"
#include "io/tls.h"

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
	dtls_ctx_free(c);
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

/* ---- TLS 1.3 ---- */

struct tls_ends {
	struct tls *from, *to;
	struct tls_out out, back;
	size_t n;
};

static void tls_pass(struct tls *t, struct tls_out *in)
{
	if (tls_is_up(t)) /* nothing more is said */
		return;
	(void)!tls_handshake(t);
	if (in->n == 0 || tls_is_up(t))
		return;
	micro_must(tls_feed(t, tls_out_span(in)), "feed");
	(void)!tls_handshake(t);
	tls_out_consume(in, in->n);
}

static void tls_up(struct tls_ends *p, bool is_openssl)
{
	struct text cert = {0}, key = {0};
	struct tls_selfsigned want = {.common_name = "x", .now_s = time(NULL), .valid_days = 2};
	char pin[TLS_PIN_TEXT_MAX];
	struct tls_server_ctx *sc;
	struct tls_client_ctx *cc;

	micro_must(tls_selfsigned_make(&want, &cert, &key), "certificate");
	micro_must(tls_cert_pin(span_of(cert.p, cert.n), pin), "pin");
	const char *pins[] = {pin};
	struct tls_server_opts so = {.cert_pem = span_of(cert.p, cert.n), .key_pem = span_of(key.p, key.n)};
	micro_must(tls_server_ctx_new(&so, NULL, &sc), "server");
	micro_must(
	        tls_client_ctx_new(&(struct tls_client_opts){.pin = pins, .n_pin = 1}, NULL, &cc), "client");
	micro_must(tls_client_new(cc, "x", &p->from), "client");
	micro_must(tls_server_new(sc, &p->to), "server");
	tls_server_ctx_put(sc);
	tls_client_ctx_put(cc);
	tls_out_init(&p->out, 1 << 20);
	tls_out_init(&p->back, 1 << 20);
	tls_set_output(p->from, &p->out);
	tls_set_output(p->to, &p->back);
	for (int i = 0; i < 5; i++) {
		tls_pass(p->from, &p->back);
		tls_pass(p->to, &p->out);
	}
	if (!is_openssl) {
		tls_go_fast(p->from);
		tls_go_fast(p->to);
	}
	micro_must(
	        tls_is_fast(p->from) == !is_openssl && tls_is_fast(p->to) == !is_openssl ? 0 : -1, "switch");
	text_done(&cert);
	tls_pem_wipe(&key);
}

static void tls_batch(void *ctx)
{
	struct tls_ends *p = ctx;

	tls_out_consume(&p->out, p->out.n);
	for (int i = 0; i < BATCH; i++)
		micro_must(tls_write(p->from, span_of(plain, p->n)), "write");
}

static void tls_both(void *ctx)
{
	struct tls_ends *p = ctx;
	uint8_t *at;
	int n_read = 0;

	tls_batch(p);
	micro_must(tls_feed_writable(p->to, p->out.p, p->out.n), "feed");
	while (tls_read_view(p->to, got, sizeof(got), &at) == (int)p->n)
		n_read++;
	micro_must(n_read == BATCH ? 0 : -1, "read");
}

static void tls_row(bool is_openssl)
{
	static const size_t sizes[] = {64, 512, 1400};
	struct tls_ends p = {0};

	tls_up(&p, is_openssl);
	printf("TLS  %-9s %-22s", is_openssl ? "OpenSSL" : "ours", "TLS_AES_256_GCM_SHA384");
	for (size_t i = 0; i < N_ELEM(sizes); i++) {
		p.n = sizes[i];
		/* one write batch must be read before the next: the sequence numbers count */
		double both = micro_ns(tls_both, &p, 1000) / BATCH;
		double w = micro_ns(tls_batch, &p, 1000) / BATCH;
		printf(" %7.0f /%7.0f", w, both - w);
		tls_free(p.from);
		tls_free(p.to);
		tls_out_done(&p.out);
		tls_out_done(&p.back);
		p = (struct tls_ends){0};
		tls_up(&p, is_openssl);
	}
	printf("\n");
	tls_free(p.from);
	tls_free(p.to);
	tls_out_done(&p.out);
	tls_out_done(&p.back);
}

int main(void)
{
	static const char *const suites[] = {"PSK-AES256-GCM-SHA384", "PSK-CHACHA20-POLY1305"};

	printf("ns per record, write / read, of 64, 512, 1400 bytes\n");
	for (size_t i = 0; i < N_ELEM(suites); i++) {
		row(suites[i], true);
		row(suites[i], false);
	}
	tls_row(true);
	tls_row(false);
	return 0;
}

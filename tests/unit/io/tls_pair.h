/* A client and a server of io/tls.h joined in memory, for several test programs. */
#ifndef TLS_PAIR_H
#define TLS_PAIR_H

#include "../unit.h"

#include "io/tls.h"

#define PAIR_NOW_S 1700000000 /* any day; certificates made in a test are valid around it */

struct tls_pair {
	struct text cert, key;
	struct tls_server_ctx *server_ctx;
	struct tls_client_ctx *client_ctx;
	struct tls *server, *client;
	struct tls_out to_client, to_server;
};

static inline void pair_cert(struct tls_pair *p, int64_t now_s)
{
	static const char *const dns[] = {"vpn.example.com", "*.wild.example"};
	struct ip_addr ip[2] = {{.family = 4, .b = {192, 0, 2, 1}}};
	assert_int_equal(addr_parse(span_str("2001:db8::1"), &ip[1]), 0);
	struct tls_selfsigned want = {.common_name = "vpn",
	        .dns_name = dns,
	        .n_dns_name = 2,
	        .ip = ip,
	        .n_ip = 2,
	        .now_s = now_s,
	        .valid_days = 30};
	assert_int_equal(tls_selfsigned_make(&want, &p->cert, &p->key), 0);
}

static inline struct span pair_pem(const struct text *t)
{
	return span_of(t->p, t->n);
}

static inline void pair_server(struct tls_pair *p, enum tls_version max)
{
	struct tls_server_opts so = {
	        .cert_pem = pair_pem(&p->cert), .key_pem = pair_pem(&p->key), .max = max};
	assert_int_equal(tls_server_ctx_new(&so, NULL, &p->server_ctx), 0);
	assert_int_equal(tls_server_new(p->server_ctx, &p->server), 0);
	tls_out_init(&p->to_client, 256 << 10);
	tls_set_output(p->server, &p->to_client);
}

static inline void pair_client(struct tls_pair *p, const struct tls_client_opts *co, const char *host)
{
	assert_int_equal(tls_client_ctx_new(co, NULL, &p->client_ctx), 0);
	assert_int_equal(tls_client_new(p->client_ctx, host, &p->client), 0);
	tls_out_init(&p->to_server, 256 << 10);
	tls_set_output(p->client, &p->to_server);
}

/* One side takes what the other sent, `cut` bytes at a time; the handshake's answer. */
static inline int pair_step(struct tls *t, struct tls_out *in, size_t cut)
{
	int r = tls_handshake(t);
	size_t at = 0;

	while (at < in->n && r == ERR_MORE) {
		size_t n = in->n - at < cut ? in->n - at : cut;
		assert_int_equal(tls_feed(t, span_of(in->p + at, n)), 0);
		r = tls_handshake(t);
		at += n - tls_unread(t);
		if (r == 0 && tls_unread(t) > 0) {
			char early[TLS_RECORD_MAX];
			assert_int_equal(tls_read_record(t, early, sizeof(early)), 0);
			at = in->n;
		}
	}
	tls_out_consume(in, at);
	return r;
}

static inline int pair_shake(struct tls_pair *p, size_t cut, int *ret_server)
{
	int c = ERR_MORE, s = ERR_MORE;

	for (int i = 0; i < 10 && (c == ERR_MORE || s == ERR_MORE); i++) {
		if (c == ERR_MORE)
			c = pair_step(p->client, &p->to_client, cut);
		if (s == ERR_MORE)
			s = pair_step(p->server, &p->to_server, cut);
		if (c != ERR_MORE && c != 0 && p->to_server.n == 0)
			break;
	}
	*ret_server = s;
	return c;
}

static inline void pair_done(struct tls_pair *p)
{
	tls_free(p->client);
	tls_free(p->server);
	tls_client_ctx_put(p->client_ctx);
	tls_server_ctx_put(p->server_ctx);
	tls_out_done(&p->to_client);
	tls_out_done(&p->to_server);
	text_done(&p->cert);
	tls_pem_wipe(&p->key);
	memset(p, 0, sizeof(*p));
}

#endif

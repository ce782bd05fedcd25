/* A client and a server of io/dtls.h joined in memory, and a clock, for several test programs. */
#ifndef DTLS_PAIR_H
#define DTLS_PAIR_H

#include "../unit.h"

#include <sys/time.h>

#include "io/dtls.h"
/* only to make a peer misbehave */
#include "io/dtls_internal.h"

static const uint8_t psk[DTLS_PSK_BYTES] = {1, 2, 3};
static const uint8_t master[DTLS_MASTER_BYTES] = {4, 5, 6};
static const uint8_t id[DTLS_ID_MAX] = {0xca, 0xfe};

/* OpenSSL measures retransmission by this libc function: the program's own definition takes its place, so
 * that the tests repeat flights without waiting. */
static int64_t clock_ms = 1700000000000;

int gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
	(void)tz;
	*tv = (struct timeval){.tv_sec = clock_ms / 1000, .tv_usec = clock_ms % 1000 * 1000};
	return 0;
}

#define AES256 "AES256-GCM-SHA384"

struct pair {
	struct dtls_ctx *ctx;
	struct dtls *client, *server;
	struct dtls_out to_server, to_client;
};

static inline struct span id_span(void)
{
	return span_of(id, sizeof(id));
}

static inline void pair_join(struct pair *p)
{
	assert_int_equal(dtls_out_init(&p->to_server, 64 << 10, 64), 0);
	assert_int_equal(dtls_out_init(&p->to_client, 64 << 10, 64), 0);
	dtls_set_output(p->client, &p->to_server);
	dtls_set_output(p->server, &p->to_client);
	dtls_set_first_timeout_ms(p->client, 250);
	dtls_set_first_timeout_ms(p->server, 250);
}

static inline void pair_psk(struct pair *p, const char *client_cipher, const char *server_cipher)
{
	assert_int_equal(dtls_ctx_new(&p->ctx), 0);
	assert_int_equal(dtls_client_new_psk(p->ctx, id_span(), psk, client_cipher, &p->client), 0);
	assert_int_equal(dtls_server_new_psk(p->ctx, psk, server_cipher, &p->server), 0);
	pair_join(p);
}

static inline void pair_resume(struct pair *p, const char *cipher)
{
	assert_int_equal(dtls_ctx_new(&p->ctx), 0);
	assert_int_equal(dtls_client_new_resume(p->ctx, id_span(), master, cipher, &p->client), 0);
	assert_int_equal(dtls_server_new_resume(p->ctx, id_span(), master, cipher, &p->server), 0);
	pair_join(p);
}

static inline void pair_done(struct pair *p)
{
	dtls_free(p->client);
	dtls_free(p->server);
	dtls_ctx_free(p->ctx);
	dtls_out_done(&p->to_server);
	dtls_out_done(&p->to_client);
	memset(p, 0, sizeof(*p));
}

static inline struct span dgram(const struct dtls_out *o, size_t i)
{
	return span_of(o->p + o->dgram[i].offset, o->dgram[i].len);
}

static inline int feed_one(struct dtls *d, struct span s)
{
	char buf[DTLS_PLAIN_MAX];

	dtls_feed(d, s);
	if (!dtls_is_up(d))
		return dtls_handshake(d);
	return dtls_read(d, buf, sizeof(buf));
}

static inline int feed_all(struct dtls *d, struct dtls_out *o)
{
	int r = dtls_handshake(d);

	for (size_t i = 0; i < o->n_dgram && (r == ERR_MORE || r == 0); i++)
		r = feed_one(d, dgram(o, i));
	dtls_out_reset(o);
	return r;
}

static inline void shake(struct pair *p, int want_client, int want_server)
{
	int c = ERR_MORE, s = ERR_MORE;

	for (int i = 0; i < 6; i++) {
		if (c == ERR_MORE || c == 0)
			c = feed_all(p->client, &p->to_client);
		if (s == ERR_MORE || s == 0)
			s = feed_all(p->server, &p->to_server);
	}
	assert_int_equal(c, want_client);
	assert_int_equal(s, want_server);
}

static inline void exchange(struct dtls *from, struct dtls_out *wire, struct dtls *to)
{
	static const size_t sizes[] = {1, 1400, 16, 300, DTLS_PLAIN_MAX, 8};
	static uint8_t plain[DTLS_PLAIN_MAX], got[DTLS_PLAIN_MAX];

	assert_int_equal(wire->n_dgram, 0);
	for (size_t i = 0; i < N_ELEM(sizes); i++) {
		memset(plain, (int)i + 1, sizes[i]);
		assert_int_equal(dtls_write(from, span_of(plain, sizes[i])), 0);
		assert_int_equal(wire->n_dgram, i + 1);
		assert_true(
		        wire->dgram[i].len > sizes[i] && wire->dgram[i].len <= sizes[i] + DTLS_OVERHEAD_MAX);
	}
	for (size_t i = 0; i < N_ELEM(sizes); i++) {
		dtls_feed(to, dgram(wire, i));
		assert_int_equal(dtls_read(to, got, sizeof(got)), sizes[i]);
		assert_int_equal(got[0], i + 1);
		assert_int_equal(got[sizes[i] - 1], i + 1);
		assert_int_equal(dtls_read(to, got, sizeof(got)), 0);
	}
	dtls_out_reset(wire);
}

#endif

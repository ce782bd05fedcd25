/* The pipe between OpenSSL and the caller's buffers: reads from the fed view, writes into the shared sink. */
#include <pthread.h>
#include <stdlib.h>

#include "io/tls_internal.h"

void tls_out_init(struct tls_out *o, size_t max)
{
	*o = (struct tls_out){.max = max};
}

void tls_out_done(struct tls_out *o)
{
	free(o->p);
	*o = (struct tls_out){.max = o->max};
}

void tls_out_consume(struct tls_out *o, size_t n)
{
	if (n >= o->n) {
		o->n = 0;
		return;
	}
	memmove(o->p, o->p + n, o->n - n);
	o->n -= n;
}

uint8_t *tls_out_reserve(struct tls_out *o, size_t n)
{
	size_t limit = o->max + TLS_OUT_RESERVE_BYTES;

	if (n > limit || o->n > limit - n)
		return NULL;
	if (o->n + n > o->cap) {
		size_t cap = o->cap ? o->cap : 4096;
		while (cap < o->n + n)
			cap *= 2;
		uint8_t *bigger = realloc(o->p, cap);
		if (bigger == NULL)
			return NULL;
		o->p = bigger;
		o->cap = cap;
	}
	return o->p + o->n;
}

static bool out_put(struct tls_out *o, const void *p, size_t n)
{
	uint8_t *to = tls_out_reserve(o, n);

	if (to == NULL)
		return false;
	memcpy(to, p, n);
	o->n += n;
	return true;
}

static int bio_write(BIO *b, const char *p, size_t n, size_t *ret_n)
{
	struct tls *t = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	if (t->out == NULL || !out_put(t->out, p, n))
		return 0; /* no retry: the connection ends, its record sequence would have a hole */
	*ret_n = n;
	return 1;
}

static int bio_read(BIO *b, char *p, size_t n, size_t *ret_n)
{
	struct tls *t = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	if (t->in.n == 0) {
		BIO_set_retry_read(b);
		return 0;
	}
	if (n > t->in.n)
		n = t->in.n;
	memcpy(p, t->in.p, n);
	tls_boundary_note(&t->boundary, span_of(t->in.p, n));
	t->in = span_skip(t->in, n);
	*ret_n = n;
	return 1;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	(void)b, (void)num, (void)ptr;
	return cmd == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static void method_make(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "culvert tls");

	if (m == NULL || BIO_meth_set_write_ex(m, bio_write) != 1 || BIO_meth_set_read_ex(m, bio_read) != 1 ||
	        BIO_meth_set_ctrl(m, bio_ctrl) != 1) {
		BIO_meth_free(m);
		return;
	}
	method = m;
}

BIO *tls_bio_new(struct tls *t)
{
	pthread_once(&method_once, method_make);
	BIO *b = method ? BIO_new(method) : NULL;

	if (b) {
		BIO_set_data(b, t);
		BIO_set_init(b, 1);
	}
	return b;
}

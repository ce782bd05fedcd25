/* The datagram pipe between OpenSSL and the caller's buffers. Memory BIOs would lose the boundaries. */
#include <pthread.h>

#include <openssl/err.h>

#include "io/dtls_internal.h"

#define UDP_IP6_OVERHEAD_BYTES 48

static int bio_write(BIO *b, const char *p, size_t n, size_t *ret_n)
{
	struct dtls *d = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	*ret_n = n; /* what finds no room is lost on the way, as datagrams are */
	if (n == 0)
		return 1;
	dtls_switch_on_sent(d, span_of(p, n));
	if (d->out && !dtls_out_put(d->out, p, n))
		d->out->n_dropped++;
	return 1;
}

static int bio_read(BIO *b, char *p, size_t n, size_t *ret_n)
{
	struct dtls *d = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	if (d->in.n == 0) {
		BIO_set_retry_read(b);
		return 0;
	}
	if (n > d->in.n)
		n = d->in.n;
	memcpy(p, d->in.p, n);
	d->in.n = 0; /* a datagram is read once; what did not fit is gone */
	*ret_n = n;
	return 1;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	struct dtls *d = BIO_get_data(b);

	(void)num, (void)ptr;
	switch (cmd) {
	case BIO_CTRL_FLUSH:
		return 1;
	case BIO_CTRL_DGRAM_QUERY_MTU:
	case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
		return (long)d->mtu;
	case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD:
		return UDP_IP6_OVERHEAD_BYTES;
	default:
		return 0;
	}
}

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static void method_make(void)
{
	BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "culvert dtls");

	if (m == NULL || BIO_meth_set_write_ex(m, bio_write) != 1 || BIO_meth_set_read_ex(m, bio_read) != 1 ||
	        BIO_meth_set_ctrl(m, bio_ctrl) != 1) {
		BIO_meth_free(m);
		return;
	}
	method = m;
}

BIO *dtls_bio_new(struct dtls *d)
{
	pthread_once(&method_once, method_make);
	BIO *b = method ? BIO_new(method) : NULL;

	if (b) {
		BIO_set_data(b, d);
		BIO_set_init(b, 1);
	}
	return b;
}

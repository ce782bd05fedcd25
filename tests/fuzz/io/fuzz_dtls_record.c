/* Datagrams to an association on our own record layer, behind a real handshake. The input is cut at length
 * bytes into datagrams; a first byte that says so makes the next records authentic (alerts, handshake
 * messages, data of the input's choice), so that what is behind the AEAD is reached as well. */
#include <stdlib.h>

#include "io/dtls.h"
#include "io/dtls_internal.h"

static struct dtls_record *peer;
static struct dtls *server;
static struct dtls_out out;

static void start(void)
{
	struct dtls_record_keys k = {.alg = AEAD_AES128_GCM, .tx_key = {1}, .rx_key = {2}};
	struct dtls_record_keys back = {.alg = AEAD_AES128_GCM, .tx_key = {2}, .rx_key = {1}};
	struct dtls_record_start s = {.epoch = 1, .tx_seq = 1};
	static const uint8_t psk[DTLS_PSK_BYTES];
	struct dtls_ctx *ctx;

	if ((out.p == NULL && dtls_out_init(&out, 1 << 17, 64) < 0) || dtls_ctx_new(&ctx) < 0 ||
	        dtls_server_new_psk(ctx, psk, NULL, &server) < 0 ||
	        dtls_record_new(AEAD_AUTO, &k, &s, &server->record) < 0 ||
	        dtls_record_new(AEAD_AUTO, &back, &s, &peer) < 0)
		abort();
	dtls_ctx_free(ctx);
	SSL_free(server->ssl);
	server->ssl = NULL;
	server->is_up = true;
	dtls_set_output(server, &out);
}

static void feed(const uint8_t *p, size_t n, bool is_authentic)
{
	static uint8_t datagram[512], scratch[DTLS_PLAIN_MAX];
	uint8_t *view;
	int r;

	if (is_authentic && n > 0) {
		r = dtls_record_seal(peer, DTLS_CCS + p[0] % 4, datagram, span_of(p + 1, n - 1));
		if (r < 0)
			abort();
		n = (size_t)r;
	} else {
		memcpy(datagram, p, n);
	}
	dtls_feed_writable(server, datagram, n);
	while ((r = dtls_read_view(server, scratch, sizeof(scratch), &view)) > 0)
		if (!((view >= datagram && view + r <= datagram + n) || view == scratch))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t at = 0;

	start();
	while (at + 2 <= size) {
		size_t n = data[at + 1];
		bool is_authentic = data[at] & 1;
		at += 2;
		if (n > size - at)
			n = size - at;
		feed(data + at, n, is_authentic);
		at += n;
		dtls_out_reset(&out);
	}
	dtls_free(server);
	dtls_record_free(peer);
	return 0;
}

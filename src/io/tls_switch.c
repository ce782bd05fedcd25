/* From OpenSSL to our own record layer, by public functions alone (datapath.md section 5): the traffic
 * secrets come by the key log callback, and what was sent and received with them is counted by the message
 * callback. The secrets stay in the connection's memory, are written nowhere, and are wiped. */
#include <stdlib.h>

#include <openssl/err.h>

#include "io/tls_internal.h"

#define MSG_FINISHED   20
#define MSG_KEY_UPDATE 24

static const char *const secret_labels[TLS_SECRETS] = {
        [TLS_SECRET_CLIENT] = "CLIENT_TRAFFIC_SECRET_0",
        [TLS_SECRET_SERVER] = "SERVER_TRAFFIC_SECRET_0",
        [TLS_SECRET_EXPORTER] = "EXPORTER_SECRET",
};

static int hex_digit(uint8_t c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

static bool secret_unhex(struct span hex, uint8_t *ret)
{
	if (hex.n % 2 != 0 || hex.n / 2 > TLS_RECORD_SECRET_BYTES)
		return false;
	for (size_t i = 0; i < hex.n / 2; i++) {
		int high = hex_digit(hex.p[2 * i]), low = hex_digit(hex.p[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		ret[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

/* "LABEL client-random secret", the form of SSLKEYLOGFILE. */
void tls_on_keylog(const SSL *ssl, const char *line)
{
	struct tls *t = SSL_get_app_data(ssl);
	struct span rest = span_str(line), label = span_cut(&rest, ' ');

	span_cut(&rest, ' ');
	for (size_t i = 0; t && i < N_ELEM(secret_labels); i++) {
		if (!span_is(label, secret_labels[i]))
			continue;
		if (t->secrets == NULL)
			t->secrets = calloc(1, sizeof(*t->secrets));
		if (t->secrets && secret_unhex(rest, t->secrets->secret[i]))
			t->secrets->bytes[i] = rest.n / 2;
	}
}

/* The records of one direction begin anew with each key: at the Finished and at each KeyUpdate. */
void tls_on_message(int is_write, int version, int type, const void *buf, size_t n, SSL *ssl, void *arg)
{
	struct tls *t = arg;
	const uint8_t *p = buf;
	struct tls_count *c = &t->count[is_write ? TLS_TX : TLS_RX];

	(void)version, (void)ssl;
	if (n == 0)
		return;
	if (type == SSL3_RT_HEADER && p[0] == TLS_DATA) {
		c->n_records++;
	} else if (type == SSL3_RT_HANDSHAKE && p[0] == MSG_FINISHED) {
		c->n_records = 0;
	} else if (type == SSL3_RT_HANDSHAKE && p[0] == MSG_KEY_UPDATE) {
		c->n_records = 0;
		c->n_updates++;
	}
}

/* What OpenSSL was given ends with a whole record: then it keeps nothing back. */
void tls_boundary_note(struct tls_boundary *b, struct span in)
{
	while (in.n > 0) {
		if (b->n_head == TLS_RECORD_HEAD_BYTES) {
			size_t n = in.n < b->body_left ? in.n : b->body_left;
			b->body_left -= n;
			in = span_skip(in, n);
		} else {
			b->head[b->n_head++] = in.p[0];
			in = span_skip(in, 1);
			b->body_left = (size_t)b->head[3] << 8 | b->head[4];
		}
		if (b->n_head == TLS_RECORD_HEAD_BYTES && b->body_left == 0)
			b->n_head = 0;
	}
}

void tls_secrets_free(struct tls *t)
{
	if (t->secrets)
		explicit_bzero(t->secrets, sizeof(*t->secrets));
	free(t->secrets);
	t->secrets = NULL;
}

static bool record_make(
        struct tls *t, const struct tls_suite *suite, int direction, int secret, struct tls_record *ret)
{
	const struct tls_count *c = &t->count[direction];

	if (t->secrets->bytes[secret] != suite->secret_bytes ||
	        tls_record_init(ret, AEAD_AUTO, suite, direction == TLS_TX ? AEAD_SEAL : AEAD_OPEN,
	                t->secrets->secret[secret], c->n_records) < 0)
		return false;
	for (uint64_t i = 0; i < c->n_updates; i++)
		if (tls_record_update(ret) < 0)
			return false;
	ret->seq = c->n_records;
	return true;
}

static struct tls_fast *fast_make(struct tls *t)
{
	const SSL_CIPHER *cipher = SSL_get_current_cipher(t->ssl);
	const struct tls_suite *suite =
	        cipher ? tls_suite_find((uint16_t)SSL_CIPHER_get_protocol_id(cipher)) : NULL;
	struct tls_fast *f = suite && t->secrets ? calloc(1, sizeof(*f)) : NULL;
	bool is_server = t->server != NULL;

	if (f == NULL)
		return NULL;
	if (!record_make(t, suite, TLS_TX, is_server ? TLS_SECRET_SERVER : TLS_SECRET_CLIENT, &f->tx) ||
	        !record_make(t, suite, TLS_RX, is_server ? TLS_SECRET_CLIENT : TLS_SECRET_SERVER, &f->rx) ||
	        t->secrets->bytes[TLS_SECRET_EXPORTER] != suite->secret_bytes) {
		tls_fast_free(f);
		return NULL;
	}
	memcpy(f->exporter, t->secrets->secret[TLS_SECRET_EXPORTER], suite->secret_bytes);
	f->cipher = cipher;
	f->peer = SSL_get1_peer_certificate(t->ssl);
	/* an answer that OpenSSL owes the peer */
	f->owes_update = SSL_get_key_update_type(t->ssl) != SSL_KEY_UPDATE_NONE;
	return f;
}

void tls_switch(struct tls *t)
{
	bool is_between =
	        t->boundary.n_head == 0 && SSL_has_pending(t->ssl) == 0 && SSL_is_init_finished(t->ssl);

	if (!t->wants_fast || !is_between)
		return;
	t->wants_fast = false; /* one attempt: what fails once fails again */
	t->fast = fast_make(t);
	ERR_clear_error();
	if (t->fast == NULL)
		return;
	SSL_free(t->ssl);
	t->ssl = NULL;
	tls_secrets_free(t);
}

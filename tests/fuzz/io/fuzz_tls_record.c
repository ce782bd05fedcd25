/* Bytes to a connection on our own TLS 1.3 record layer. The input is a list of pieces with a flag and a
 * length each: raw bytes, or the content of an authentic record of the type in its first byte (one of 20 to
 * 23, or padding only). The wire is fed cut by the input's first byte, read in small and large buffers, and
 * by view. */
#include <stdlib.h>

#include "io/tls.h"
#include "io/tls_internal.h"

#define WIRE_MAX 8192

static struct tls *client_new(struct tls_out *out, struct tls_record *peer)
{
	static const uint8_t ours[TLS_RECORD_SECRET_BYTES] = {1}, theirs[TLS_RECORD_SECRET_BYTES] = {2};
	const struct tls_suite *suite = tls_suite_find(0x1301);
	struct tls *t = calloc(1, sizeof(*t));

	if (t == NULL || (t->fast = calloc(1, sizeof(*t->fast))) == NULL ||
	        tls_record_init(&t->fast->tx, AEAD_AUTO, suite, AEAD_SEAL, ours, 0) < 0 ||
	        tls_record_init(&t->fast->rx, AEAD_AUTO, suite, AEAD_OPEN, theirs, 0) < 0 ||
	        tls_record_init(peer, AEAD_AUTO, suite, AEAD_SEAL, theirs, 0) < 0)
		abort();
	t->is_up = true;
	tls_set_output(t, out);
	return t;
}

static size_t wire_make(struct tls_record *peer, const uint8_t *data, size_t size, uint8_t *wire)
{
	static const uint8_t key_update[] = {24, 0, 0, 1, 0};
	size_t at = 0, n = 0;

	while (at + 2 <= size && n + 512 < WIRE_MAX) {
		size_t len = data[at + 1];
		bool is_authentic = (data[at] & 1) && len > 0;
		at += 2;
		if (len > size - at)
			len = size - at;
		if (is_authentic && len > 0) {
			struct span content = span_of(data + at + 1, len - 1);
			uint8_t type = data[at] % 5 ? TLS_CCS + data[at] % 5 - 1 : 0;
			int r = tls_record_seal(peer, type, wire + n, content);
			if (r < 0)
				abort();
			n += (size_t)r;
			/* the sender of a KeyUpdate goes on with the next key */
			if (type == TLS_HANDSHAKE && content.n == sizeof(key_update) &&
			        memcmp(content.p, key_update, 4) == 0 && tls_record_update(peer) < 0)
				abort();
		} else {
			memcpy(wire + n, data + at, len);
			n += len;
		}
		at += len;
	}
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t wire[WIRE_MAX], buf[TLS_RECORD_MAX];
	struct tls_out out;
	struct tls_record peer;
	int r = 0;

	if (size < 2)
		return 0;
	tls_out_init(&out, 1 << 16);
	struct tls *t = client_new(&out, &peer);
	size_t cut = data[0] ? data[0] : WIRE_MAX, cap = data[1] & 1 ? 16 : sizeof(buf);
	size_t n = wire_make(&peer, data + 2, size - 2, wire);
	for (size_t at = 0; at < n && r >= 0; at += cut) {
		uint8_t *view = buf;
		size_t piece = n - at < cut ? n - at : cut;
		if (tls_feed_writable(t, wire + at, piece) < 0)
			abort();
		while ((r = data[1] & 2 ? tls_read_view(t, buf, cap, &view) : tls_read_record(t, buf, cap)) >
		        0)
			if ((size_t)r > sizeof(buf) || (view == buf && (size_t)r > cap))
				abort();
		if (r == 0 && tls_unread(t) != 0)
			abort();
		(void)!tls_write(t, span_str("answer"));
	}
	tls_close(t);
	tls_free(t);
	tls_record_done(&peer);
	tls_out_done(&out);
	return 0;
}

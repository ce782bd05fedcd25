/* Datagrams on the DTLS port: records, and the ClientHello. */
#include <stdlib.h>

#include "wire/dtls_hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct span part, struct span whole)
{
	if (part.n > 0 && (part.p < whole.p || part.p + part.n > whole.p + whole.n))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span whole = span_of(data, size), rest = whole;
	struct dtls_record rec;
	struct dtls_hello h;
	size_t total = 0;
	while (dtls_record_take(&rest, &rec) == 0) {
		total += DTLS_RECORD_HEADER_BYTES + rec.body.n;
		if (total + rest.n != size)
			abort();
	}
	if (dtls_hello_parse(whole, &h) < 0)
		return 0;
	check_inside(h.id, whole);
	check_inside(h.suites, whole);
	check_inside(h.random, whole);
	if (size < DTLS_HELLO_MIN_BYTES || h.id.n < 1 || h.id.n > 32 || h.random.n != 32 ||
	        h.suites.n % 2 != 0)
		abort();
	return 0;
}

/* CSTP packets behind each other, and the same bytes as a DTLS payload. */
#include <stdlib.h>

#include "wire/cstp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_of(data, size);
	struct cstp_packet p;
	enum cstp_fault fault = CSTP_FINE;
	size_t total = 0;
	while (cstp_take(&rest, &p, &fault) == 0) {
		uint8_t hdr[CSTP_HEADER_BYTES];
		cstp_put_header(hdr, p.type, (uint16_t)p.payload.n);
		if (memcmp(hdr, data + total, sizeof(hdr)) != 0)
			abort();
		total += CSTP_HEADER_BYTES + p.payload.n;
		if (total + rest.n != size)
			abort();
		struct disconnect d = disconnect_parse(p.payload);
		(void)disconnect_ends_session(&d);
	}
	if (fault == CSTP_FINE)
		abort();
	if (dtls_channel_parse(span_of(data, size), &p) == 0 && p.payload.n + 1 != size)
		abort();
	return 0;
}

/* Any bytes: parse; what parses must format to exactly the same bytes. */
#include <stdlib.h>

#include "ipc/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct ipc_msg m;
	uint8_t buf[IPC_MSG_MAX_BYTES];
	if (n > sizeof(buf) || ipc_parse(span_of(data, n), &m) < 0)
		return 0;
	struct wr w = wr_open(buf, sizeof(buf));
	if (ipc_format(&m, &w) < 0 || !span_eq(wr_span(&w), span_of(data, n)))
		abort();
	return 0;
}

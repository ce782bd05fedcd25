/* A vnet header and a packet, both of the input's choice. Every segment lies within the packet, in order, and
 * no larger than asked for. */
#include <stdlib.h>
#include <string.h>

#include "datapath/split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct split s;
	size_t max_bytes, n, room = 0;
	uint8_t *p, *end = NULL;

	if (size < 1 + VNET_HDR_BYTES)
		return 0;
	max_bytes = data[0] * 8u;
	struct vnet_hdr h = vnet_read(data + 1);
	size -= 1 + VNET_HDR_BYTES;
	uint8_t *packet = malloc(size ? size : 1); /* exactly as large: sanitizers see what goes beyond */
	if (packet == NULL)
		return 0;
	memcpy(packet, data + 1 + VNET_HDR_BYTES, size);
	if (split_open(&s, &h, packet, size, max_bytes) == 0) {
		unsigned count = split_count(&s), i = 0;
		for (; split_next(&s, &p, &n); i++) {
			if (p < packet || p + n > packet + size || (end && p + n < end))
				abort();
			if (s.is_tcp && s.size > 0 && max_bytes > 0 && n > max_bytes)
				abort();
			end = p + n;
			room += n;
			memset(p, 0x5a, n);
		}
		if (i != count || room == 0)
			abort();
	}
	free(packet);
	return 0;
}

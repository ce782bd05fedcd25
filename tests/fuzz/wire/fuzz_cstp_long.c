/* Records, each with two bytes of length in front. What begins a long packet is put together from those that
 * follow; it is exactly their bytes, and never more than its header said. */
#include <stdlib.h>

#include "wire/cstp_long.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span record_take(struct span *in)
{
	size_t n = (size_t)in->p[0] << 8 | in->p[1];
	struct span rest = span_skip(*in, 2), record = span_of(rest.p, n < rest.n ? n : rest.n);
	*in = span_skip(rest, record.n);
	return record;
}

/* Byte by byte what was put in, from the packet's header on. */
static void check_whole(const struct cstp_long *l, const uint8_t *all, size_t n_all)
{
	struct cstp_packet p = cstp_long_packet(l);
	if (n_all != l->want || p.type != CSTP_SUPER || p.payload.n != l->want - CSTP_HEADER_BYTES ||
	        memcmp(p.payload.p, all + CSTP_HEADER_BYTES, p.payload.n) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t all[CSTP_LONG_BYTES];
	struct span in = span_of(data, size);
	struct cstp_long l = {0};
	size_t n_all = 0, room;
	uint8_t *memory = malloc(CSTP_LONG_BYTES); /* exactly: sanitizers see what goes beyond */
	while (memory && in.n >= 2) {
		struct span record = record_take(&in);
		if (!cstp_long_waits(&l)) {
			n_all = 0;
			if (!cstp_long_begins(record, CSTP_SUPER))
				continue;
			cstp_long_begin(&l, memory, record);
		} else {
			uint8_t *to = cstp_long_room(&l, &room);
			if (room < 2 || to + room > memory + CSTP_LONG_BYTES)
				abort();
			int r = cstp_long_put(&l, record);
			if (r == ERR_MALFORMED) {
				if (record.n < room)
					abort();
				(void)cstp_long_end(&l);
				continue;
			}
			if ((r == 0) != (record.n + 1 == room))
				abort();
		}
		if (record.n > 0)
			memcpy(all + n_all, record.p, record.n);
		n_all += record.n;
		if (l.n == l.want) {
			check_whole(&l, all, n_all);
			if (cstp_long_end(&l) != memory)
				abort();
		}
	}
	free(memory);
	return 0;
}

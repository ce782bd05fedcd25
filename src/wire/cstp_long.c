#include "wire/cstp_long.h"

#include "base/rd.h"

#define LENGTH_AT 4

bool cstp_long_begins(struct span rest, uint8_t type)
{
	uint8_t wanted[CSTP_HEADER_BYTES];
	struct rd r = rd_open(rest);
	rd_u32(&r);
	uint16_t length = rd_u16(&r);
	rd_u16(&r);
	if (!rd_ok(&r) || length <= r.rest.n)
		return false;
	cstp_put_header(wanted, type, length);
	return memcmp(rest.p, wanted, sizeof(wanted)) == 0;
}

void cstp_long_begin(struct cstp_long *l, uint8_t *memory, struct span rest)
{
	struct rd r = rd_open(span_skip(rest, LENGTH_AT));
	*l = (struct cstp_long){.bytes = memory, .n = rest.n, .want = CSTP_HEADER_BYTES + (size_t)rd_u16(&r)};
	memcpy(memory, rest.p, rest.n);
}

uint8_t *cstp_long_room(const struct cstp_long *l, size_t *ret_n)
{
	*ret_n = l->want - l->n + 1;
	return l->bytes + l->n;
}

int cstp_long_put(struct cstp_long *l, struct span record)
{
	uint8_t *to = l->bytes + l->n;
	if (record.n > l->want - l->n)
		return ERR_MALFORMED;
	if (record.n > 0 && record.p != to)
		memcpy(to, record.p, record.n);
	l->n += record.n;
	return l->n < l->want ? ERR_MORE : 0;
}

struct cstp_packet cstp_long_packet(const struct cstp_long *l)
{
	struct span whole = span_of(l->bytes, l->n);
	return (struct cstp_packet){
	        .type = l->bytes[CSTP_HEADER_BYTES - 2], .payload = span_skip(whole, CSTP_HEADER_BYTES)};
}

uint8_t *cstp_long_end(struct cstp_long *l)
{
	uint8_t *memory = l->bytes;
	*l = (struct cstp_long){0};
	return memory;
}

#include "wire/cstp.h"

#include "base/rd.h"

static const uint8_t CSTP_MAGIC[3] = {'S', 'T', 'F'};

int cstp_take(struct span *rest, struct cstp_packet *ret, enum cstp_fault *ret_fault)
{
	enum cstp_fault fault = CSTP_FINE;
	struct rd r = rd_open(*rest);
	struct span magic = rd_span(&r, sizeof(CSTP_MAGIC));
	uint8_t version = rd_u8(&r);
	uint16_t length = rd_u16(&r);
	uint8_t type = rd_u8(&r);
	uint8_t reserved = rd_u8(&r);

	if (!rd_ok(&r))
		fault = CSTP_SHORT;
	else if (!span_eq(magic, span_of(CSTP_MAGIC, sizeof(CSTP_MAGIC))))
		fault = CSTP_BAD_MAGIC;
	else if (version != 1)
		fault = CSTP_BAD_VERSION;
	else if (reserved != 0)
		fault = CSTP_BAD_RESERVED;
	else if (length > CSTP_PAYLOAD_MAX || length > r.rest.n)
		fault = CSTP_BAD_LENGTH;
	if (fault != CSTP_FINE) {
		*ret_fault = fault;
		return ERR_MALFORMED;
	}
	*ret = (struct cstp_packet){.type = type, .payload = rd_span(&r, length)};
	*rest = r.rest;
	return 0;
}

void cstp_put_header(uint8_t hdr[static CSTP_HEADER_BYTES], uint8_t type, uint16_t payload_bytes)
{
	memcpy(hdr, CSTP_MAGIC, sizeof(CSTP_MAGIC));
	hdr[3] = 1;
	hdr[4] = (uint8_t)(payload_bytes >> 8);
	hdr[5] = (uint8_t)payload_bytes;
	hdr[6] = type;
	hdr[7] = 0;
}

int dtls_channel_parse(struct span record, struct cstp_packet *ret)
{
	if (record.n < DTLS_CHANNEL_BYTES)
		return ERR_MALFORMED;
	*ret = (struct cstp_packet){.type = record.p[0], .payload = span_skip(record, DTLS_CHANNEL_BYTES)};
	return 0;
}

struct disconnect disconnect_parse(struct span payload)
{
	if (payload.n == 0)
		return (struct disconnect){0};
	return (struct disconnect){.has_code = true, .code = payload.p[0], .text = span_skip(payload, 1)};
}

static bool text_mentions(struct span text, const char *word)
{
	size_t n = strlen(word);
	for (; text.n >= n; text = span_skip(text, 1)) {
		if (span_is_nocase(span_of(text.p, n), word))
			return true;
	}
	return false;
}

bool disconnect_ends_session(const struct disconnect *d)
{
	if (!d->has_code)
		return false;
	if (d->code == DISCONNECT_LOCAL_ERROR)
		return true;
	/* a computer that goes to sleep says goodbye with the code of a logout, and comes back */
	return d->code == DISCONNECT_USER && !text_mentions(d->text, "suspend");
}

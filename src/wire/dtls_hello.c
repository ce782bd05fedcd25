#include "wire/dtls_hello.h"

#define HANDSHAKE_CLIENT_HELLO 1
#define EXTENSION_APP_ID       48018 /* wire-protocol.md 4.3 */
#define HELLO_ID_MAX_BYTES     32
#define HELLO_RANDOM_BYTES     32

static bool is_dtls_version(uint16_t v)
{
	return v == 0xfefd || v == 0xfeff || v == 0x0100;
}

int dtls_record_take(struct span *rest, struct dtls_record *ret)
{
	struct rd r = rd_open(*rest);
	struct dtls_record rec = {0};
	rec.type = rd_u8(&r);
	rec.version = rd_u16(&r);
	rec.epoch = rd_u16(&r);
	rec.seq = rd_u48(&r);
	rec.body = rd_span(&r, rd_u16(&r));
	if (!rd_ok(&r) || !is_dtls_version(rec.version))
		return ERR_MALFORMED;
	*ret = rec;
	*rest = r.rest;
	return 0;
}

/* The body of an unfragmented handshake message that fills the record. */
static int hello_body(struct span record, struct span *ret)
{
	struct rd r = rd_open(record);
	uint8_t type = rd_u8(&r);
	uint32_t bytes = rd_u24(&r);
	rd_u16(&r); /* message_seq: 1 after a HelloVerifyRequest */
	uint32_t fragment_at = rd_u24(&r);
	uint32_t fragment_bytes = rd_u24(&r);
	struct span body = rd_rest(&r);
	if (!rd_ok(&r))
		return ERR_MALFORMED;
	if (type != HANDSHAKE_CLIENT_HELLO)
		return ERR_UNSUPPORTED;
	if (fragment_at != 0 || fragment_bytes != bytes || body.n != bytes)
		return ERR_MALFORMED;
	*ret = body;
	return 0;
}

static bool id_fits(struct span id)
{
	return id.n >= 1 && id.n <= HELLO_ID_MAX_BYTES;
}

static int app_id_parse(struct span extension, struct span *ret_id)
{
	struct rd r = rd_open(extension);
	struct span id = rd_span(&r, rd_u8(&r));
	if (!rd_end(&r) || !id_fits(id))
		return ERR_MALFORMED;
	*ret_id = id;
	return 0;
}

/* All extensions are walked, so that a hello is either whole or refused. */
static int extensions_parse(struct span all, struct span *ret_id)
{
	bool has_id = false;
	struct rd r = rd_open(all);
	while (rd_ok(&r) && r.rest.n > 0) {
		uint16_t type = rd_u16(&r);
		struct span body = rd_span(&r, rd_u16(&r));
		if (!rd_ok(&r) || type != EXTENSION_APP_ID)
			continue;
		if (has_id || app_id_parse(body, ret_id) < 0)
			return ERR_MALFORMED;
		has_id = true;
	}
	return rd_end(&r) ? 0 : ERR_MALFORMED;
}

static bool is_zero(struct span s)
{
	uint8_t any = 0;
	for (size_t i = 0; i < s.n; i++)
		any |= s.p[i];
	return any == 0;
}

static int hello_parse(struct span body, struct dtls_hello *ret)
{
	struct rd r = rd_open(body);
	struct dtls_hello h = {0};
	h.version = rd_u16(&r);
	h.random = rd_span(&r, HELLO_RANDOM_BYTES);
	h.id = rd_span(&r, rd_u8(&r));
	h.has_cookie = rd_span(&r, rd_u8(&r)).n > 0;
	h.suites = rd_span(&r, rd_u16(&r));
	struct span compressions = rd_span(&r, rd_u8(&r));
	struct span extensions = {0};
	if (r.rest.n > 0)
		extensions = rd_span(&r, rd_u16(&r));

	if (!rd_end(&r) || !is_dtls_version(h.version) || h.id.n > HELLO_ID_MAX_BYTES)
		return ERR_MALFORMED;
	if (h.suites.n < 2 || h.suites.n % 2 != 0 || compressions.n == 0)
		return ERR_MALFORMED;
	if (extensions_parse(extensions, &h.id) < 0 || !id_fits(h.id))
		return ERR_MALFORMED;
	h.is_zero_random = is_zero(h.random);
	*ret = h;
	return 0;
}

int dtls_hello_parse(struct span datagram, struct dtls_hello *ret)
{
	struct span rest = datagram, body;
	struct dtls_record rec;
	if (datagram.n == 0 || datagram.p[0] != DTLS_HANDSHAKE)
		return ERR_UNSUPPORTED;
	if (dtls_record_take(&rest, &rec) < 0)
		return ERR_MALFORMED;
	if (rec.epoch != 0)
		return ERR_UNSUPPORTED;
	int r = hello_body(rec.body, &body);
	if (r < 0)
		return r;
	return datagram.n < DTLS_HELLO_MIN_BYTES ? ERR_MALFORMED : hello_parse(body, ret);
}

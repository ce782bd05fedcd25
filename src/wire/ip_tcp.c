/* The maximum segment size of TCP: RFC 9293 3.1 and 3.7.1, RFC 1624 for the checksum. */
#include "base/rd.h"
#include "wire/ip.h"

#define TCP_HEADER_BYTES 20
#define TCP_SYN          0x02
#define TCP_FLAGS_AT     13
#define TCP_CHECKSUM_AT  16

enum tcp_option { TCP_OPTION_END = 0, TCP_OPTION_NOP = 1, TCP_OPTION_MSS = 2 };

/* Takes one option off *r. ret_value is empty for options of one byte. False at the end, and when bad. */
static bool option_take(struct rd *r, uint8_t *ret_kind, struct span *ret_value)
{
	if (r->rest.n == 0)
		return false;
	*ret_kind = rd_u8(r);
	*ret_value = (struct span){0};
	if (*ret_kind == TCP_OPTION_END)
		return false;
	if (*ret_kind == TCP_OPTION_NOP)
		return true;
	uint8_t length = rd_u8(r);
	*ret_value = rd_span(r, length >= 2 ? length - 2u : SIZE_MAX);
	return rd_ok(r);
}

static bool options_ok(struct span options)
{
	struct rd r = rd_open(options);
	uint8_t kind;
	struct span value;
	while (option_take(&r, &kind, &value)) {
		if (kind == TCP_OPTION_MSS && value.n != 2)
			return false;
	}
	return rd_ok(&r);
}

/* HC' = ~(~HC + ~m + m'). A value at an odd offset counts with its bytes swapped. */
static void checksum_update(uint8_t *tcp, size_t at, uint16_t before, uint16_t after)
{
	if (at % 2 != 0) {
		before = (uint16_t)(before << 8 | before >> 8);
		after = (uint16_t)(after << 8 | after >> 8);
	}
	uint32_t sum = (uint16_t)~be16_get(tcp + TCP_CHECKSUM_AT);
	be16_put(tcp + TCP_CHECKSUM_AT, ip_fold(sum + (uint16_t)~before + after));
}

struct mss_range {
	uint16_t min, max;
};

static uint16_t mss_fit(uint16_t mss, struct mss_range r)
{
	if (mss < r.min)
		mss = r.min;
	return mss > r.max ? r.max : mss;
}

static bool options_clamp(uint8_t *tcp, size_t header_bytes, struct mss_range range)
{
	struct rd r = rd_open(span_of(tcp + TCP_HEADER_BYTES, header_bytes - TCP_HEADER_BYTES));
	uint8_t kind;
	struct span value;
	bool is_changed = false;
	while (option_take(&r, &kind, &value)) {
		if (kind != TCP_OPTION_MSS)
			continue;
		uint16_t mss = mss_fit(be16_get(value.p), range);
		if (mss == be16_get(value.p))
			continue;
		size_t at = (size_t)(value.p - tcp);
		checksum_update(tcp, at, be16_get(value.p), mss);
		be16_put(tcp + at, mss);
		is_changed = true;
	}
	return is_changed;
}

/* The SYN's whole header, options included; empty when it is no SYN or one that must stay as it is. */
static struct span syn_header(struct span packet)
{
	struct ip_packet p;
	const struct span none = {0};
	if (ip_parse(packet, &p) < 0 || p.proto != IP_PROTO_TCP || p.is_fragment)
		return none;
	if (p.payload.n < TCP_HEADER_BYTES || !(p.payload.p[TCP_FLAGS_AT] & TCP_SYN))
		return none;
	size_t header_bytes = (size_t)(p.payload.p[12] >> 4) * 4;
	if (header_bytes < TCP_HEADER_BYTES || header_bytes > p.payload.n)
		return none;
	if (!options_ok(span_of(p.payload.p + TCP_HEADER_BYTES, header_bytes - TCP_HEADER_BYTES)))
		return none;
	return span_of(p.payload.p, header_bytes);
}

static bool clamp(uint8_t *packet, size_t bytes, struct mss_range range)
{
	struct span tcp = syn_header(span_of(packet, bytes));
	if (tcp.n == 0)
		return false;
	return options_clamp(packet + (tcp.p - packet), tcp.n, range);
}

/* Tells almost every packet that is no SYN by three of its bytes. */
static bool may_be_syn(struct span packet)
{
	const uint8_t *p = packet.p;
	if (packet.n < IP4_HEADER_BYTES + TCP_HEADER_BYTES)
		return false;
	bool is_ip4 = p[0] >> 4 == 4;
	uint8_t proto = is_ip4 ? p[9] : p[6];
	size_t flags_at = (is_ip4 ? (p[0] & 15) * 4u : IP6_HEADER_BYTES) + TCP_FLAGS_AT;
	if (proto == IP_PROTO_TCP)
		return flags_at < packet.n && (p[flags_at] & TCP_SYN);
	return !is_ip4 && proto != IP_PROTO_UDP && proto != IP_PROTO_ICMPV6; /* extension headers? */
}

bool tcp_is_syn(struct span packet)
{
	return may_be_syn(packet) && syn_header(packet).n > 0;
}

bool tcp_clamp_mss(uint8_t *packet, size_t bytes, uint16_t mss)
{
	return clamp(packet, bytes, (struct mss_range){.max = mss});
}

bool tcp_fit_mss(uint8_t *packet, size_t bytes, uint16_t min, uint16_t max)
{
	return clamp(packet, bytes, (struct mss_range){min, max ? max : UINT16_MAX});
}

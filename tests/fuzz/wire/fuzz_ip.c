/* IP packets: two bytes of MSS or MTU, then the packet. Checksums must stay right and lengths unchanged. */
#include <errno.h>
#include <stdlib.h>

#include "wire/ip.h"

#define PACKET_MAX_BYTES 4096
#define TCP_CHECKSUM_AT  16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint16_t transport_check(const struct ip_packet *p)
{
	uint32_t sum = ip_pseudo_sum(&p->src, &p->dst, p->proto, (uint32_t)p->payload.n);
	return ip_fold(ip_sum(sum, p->payload));
}

static void check_clamp(uint8_t *packet, size_t n, uint16_t mss)
{
	static uint8_t before[PACKET_MAX_BYTES];
	struct ip_packet p;
	if (ip_parse(span_of(packet, n), &p) < 0) {
		if (tcp_clamp_mss(packet, n, mss))
			abort();
		return;
	}
	bool has_checksum = p.proto == IP_PROTO_TCP && p.payload.n >= 20;
	if (has_checksum) { /* make it right */
		uint8_t *tcp = packet + p.header_bytes;
		tcp[TCP_CHECKSUM_AT] = tcp[TCP_CHECKSUM_AT + 1] = 0;
		uint16_t check = transport_check(&p);
		tcp[TCP_CHECKSUM_AT] = (uint8_t)(check >> 8);
		tcp[TCP_CHECKSUM_AT + 1] = (uint8_t)check;
		if (transport_check(&p) != 0)
			abort();
	}
	memcpy(before, packet, n);
	if (tcp_fit_mss(packet, n, mss, mss) && !tcp_is_syn(span_of(packet, n)))
		abort();
	if (has_checksum && transport_check(&p) != 0)
		abort();
	memcpy(packet, before, n);
	bool is_changed = tcp_clamp_mss(packet, n, mss);
	if (is_changed != (memcmp(before, packet, n) != 0) || memcmp(before, packet, p.header_bytes) != 0)
		abort();
	if (has_checksum && transport_check(&p) != 0)
		abort();
	if (tcp_clamp_mss(packet, n, mss)) /* nothing is left to do */
		abort();
}

static void check_too_big(struct span packet, uint16_t mtu)
{
	struct ip_addr from = {.family = packet.n && packet.p[0] >> 4 == 4 ? 4 : 6, .b = {10, 0, 0, 1}};
	uint8_t *answer = malloc(ICMP_TOO_BIG_MAX);
	struct ip_packet p;
	int n = icmp_too_big(packet, &from, mtu, answer, ICMP_TOO_BIG_MAX);
	if (n == -ENOBUFS)
		abort();
	if (n > 0) {
		if (ip_parse(span_of(answer, (size_t)n), &p) < 0 || p.total_bytes != n || p.payload.n < 8)
			abort();
		if (p.family == 4 &&
		        (ip_fold(ip_sum(0, span_of(answer, 20))) || ip_fold(ip_sum(0, p.payload))))
			abort();
		if (p.family == 6 && transport_check(&p) != 0)
			abort();
		if (icmp_too_big(span_of(answer, (size_t)n), &from, mtu, answer, 0) != ERR_UNSUPPORTED)
			abort();
	}
	free(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size - 2 > PACKET_MAX_BYTES)
		return 0;
	uint16_t mss = (uint16_t)(data[0] << 8 | data[1]);
	size_t n = size - 2;
	uint8_t *packet = malloc(n ? n : 1);
	memcpy(packet, data + 2, n);
	struct span s = span_of(packet, n);
	struct ip_packet p;
	struct ip_addr src, dst;
	if (ip_parse(s, &p) == 0) {
		if (ip_addresses(s, &src, &dst) < 0 || !addr_eq(&src, &p.src) || !addr_eq(&dst, &p.dst))
			abort();
		if (p.header_bytes + p.payload.n != p.total_bytes || p.total_bytes > n)
			abort();
	}
	check_too_big(s, mss);
	check_clamp(packet, n, mss);
	free(packet);
	return 0;
}

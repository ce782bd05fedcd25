/* The Internet checksum: RFC 1071. */
#include <arpa/inet.h>

#include "wire/ip.h"

static uint16_t fold64(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Added up in the machine's byte order, four bytes at a time, and swapped once at the end (RFC 1071 2 B, C).
 */
uint32_t ip_sum(uint32_t sum, struct span s)
{
	uint64_t acc = 0;
	uint32_t word;
	for (; s.n >= sizeof(word); s = span_skip(s, sizeof(word))) {
		memcpy(&word, s.p, sizeof(word));
		acc += word;
	}
	word = 0;
	if (s.n > 0)
		memcpy(&word, s.p, s.n); /* zeros behind an odd end */
	return fold64((uint64_t)sum) + ntohs(fold64(acc + word));
}

uint16_t ip_fold(uint32_t sum)
{
	return (uint16_t)~fold64(sum);
}

uint32_t ip_pseudo_sum(const struct ip_addr *src, const struct ip_addr *dst, uint8_t proto, uint32_t bytes)
{
	size_t n = src->family == 4 ? 4 : 16;
	uint32_t sum = ip_sum(ip_sum(proto, span_of(src->b, n)), span_of(dst->b, n));
	return sum + (bytes >> 16) + (bytes & 0xffff);
}

#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>

#include "base/parse.h"

static uint8_t addr_bits(const struct ip_addr *a)
{
	return a->family == 4 ? 32 : a->family == 6 ? 128 : 0;
}

struct ip_addr addr_from_bytes(uint8_t family, const uint8_t *b)
{
	struct ip_addr a = {.family = family};
	memcpy(a.b, b, family == 4 ? 4 : 16);
	return a;
}

struct ip_addr addr_from_v4(uint32_t v)
{
	struct ip_addr a = {
	        .family = 4, .b = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v}};
	return a;
}

uint32_t addr_to_v4(const struct ip_addr *a)
{
	if (a->family != 4)
		return 0;
	return (uint32_t)a->b[0] << 24 | (uint32_t)a->b[1] << 16 | (uint32_t)a->b[2] << 8 | a->b[3];
}

int addr_parse(struct span in, struct ip_addr *ret)
{
	char buf[ADDR_TEXT_MAX];
	struct ip_addr a = {0};
	if (parse_name(in, buf, sizeof(buf)) < 0)
		return -EINVAL;
	if (inet_pton(AF_INET, buf, a.b) == 1)
		a.family = 4;
	else if (inet_pton(AF_INET6, buf, a.b) == 1)
		a.family = 6;
	else
		return -EINVAL;
	*ret = a;
	return 0;
}

int prefix_parse(struct span in, struct ip_prefix *ret)
{
	struct ip_prefix p;
	bool has_len = in.n > 0 && memchr(in.p, '/', in.n) != NULL;
	struct span rest = in;
	if (addr_parse(span_cut(&rest, '/'), &p.addr) < 0)
		return -EINVAL;
	uint32_t len = addr_bits(&p.addr);
	if (has_len && parse_u32(rest, 0, len, &len) < 0)
		return -EINVAL;
	p.len = (uint8_t)len;
	*ret = p;
	return 0;
}

int addr_mask_len(const struct ip_addr *mask, uint8_t *ret)
{
	uint32_t v = addr_to_v4(mask);
	uint8_t len = 0;
	while (len < 32 && (v & 0x80000000u >> len))
		len++;
	if (mask->family != 4 || (len < 32 && v << len != 0))
		return -EINVAL;
	*ret = len;
	return 0;
}

struct ip_addr addr_mask_v4(uint8_t len)
{
	return addr_from_v4(len == 0 ? 0 : UINT32_MAX << (32 - len));
}

int prefix_parse_masked(struct span in, struct ip_prefix *ret)
{
	struct span rest = in;
	struct ip_prefix p;
	struct ip_addr mask;
	struct span head = span_cut(&rest, '/');
	if (addr_parse(rest, &mask) < 0)
		return prefix_parse(in, ret);
	if (addr_parse(head, &p.addr) < 0 || p.addr.family != 4 || addr_mask_len(&mask, &p.len) < 0)
		return -EINVAL;
	*ret = p;
	return 0;
}

struct ip_addr prefix_network(const struct ip_prefix *p)
{
	struct ip_addr a = p->addr;
	for (unsigned bit = p->len; bit < addr_bits(&a); bit++)
		a.b[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	return a;
}

struct ip_addr addr_customer(const struct ip_addr *a)
{
	return prefix_network(&(struct ip_prefix){.addr = *a, .len = 64});
}

bool prefix_has(const struct ip_prefix *p, const struct ip_addr *a)
{
	if (a->family != p->addr.family || a->family == 0)
		return false;
	struct ip_prefix other = {.addr = *a, .len = p->len};
	struct ip_addr x = prefix_network(p), y = prefix_network(&other);
	return addr_eq(&x, &y);
}

struct ip_addr addr_add(const struct ip_addr *a, uint32_t n)
{
	struct ip_addr s = *a;
	uint64_t carry = n;
	for (int i = addr_bits(a) / 8 - 1; i >= 0 && carry != 0; i--) {
		carry += s.b[i];
		s.b[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return s;
}

const char *addr_format(const struct ip_addr *a, char *buf)
{
	buf[0] = '\0';
	if (a->family == 4)
		inet_ntop(AF_INET, a->b, buf, ADDR_TEXT_MAX);
	else if (a->family == 6)
		inet_ntop(AF_INET6, a->b, buf, ADDR_TEXT_MAX);
	return buf;
}

const char *prefix_format(const struct ip_prefix *p, char *buf)
{
	char addr[ADDR_TEXT_MAX];
	snprintf(buf, PREFIX_TEXT_MAX, "%s/%u", addr_format(&p->addr, addr), p->len);
	return buf;
}

struct ip_addr addr_from_sockaddr(const struct sockaddr *sa, uint16_t *ret_port)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct ip_addr a = {0};
	uint16_t port = 0;
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in4;
		memcpy(&in4, sa, sizeof(in4));
		a = addr_from_bytes(4, (const uint8_t *)&in4.sin_addr);
		port = ntohs(in4.sin_port);
	} else if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, sa, sizeof(in6));
		port = ntohs(in6.sin6_port);
		if (memcmp(&in6.sin6_addr, mapped, sizeof(mapped)) == 0)
			a = addr_from_bytes(4, (const uint8_t *)&in6.sin6_addr + 12);
		else
			a = addr_from_bytes(6, (const uint8_t *)&in6.sin6_addr);
	}
	if (ret_port)
		*ret_port = port;
	return a;
}

socklen_t addr_to_sockaddr(const struct ip_addr *a, uint16_t port, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (a->family == 4) {
		struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(port)};
		memcpy(&in4.sin_addr, a->b, 4);
		memcpy(ret, &in4, sizeof(in4));
		return sizeof(in4);
	}
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	memcpy(&in6.sin6_addr, a->b, 16);
	memcpy(ret, &in6, sizeof(in6));
	return sizeof(in6);
}

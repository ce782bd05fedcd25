/* IPv4 and IPv6 addresses and prefixes as values. */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/span.h"
#include "base/util.h"

/* family 0 means "none"; IPv4 uses b[0..3] and leaves the rest zero, so that memcmp of structs compares. */
struct ip_addr {
	uint8_t family; /* 0, 4 or 6 */
	uint8_t b[16];
};

struct ip_prefix {
	struct ip_addr addr;
	uint8_t len; /* bits, 0..32 or 0..128 */
};

#define ADDR_TEXT_MAX   46 /* INET6_ADDRSTRLEN */
#define PREFIX_TEXT_MAX 50

static inline bool addr_is_set(const struct ip_addr *a)
{
	return a->family != 0;
}

static inline bool addr_eq(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

struct ip_addr addr_from_v4(uint32_t host_order);
uint32_t addr_to_v4(const struct ip_addr *a);                     /* host order; 0 unless family 4 */
struct ip_addr addr_from_bytes(uint8_t family, const uint8_t *b); /* 4 or 16 bytes, network order */

/* Address literal of either family, whole span. -EINVAL when it is none. */
MUST_USE int addr_parse(struct span in, struct ip_addr *ret);
/* "a/len", or a bare address, which means /32 or /128. */
MUST_USE int prefix_parse(struct span in, struct ip_prefix *ret);
/* "a.b.c.d/m.m.m.m" or "a.b.c.d/len"; -EINVAL for a mask with holes. IPv6 as prefix_parse(). */
MUST_USE int prefix_parse_masked(struct span in, struct ip_prefix *ret);
/* A netmask such as 255.255.254.0 to its length; -EINVAL for holes. */
MUST_USE int addr_mask_len(const struct ip_addr *mask, uint8_t *ret);
struct ip_addr addr_mask_v4(uint8_t len);
/* The address with everything behind the prefix length zeroed. */
struct ip_addr prefix_network(const struct ip_prefix *p);
/* What one customer usually has, for limits that count by address: the IPv4 address itself, of IPv6 the /64.
 */
struct ip_addr addr_customer(const struct ip_addr *a);
bool prefix_has(const struct ip_prefix *p, const struct ip_addr *a);
/* a + n, within its family; wraps silently: callers check with prefix_has(). */
struct ip_addr addr_add(const struct ip_addr *a, uint32_t n);

/* Text into buf (ADDR_TEXT_MAX / PREFIX_TEXT_MAX bytes), returns buf; "" for none. */
const char *addr_format(const struct ip_addr *a, char *buf);
const char *prefix_format(const struct ip_prefix *p, char *buf);

/* Between socket addresses and ours; IPv4-mapped IPv6 becomes IPv4. */
struct ip_addr addr_from_sockaddr(const struct sockaddr *sa, uint16_t *ret_port);
socklen_t addr_to_sockaddr(const struct ip_addr *a, uint16_t port, struct sockaddr_storage *ret);

#endif

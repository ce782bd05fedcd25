#include "gateway/too_big.h"

#include <stdio.h>

#include "io/log.h"
#include "io/tun.h"
#include "store/lease.h"

static void log_602101(struct session *s, const struct ip_packet *p, uint16_t mtu)
{
	char dst[ADDR_TEXT_MAX], src[ADDR_TEXT_MAX], number[8];
	const char *prot = p->proto == IP_PROTO_TCP      ? "TCP"
	                   : p->proto == IP_PROTO_UDP    ? "UDP"
	                   : p->proto == IP_PROTO_ICMP   ? "ICMP"
	                   : p->proto == IP_PROTO_ICMPV6 ? "ICMP6"
	                                                 : number;
	if (!log_wants_msg(LOG_INFO, 602101) || !worker_may_log(s->w, 602101, s->id.index))
		return;
	snprintf(number, sizeof(number), "%u", p->proto);
	log_msg(LOG_INFO, "ASA", 602101,
	        "PMTU-D packet %u bytes greater than effective mtu %u, dest_addr=%s, src_addr=%s, prot=%s",
	        p->total_bytes, mtu, addr_format(&p->dst, dst), addr_format(&p->src, src), prot);
}

/* May this sender be told again that packets of this session are too big? */
static bool may_answer(struct session *s, const struct ip_addr *sender)
{
	struct {
		struct ip_addr sender;
		uint32_t session;
	} key;
	memset(&key, 0, sizeof(key)); /* the gaps count as well */
	key.sender = *sender;
	key.session = s->id.index;
	return ratelimit_allows(
	        &s->w->too_big, ratelimit_key(span_of(&key, sizeof(key)), 0), worker_now(s->w), NULL);
}

static struct span answer_to(struct session *s, struct span packet, const struct ip_packet *p, uint16_t mtu,
        uint8_t buf[static ICMP_TOO_BIG_MAX])
{
	if (!may_answer(s, &p->src))
		return (struct span){0};
	const struct ip_prefix *own = p->family == 4 ? &s->id.ip4 : &s->id.ip6;
	struct ip_addr from = lease_gateway(&own->addr, own->len);
	int n = icmp_too_big(packet, &from, mtu, buf, ICMP_TOO_BIG_MAX);
	if (n < 0)
		return (struct span){0}; /* must not be answered: ICMP errors, later fragments, multicast */
	log_602101(s, p, mtu);
	return span_of(buf, (size_t)n);
}

struct span too_big_answer(
        struct session *s, struct span packet, uint16_t mtu, uint8_t buf[static ICMP_TOO_BIG_MAX])
{
	struct ip_packet p;
	return ip_parse(packet, &p) < 0 ? (struct span){0} : answer_to(s, packet, &p, mtu, buf);
}

void too_big_to_inside(struct session *s, struct span answer)
{
	if (answer.n > 0)
		worker_to_tun(s->w, answer);
}

void too_big_tell_limit(struct session *s, struct span packet, uint16_t limit)
{
	struct ip_packet p;
	uint8_t icmp[ICMP_TOO_BIG_MAX];
	if (ip_parse(packet, &p) < 0 || !p.has_df)
		return;
	if (p.family == 6 && limit < MTU_MIN_IP6)
		limit = MTU_MIN_IP6;
	if (p.total_bytes > limit)
		too_big_to_inside(s, answer_to(s, packet, &p, limit, icmp));
}

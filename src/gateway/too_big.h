/* ICMP and ICMPv6 "too big" to the sender of an inner packet, from the gateway's own address in the network
 * of the client's, at a limited rate, with 602101 in the log (cisco-facts.md 3.6). */
#ifndef GATEWAY_TOO_BIG_H
#define GATEWAY_TOO_BIG_H

#include "gateway/session.h"
#include "wire/ip.h"

/* The answer to be sent back where the packet came from, in buf; an empty span: none is due. */
MUST_USE struct span too_big_answer(
        struct session *s, struct span packet, uint16_t mtu, uint8_t buf[static ICMP_TOO_BIG_MAX]);
/* An answer for the inside. Not counted as the client's traffic: it is our own word. */
void too_big_to_inside(struct session *s, struct span answer);
/* Tells the sender inside the path limit of a packet that goes on all the same. Only with DF, and never less
 * than IPv6 demands (RFC 8200 5). */
void too_big_tell_limit(struct session *s, struct span packet, uint16_t limit);

#endif

/* `anyconnect mtu-policy classic`: what becomes of an inner packet that is larger than the MTU of its tunnel,
 * as on the ASA of tech note 116881 (behaviour.md 2.1, cisco-facts.md 3.2, 3.6, 4.2). */
#ifndef GATEWAY_CLASSIC_H
#define GATEWAY_CLASSIC_H

#include "gateway/session.h"

/* From TUN, for the client. With DF (always with IPv6): dropped and counted as mp-svc-no-fragment, 722036,
 * "too big" to the sender and 602101. Without DF, or with df-bit-ignore: sent in fragments. */
void classic_to_client(struct session *s, enum link_channel ch, struct span packet);
/* From the client by channel ch, for TUN: 722035, then the same in the other direction. */
void classic_to_inside(struct session *s, enum link_channel ch, struct span packet);

#endif

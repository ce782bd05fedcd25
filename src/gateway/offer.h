/* What the gateway offers to one CONNECT: policy and MTU facts to tunnel parameters. */
#ifndef GATEWAY_OFFER_H
#define GATEWAY_OFFER_H

#include "gateway/session.h"

/* Fills the session's MTU and DTLS choice and appends the whole answer to *ret_reply. -ENOMEM. */
MUST_USE int offer_make(struct session *s, struct conn *c, const struct ipc_session_info *info,
        const struct tunnel_request *req, struct text *ret_reply);

/* offer_mtu.c: fills s->mtu and s->dtls.limit_bytes; s->dtls.suite is chosen already. */
void offer_choose_mtu(struct session *s, const struct conn *c, const struct tunnel_request *req);

#endif

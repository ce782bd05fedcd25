/* What the gateway offers to one CONNECT: policy and MTU facts to tunnel parameters. */
#ifndef GATEWAY_OFFER_H
#define GATEWAY_OFFER_H

#include "gateway/session.h"

/* Fills the session's MTU and DTLS choice and appends the whole answer to *ret_reply. -ENOMEM. */
MUST_USE int offer_make(struct session *s, struct conn *c, const struct ipc_session_info *info,
        const struct tunnel_request *req, struct text *ret_reply);

/* offer_mtu.c: fills s->mtu and s->dtls.limit_bytes; s->dtls.suite is chosen already. */
void offer_choose_mtu(struct session *s, const struct conn *c, const struct tunnel_request *req);

/* Cisco Secure Client or AnyConnect, by its User-Agent. */
bool offer_is_cisco(const char *user_agent);

/* The DTLS style and suite for what a client offers; the operator's order counts. */
enum dtls_suite offer_choose_suite(const struct ssl_settings *ssl, const struct tunnel_request *req);

#define OFFER_PSK_LIST_MAX 96 /* the three PSK suites that there are, joined with ':' */
/* The suites that PSK-NEGOTIATE may lead to, in order. */
void offer_psk_list(const struct ssl_settings *ssl, char ret[static OFFER_PSK_LIST_MAX]);

#endif

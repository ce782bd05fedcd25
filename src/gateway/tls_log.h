/* The ASA's messages about TLS and DTLS handshakes (725xxx, cisco-facts.md 3.5), all under the worker's
 * limits. */
#ifndef GATEWAY_TLS_LOG_H
#define GATEWAY_TLS_LOG_H

#include "gateway/worker.h"

/* Who shakes hands with whom. */
struct tls_log_ends {
	struct ip_addr peer, local;
	uint16_t peer_port, local_port;
	uint32_t session; /* index; 0: a stranger */
};

void tls_log_start(struct worker *w, const struct tls_log_ends *e, bool is_dtls);
/* The client named a session that it had before (in DTLS: the id of CONNECT). */
void tls_log_resume(struct worker *w, const struct tls_log_ends *e);
/* tls: what the client proposed; NULL: not known. */
void tls_log_done(struct worker *w, const struct tls_log_ends *e, const struct tls *tls, const char *protocol,
        const char *cipher);
void tls_log_failed(struct worker *w, const struct tls_log_ends *e, const char *why);
void tls_log_end(struct worker *w, const struct tls_log_ends *e);

#endif

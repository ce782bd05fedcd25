/* One DTLS association of the tunnel: a socket of its own, and the record layer on it. */
#ifndef CLIENT_DTLS_ASSOC_H
#define CLIENT_DTLS_ASSOC_H

#include "client/tunnel_dtls.h"

struct dtls_assoc {
	struct tunnel_dtls *tunnel;
	struct dtls *dtls;
	struct dtls_out out;
	struct udp udp;
	struct udp_path path;
	struct watch *watch;
};

struct dtls_assoc_config {
	struct dtls_ctx *ctx;
	const struct tunnel_dtls_terms *terms;
	uint8_t psk[DTLS_PSK_BYTES]; /* with DTLS_PSK_NEGOTIATE; the caller wipes it */
	unsigned offloads_refused;   /* OFFLOAD_GSO, OFFLOAD_GRO */
	uv_loop_t *loop;
	watch_fn *on_ready; /* with the association */
	struct tunnel_dtls *tunnel;
};

/* The handshake begins with dtls_handshake(). On failure *ret is NULL. */
MUST_USE int dtls_assoc_new(const struct dtls_assoc_config *c, struct dtls_assoc **ret);
/* *at may be NULL, and is afterwards. */
void dtls_assoc_free(struct dtls_assoc **at);
/* Sends what waits. True: the kernel has refused some of it for its size. */
bool dtls_assoc_flush(struct dtls_assoc *a);

#endif

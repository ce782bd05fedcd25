#include "client/dtls_assoc.h"

#include <errno.h>
#include <stdlib.h>

#include "io/offload.h"

#define OUT_BYTES        (64u << 10) /* what one sendmsg() takes */
#define UDP_BUFFER_BYTES (768 << 10) /* as the gateway's; less loses trains, more delays: performance.md */
#define FLIGHT_BYTES     1200

void dtls_assoc_free(struct dtls_assoc **at)
{
	struct dtls_assoc *a = *at;
	*at = NULL;
	if (a == NULL)
		return;
	if (a->watch != NULL)
		watch_drop(a->watch); /* closes the descriptor */
	else
		udp_close(&a->udp);
	dtls_free(a->dtls);
	dtls_out_done(&a->out);
	free(a);
}

static int make_dtls(const struct dtls_assoc_config *c, struct dtls **ret)
{
	const struct tunnel_dtls_terms *k = c->terms;
	struct span id = span_of(k->id, k->id_bytes);
	if (k->suite == DTLS_PSK_NEGOTIATE)
		return dtls_client_new_psk(c->ctx, id, c->psk, NULL, ret);
	return dtls_client_new_resume(c->ctx, id, k->master, dtls_suite_info(k->suite)->openssl_name, ret);
}

static int make_socket(const struct dtls_assoc_config *c, struct dtls_assoc *a)
{
	struct udp_config config = {.wants_gro = !(c->offloads_refused & OFFLOAD_GRO),
	        .pmtu = c->terms->pmtu,
	        .buffer_bytes = UDP_BUFFER_BYTES};
	int err = udp_connect(&config, &c->terms->peer, c->terms->port, &a->udp);
	if (err) {
		a->udp.fd = -1;
		return err;
	}
	a->udp.has_no_gso = c->offloads_refused & OFFLOAD_GSO;
	a->watch = watch_new(c->loop, a->udp.fd, c->on_ready, a);
	if (a->watch == NULL)
		return -ENOMEM;
	watch_set(a->watch, UV_READABLE);
	return 0;
}

int dtls_assoc_new(const struct dtls_assoc_config *c, struct dtls_assoc **ret)
{
	struct dtls_assoc *a = calloc(1, sizeof(*a));
	*ret = a;
	if (a == NULL)
		return -ENOMEM;
	a->tunnel = c->tunnel;
	a->udp.fd = -1;
	int err = dtls_out_init(&a->out, OUT_BYTES, TUNNEL_DTLS_BATCH);
	if (err == 0)
		err = make_dtls(c, &a->dtls);
	if (err == 0)
		err = make_socket(c, a);
	if (err) {
		dtls_assoc_free(ret);
		return err;
	}
	dtls_set_output(a->dtls, &a->out);
	dtls_set_mtu(a->dtls, FLIGHT_BYTES);
	dtls_set_first_timeout_ms(a->dtls, (uint32_t)c->terms->pace->first_timeout_ms);
	return 0;
}

bool dtls_assoc_flush(struct dtls_assoc *a)
{
	size_t n = a->out.n_dgram;
	if (n == 0)
		return false;
	/* what a full socket does not take is lost, as UDP may */
	int sent = udp_send_batch(&a->udp, &a->path, a->out.p, a->out.dgram, n, NULL);
	(void)sent;
	dtls_out_reset(&a->out);
	bool is_too_big = a->path.too_big_bytes != 0;
	a->path.too_big_bytes = 0;
	return is_too_big;
}

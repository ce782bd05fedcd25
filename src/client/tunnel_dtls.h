/* The DTLS tunnel: set up beside the TLS tunnel, tried again when it fails, never waited for.
 * IDLE -> HANDSHAKE -> UP; WAIT between tries. Styles: PSK-NEGOTIATE and injected session (wire-protocol.md
 * 4). */
#ifndef CLIENT_TUNNEL_DTLS_H
#define CLIENT_TUNNEL_DTLS_H

#include "client/channel.h"
#include "client/watch.h"
#include "io/dtls.h"
#include "io/udp.h"
#include "wire/params.h"

#define TUNNEL_DTLS_HANDSHAKE_MS 12000 /* as openconnect: one try */
#define TUNNEL_DTLS_RETRY_MS     60000 /* from start to start of tries */
#define TUNNEL_DTLS_SOON_MS      4000  /* ocserv ignores a second ClientHello within 3 s (gotcha 35) */
#define TUNNEL_DTLS_BATCH        32

enum tunnel_dtls_stage { TUNNEL_DTLS_OFF, TUNNEL_DTLS_WAIT, TUNNEL_DTLS_HANDSHAKE, TUNNEL_DTLS_UP };

/* What CONNECT agreed on. */
struct tunnel_dtls_terms {
	enum dtls_suite suite;
	uint8_t id[DTLS_ID_BYTES];
	size_t id_bytes;
	uint8_t master[DTLS_SECRET_BYTES]; /* injected session */
	struct ip_addr peer;
	uint16_t port;
};

struct tunnel_dtls {
	enum tunnel_dtls_stage stage;
	uv_loop_t *loop;
	struct channel_owner owner;
	/* the PSK of the TLS connection as it is now (wire-protocol.md 4.3); 0 or an error */
	int (*get_psk)(void *ctx, uint8_t psk[static DTLS_PSK_BYTES]);
	struct tunnel_dtls_terms terms;
	struct dtls_ctx *ctx;
	struct dtls *dtls;
	struct udp udp;
	struct udp_path path;
	struct udp_rx *rx;
	uint8_t *rx_buf;
	struct dtls_out out;
	struct watch *watch;
	uint8_t *record; /* DTLS_PLAIN_MAX of plaintext */
	ms_t started_at_ms, retry_at_ms;
	unsigned tries;
	struct channel_counters count;
};

MUST_USE int tunnel_dtls_init(struct tunnel_dtls *t, uv_loop_t *loop);
void tunnel_dtls_done(struct tunnel_dtls *t);

/* New terms: what was up before ends. suite DTLS_NONE: off. */
void tunnel_dtls_begin(struct tunnel_dtls *t, const struct tunnel_dtls_terms *terms, ms_t now_ms);
/* Dead by DPD: tried again as soon as the gateway listens. */
void tunnel_dtls_restart(struct tunnel_dtls *t, ms_t now_ms);
void tunnel_dtls_close(struct tunnel_dtls *t, bool is_polite);

/* One packet, type byte first, as one datagram into the batch; -ENOBUFS: flush first. */
MUST_USE int tunnel_dtls_put(struct tunnel_dtls *t, struct span packet);
MUST_USE int tunnel_dtls_put_control(struct tunnel_dtls *t, uint8_t type, struct span payload);
void tunnel_dtls_flush(struct tunnel_dtls *t);

ms_t tunnel_dtls_due_ms(const struct tunnel_dtls *t, ms_t now_ms);
void tunnel_dtls_on_time(struct tunnel_dtls *t, ms_t now_ms);

#endif

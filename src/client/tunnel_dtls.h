/* The DTLS tunnel: set up beside the TLS tunnel, tried again when it fails, never waited for.
 * OFF; HANDSHAKE -> UP; WAIT between tries. Styles: PSK-NEGOTIATE and injected session (wire-protocol.md 4).
 *
 * There may be two associations at the same time, each with a socket of its own: the one that carries data,
 * and beside it one that shakes hands to take its place, because CONNECT brought new terms or the used one is
 * silent. The stage is that of the one that carries data, or would. */
#ifndef CLIENT_TUNNEL_DTLS_H
#define CLIENT_TUNNEL_DTLS_H

#include "client/channel.h"
#include "client/watch.h"
#include "io/dtls.h"
#include "io/udp.h"
#include "wire/params.h"

#define TUNNEL_DTLS_BATCH     UDP_GSO_SEGMENTS_MAX
#define TUNNEL_DTLS_LINGER_MS 1000 /* what still comes for the association before is read for so long */

enum tunnel_dtls_stage { TUNNEL_DTLS_OFF, TUNNEL_DTLS_WAIT, TUNNEL_DTLS_HANDSHAKE, TUNNEL_DTLS_UP };

/* How long one try may take, and when the next one begins. */
struct tunnel_dtls_pace {
	ms_t handshake_ms;
	ms_t first_timeout_ms;       /* first repetition of the ClientHello, then doubling */
	ms_t gap_ms;                 /* at least, from the beginning of one try to that of the next */
	ms_t pause_ms, pause_max_ms; /* from the end of one to the beginning of the next, doubling; 0: none */
};
/* As openconnect does; to foreign gateways, where ocserv ignores a second ClientHello within 3 s (gotcha 35);
 * to our own. */
extern const struct tunnel_dtls_pace tunnel_dtls_pace_classic, tunnel_dtls_pace_foreign, tunnel_dtls_pace_own;

/* What CONNECT agreed on. */
struct tunnel_dtls_terms {
	enum dtls_suite suite;
	uint8_t id[DTLS_ID_BYTES];
	size_t id_bytes;
	uint8_t master[DTLS_SECRET_BYTES]; /* injected session */
	struct ip_addr peer;
	uint16_t port;
	enum udp_pmtu pmtu;
	const struct tunnel_dtls_pace *pace;
};

struct dtls_assoc;

struct tunnel_dtls {
	enum tunnel_dtls_stage stage;
	uv_loop_t *loop;
	struct channel_owner owner;
	/* the PSK of the TLS connection as it is now (wire-protocol.md 4.3); 0 or an error */
	int (*get_psk)(void *ctx, uint8_t psk[static DTLS_PSK_BYTES]);
	/* the kernel has refused datagrams, or heard by ICMP that they are too large: what it thinks the path
	 * takes, bytes of an IP packet */
	void (*on_too_big)(void *ctx, uint16_t path_bytes);
	struct tunnel_dtls_terms terms;
	unsigned offloads_refused; /* OFFLOAD_GSO, OFFLOAD_GRO */
	struct dtls_ctx *ctx;
	struct dtls_assoc *used; /* carries data */
	struct dtls_assoc *next; /* shakes hands */
	struct dtls_assoc *old;  /* only read, until old_until_ms */
	ms_t old_until_ms;
	struct udp_rx *rx;
	uint8_t *rx_buf;
	uint8_t *record; /* DTLS_PLAIN_MAX of plaintext */
	bool must_renew; /* the terms are newer than the used association */
	ms_t started_at_ms, retry_at_ms;
	unsigned tries; /* since one was up */
	struct channel_counters count;
};

MUST_USE int tunnel_dtls_init(struct tunnel_dtls *t, uv_loop_t *loop);
void tunnel_dtls_done(struct tunnel_dtls *t);

/* New terms. What was up before ends, or with keeps_used carries data until the new one is up. suite
 * DTLS_NONE: off. */
void tunnel_dtls_begin(
        struct tunnel_dtls *t, const struct tunnel_dtls_terms *terms, bool keeps_used, ms_t now_ms);
/* Dead by DPD: what was up ends, and is tried again as soon as the gateway listens. */
void tunnel_dtls_restart(struct tunnel_dtls *t, ms_t now_ms);
/* The used one is silent: another one is set up beside it. Nothing happens while one is on its way. */
void tunnel_dtls_replace(struct tunnel_dtls *t, ms_t now_ms);
/* The used one answers again: no further tries. */
void tunnel_dtls_settle(struct tunnel_dtls *t);
void tunnel_dtls_close(struct tunnel_dtls *t, bool is_polite);

/* One packet of data, type byte first, as one datagram into the batch; -ENOBUFS: flush first. A kernel that
 * refuses it for its size sends it as IP fragments, once: on_too_big() tells what the next ones may have. */
MUST_USE int tunnel_dtls_put(struct tunnel_dtls *t, struct span packet);
/* Control packets measure the path: they pass whole or not at all. */
MUST_USE int tunnel_dtls_put_control(struct tunnel_dtls *t, uint8_t type, struct span payload);
void tunnel_dtls_flush(struct tunnel_dtls *t);

ms_t tunnel_dtls_due_ms(const struct tunnel_dtls *t, ms_t now_ms);
void tunnel_dtls_on_time(struct tunnel_dtls *t, ms_t now_ms);
void tunnel_dtls_info(const struct tunnel_dtls *t, struct dtls_info *ret); /* while UP */

/* Whether these bytes are among those received, which stay until on_batch(). */
bool tunnel_dtls_keeps(const struct tunnel_dtls *t, const uint8_t *p);

#endif

/* The two tunnels of one session: their timers, their life, which of them carries our data, and how large a
 * packet DTLS takes. Pure: driven by facts (link_on_...) and time (link_step), answers with actions that the
 * caller carries out. The same code runs in gateway and client; each side decides for what it sends itself.
 *
 * It puts together: liveness (is a tunnel alive), choice (where data goes), pmtu (path limit), peer (what is
 * done for whom). With policy LINK_CLASSIC only the configured timers work, as ASA and its client do.
 * Source: behaviour.md 3.3, cisco-facts.md 2.3 (DPD: 3 retries), wire-protocol.md 7. */
#ifndef TUNNEL_LINK_H
#define TUNNEL_LINK_H

#include "base/span.h"
#include "tunnel/choice.h"
#include "tunnel/liveness.h"
#include "tunnel/peer.h"
#include "tunnel/pmtu.h"

#define LINK_DPD_RETRIES     3
#define LINK_MAX_ACTIONS     16
#define LINK_RETRY_MIN_MS    1000
#define LINK_SENT            32 /* requests remembered */
#define LINK_DPD_ID_BYTES    8  /* at the start of a DPD payload of ours */
#define LINK_DPD_PAYLOAD_MAX PMTU_LARGEST_BYTES
#define LINK_HINT_MS         1000 /* a stream of hints is one hint, and asked about once in this time */
#define LINK_HINT_NEW_MS     200  /* when the peer was on DTLS since, a hint after this is a new one */
#define LINK_OVERSIZE_MS     5000 /* all data by TLS after a packet too large for DTLS (no mixture allowed) */
#define LINK_FIRST_ASK_MS    1000 /* a peer without ids in its answers is asked when data comes, or then */
#define LINK_CHECK_MS        500 /* a peer that gives no hints is asked so often while data is sent by DTLS */
#define LINK_NUDGE_AFTER_MS  1000  /* DTLS unanswered for so long, */
#define LINK_NUDGE_EVERY_MS  60000 /* and not nudged within this */

enum link_policy { LINK_CLASSIC, LINK_SEAMLESS };

struct link_config {
	enum link_policy policy;
	enum peer_kind peer;
	bool is_gateway;
	bool has_steer, has_pieces; /* own peer: words in its X-Culvert */
	uint16_t dtls_max_bytes;    /* largest inner packet that one datagram may carry (announced, exact); 0:
	                               no search, whatever fits by the caller's own limit */
	ms_t idle_ms;               /* idle timeout, 0 = none */
};

/* All in milliseconds, 0 = off. */
struct link_timers {
	ms_t dpd_ms;       /* silence of the peer after which it is probed */
	ms_t keepalive_ms; /* own silence after which a KEEPALIVE is sent */
	ms_t rekey_ms;     /* age of the tunnel after which it is renewed */
};

enum link_act {
	LINK_SEND_DPD,       /* channel, id, bytes: a DPD request with link_dpd_payload(); DF set on UDP */
	LINK_SEND_KEEPALIVE, /* channel */
	LINK_DEAD,         /* channel: no answer to the configured DPD; it is down now. A DTLS that only does
	                      not answer for the moment stays up, data goes by TLS (LINK_SWITCHED) */
	LINK_REKEY,        /* channel: due once per tunnel */
	LINK_IDLE_TIMEOUT, /* no data in either direction: end the session */
	LINK_NUDGE,        /* close TCP without DISCONNECT, so that the client resumes */
	LINK_SWITCHED,     /* change: where our data goes now. To be told; it has happened */
	LINK_PATH_LIMIT,   /* limit: to be told, and used for MSS and adapter */
};

struct link_limit {
	uint16_t old_bytes, new_bytes;
	enum pmtu_cause cause;
};

struct link_action {
	enum link_act act;
	enum link_channel channel; /* not meaningful for the last four */
	uint16_t bytes;            /* LINK_SEND_DPD: payload, 0: none */
	uint64_t id;
	union {
		struct choice_switch change;
		struct link_limit limit;
	};
};

struct link_state {
	struct link_timers timers;
	bool is_up;
	bool is_rekey_done;
	bool is_paused;   /* classic, gateway, DTLS: the peer fell back to TLS; until its next DTLS packet */
	uint8_t n_probes; /* of the configured DPD, since anything was received */
	ms_t up_at_ms;
	ms_t last_rx_ms, last_tx_ms, last_probe_ms;
	struct liveness life;
	uint64_t ask_id;  /* oldest query without an answer; 0: none */
	ms_t asked_at_ms; /* last query */
	uint8_t n_asks;   /* queries without an answer, for peers whose answers have no id */
};

/* A DPD request of ours, to know the round trip by its answer. */
struct link_sent {
	uint64_t id;
	ms_t at_ms;
};

struct link {
	struct link_config config;
	struct peer_traits peer;
	struct link_state channels[LINK_N_CHANNELS];
	struct choice choice;
	struct pmtu pmtu;
	enum choice_cause doubt; /* why DTLS is suspect */
	uint64_t next_id;
	struct link_sent sent[LINK_SENT];
	ms_t last_data_ms;    /* last data packet either way */
	ms_t last_hint_ms;    /* last data by TLS while ours is on DTLS; MS_NEVER: none */
	ms_t dtls_data_at_ms; /* last data received by DTLS; MS_NEVER: none */
	ms_t tls_data_at_ms;  /* last data received by TLS; MS_NEVER: none */
	ms_t hint_asked_ms;
	ms_t suspect_at_ms;  /* DTLS became suspect last */
	ms_t oversize_at_ms; /* MS_NEVER: none */
	ms_t nudged_at_ms;   /* MS_NEVER: never */
	uint64_t n_dpd_sent, n_in_pieces,
	        n_oversize; /* for status; packets that went as pieces, by TLS for size */
};

/* classic until link_configure(). */
void link_init(struct link *l, ms_t now_ms);
/* Before link_up(), and again at every CONNECT; keeps which tunnels are up, counters and hold-down. */
void link_configure(struct link *l, const struct link_config *c, ms_t now_ms);
/* The channel is established (again): its timers start anew. */
void link_up(struct link *l, enum link_channel ch, const struct link_timers *t, ms_t now_ms);
void link_down(struct link *l, enum link_channel ch, ms_t now_ms);

/* ---- facts ---- */

/* Anything authentic received, of `bytes` payload, counts as life; data also counts against idleness. */
void link_on_rx(struct link *l, enum link_channel ch, bool is_data, size_t bytes, ms_t now_ms);
/* After link_on_rx() of a DPD response: its payload says which request it answers. */
void link_on_dpd_answer(struct link *l, enum link_channel ch, struct span payload, ms_t now_ms);
/* Sent: one packet of `bytes` payload, or the last of a batch with the size of its largest. */
void link_on_tx(struct link *l, enum link_channel ch, bool is_data, size_t bytes, ms_t now_ms);
/* sendmsg said EMSGSIZE for an inner packet or probe of that size. */
void link_on_too_big(struct link *l, size_t bytes, ms_t now_ms);
/* The machine's address, route or interface is another one, or it has slept. */
void link_on_network_change(struct link *l, ms_t now_ms);
/* An authentic datagram came from a new address or port (gateway). After its link_on_rx(). */
void link_on_peer_address_change(struct link *l, ms_t now_ms);

/* ---- where a packet goes ---- */

struct link_route {
	bool tls, dtls;    /* neither: no tunnel is up; both: the same packet on each */
	bool in_pieces;    /* dtls: cut it (wire/pieces.h) into payloads of at most piece_bytes */
	bool tell_too_big; /* tell its sender path_limit, rate limited (IPv6: never less than 1280) */
	uint16_t piece_bytes;
	uint16_t path_limit; /* 0: not known */
};
/* Whether one tunnel, and nothing else, is what link_route() says for packets of up to packet_bytes: which it
 * is; LINK_N_CHANNELS: ask link_route() for each. Changes nothing. */
enum link_channel link_plain_route(const struct link *l, size_t packet_bytes);
/* For each data packet; tell link_on_tx() what was sent. */
struct link_route link_route(struct link *l, size_t packet_bytes, ms_t now_ms);

/* Where small data goes now: DTLS also while suspect; LINK_N_CHANNELS when no tunnel is up. */
enum link_channel link_active(const struct link *l);
static inline bool link_is_up(const struct link *l, enum link_channel ch)
{
	return l->channels[ch].is_up;
}
/* Largest inner packet of DTLS as told to senders; 0: not known. */
static inline uint16_t link_path_limit_bytes(const struct link *l)
{
	return l->pmtu.limit_bytes;
}
/* The MSS to clamp TCP SYNs to; 0: leave them. family: of the inner packet, 4 or 6. */
uint16_t link_mss_bytes(const struct link *l, unsigned family);
/* Round trip of a tunnel; -1: not known. */
int64_t link_rtt_ms(const struct link *l, enum link_channel ch);
/* "tls", "dtls", "both", "none", and why: constant texts for status. */
const char *link_why(const struct link *l);

/* ---- time ---- */

/* What is due at now_ms, at most LINK_MAX_ACTIONS; returns how many. Marks them as done: the caller must do
 * them. */
size_t link_step(struct link *l, ms_t now_ms, struct link_action ret[static LINK_MAX_ACTIONS]);
/* When link_step() has something to do next; MS_NEVER if no timer runs. Facts move it, to later or to sooner:
 * ask after each batch of them. */
ms_t link_due_ms(const struct link *l);

/* The payload of LINK_SEND_DPD: a->bytes of them (at most cap), the id first, then zeros. */
struct span link_dpd_payload(const struct link_action *a, uint8_t *buf, size_t cap);
/* A new TLS key: the tunnel's age starts anew. */
void link_on_rekeyed(struct link *l, enum link_channel ch, ms_t now_ms);

#endif

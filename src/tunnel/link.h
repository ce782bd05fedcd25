/* The timers of one session's two tunnels, and which of them carries data. Pure: driven by facts
 * (link_on_...) and time (link_step), answers with actions that the caller carries out. The same code runs in
 * gateway and client. Source: behaviour.md 3.3, cisco-facts.md 2.3 (DPD: 3 retries), wire-protocol.md 7. */
#ifndef TUNNEL_LINK_H
#define TUNNEL_LINK_H

#include <stdbool.h>

#include "base/util.h"

enum link_channel { LINK_TLS, LINK_DTLS, LINK_N_CHANNELS };

#define LINK_DPD_RETRIES  3
#define LINK_MAX_ACTIONS  (2 * LINK_N_CHANNELS + 1)
#define LINK_RETRY_MIN_MS 1000

/* All in milliseconds, 0 = off. */
struct link_timers {
	ms_t dpd_ms;       /* silence of the peer after which it is probed */
	ms_t keepalive_ms; /* own silence after which a KEEPALIVE is sent */
	ms_t rekey_ms;     /* age of the tunnel after which it is renewed */
};

enum link_act {
	LINK_SEND_DPD,
	LINK_SEND_KEEPALIVE,
	LINK_DEAD,         /* no answer to the probe and its retries: the channel is down now */
	LINK_REKEY,        /* due once per tunnel */
	LINK_IDLE_TIMEOUT, /* no data in either direction: end the session */
};

struct link_action {
	enum link_act act;
	enum link_channel channel; /* not meaningful for LINK_IDLE_TIMEOUT */
};

struct link_state {
	struct link_timers timers;
	bool is_up;
	bool is_rekey_done;
	bool is_paused;   /* DTLS only: the peer fell back to TLS; until its next DTLS packet */
	uint8_t n_probes; /* sent since anything was received */
	ms_t up_at_ms;
	ms_t last_rx_ms, last_tx_ms, last_probe_ms;
};

struct link {
	struct link_state channels[LINK_N_CHANNELS];
	ms_t idle_ms;      /* idle timeout, 0 = none */
	ms_t last_data_ms; /* last data packet either way */
};

void link_init(struct link *l, ms_t idle_ms, ms_t now_ms);
/* The channel is established (again): its timers start anew. */
void link_up(struct link *l, enum link_channel ch, const struct link_timers *t, ms_t now_ms);
void link_down(struct link *l, enum link_channel ch);

/* Facts. Anything authentic received counts as life; data also counts against idleness. */
void link_on_rx(struct link *l, enum link_channel ch, bool is_data, ms_t now_ms);
void link_on_tx(struct link *l, enum link_channel ch, bool is_data, ms_t now_ms);

static inline bool link_is_up(const struct link *l, enum link_channel ch)
{
	return l->channels[ch].is_up;
}

/* Where data goes now: DTLS when it is up and the peer has not fallen back, else TLS when it is up.
 * LINK_N_CHANNELS when neither is. */
enum link_channel link_active(const struct link *l);

/* What is due at now_ms, at most LINK_MAX_ACTIONS; returns how many. Marks them as done: the caller must do
 * them. */
size_t link_step(struct link *l, ms_t now_ms, struct link_action ret[static LINK_MAX_ACTIONS]);

/* When link_step() has something to do next; MS_NEVER if no timer runs. */
ms_t link_due_ms(const struct link *l);

const char *link_channel_name(enum link_channel ch); /* "tls", "dtls", "none" */

#endif

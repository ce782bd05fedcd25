/* Which tunnel carries our own data: TLS, DTLS, or both while DTLS is suspect; with a hold-down, so that UDP
 * that comes and goes does not make the data come and go. Source: behaviour.md 3.3. Pure. */
#ifndef TUNNEL_CHOICE_H
#define TUNNEL_CHOICE_H

#include "tunnel/channel.h"

#define CHOICE_HOLD_MIN_MS 5000
#define CHOICE_HOLD_MAX_MS 60000 /* also: DTLS that served so long has forgotten its past */
#define CHOICE_DUP_MAX     512   /* packets sent on both tunnels in one suspicion; then TLS only */
#define CHOICE_FRESH_MS    1000  /* before data returns, DTLS must have answered within this */
#define CHOICE_GAP_BUCKETS 8     /* switch times up to 50, 100, 200, 300, 500, 1000, 3000 ms, and more */

enum choice_mode { CHOICE_NONE, CHOICE_TLS, CHOICE_DTLS, CHOICE_BOTH };
const char *choice_mode_name(enum choice_mode m); /* "none", "tls", "dtls", "both" */

enum choice_cause {
	CAUSE_ESTABLISHED, /* the tunnel came up and nothing better was there */
	CAUSE_PROVEN,      /* DTLS answered a full-size probe */
	CAUSE_NO_ANSWER,   /* DTLS does not answer */
	CAUSE_CLOSED,      /* the tunnel was closed, by whatever */
	CAUSE_PEER,        /* the peer has left DTLS */
	CAUSE_SIZE,        /* packets too large for DTLS, and the peer does not take both */
	CAUSE_NETWORK,     /* the machine's network changed */
	CAUSE_N,
};
const char *choice_cause_name(enum choice_cause c); /* "established", "probe answered", "no answer", ... */

struct choice_switch {
	enum choice_mode from, to; /* never CHOICE_BOTH: that is a state of doubt, not a switch */
	enum choice_cause cause;
	ms_t gap_ms; /* how long data may have been lost before the other tunnel took over; 0: not at all */
};

struct choice_counts {
	uint64_t switches[CAUSE_N];
	uint64_t suspicions, duplicates;
	uint64_t gaps[CHOICE_GAP_BUCKETS]; /* by gap_ms, switches caused by a loss only */
	struct choice_switch last;
};
uint32_t choice_gap_limit_ms(unsigned bucket); /* upper end; UINT32_MAX for the last */

/* What the choice is made from. */
struct choice_view {
	bool is_tls_up, is_dtls_up;
	bool is_suspect, is_dead; /* DTLS */
	bool is_proven;           /* DTLS answered a probe of the size it is used for, lately enough */
	bool may_duplicate;
	bool is_oversize;        /* packets too large for DTLS are about, and the peer takes no mixture */
	bool is_peer_gone;       /* classic: the peer fell back to TLS */
	enum choice_cause doubt; /* why it is suspect or dead */
	ms_t lost_since_ms;      /* the first thing sent by DTLS without an answer; MS_NEVER: none */
};

struct choice {
	enum choice_mode mode;
	enum choice_mode told; /* the last one in a switch event: NONE, TLS or DTLS */
	bool has_event;
	bool is_held;       /* hold-down in force (policy seamless) */
	ms_t hold_ms;       /* the last hold-down; 0: none yet */
	ms_t return_at_ms;  /* data may return to DTLS from then on */
	ms_t dtls_since_ms; /* data is on DTLS since */
	ms_t gap_ms;        /* of the suspicion under way */
	uint16_t n_dups;    /* in this suspicion */
	struct choice_switch event;
	struct choice_counts counts;
};

void choice_init(struct choice *c, bool is_held);
/* Decides anew. */
void choice_update(struct choice *c, const struct choice_view *v, ms_t now_ms);
/* The network is another one: its past does not count. */
void choice_forget(struct choice *c, ms_t now_ms);
/* A packet is about to go on both; false: the allowance is used up, TLS only. */
bool choice_take_duplicate(struct choice *c);
/* The last switch that nobody was told about; false: none. */
bool choice_take_event(struct choice *c, struct choice_switch *ret);

#endif

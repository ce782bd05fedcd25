/* Is a tunnel alive? Asked only while it is used; an idle one keeps to the configured DPD (link.c).
 *
 *   ALIVE --sent, nothing received for quiet--> QUERIED --no answer for silence--> SUSPECT
 *   QUERIED, SUSPECT --an answer--> ALIVE;  SUSPECT --three more probes unanswered--> DEAD
 *   DEAD --anything authentic--> ALIVE (whether data returns is choice's business)
 *
 * Once asked, only an answer counts, not what the peer sends by itself: it might come although nothing of
 * ours arrives. Source: behaviour.md 3.3. Pure. */
#ifndef TUNNEL_LIVENESS_H
#define TUNNEL_LIVENESS_H

#include "tunnel/channel.h"

#define LIVENESS_DEAD_PROBES  3     /* unanswered since suspicion */
#define LIVENESS_RETRY_MIN_MS 1000  /* probes of a dead tunnel in use: from this, doubling, */
#define LIVENESS_RETRY_MAX_MS 10000 /* to this */
#define LIVENESS_IN_USE_MS    3000  /* a session is in use for so long after its last data */
#define LIVENESS_RTT_MAX_MS   5000  /* longer was no round trip: the machine slept, or its clock jumped */
#define LIVENESS_LATE_MS      50    /* a deadline missed by more than this says nothing about the peer: */
#define LIVENESS_GRACE_MS     20    /* what waits in the socket is read first */

enum liveness_state { LIVENESS_ALIVE, LIVENESS_QUERIED, LIVENESS_SUSPECT, LIVENESS_DEAD };
const char *liveness_state_name(enum liveness_state s); /* "alive", "queried", "suspect", "dead" */

/* Lower bounds of the times that follow from the round trip. */
struct liveness_terms {
	ms_t quiet_ms;   /* max(1.5 srtt, this): sent, nothing received, so ask */
	ms_t silence_ms; /* max(3 srtt, this): suspect, counted from the first thing unanswered */
	ms_t probe_ms;   /* max(srtt + 4 rttvar, this): wait for one answer */
};
extern const struct liveness_terms liveness_terms_dtls, liveness_terms_tls;

struct liveness {
	const struct liveness_terms *terms;
	enum liveness_state state;
	bool needs_answer; /* only an answer revives it */
	bool is_graced;    /* the deadline was missed and has been put off once */
	bool has_rtt;
	uint8_t n_probes;            /* SUSPECT: unanswered */
	uint32_t srtt_us, rttvar_us; /* RFC 6298 */
	ms_t waiting_since_ms;       /* first data sent since anything was received; MS_NEVER: none */
	ms_t asked_at_ms;            /* last query or probe */
	ms_t answered_at_ms;         /* last answer; 0: none yet */
	ms_t revived_at_ms;          /* when it was dead for the last time; 0: never */
	ms_t unanswered_since_ms;    /* what made it suspect was sent then; MS_NEVER */
	ms_t due_ms;                 /* next thing to do; MS_NEVER */
	ms_t retry_ms;               /* DEAD: the wait after the next probe */
};

void liveness_init(struct liveness *v, const struct liveness_terms *t);
void liveness_on_tx_data(struct liveness *v, ms_t now_ms);
/* Something authentic, of whatever kind. Returns true when this made a suspect or dead tunnel alive. */
bool liveness_on_rx(struct liveness *v, ms_t now_ms);
/* An answer to a probe. rtt_ms: MS_NEVER when it is not known which. Returns as liveness_on_rx(). */
bool liveness_on_answer(struct liveness *v, ms_t rtt_ms, ms_t now_ms);
/* Doubt from elsewhere: ask at once. is_suspect: and distrust it until the answer. */
void liveness_doubt(struct liveness *v, bool is_suspect, ms_t now_ms);
/* Is to be asked then, whatever it sends until then. */
void liveness_ask_at(struct liveness *v, ms_t at_ms);
/* The network is another one: what was measured counts no more, and it has to answer at once. */
void liveness_on_network_change(struct liveness *v, ms_t now_ms);
/* The session is used again, by whichever tunnel: a dead one is looked after again. */
void liveness_on_use(struct liveness *v, ms_t now_ms);

enum liveness_act { LIVENESS_NOTHING, LIVENESS_ASK };
/* What is due; is_in_use: data was sent or received lately, on whichever tunnel. The state may change without
 * anything to send. */
enum liveness_act liveness_step(struct liveness *v, bool is_in_use, ms_t now_ms);
static inline bool liveness_is_doubtful(const struct liveness *v)
{
	return v->state == LIVENESS_SUSPECT || v->state == LIVENESS_DEAD;
}
/* From the first thing unanswered until it counts as lost: max(3 srtt, 150 ms). Sizes are judged by it, too.
 */
ms_t liveness_verdict_ms(const struct liveness *v);

#endif

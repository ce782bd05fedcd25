/* The largest inner packet that crosses the DTLS tunnel in one datagram: packetisation-layer path MTU
 * discovery (RFC 8899) with padded DPD requests as probes. All sizes are inner bytes: a probe of n bytes
 * makes a datagram as large as a data packet of n bytes does.
 *
 *   BASE: nothing is proven yet; tries the largest size, then smaller ones
 *   SEARCH: something is proven; halves the range in the background
 *   COMPLETE: the limit is known; looks upward again every 10 min, and verifies it while large packets flow
 *   DOUBT: one verification was lost: large packets take the safe way until two more are (black hole) or not
 *   ERROR: not even the smallest probe is answered
 * Source: RFC 8899 5.2, behaviour.md 3.2. Pure. */
#ifndef TUNNEL_PMTU_H
#define TUNNEL_PMTU_H

#include "tunnel/channel.h"

#define PMTU_BASE_BYTES    1100   /* RFC 8899 BASE_PLPMTU 1200, less outer IPv6, UDP and the record */
#define PMTU_FLOOR_BYTES   440    /* fits what every host accepts (RFC 791: 576), less the same */
#define PMTU_MAX_PROBES    3      /* RFC 8899 MAX_PROBES */
#define PMTU_GRAIN_BYTES   4      /* the search ends when it is this close */
#define PMTU_VERIFY_MS     100    /* between verifications while large packets flow */
#define PMTU_RAISE_MS      600000 /* RFC 8899 PMTU_RAISE_TIMER */
#define PMTU_ERROR_MS      10000  /* from ERROR to the next try */
#define PMTU_MAX_SENDS     2      /* probes of one step */
#define PMTU_LARGEST_BYTES 16376  /* payload of a CSTP packet */

enum pmtu_state { PMTU_OFF, PMTU_BASE, PMTU_SEARCH, PMTU_COMPLETE, PMTU_DOUBT, PMTU_ERROR };
const char *pmtu_state_name(enum pmtu_state s);

enum pmtu_cause { PMTU_BY_PROBE, PMTU_BY_BLACK_HOLE, PMTU_BY_KERNEL, PMTU_BY_RESTART };
const char *pmtu_cause_name(enum pmtu_cause c); /* "probe", "black hole", "kernel", "restart" */

struct pmtu_probe {
	uint64_t id; /* 0: none under way */
	uint16_t bytes;
	ms_t sent_at_ms;
};

struct pmtu {
	enum pmtu_state state;
	bool is_paused;
	bool has_large;           /* large packets were sent since the last verification */
	bool has_looked;          /* SEARCH: the smallest bad size was tried once more */
	uint8_t n_strays;         /* probes given up before their verdict: an answer may still come */
	uint8_t n_lost;           /* probes of the size under way; DOUBT: of good_bytes */
	uint16_t max_bytes;       /* never more is tried */
	uint16_t good_bytes;      /* largest proven; 0: none */
	uint16_t bad_bytes;       /* smallest that is believed not to pass; max_bytes + 1: none */
	uint16_t safe_bytes;      /* what may be sent in one datagram now */
	uint16_t limit_bytes;     /* what is told to senders */
	uint16_t told_bytes;      /* limit_bytes of the last event */
	enum pmtu_cause cause;    /* of the last change of limit_bytes */
	struct pmtu_probe search; /* of a size not yet proven; DOUBT: of PMTU_BASE_BYTES */
	struct pmtu_probe verify; /* of good_bytes */
	ms_t next_at_ms;          /* not before this the next search probe; MS_NEVER: none wanted */
	ms_t raise_at_ms;         /* COMPLETE: look upward then */
	ms_t verify_at_ms;        /* not before this the next verification */
	ms_t verified_at_ms;      /* when the size in use was last answered; 0: not since the restart */
	uint64_t n_black_holes;
};

/* max_bytes 0: off. */
void pmtu_init(struct pmtu *p, uint16_t max_bytes, ms_t now_ms);
/* The path may be another one: everything has to be proven again. */
void pmtu_restart(struct pmtu *p, ms_t now_ms);
/* Largest packet to send in one datagram now; path limit for senders. */
static inline uint16_t pmtu_usable_bytes(const struct pmtu *p)
{
	return p->safe_bytes;
}
static inline bool pmtu_is_proven(const struct pmtu *p)
{
	return p->state == PMTU_OFF || p->verified_at_ms != 0;
}

/* A data packet above PMTU_FLOOR_BYTES went into one datagram. */
static inline void pmtu_on_large_tx(struct pmtu *p)
{
	p->has_large = true;
}
void pmtu_on_answer(struct pmtu *p, uint64_t id, ms_t now_ms);
/* The kernel refused a datagram of that many inner bytes. */
void pmtu_on_too_big(struct pmtu *p, uint16_t bytes, ms_t now_ms);
/* Nothing was verified for long, but has to be used: large packets take the safe way until it is. */
void pmtu_doubt(struct pmtu *p, ms_t now_ms);
/* Asks for the size in use once, now. */
void pmtu_verify(struct pmtu *p, ms_t now_ms);
/* The tunnel's life is in doubt: lost probes say nothing about sizes. And the end of that. */
void pmtu_pause(struct pmtu *p);
void pmtu_resume(struct pmtu *p, ms_t now_ms);

/* Probes to send, at most PMTU_MAX_SENDS; their ids are *next_id and following. verdict_ms: a probe that old
 * is lost. */
size_t pmtu_step(struct pmtu *p, ms_t verdict_ms, uint64_t *next_id, ms_t now_ms,
        struct pmtu_probe ret[static PMTU_MAX_SENDS]);
ms_t pmtu_due_ms(const struct pmtu *p, ms_t verdict_ms);
/* True once for each new limit worth telling. */
bool pmtu_take_event(struct pmtu *p, uint16_t *ret_old, uint16_t *ret_new);

#endif

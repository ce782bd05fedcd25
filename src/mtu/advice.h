/* What to configure so that the event of tech note 116881 does not happen, or does no harm. */
#ifndef MTU_ADVICE_H
#define MTU_ADVICE_H

#include "mtu/derive.h"

#define MTU_MAX_ADVICE 5

enum mtu_remedy { ADVICE_LOWER, ADVICE_FRAGMENT, ADVICE_RAISE_MSS, ADVICE_TLS_ONLY, ADVICE_SEAMLESS };

struct mtu_advice {
	enum mtu_remedy remedy;
	char line[64];          /* of the configuration */
	const char *where;      /* the mode that it belongs to */
	char effect[200];       /* computed, one sentence */
	char side_effects[200]; /* what it costs; "" when nothing */
};

/* Remedies that were computed to help, in the note's order; none when d expects no reconnect. */
size_t mtu_advise(const struct mtu_input *in, const struct mtu_derivation *d,
        struct mtu_advice ret[static MTU_MAX_ADVICE]);

#endif

/* What to configure so that the event of tech note 116881 does not happen, or does no harm. */
#ifndef CLIENT_MTU_ADVICE_H
#define CLIENT_MTU_ADVICE_H

#include "mtu/derive.h"

#define MTU_MAX_ADVICE 5

struct mtu_advice {
	char line[64];     /* of the configuration */
	const char *where; /* the mode that it belongs to */
	char effect[200];  /* computed, one sentence */
};

/* Remedies that were computed to help, in the note's order; none when d expects no reconnect. */
size_t mtu_advise(const struct mtu_input *in, const struct mtu_derivation *d,
        struct mtu_advice ret[static MTU_MAX_ADVICE]);

#endif

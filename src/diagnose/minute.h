/* The event of tech note 116881 in one session: TLS only, packets larger than TLS carries, and about a minute
 * after the connect a reconnect that lowers the adapter's MTU. */
#ifndef DIAGNOSE_MINUTE_H
#define DIAGNOSE_MINUTE_H

#include "diagnose/cases.h"

/* The client waits this long for DTLS before it lowers the adapter's MTU: "about a minute" (tech note
 * 116881). Others wait for another time (ours: --dtls-give-up); then only its reason code tells. */
#define MINUTE_MIN_MS 40000
#define MINUTE_MAX_MS 100000

enum minute_shape {
	MINUTE_NONE,
	MINUTE_MOMENT, /* TLS only, and a reconnect after a minute */
	MINUTE_LARGE,  /* TLS only, large packets dropped; the file ends before the minute does */
	MINUTE_BOTH,   /* large packets, and the reconnect */
	MINUTE_SAID,   /* the client says so: reason code 16, whenever it comes */
	MINUTE_N,
};

/* What was found in one case. */
struct minute {
	enum minute_shape shape;
	uint32_t large, reconnect, bounce, dtls_failed, begin; /* places, or CASE_NONE */
	int64_t gap_ms;                                        /* from connect to reconnect; TIME_NONE */
};

struct minute minute_of(const struct cases *c, const struct one_case *k);
bool minute_is_near(int64_t gap_ms); /* within MINUTE_MIN_MS and MINUTE_MAX_MS */

#endif

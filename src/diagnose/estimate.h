/* The MTUs that a session got, and why: what was seen is believed, the rest follows from configuration and
 * suite by the ASA's arithmetic. What was seen also decides which arithmetic: the same threshold can come
 * from several suites and MSS values, which then answer differently to a remedy. */
#ifndef DIAGNOSE_ESTIMATE_H
#define DIAGNOSE_ESTIMATE_H

#include "diagnose/find.h"
#include "mtu/advice.h"

/* What the logs showed; 0: nothing. Bytes. */
struct seen_mtu {
	uint32_t tls, dtls;
	uint32_t dtls_at_least; /* a packet of this size came for the client */
};

struct estimate {
	struct mtu_input in; /* with which mtu_derive() gives the numbers below */
	struct mtu_derivation d;
	bool is_tls_seen, is_dtls_seen;
	bool is_tcpmss_known, is_suite_known; /* from a configuration */
	bool is_exact;                        /* in explains what was seen; else the suite is a stand-in */
};

/* k: gives policy and device; p may be NULL. False: no such combination can be computed. */
bool estimate_make(const struct find *x, const struct device_setup *d, const struct policy_setup *p,
        bool has_ip6, const struct seen_mtu *seen, struct estimate *ret);
/* "1380 (sysopt connection tcpmss) - 5 - 8 ... = 1347" of either tunnel */
void estimate_say_steps(struct text *t, const struct mtu_steps *s);

#endif

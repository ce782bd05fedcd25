/* What the classic client does about two announced MTUs (behaviour.md 2.2, Cisco tech note 116881): the
 * adapter begins with the DTLS MTU, before DTLS is up; when DTLS is given up or lost and packets of that size
 * do not fit the TLS tunnel, the whole session is made again with the TLS MTU. Pure: told facts and time,
 * answers with what is to be done. */
#ifndef TUNNEL_CLASSIC_H
#define TUNNEL_CLASSIC_H

#include <stdbool.h>

#include "base/util.h"

enum classic_act {
	CLASSIC_NOTHING,
	CLASSIC_SET_MTU,     /* give the adapter adapter_mtu and bring it up: it is new, or was disabled */
	CLASSIC_RENEW,       /* disable the adapter first, then as CLASSIC_SET_MTU */
	CLASSIC_RECONFIGURE, /* disable the adapter, drop DTLS, reconnect TLS with the cookie */
};

enum classic_stage {
	CLASSIC_DOWN,    /* no TLS tunnel: nothing is decided until CONNECT is answered */
	CLASSIC_TRYING,  /* data on TLS, DTLS not up */
	CLASSIC_ON_DTLS, /* data on DTLS */
	CLASSIC_ON_TLS,  /* data on TLS, DTLS not offered or given up */
};

/* What an answer of CONNECT says; bytes of inner packets. */
struct classic_offer {
	uint16_t tls_mtu, dtls_mtu;
	bool has_dtls;
};

struct classic {
	enum classic_stage stage;
	ms_t give_up_ms;    /* from CONNECT, how long DTLS may take */
	ms_t give_up_at_ms; /* MS_NEVER: not counting */
	uint16_t tls_mtu;
	uint16_t adapter_mtu;  /* in force or to be set; 0: no CONNECT yet */
	bool is_reconfiguring; /* CLASSIC_RECONFIGURE was said: the next CONNECT is its answer */
	bool has_fallen_back;  /* the adapter keeps a size that both tunnels can carry */
};

void classic_init(struct classic *c, ms_t give_up_ms);

/* Facts. CONNECT was answered, for the first time or again; adapter_mtu is valid afterwards. */
enum classic_act classic_on_connected(struct classic *c, const struct classic_offer *o, ms_t now_ms);
void classic_on_dtls_up(struct classic *c);
/* What was up is dead or was closed; a try that failed is no loss. */
enum classic_act classic_on_dtls_lost(struct classic *c);
void classic_on_tls_lost(struct classic *c);

/* The give-up time has passed. Says so once. */
enum classic_act classic_step(struct classic *c, ms_t now_ms);
ms_t classic_due_ms(const struct classic *c);

/* Not after a reconfiguration, until the session is made again for another reason. */
static inline bool classic_wants_dtls(const struct classic *c)
{
	return c->stage == CLASSIC_TRYING || c->stage == CLASSIC_ON_DTLS;
}

#endif

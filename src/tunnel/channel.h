/* The two tunnels that carry data. */
#ifndef TUNNEL_CHANNEL_H
#define TUNNEL_CHANNEL_H

#include <stdbool.h>

#include "base/util.h"

enum link_channel { LINK_TLS, LINK_DTLS, LINK_N_CHANNELS };

const char *link_channel_name(enum link_channel ch); /* "tls", "dtls", "none" */

/* now - then, 0 when the clock has stepped back. */
static inline ms_t ms_since(ms_t then_ms, ms_t now_ms)
{
	return now_ms > then_ms ? now_ms - then_ms : 0;
}

#endif

/* The sentences of Cisco's client, which ours uses too (cisco-facts 7.2, 7.3), wherever they were logged:
 * DART, Windows' event log, syslog, our own events. The readers know the forms of the files, this knows what
 * is said. */
#ifndef DIAGNOSE_CLIENT_WORDS_H
#define DIAGNOSE_CLIENT_WORDS_H

#include "diagnose/reader.h"

enum client_phase {
	CLIENT_IDLE, /* no session, or not known of */
	CLIENT_UP,
	CLIENT_RECONNECTING,
	CLIENT_LEAVING, /* the user has asked to disconnect */
};

/* What one client's earlier lines said. */
struct client_words {
	const struct sink *sink;
	uint8_t phase;     /* enum client_phase */
	bool is_up[3];     /* by enum tunnel_kind */
	uint32_t dpd_s[3]; /* by enum tunnel_kind, as last said */
	bool has_failed;   /* why this connect came to nothing has been told */
	int64_t bounce_at_ms;
	struct ip_addr own; /* the client's address outside, as it sees it */
	struct ip_addr inner, gateway;
};

void client_words_begin(struct client_words *c, const struct sink *sink);
/* One message without its header; where it went over several lines, joined by blanks. base has source, line,
 * time, device and text. False: nothing that is known. */
bool client_words_say(struct client_words *c, const struct event *base, struct span message);

/* A name under which a part of the client logs: acvpnagent, csc_vpnagent, vpnui; ours is culvert. */
bool is_client_program(struct span name);

#endif

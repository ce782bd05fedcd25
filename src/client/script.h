/* The vpnc-script interface: one program, called with its whole task in the environment
 * (wire-protocol.md 8.1). */
#ifndef CLIENT_SCRIPT_H
#define CLIENT_SCRIPT_H

#include "base/text.h"
#include "wire/params.h"

enum script_reason {
	SCRIPT_PRE_INIT,
	SCRIPT_CONNECT,
	SCRIPT_ATTEMPT_RECONNECT,
	SCRIPT_RECONNECT,
	SCRIPT_DISCONNECT,
};

struct script_facts {
	const char *command; /* given to sh -c */
	const char *adapter; /* "" before it exists */
	struct ip_addr gateway;
	uint16_t mtu;                       /* bytes */
	const struct tunnel_params *params; /* NULL before CONNECT */
	const char *cstp_options;           /* X-CSTP-* lines, NAME=value, LF between */
	unsigned verbosity;
};

/* An environment: NAME=value strings, NULL at the end. */
struct script_env {
	char **v;
	size_t n, cap;
	bool is_bad;
};

void script_env_build(const struct script_facts *f, enum script_reason reason, struct script_env *ret);
/* NULL when not set. */
const char *script_env_get(const struct script_env *e, const char *name);
void script_env_done(struct script_env *e);

/* Runs and waits. 0, -errno, or the script's exit status 1..255. */
MUST_USE int script_run(const struct script_facts *f, enum script_reason reason);

#endif

/* [USER@]HOST[:PORT][/GROUP] of the command line. */
#ifndef CLIENT_TARGET_H
#define CLIENT_TARGET_H

#include "base/span.h"
#include "base/util.h"

#define TARGET_TEXT_BYTES 256

struct target {
	char user[TARGET_TEXT_BYTES]; /* "" when not given */
	char host[TARGET_TEXT_BYTES]; /* name or literal, no brackets */
	uint16_t port;                /* 443 when not given */
	char group[TARGET_TEXT_BYTES];
};

/* A leading https:// is accepted. IPv6 literals with a port need brackets. The last @ before the host counts,
 * so that user names may be mail addresses. -EINVAL. */
MUST_USE int target_parse(const char *in, struct target *ret);

#endif

/* What would otherwise be found out only when the session is there: by then a password was asked for. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "client/exits.h"
#include "client/session.h"
#include "io/tun.h"

int session_check(const struct connect_options *o)
{
	const char *script = o->network.script;
	char program[PATH_MAX];
	size_t n = script != NULL && script[0] == '/' ? strcspn(script, " \t;&|") : 0;
	if (n > 0 && n < sizeof(program)) {
		memcpy(program, script, n);
		program[n] = '\0';
		if (access(program, X_OK) < 0) {
			fprintf(stderr, "culvert: --script %s: %s.\n", program, err_text(-errno));
			return EXIT_USAGE;
		}
	}
	if (!tun_is_allowed(o->network.interface)) {
		fprintf(stderr, "culvert: The adapter cannot be made: this needs root or CAP_NET_ADMIN. Try: "
		                "sudo culvert "
		                "connect ...\n");
		return EXIT_NETWORK;
	}
	return 0;
}

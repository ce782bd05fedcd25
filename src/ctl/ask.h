/* One command to the gateway and its answer (docs/control-protocol.md). */
#ifndef CTL_ASK_H
#define CTL_ASK_H

#include "base/err.h"
#include "base/text.h"

#define ASK_MAX_WORDS 32
#define ASK_WAIT_MS   20000 /* longest silence of the gateway within an answer */

/* Connects, asks, reads the whole answer. 0: *ret_status is the command's exit status, 0 or 1, and out its
 * text. -errno of connecting; ERR_TIMEOUT; ERR_CLOSED: ended in the middle; ERR_PEER_PROTOCOL: no gateway of
 * ours; ERR_TOO_LARGE, ERR_MALFORMED: the command itself (over the limits, or not UTF-8). */
MUST_USE int ask(const char *socket_path, const char *const *argv, size_t argc, bool is_json,
        struct text *out, unsigned *ret_status);

/* What to tell the operator when ask() failed. */
void ask_explain(const char *socket_path, int err, struct text *out);

#endif

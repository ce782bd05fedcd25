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

/* The data of an answer that has no end of its own (debug), as it comes. False: stop. */
typedef bool ask_stream_f(void *ctx, struct span data);
/* As ask(), for commands that may stream: then data goes to f, and the end is the gateway's, f's or SIGINT,
 * which all count as 0 with status 0. SIGINT has its former effect before and after. */
MUST_USE int ask_stream(const char *socket_path, const char *const *argv, size_t argc, bool is_json,
        ask_stream_f *f, void *ctx, struct text *out, unsigned *ret_status);

/* What to tell the operator when ask() failed. */
void ask_explain(const char *socket_path, int err, struct text *out);

#endif

/* One command to the gateway and its answer (docs/control-protocol.md). */
#ifndef CTL_ASK_H
#define CTL_ASK_H

#include "base/err.h"
#include "base/text.h"

#define ASK_MAX_WORDS 32
#define ASK_WAIT_MS   20000 /* longest silence of the gateway within an answer */

/* Connects, asks, reads the whole answer, which must not be larger than a text may be. 0: *ret_status is the
 * command's exit status, 0 or 1, and out its text. -errno of connecting; ERR_TIMEOUT; ERR_CLOSED: ended in
 * the middle; ERR_PEER_PROTOCOL: no gateway of ours; ERR_TOO_LARGE, ERR_MALFORMED: the command itself (over
 * the limits, or not UTF-8). */
MUST_USE int ask(const char *socket_path, const char *const *argv, size_t argc, bool is_json,
        struct text *out, unsigned *ret_status);

/* No answer holds control characters but line ends and tabs: the process that makes it also reads what
 * strangers send, and whoever has taken it over must not get at the operator's terminal. */

/* Larger answers are given away as they come. An error is never so long. */
#define ASK_HOLD_BYTES 65536

/* Data of a long answer, as it comes. False: stop. */
typedef bool ask_data_f(void *ctx, struct span data);

struct ask_answer {
	struct text text; /* what did not go to f: all of an answer that is not long, the end of a long one */
	struct text cut;  /* the gateway's reason for ending a long one too early; "" */
	bool has_c2;      /* first half of a character that is not decided yet */
	unsigned status;  /* exit status of the command: 0 or 1 */
};

/* As ask(), for answers of any length, and those without an end of their own (debug). Ends of the latter are
 * the gateway's, f's or SIGINT, and all count as 0 with status 0. SIGINT has its former effect before and
 * after. -EPIPE: f does not want the rest of a long answer. ask_answer_done() in any case. */
MUST_USE int ask_stream(const char *socket_path, const char *const *argv, size_t argc, bool is_json,
        ask_data_f *f, void *ctx, struct ask_answer *ret);
void ask_answer_done(struct ask_answer *a);

/* What to tell the operator when ask() failed. */
void ask_explain(const char *socket_path, int err, struct text *out);

#endif

/* debug webvpn anyconnect: the CONNECT dialogue of each login, in the ASA's words (cisco-facts.md 6.2), for
 * the consoles that asked for it. What is secret is shown as *****. Costs nothing while nobody watches. */
#ifndef GATEWAY_DEBUG_H
#define GATEWAY_DEBUG_H

#include "gateway/session.h"
#include "wire/http.h"

#define DEBUG_LEVEL_MAX 255
#define DEBUG_DIALOGUE  1   /* level of most lines */
#define DEBUG_STEPS     100 /* also the steps of the parser */

/* Lines go here; text is safe for a terminal and has no newline. */
typedef void debug_line_f(void *ctx, unsigned level, const char *text);

/* Pure: the lines of a request, and of the head of an answer. */
void debug_format_request(const struct http_head *h, debug_line_f *f, void *ctx);
void debug_format_reply(struct span head, debug_line_f *f, void *ctx);

/* To the consoles. */
void debug_request(struct conn *c, const struct http_head *h);
void debug_refused(struct conn *c, unsigned status, const char *why);
/* After the session has its tunnel; reply: the head that answers CONNECT. */
void debug_session(struct session *s, struct span reply);

#endif

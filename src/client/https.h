/* Reads one HTTP response from TLS records: head, then body by length, chunks, or to the end. */
#ifndef CLIENT_HTTPS_H
#define CLIENT_HTTPS_H

#include "wire/http.h"

struct https_reply {
	struct text raw; /* all that was received */
	struct text body;
	struct http_head head; /* valid from the end of the head on; views into raw */
	size_t head_bytes;     /* 0: the head is not complete */
	size_t taken;          /* bytes of raw that the body decoder consumed */
	struct http_chunked chunked;
	bool is_connect; /* answer to CONNECT: no body is read, what follows a 200 is the tunnel's */
};

void https_reply_init(struct https_reply *r, bool is_connect);
void https_reply_done(struct https_reply *r); /* wipes */

/* 1: complete; 0: more is needed; ERR_MALFORMED, ERR_TOO_LARGE, ERR_UNSUPPORTED. */
MUST_USE int https_reply_feed(struct https_reply *r, struct span plaintext);
/* The connection ended: 1 when that completes the answer, else ERR_CLOSED. */
MUST_USE int https_reply_eof(struct https_reply *r);
/* After the answer: bytes that belong to what follows. */
struct span https_reply_rest(const struct https_reply *r);

#endif

/* The client's control socket: one word asked, one text answered, both one AF_UNIX SOCK_SEQPACKET message.
 * Anybody on the machine may ask for the status; only root and the owner may end the session. */
#ifndef CLIENT_CONTROL_H
#define CLIENT_CONTROL_H

#include <jansson.h>
#include <sys/types.h>

#include "base/text.h"
#include "io/loop.h"

#define CONTROL_WORD_MAX    64
#define CONTROL_ANSWER_MAX  65536
#define CONTROL_CLIENTS_MAX 8
#define CONTROL_OTHERS_MAX  4 /* of them, who are neither root nor the owner: these are not kept out */

/* Appends the answer to one word. is_owner: root or the user who runs the session. */
typedef void control_fn(void *ctx, struct span word, bool is_owner, struct text *out);

struct control_client {
	struct loop_fd fd;
	struct control *control;
	int sock; /* -1: free */
	bool is_owner;
};

struct control {
	uv_loop_t *loop;
	struct loop_fd listen;
	int sock; /* -1: closed */
	const char *path;
	control_fn *fn;
	void *ctx;
	struct control_client clients[CONTROL_CLIENTS_MAX];
};

/* Makes the folder of path when it is missing. -EADDRINUSE: another session answers there. */
MUST_USE int control_open(struct control *c, uv_loop_t *loop, const char *path, control_fn *fn, void *ctx);
void control_close(struct control *c); /* removes the socket's name; memory is free when the loop has ended */

/* The other end, blocking. 0, or -errno: -ENOENT and -ECONNREFUSED mean that no session runs. */
MUST_USE int control_ask(const char *path, const char *word, struct text *out);
/* The same for answers that are a JSON object, the caller's. NULL: what to tell the user was appended to why.
 */
json_t *control_ask_json(const char *path, const char *word, struct text *why);

#endif

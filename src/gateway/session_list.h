/* Which sessions a command shows, and in which order: the words `filter ...` and `sort ...`. */
#ifndef GATEWAY_SESSION_LIST_H
#define GATEWAY_SESSION_LIST_H

#include "gateway/command.h"
#include "gateway/render.h"
#include "gateway/session_refs.h"

enum session_option {
	SESSION_FILTER_NAME = 1,
	SESSION_FILTER_INACTIVE,
	SESSION_FILTER_ASSIGNED,
	SESSION_FILTER_PUBLIC,
	SESSION_FILTER_TUNNEL_GROUP,
	SESSION_FILTER_GROUP_POLICY,
	SESSION_FILTER_INDEX,
	SESSION_SORT_NAME,
	SESSION_SORT_INACTIVITY, /* longest first, as all numbers */
	SESSION_SORT_BYTES_TX,
	SESSION_SORT_BYTES_RX,
	SESSION_SORT_BYTES,
	SESSION_SORT_DURATION,
	SESSION_SORT_ASSIGNED,
	SESSION_SORT_PUBLIC,
};

/* What an operator typed, read. Strings borrow from the words. */
struct session_choice {
	uint8_t filter, sort; /* enum session_option; 0: none */
	const char *text;
	struct ip_addr addr;
	uint32_t index;
};

/* -EINVAL: an argument is not what the option wants (an address, a number). */
MUST_USE int session_choice_parse(const struct command_option *options, size_t n, struct session_choice *ret);
/* With a text of its own, for another thread. -ENOMEM. */
MUST_USE int session_choice_copy(const struct session_choice *c, struct session_choice *ret);
void session_choice_done(struct session_choice *c); /* of a copy */
bool session_choice_takes(const struct session_choice *c, const struct session *s);

/* What a list in the chosen order is sorted by: enum session_ref_kind, and of one session. -ENOMEM. */
uint8_t session_choice_kind(const struct session_choice *c);
MUST_USE int session_choice_ref(
        const struct session_choice *c, const struct session *s, struct session_ref *ret);

/* A session of the calling thread, and what the kernel says about its connection. */
struct render_session session_list_look(const struct session *s);
/* What auth knows of one that waits, in the form of those of this process. */
void session_list_from_item(const struct worker *w, const struct ipc_session_item *item,
        const struct render_now *now, struct session *ret);

#endif

/* Which sessions a command shows, and in which order: the words `filter ...` and `sort ...`. */
#ifndef GATEWAY_SESSION_LIST_H
#define GATEWAY_SESSION_LIST_H

#include "gateway/command.h"
#include "gateway/render.h"

#define SESSION_LIST_WAITING_MAX 10000u /* sessions that only auth knows, in one answer */

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

/* Appends those of the worker's sessions that the choice takes. -ENOMEM. */
MUST_USE int session_list_add_live(
        struct render_list *l, const struct worker *w, const struct session_choice *c);
/* The same, as copies that another thread may read. They are as those that renderers get, not more: nothing
 * that they point to may be used. -ENOMEM. */
MUST_USE int session_list_add_copies(
        struct render_list *l, const struct worker *w, const struct session_choice *c);
/* Takes all of from. -ENOMEM: nothing was taken. */
MUST_USE int session_list_join(struct render_list *to, struct render_list *from);
/* A session that waits and that only auth knows, after a restart of the worker. Appended unless the worker
 * has it, or the choice does not take it. -ENOMEM, ERR_LIMIT. */
MUST_USE int session_list_add_waiting(struct render_list *l, const struct worker *w,
        const struct session_choice *c, const struct ipc_session_item *item, const struct render_now *now);
/* By the chosen key, else by index. */
void session_list_sort(struct render_list *l, const struct session_choice *c);
void session_list_done(struct render_list *l);

#endif

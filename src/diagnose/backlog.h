/* Windows shows and saves event logs with the newest event first. What the client says has a meaning in its
 * order only, so the messages of such a file wait here until its end, and are told from the last to the first
 * when their times fall. Files with more than fits are told in parts. */
#ifndef DIAGNOSE_BACKLOG_H
#define DIAGNOSE_BACKLOG_H

#include "diagnose/local_date.h"

#define BACKLOG_MAX_MESSAGES 32768
#define BACKLOG_BYTES        (4u * 1024 * 1024) /* their texts */
#define BACKLOG_TEXT_BYTES   2048               /* of one message; more is cut */

/* When a message was logged. */
struct backlog_time {
	bool is_known, is_local; /* local: date and of_day_ms, else at_ms */
	bool has_zone;
	bool is_twelve_hours;
	uint8_t hint; /* enum date_order */
	int64_t at_ms;
	struct local_date date;
	uint32_t of_day_ms;
};

struct backlog_message {
	struct backlog_time time;
	uint32_t line;
	struct span text, computer; /* kept by backlog_add() */
};

struct backlog;

struct backlog *backlog_new(void);
void backlog_free(struct backlog *b); /* NULL is fine */
/* False: no room, nothing was kept; tell what is there first. */
bool backlog_add(struct backlog *b, const struct backlog_message *m);
/* Tells all in the order of their times, and forgets them. */
void backlog_tell(struct backlog *b, void (*tell)(void *ctx, const struct backlog_message *m), void *ctx);

#endif

/* Where session records live: in memory, or in a file so that clients can resume after the gateway restarted.
 * One small table of functions, so that a shared store can be added without its users noticing.
 *
 * The token itself is never kept, only its SHA-256: who reads the file cannot resume anybody's session. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/addr.h"

#define STORE_HASH_BYTES 32u
#define STORE_USER_MAX   256u
#define STORE_NAME_MAX   64u

struct store_session {
	uint32_t index;      /* 1.., unique for as long as the record lives */
	uint32_t connection; /* how often it was opened */
	uint8_t token_hash[STORE_HASH_BYTES];
	char username[STORE_USER_MAX + 1];
	char tunnel_group[STORE_NAME_MAX + 1];
	char group_policy[STORE_NAME_MAX + 1];
	char pool4[STORE_NAME_MAX + 1], pool6[STORE_NAME_MAX + 1]; /* "" = the address is from no pool */
	struct ip_addr ip4, ip6, peer;
	uint8_t ip4_len, ip6_len;
	uint64_t login_at_s;           /* Unix time */
	uint64_t lost_at_s;            /* Unix time; 0 = was connected when last written */
	uint32_t session_timeout_s;    /* from login; 0 = none */
	uint32_t disconnected_limit_s; /* from loss; 0 = not kept at all */
};

/* Return < 0 to stop the walk with this error. */
typedef int store_visit_fn(void *ctx, const struct store_session *s);

struct store;
struct store_ops {
	int (*put)(struct store *st, const struct store_session *s);
	int (*remove)(struct store *st, uint32_t index);
	int (*each)(struct store *st, store_visit_fn *fn, void *ctx);
	int (*group)(struct store *st, bool is_begin);
	void (*free)(struct store *st);
};
struct store {
	const struct store_ops *ops;
};

/* Adds the record, or replaces the one with this index. 0, -ENOMEM, -EIO. */
MUST_USE int store_put(struct store *st, const struct store_session *s);
/* 0 also when there is none. -EIO. */
MUST_USE int store_remove(struct store *st, uint32_t index);
/* All records in the order of their index. */
MUST_USE int store_each(struct store *st, store_visit_fn *fn, void *ctx);
/* Many changes as one: faster, and all or nothing. Not nested. */
MUST_USE int store_begin(struct store *st);
MUST_USE int store_commit(struct store *st);
void store_free(struct store *st); /* NULL is fine */

MUST_USE int store_memory_new(struct store **ret);

#define STORE_REPORT_MAX 256
/* What store_sqlite_open() found, for the caller's log; "" = nothing to tell. */
struct store_report {
	char text[STORE_REPORT_MAX];
	bool was_set_aside; /* the old file was not usable; it was renamed to PATH.damaged and a new one begun
	                     */
};

/* Opens or makes the file. path may be relative; it is resolved once, here. 0, or -errno with the cause in
 * report. All files it needs later are open when it returns. */
MUST_USE int store_sqlite_open(const char *path, struct store **ret, struct store_report *ret_report);

#endif

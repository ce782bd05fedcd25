/* What a configuration owns. */
#ifndef POLICY_STORE_H
#define POLICY_STORE_H

#include "base/htab.h"
#include "policy/statement.h"

/* A user's place in config.users; of the arena. */
struct user_node {
	struct htab_node node;
	size_t at;
};

struct config_store {
	struct arena arena; /* everything, the statements included; not this struct and the config */
	struct stmt root;
	struct htab users; /* user_node by store_user_hash() */
};

/* The names are the configuration's own: what strangers look up makes no chain longer, so no key is needed.
 */
static inline uint64_t store_user_hash(struct span name)
{
	static const uint8_t key[16];
	return htab_hash(key, name);
}

void config_store_free(struct config_store *s); /* NULL is fine */

#endif

#include "aaa/lockout.h"

#include <errno.h>
#include <stdlib.h>

#include "base/htab.h"

#define USER_KEY_BYTES 256 /* of a longer name the first ones count: it is nobody's anyway */

struct entry {
	struct htab_node node;       /* in by_key while it counts */
	struct entry *older, *newer; /* by last failure; newer also links free entries */
	uint32_t n_failures;
	bool is_locked;
	ms_t failed_at_ms;
	ms_t wait_until_ms;
};

struct table {
	const struct lockout_rule *rule;
	struct htab by_key;
	struct entry *entries; /* all of them, owned */
	struct entry *free;
	struct entry *oldest, *newest;
};

struct lockout {
	struct lockout_config config;
	uint8_t key[16];
	struct table users, addresses;
};

const struct lockout_config lockout_default = {
        .user = {.n_free = 3,
                .first_delay_ms = 1000,
                .max_delay_ms = 16000,
                .n_lock = 10,
                .lock_ms = 300000,
                .forget_ms = 900000,
                .max_entries = 16384},
        .address = {.n_free = 10,
                .first_delay_ms = 1000,
                .max_delay_ms = 16000,
                .n_lock = 50,
                .lock_ms = 300000,
                .forget_ms = 900000,
                .max_entries = 16384},
};

static void list_unlink(struct table *t, struct entry *e)
{
	*(e->older ? &e->older->newer : &t->oldest) = e->newer;
	*(e->newer ? &e->newer->older : &t->newest) = e->older;
	e->older = e->newer = NULL;
}

static void list_append(struct table *t, struct entry *e)
{
	e->older = t->newest;
	e->newer = NULL;
	*(t->newest ? &t->newest->newer : &t->oldest) = e;
	t->newest = e;
}

static int table_init(struct table *t, const struct lockout_rule *rule)
{
	if (rule->max_entries == 0 || rule->max_entries > LOCKOUT_MAX_ENTRIES)
		return -EINVAL;
	*t = (struct table){.rule = rule, .entries = calloc(rule->max_entries, sizeof(*t->entries))};
	if (t->entries == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < rule->max_entries; i++) {
		t->entries[i].newer = t->free;
		t->free = &t->entries[i];
	}
	return 0;
}

static void table_done(struct table *t)
{
	htab_done(&t->by_key);
	free(t->entries);
}

static struct entry *table_find(const struct table *t, uint64_t hash)
{
	struct htab_node *node = htab_find(&t->by_key, hash);
	return node ? CONTAINER_OF(node, struct entry, node) : NULL;
}

static void table_drop(struct table *t, struct entry *e)
{
	htab_remove(&t->by_key, &e->node);
	list_unlink(t, e);
	*e = (struct entry){.newer = t->free};
	t->free = e;
}

/* NULL without memory for the slots: then this failure is not counted. */
static struct entry *table_add(struct table *t, uint64_t hash)
{
	if (t->free == NULL)
		table_drop(t, t->oldest);
	struct entry *e = t->free;
	struct entry *next_free = e->newer;
	*e = (struct entry){0};
	if (htab_insert(&t->by_key, &e->node, hash) < 0) {
		e->newer = next_free;
		return NULL;
	}
	t->free = next_free;
	list_append(t, e);
	return e;
}

static bool entry_is_stale(const struct table *t, const struct entry *e, ms_t now_ms)
{
	return now_ms >= ms_add(e->failed_at_ms, t->rule->forget_ms) && now_ms >= e->wait_until_ms;
}

/* 0 for the free ones, then first, 2 * first, ... up to the limit. */
static uint32_t delay_ms(const struct lockout_rule *rule, uint32_t n_failures)
{
	if (n_failures <= rule->n_free)
		return 0;
	uint64_t delay = rule->first_delay_ms;
	for (uint32_t i = rule->n_free + 1; i < n_failures && delay < rule->max_delay_ms; i++)
		delay *= 2;
	return delay < rule->max_delay_ms ? (uint32_t)delay : rule->max_delay_ms;
}

static void table_failure(struct table *t, uint64_t hash, ms_t now_ms)
{
	struct entry *e = table_find(t, hash);
	if (e != NULL && entry_is_stale(t, e, now_ms)) {
		table_drop(t, e);
		e = NULL;
	}
	if (e == NULL)
		e = table_add(t, hash);
	if (e == NULL)
		return;
	list_unlink(t, e);
	list_append(t, e);
	if (e->n_failures < UINT32_MAX)
		e->n_failures++;
	e->failed_at_ms = now_ms;
	e->is_locked = t->rule->n_lock > 0 && e->n_failures >= t->rule->n_lock;
	ms_t until = ms_add(now_ms, e->is_locked ? t->rule->lock_ms : delay_ms(t->rule, e->n_failures));
	if (until > e->wait_until_ms)
		e->wait_until_ms = until;
}

static struct lockout_wait table_ask(const struct table *t, uint64_t hash, ms_t now_ms)
{
	const struct entry *e = table_find(t, hash);
	if (e == NULL || now_ms >= e->wait_until_ms)
		return (struct lockout_wait){0};
	ms_t left = e->wait_until_ms - now_ms;
	return (struct lockout_wait){
	        .wait_ms = left < UINT32_MAX ? (uint32_t)left : UINT32_MAX, .is_locked = e->is_locked};
}

static uint64_t user_hash(const struct lockout *l, struct span user)
{
	if (user.n > USER_KEY_BYTES)
		user.n = USER_KEY_BYTES;
	return htab_hash(l->key, user);
}

static uint64_t address_hash(const struct lockout *l, const struct ip_addr *addr)
{
	struct ip_addr who = addr_customer(addr);
	return htab_hash(l->key, span_of(&who, sizeof(who)));
}

int lockout_new(const struct lockout_config *config, const uint8_t key[static 16], struct lockout **ret)
{
	struct lockout *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	l->config = *config;
	memcpy(l->key, key, sizeof(l->key));
	int err = table_init(&l->users, &l->config.user);
	if (err == 0)
		err = table_init(&l->addresses, &l->config.address);
	if (err == 0)
		*ret = l;
	else
		lockout_free(l);
	return err;
}

void lockout_free(struct lockout *l)
{
	if (l == NULL)
		return;
	table_done(&l->users);
	table_done(&l->addresses);
	free(l);
}

struct lockout_wait lockout_ask(
        const struct lockout *l, struct span user, const struct ip_addr *addr, ms_t now_ms)
{
	struct lockout_wait by_user = table_ask(&l->users, user_hash(l, user), now_ms);
	if (addr == NULL || !addr_is_set(addr))
		return by_user;
	struct lockout_wait by_address = table_ask(&l->addresses, address_hash(l, addr), now_ms);
	return by_address.wait_ms > by_user.wait_ms ? by_address : by_user;
}

void lockout_failure(struct lockout *l, struct span user, const struct ip_addr *addr, ms_t now_ms)
{
	table_failure(&l->users, user_hash(l, user), now_ms);
	if (addr != NULL && addr_is_set(addr))
		table_failure(&l->addresses, address_hash(l, addr), now_ms);
}

void lockout_success(struct lockout *l, struct span user)
{
	struct entry *e = table_find(&l->users, user_hash(l, user));
	if (e != NULL)
		table_drop(&l->users, e);
}

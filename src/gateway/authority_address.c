/* Which session has which address. */
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "gateway/authority_int.h"

static struct lease_pool *pool_find(const struct authority *a, const char *name)
{
	for (size_t i = 0; i < a->n_pools; i++)
		if (strcmp(a->pools[i].name, name) == 0)
			return a->pools[i].leases;
	return NULL;
}

static void pools_free(struct pool *pools, size_t n)
{
	for (size_t i = 0; i < n; i++)
		lease_pool_free(pools[i].leases);
	free(pools);
}

int authority_set_pools(struct authority *a, const struct authority_pool *pools, size_t n)
{
	struct pool *fresh = calloc(n + 1, sizeof(*fresh));
	int r = fresh ? 0 : -ENOMEM;
	size_t done;
	for (done = 0; r == 0 && done < n; done++) {
		r = ipc_set_str(fresh[done].name, sizeof(fresh[done].name), span_str(pools[done].name));
		if (r == 0)
			r = lease_pool_new(&pools[done].first, &pools[done].last, pools[done].mask_len,
			        &fresh[done].leases);
	}
	if (r < 0) {
		if (fresh)
			pools_free(fresh, done);
		return r;
	}
	pools_free(a->pools, a->n_pools);
	a->pools = fresh;
	a->n_pools = n;
	for (size_t i = 0; i < a->n; i++)
		address_retake(a, a->all[i]);
	return 0;
}

/* Pools may overlap, and a user's own address may lie in one: an address is lent in every pool that has it,
 * or none. */
static void mark(struct authority *a, const struct ip_addr *addr)
{
	for (size_t i = 0; i < a->n_pools && addr_is_set(addr); i++) {
		int r = lease_take_at(a->pools[i].leases, addr);
		(void)r; /* lent there already, or not in it: both are as wanted */
	}
}

void address_retake(struct authority *a, const struct entry *s)
{
	mark(a, &s->rec.ip4);
	mark(a, &s->rec.ip6);
}

static void give(struct authority *a, const struct entry *s, const char *pool, const struct ip_addr *addr)
{
	if (!addr_is_set(addr))
		return;
	for (size_t i = 0; i < a->n_pools; i++)
		lease_give(a->pools[i].leases, addr);
	event_send(a, &(struct authority_event){
	                      .kind = AUTHORITY_FREED, .session = &s->rec, .pool = pool, .addr = *addr});
}

void address_free(struct authority *a, const struct entry *s)
{
	give(a, s, s->rec.pool4, &s->rec.ip4);
	give(a, s, s->rec.pool6, &s->rec.ip6);
}

/* One family of one session, while it is being given an address. */
struct slot {
	struct ip_addr *addr;
	uint8_t *len;
	char *pool; /* of STORE_NAME_MAX + 1 */
};

static struct slot slot_of(struct entry *s, uint8_t family)
{
	return family == 4 ? (struct slot){&s->rec.ip4, &s->rec.ip4_len, s->rec.pool4}
	                   : (struct slot){&s->rec.ip6, &s->rec.ip6_len, s->rec.pool6};
}

static uint64_t address_hash(const struct authority *a, const struct ip_addr *addr)
{
	return htab_hash(a->hash_key, span_of(addr->b, addr->family == 4 ? 4 : 16));
}

void address_unlink(struct authority *a, struct entry *s)
{
	htab_remove(&a->by_ip4, &s->by_ip4);
	htab_remove(&a->by_ip6, &s->by_ip6);
}

int address_link(struct authority *a, struct entry *s)
{
	int r = 0;
	address_unlink(a, s);
	if (addr_is_set(&s->rec.ip4))
		r = htab_insert(&a->by_ip4, &s->by_ip4, address_hash(a, &s->rec.ip4));
	if (r == 0 && addr_is_set(&s->rec.ip6))
		r = htab_insert(&a->by_ip6, &s->by_ip6, address_hash(a, &s->rec.ip6));
	return r;
}

static struct entry *holder_find(const struct authority *a, const struct ip_addr *addr)
{
	struct htab_node *n = htab_find(addr->family == 4 ? &a->by_ip4 : &a->by_ip6, address_hash(a, addr));
	for (; n; n = htab_next(n)) {
		struct entry *s = addr->family == 4 ? CONTAINER_OF(n, struct entry, by_ip4)
		                                    : CONTAINER_OF(n, struct entry, by_ip6);
		if (addr_eq(addr->family == 4 ? &s->rec.ip4 : &s->rec.ip6, addr))
			return s;
	}
	return NULL;
}

/* The user's own address. Another session of the same user that has it must go: a client that forgot its
 * token would otherwise be locked out until the old session expires. */
static int framed_take(
        struct authority *a, struct entry *s, struct slot slot, const struct ip_addr *addr, uint8_t len)
{
	struct entry *holder = holder_find(a, addr);
	if (holder && strcmp(holder->rec.username, s->rec.username) != 0)
		return ERR_NO_ADDRESS;
	if (holder)
		entry_remove(a, holder, IPC_KICK_REPLACED, false);
	slot.pool[0] = '\0';
	mark(a, addr);
	*slot.addr = *addr;
	*slot.len = len;
	return 0;
}

static int pool_take(struct authority *a, struct entry *s, struct slot slot, const char *const *names,
        size_t n, const char **ret_last)
{
	/* a fixed key: the place must be the same after a restart */
	static const uint8_t key[16];
	uint64_t wish = htab_hash(key, span_str(s->rec.username));
	for (size_t i = 0; i < n; i++) {
		*ret_last = names[i];
		struct lease_pool *p = pool_find(a, names[i]);
		if (p && lease_take(p, wish, slot.addr) == 0) {
			mark(a, slot.addr);
			*slot.len = lease_mask_len(p);
			return ipc_set_str(slot.pool, STORE_NAME_MAX + 1, span_str(names[i]));
		}
	}
	return ERR_NO_ADDRESS;
}

/* 0 also when nothing is configured for this family. */
static int family_assign(
        struct authority *a, struct entry *s, const struct authority_policy *policy, uint8_t family)
{
	struct slot slot = slot_of(s, family);
	const struct ip_addr *framed = family == 4 ? &policy->framed_ip4 : &policy->framed_ip6;
	size_t n = family == 4 ? policy->n_pools4 : policy->n_pools6;
	const char *last = "";
	int r;
	if (framed->family == family)
		r = framed_take(
		        a, s, slot, framed, family == 4 ? policy->framed_ip4_len : policy->framed_ip6_len);
	else if (n > 0)
		r = pool_take(a, s, slot, family == 4 ? policy->pools4 : policy->pools6, n, &last);
	else
		return 0;
	struct authority_event e = {.kind = r == 0 ? AUTHORITY_ASSIGNED : AUTHORITY_EXHAUSTED,
	        .session = &s->rec,
	        .pool = r == 0 ? slot.pool : last,
	        .addr = *slot.addr,
	        .family = family};
	event_send(a, &e);
	return r;
}

int address_assign(struct authority *a, struct entry *s, const struct authority_policy *policy,
        bool wants_ip4, bool wants_ip6)
{
	int r = 0;
	if (wants_ip4)
		r = family_assign(a, s, policy, 4);
	if (r == 0 && wants_ip6)
		r = family_assign(a, s, policy, 6);
	if (r == 0 && !addr_is_set(&s->rec.ip4) && !addr_is_set(&s->rec.ip6)) {
		event_send(a, &(struct authority_event){
		                      .kind = AUTHORITY_EXHAUSTED, .session = &s->rec, .pool = ""});
		return ERR_NO_ADDRESS;
	}
	if (r == 0 && address_link(a, s) == 0)
		return 0;
	address_unlink(a, s);
	address_free(a, s);
	s->rec.ip4 = s->rec.ip6 = (struct ip_addr){0};
	return ERR_NO_ADDRESS;
}

void authority_pool_info(const struct authority *a, const char *name, struct ipc_pool_info *ret)
{
	*ret = (struct ipc_pool_info){0};
	const struct lease_pool *p = pool_find(a, name);
	if (p == NULL)
		return;
	ret->is_found = true;
	ret->first = lease_first(p);
	ret->last = lease_last(p);
	ret->mask_len = lease_mask_len(p);
	ret->n_free = lease_n_free(p);
	for (size_t i = 0; i < a->n; i++) {
		const struct entry *s = a->all[i];
		const struct ip_addr *addr = ret->first.family == 4 ? &s->rec.ip4 : &s->rec.ip6;
		if (!addr_is_set(addr) || !lease_has(p, addr)) /* a user's own one counts, too */
			continue;
		if (s->owner == OWNER_NONE)
			ret->n_held++;
		else
			ret->n_in_use++;
		if (ret->n_addrs < IPC_POOL_ADDRS_MAX)
			ret->addrs[ret->n_addrs++] = *addr;
	}
}

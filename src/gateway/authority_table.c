/* Which sessions there are: all of them by index, the logins that nobody has connected with by age, tokens
 * and users by hash. */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "base/err.h"
#include "gateway/authority_int.h"

/* --- looking for one --- */

static uint64_t user_key(const struct authority *a, const char *username)
{
	return htab_hash(a->hash_key, span_str(username));
}

/* The hash of a random token is random already. */
static uint64_t token_key(const uint8_t hash[static STORE_HASH_BYTES])
{
	uint64_t key;
	memcpy(&key, hash, sizeof(key));
	return key;
}

struct entry *entry_by_token(const struct authority *a, const uint8_t token[static IPC_TOKEN_BYTES])
{
	uint8_t hash[STORE_HASH_BYTES];
	SHA256(token, IPC_TOKEN_BYTES, hash);
	for (struct htab_node *n = htab_find(&a->by_token, token_key(hash)); n; n = htab_next(n)) {
		struct entry *s = CONTAINER_OF(n, struct entry, by_token);
		if (CRYPTO_memcmp(s->rec.token_hash, hash, sizeof(hash)) == 0)
			return s;
	}
	return NULL;
}

size_t entry_place(const struct authority *a, uint32_t index)
{
	size_t lo = 0, hi = a->n;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (a->all[mid]->rec.index < index)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct entry *entry_by_index(const struct authority *a, uint32_t index)
{
	size_t at = entry_place(a, index);
	return at < a->n && a->all[at]->rec.index == index ? a->all[at] : NULL;
}

struct entry *entry_oldest_of(
        const struct authority *a, const char *username, bool wants_pending, uint32_t *ret_n)
{
	struct entry *oldest = NULL;
	*ret_n = 0;
	for (struct htab_node *n = htab_find(&a->by_user, user_key(a, username)); n; n = htab_next(n)) {
		struct entry *s = CONTAINER_OF(n, struct entry, by_user);
		if (entry_is_pending(s) != wants_pending || strcmp(s->rec.username, username) != 0)
			continue;
		if (oldest == NULL || s->rec.index < oldest->rec.index)
			oldest = s;
		++*ret_n;
	}
	return oldest;
}

/* --- in and out --- */

static void entry_pend(struct authority *a, struct entry *s)
{
	s->older = a->newest_pending;
	s->newer = NULL;
	*(a->newest_pending ? &a->newest_pending->newer : &a->oldest_pending) = s;
	a->newest_pending = s;
	a->n_pending++;
}

void entry_unpend(struct authority *a, struct entry *s)
{
	*(s->older ? &s->older->newer : &a->oldest_pending) = s->newer;
	*(s->newer ? &s->newer->older : &a->newest_pending) = s->older;
	s->older = s->newer = NULL;
	a->n_pending--;
}

int entry_add(struct authority *a, struct entry *s)
{
	if (a->n == a->cap) {
		size_t cap = a->cap ? 2 * a->cap : 64;
		struct entry **all = reallocarray(a->all, cap, sizeof(*all));
		if (all == NULL)
			return -ENOMEM;
		a->all = all;
		a->cap = cap;
	}
	int r = htab_insert(&a->by_token, &s->by_token, token_key(s->rec.token_hash));
	if (r < 0)
		return r;
	r = htab_insert(&a->by_user, &s->by_user, user_key(a, s->rec.username));
	if (r < 0) {
		htab_remove(&a->by_token, &s->by_token);
		return r;
	}
	a->all[a->n++] = s;
	a->last_index = s->rec.index;
	if (entry_is_pending(s))
		entry_pend(a, s);
	entry_due_update(a, s);
	return 0;
}

void entry_kick(struct authority *a, const struct entry *s, int owner, uint8_t reason)
{
	struct ipc_session_kick kick = {
	        .index = s->rec.index, .connection = s->rec.connection, .reason = reason};
	a->host.kick(a->host.ctx, owner, &kick);
}

void entry_set_owner(struct authority *a, struct entry *s, int owner)
{
	a->n_connected -= s->owner != OWNER_NONE;
	a->n_connected += owner != OWNER_NONE;
	s->owner = owner;
	if (owner != OWNER_NONE)
		s->holder = owner;
}

void entry_remove(struct authority *a, struct entry *s, uint8_t reason, bool is_silent)
{
	bool was_pending = entry_is_pending(s);
	size_t at = entry_place(a, s->rec.index);
	memmove(&a->all[at], &a->all[at + 1], (a->n - at - 1) * sizeof(*a->all));
	a->n--;
	htab_remove(&a->by_token, &s->by_token);
	htab_remove(&a->by_user, &s->by_user);
	/* also one that only waits: who holds it must forget it, and has counted what it carried */
	if (s->holder != OWNER_NONE && !is_silent)
		entry_kick(a, s, s->holder, reason);
	else if (!is_silent && !was_pending)
		event_send(a, &(struct authority_event){
		                      .kind = AUTHORITY_ENDED, .session = &s->rec, .reason = reason});
	entry_set_owner(a, s, OWNER_NONE);
	address_unlink(a, s);
	address_free(a, s);
	if (was_pending)
		entry_unpend(a, s);
	else
		authority_store_check(a, s, store_remove(a->store, s->rec.index));
	free(s);
}

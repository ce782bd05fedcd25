/* The life of sessions: login, open, lost, resumed, over. */
#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>

#include "base/err.h"
#include "gateway/authority_int.h"

/* --- when one is over --- */

static uint64_t later(uint64_t at_s, uint32_t s)
{
	return at_s > AUTHORITY_NEVER - s ? AUTHORITY_NEVER : at_s + s;
}

static uint64_t entry_due_s(const struct entry *s, uint8_t *ret_reason)
{
	const struct store_session *r = &s->rec;
	uint64_t end_s = r->session_timeout_s ? later(r->login_at_s, r->session_timeout_s) : AUTHORITY_NEVER;
	uint64_t wait_s = AUTHORITY_NEVER;
	if (entry_is_pending(s))
		wait_s = later(r->login_at_s, AUTHORITY_PENDING_S);
	else if (s->owner == OWNER_NONE)
		wait_s = later(r->lost_at_s, r->disconnected_limit_s);
	*ret_reason = end_s <= wait_s ? IPC_KICK_SESSION_TIMEOUT : IPC_KICK_EXPIRED;
	return end_s <= wait_s ? end_s : wait_s;
}

void entry_due_update(struct authority *a, const struct entry *s)
{
	uint8_t reason;
	uint64_t at_s = entry_due_s(s, &reason);
	if (at_s < a->due_s)
		a->due_s = at_s;
}

void authority_store_check(struct authority *a, const struct entry *s, int err)
{
	if (err < 0)
		event_send(a,
		        &(struct authority_event){
		                .kind = AUTHORITY_STORE_FAILED, .session = s ? &s->rec : NULL, .err = err});
}

/* --- life --- */

int authority_new(const struct authority_host *host, struct store *st, struct authority **ret)
{
	struct authority *a = calloc(1, sizeof(*a));
	if (a == NULL)
		return -ENOMEM;
	a->host = *host;
	a->due_s = AUTHORITY_NEVER;
	int r = host->entropy(host->ctx, a->hash_key, sizeof(a->hash_key));
	if (r < 0) {
		free(a);
		return r;
	}
	a->store = st;
	*ret = a;
	return 0;
}

void authority_free(struct authority *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->n; i++)
		free(a->all[i]);
	a->n = 0;
	for (size_t i = 0; i < a->n_pools; i++)
		lease_pool_free(a->pools[i].leases);
	free(a->pools);
	free(a->all);
	htab_done(&a->by_token);
	htab_done(&a->by_user);
	htab_done(&a->by_ip4);
	htab_done(&a->by_ip6);
	store_free(a->store);
	free(a);
}

struct load {
	struct authority *a;
	uint64_t now_s;
};

static int entry_load(void *ctx, const struct store_session *rec)
{
	struct load *load = ctx;
	struct authority *a = load->a;
	if (a->n >= AUTHORITY_SESSIONS_MAX || rec->connection == 0)
		return 0;
	struct entry *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->rec = *rec;
	s->owner = s->holder = OWNER_NONE;
	/* it was connected when the gateway died, or the clock was set back since */
	if (s->rec.lost_at_s == 0 || s->rec.lost_at_s > load->now_s)
		s->rec.lost_at_s = load->now_s;
	int r = entry_add(a, s);
	if (r < 0) {
		free(s);
		return r;
	}
	address_retake(a, s);
	return address_link(a, s);
}

int authority_load(struct authority *a, uint64_t now_s)
{
	struct load load = {.a = a, .now_s = now_s};
	int r = store_each(a->store, entry_load, &load);
	if (r < 0)
		return r;
	authority_store_check(a, NULL, store_begin(a->store));
	for (size_t i = 0; i < a->n; i++)
		authority_store_check(a, a->all[i], store_put(a->store, &a->all[i]->rec));
	authority_store_check(a, NULL, store_commit(a->store));
	return 0;
}

/* Makes room for one more. A mere login does not end a connected session: the first open does. */
static void user_limit(struct authority *a, const char *username, bool is_pending_kind, uint32_t limit)
{
	uint32_t n;
	struct entry *oldest;
	while ((oldest = entry_oldest_of(a, username, is_pending_kind, &n)) != NULL && n >= limit)
		entry_remove(a, oldest, IPC_KICK_REPLACED, false);
}

static void pending_limit(struct authority *a)
{
	if (a->n_pending >= AUTHORITY_PENDING_MAX)
		entry_remove(a, a->oldest_pending, IPC_KICK_EXPIRED, false);
}

static int record_fill(
        struct store_session *rec, const struct authority_login *in, const struct authority_policy *policy)
{
	int r = ipc_set_str(rec->username, sizeof(rec->username), span_str(in->username));
	if (r == 0)
		r = ipc_set_str(rec->tunnel_group, sizeof(rec->tunnel_group), span_str(in->tunnel_group));
	if (r == 0)
		r = ipc_set_str(rec->group_policy, sizeof(rec->group_policy), span_str(policy->group_policy));
	rec->peer = in->peer;
	rec->session_timeout_s = policy->session_timeout_s;
	rec->disconnected_limit_s = policy->disconnected_limit_s;
	return r;
}

int authority_login(struct authority *a, const struct authority_login *in,
        const struct authority_policy *policy, uint64_t now_s, uint8_t ret_token[static IPC_TOKEN_BYTES],
        uint32_t *ret_index)
{
	uint8_t token[IPC_TOKEN_BYTES] = {0};
	if (policy->simultaneous_logins == 0)
		return ERR_LIMIT;
	user_limit(a, in->username, true, policy->simultaneous_logins);
	pending_limit(a);
	if (a->n >= AUTHORITY_SESSIONS_MAX || a->last_index == UINT32_MAX)
		return ERR_LIMIT;
	struct entry *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return -ENOMEM;
	s->owner = s->holder = OWNER_NONE;
	s->rec.index = a->last_index + 1;
	s->rec.login_at_s = now_s;
	int r = record_fill(&s->rec, in, policy);
	if (r < 0 || (r = a->host.entropy(a->host.ctx, token, sizeof(token))) < 0)
		goto fail;
	SHA256(token, sizeof(token), s->rec.token_hash);
	r = entry_add(a, s);
	if (r < 0)
		goto fail;
	memcpy(ret_token, token, sizeof(token));
	*ret_index = s->rec.index;
	explicit_bzero(token, sizeof(token));
	return 0;
fail:
	explicit_bzero(token, sizeof(token));
	free(s);
	return r;
}

static enum ipc_open_status first_open(
        struct authority *a, struct entry *s, const struct ipc_session_open *in)
{
	struct authority_policy policy = {0};
	if (a->host.policy(a->host.ctx, s->rec.username, s->rec.tunnel_group, &policy) < 0)
		return IPC_OPEN_ERROR;
	if (policy.simultaneous_logins == 0) { /* forbidden by a reload since the login */
		entry_remove(a, s, IPC_KICK_ADMIN, true);
		return IPC_OPEN_UNKNOWN;
	}
	user_limit(a, s->rec.username, false, policy.simultaneous_logins);
	if (address_assign(a, s, &policy, in->wants_ip4, in->wants_ip6) < 0)
		return IPC_OPEN_NO_ADDRESS;
	entry_unpend(a, s);
	a->n_sessions++;
	return IPC_OPEN_OK;
}

static void resume(struct authority *a, struct entry *s, int owner, const struct ipc_session_open *in)
{
	/* who only waits with it, too: two threads with one session would both take its packets from TUN */
	if (s->holder != OWNER_NONE && s->holder != owner)
		entry_kick(a, s, s->holder, IPC_KICK_TAKEN_OVER);
	event_send(a,
	        &(struct authority_event){.kind = AUTHORITY_RESUMED, .session = &s->rec, .addr = in->peer});
}

static void info_fill(const struct entry *s, uint64_t now_s, struct ipc_session_info *ret)
{
	const struct store_session *r = &s->rec;
	ret->index = r->index;
	ret->connection = r->connection;
	ret->is_resumed = r->connection > 1;
	memcpy(ret->username, r->username, sizeof(ret->username));
	memcpy(ret->tunnel_group, r->tunnel_group, sizeof(ret->tunnel_group));
	memcpy(ret->group_policy, r->group_policy, sizeof(ret->group_policy));
	ret->ip4 = r->ip4;
	ret->ip4_len = r->ip4_len;
	ret->ip6 = r->ip6;
	ret->ip6_len = r->ip6_len;
	ret->login_at_s = r->login_at_s;
	ret->disconnected_limit_s = r->disconnected_limit_s;
	if (r->session_timeout_s)
		ret->session_remaining_s = (uint32_t)(later(r->login_at_s, r->session_timeout_s) - now_s);
}

void authority_open(struct authority *a, int owner, const struct ipc_session_open *in, uint64_t now_s,
        struct ipc_session_info *ret)
{
	_Static_assert(sizeof(ret->username) == STORE_USER_MAX + 1 &&
	                       sizeof(ret->group_policy) == STORE_NAME_MAX + 1,
	        "messages and records hold the same names");
	*ret = (struct ipc_session_info){.status = IPC_OPEN_UNKNOWN};
	authority_step(a, now_s); /* what is over now cannot be resumed */
	struct entry *s = entry_by_token(a, in->token);
	if (s == NULL)
		return;
	if (entry_is_pending(s)) {
		ret->status = first_open(a, s, in);
		if (ret->status != IPC_OPEN_OK)
			return;
	} else {
		resume(a, s, owner, in);
	}
	s->rec.connection++;
	s->rec.lost_at_s = 0;
	s->rec.peer = in->peer;
	entry_set_owner(a, s, owner);
	entry_due_update(a, s);
	if (a->n - a->n_pending > a->n_peak)
		a->n_peak = (uint32_t)a->n - a->n_pending;
	authority_store_check(a, s, store_put(a->store, &s->rec));
	ret->status = IPC_OPEN_OK;
	info_fill(s, now_s, ret);
}

static void entry_lose(struct authority *a, struct entry *s, uint64_t now_s)
{
	entry_set_owner(a, s, OWNER_NONE);
	s->rec.lost_at_s = now_s;
	entry_due_update(a, s);
	authority_store_check(a, s, store_put(a->store, &s->rec));
	event_send(a, &(struct authority_event){.kind = AUTHORITY_LOST, .session = &s->rec});
}

void authority_lost(struct authority *a, int owner, const struct ipc_session_lost *in, uint64_t now_s)
{
	struct entry *s = entry_by_index(a, in->index);
	if (s && s->owner == owner && s->rec.connection == in->connection)
		entry_lose(a, s, now_s);
}

void authority_end(struct authority *a, int owner, const struct ipc_session_end *in)
{
	struct entry *s = entry_by_index(a, in->index);
	if (s && !entry_is_pending(s) && s->rec.connection == in->connection &&
	        (s->owner == owner || s->owner == OWNER_NONE))
		entry_remove(a, s, IPC_KICK_ADMIN, true);
}

void authority_owner_gone(struct authority *a, int owner, uint64_t now_s)
{
	authority_store_check(a, NULL, store_begin(a->store));
	for (size_t i = 0; i < a->n; i++) {
		if (a->all[i]->owner == owner)
			entry_lose(a, a->all[i], now_s);
		if (a->all[i]->holder == owner)
			a->all[i]->holder = OWNER_NONE;
	}
	authority_store_check(a, NULL, store_commit(a->store));
}

void authority_step(struct authority *a, uint64_t now_s)
{
	if (now_s < a->due_s)
		return;
	a->due_s = AUTHORITY_NEVER;
	for (size_t i = a->n; i-- > 0;) {
		uint8_t reason;
		struct entry *s = a->all[i];
		if (entry_due_s(s, &reason) <= now_s)
			entry_remove(a, s, reason, false);
		else
			entry_due_update(a, s);
	}
}

uint64_t authority_due_s(const struct authority *a)
{
	return a->due_s;
}

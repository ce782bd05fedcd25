/* What consoles ask of the authority: logoff, lists, counts. */
#include "base/parse.h"
#include "gateway/authority_int.h"

/* What a logoff names, read once. */
struct logoff {
	const struct ipc_logoff *in;
	uint32_t index;
	struct ip_addr addr;
};

static int logoff_parse(const struct ipc_logoff *in, struct logoff *ret)
{
	*ret = (struct logoff){.in = in};
	if (in->kind == IPC_LOGOFF_INDEX)
		return parse_u32(span_str(in->value), 1, UINT32_MAX, &ret->index);
	return in->kind == IPC_LOGOFF_ADDRESS ? addr_parse(span_str(in->value), &ret->addr) : 0;
}

static bool logoff_matches(const struct entry *s, const struct logoff *l)
{
	switch (l->in->kind) {
	case IPC_LOGOFF_ALL:
		return true;
	case IPC_LOGOFF_NAME:
		return strcmp(s->rec.username, l->in->value) == 0;
	case IPC_LOGOFF_TUNNEL_GROUP:
		return strcmp(s->rec.tunnel_group, l->in->value) == 0;
	case IPC_LOGOFF_ADDRESS:
		return addr_eq(&s->rec.ip4, &l->addr) || addr_eq(&s->rec.ip6, &l->addr) ||
		       addr_eq(&s->rec.peer, &l->addr);
	default:
		return s->rec.index == l->index;
	}
}

uint32_t authority_logoff(struct authority *a, const struct ipc_logoff *in)
{
	uint32_t n = 0;
	struct logoff l;
	if (logoff_parse(in, &l) < 0)
		return 0;
	authority_store_check(a, NULL, store_begin(a->store));
	for (size_t i = a->n; i-- > 0;)
		if (logoff_matches(a->all[i], &l)) {
			entry_remove(a, a->all[i], IPC_KICK_ADMIN, false);
			n++;
		}
	authority_store_check(a, NULL, store_commit(a->store));
	return n;
}

void authority_stats(const struct authority *a, struct ipc_stats_info *ret)
{
	ret->n_active = a->n_connected;
	ret->n_pending = a->n_pending;
	ret->n_waiting = (uint32_t)a->n - a->n_connected - a->n_pending;
	ret->n_peak = a->n_peak;
	ret->n_sessions = a->n_sessions;
}

void authority_item(
        const struct authority *a, const struct ipc_session_query *in, struct ipc_session_item *ret)
{
	*ret = (struct ipc_session_item){0};
	size_t at = in->after == UINT32_MAX ? a->n : entry_place(a, in->after + 1);
	while (at < a->n &&
	        (entry_is_pending(a->all[at]) || (in->wants_waiting && a->all[at]->owner != OWNER_NONE)))
		at++;
	if (at == a->n)
		return;
	const struct store_session *r = &a->all[at]->rec;
	ret->is_found = true;
	ret->index = r->index;
	memcpy(ret->username, r->username, sizeof(ret->username));
	memcpy(ret->tunnel_group, r->tunnel_group, sizeof(ret->tunnel_group));
	memcpy(ret->group_policy, r->group_policy, sizeof(ret->group_policy));
	ret->ip4 = r->ip4;
	ret->ip6 = r->ip6;
	ret->peer = r->peer;
	ret->login_at_s = r->login_at_s;
	ret->lost_at_s = r->lost_at_s;
}

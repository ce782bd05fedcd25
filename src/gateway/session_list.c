#include "gateway/session_list.h"

#include <errno.h>
#include <stdlib.h>

#include "base/parse.h"
#include "gateway/conn.h"
#include "io/sock.h"

/* ---- choice ---- */

static int filter_parse(const struct command_option *o, struct session_choice *ret)
{
	ret->filter = o->row->option;
	ret->text = o->arg ? o->arg : "";
	switch (ret->filter) {
	case SESSION_FILTER_ASSIGNED:
	case SESSION_FILTER_PUBLIC:
		return addr_parse(span_str(ret->text), &ret->addr);
	case SESSION_FILTER_INDEX:
		return parse_u32(span_str(ret->text), 1, UINT32_MAX, &ret->index);
	default:
		return 0;
	}
}

int session_choice_parse(const struct command_option *options, size_t n, struct session_choice *ret)
{
	*ret = (struct session_choice){0};
	for (size_t i = 0; i < n; i++) {
		if (options[i].row->option >= SESSION_SORT_NAME)
			ret->sort = options[i].row->option;
		else if (filter_parse(&options[i], ret) < 0)
			return -EINVAL;
	}
	return 0;
}

int session_choice_copy(const struct session_choice *c, struct session_choice *ret)
{
	char *text = c->text ? strdup(c->text) : NULL;
	if (c->text && text == NULL)
		return -ENOMEM;
	*ret = *c;
	ret->text = text;
	return 0;
}

void session_choice_done(struct session_choice *c)
{
	free((char *)c->text);
	*c = (struct session_choice){0};
}

bool session_choice_takes(const struct session_choice *c, const struct session *s)
{
	switch (c->filter) {
	case SESSION_FILTER_NAME:
		return strcmp(c->text, s->id.username) == 0;
	case SESSION_FILTER_INACTIVE:
		return s->lost_at_ms != 0;
	case SESSION_FILTER_ASSIGNED:
		return addr_eq(&c->addr, &s->id.ip4.addr) || addr_eq(&c->addr, &s->id.ip6.addr);
	case SESSION_FILTER_PUBLIC:
		return addr_eq(&c->addr, &s->id.peer);
	case SESSION_FILTER_TUNNEL_GROUP:
		return strcmp(c->text, s->id.tunnel_group) == 0;
	case SESSION_FILTER_GROUP_POLICY:
		return strcmp(c->text, s->id.group_policy) == 0;
	case SESSION_FILTER_INDEX:
		return c->index == s->id.index;
	default:
		return true;
	}
}

/* ---- gathering ---- */

static struct render_session *add(struct render_list *l, const struct session *s)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? 2 * l->cap : 16;
		struct render_session *v = reallocarray(l->v, cap, sizeof(*v));
		if (!v)
			return NULL;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n] = (struct render_session){.s = s};
	return &l->v[l->n++];
}

static void ask_kernel(struct render_session *r)
{
	struct sock_tcp_facts facts;
	if (!r->s->conn || sock_tcp_facts(r->s->conn->fd, &facts) < 0)
		return;
	r->tls_rtt_us = facts.rtt_us;
	r->path_mtu_bytes = facts.pmtu_bytes <= UINT16_MAX ? (uint16_t)facts.pmtu_bytes : 0;
}

int session_list_add_live(struct render_list *l, const struct worker *w, const struct session_choice *c)
{
	for (const struct session *s = w->sessions; s; s = s->next) {
		if (s->is_closing || !session_choice_takes(c, s))
			continue;
		struct render_session *r = add(l, s);
		if (!r)
			return -ENOMEM;
		ask_kernel(r);
	}
	return 0;
}

/* The policy borrows from the configuration, which the copy keeps. */
static int add_copy(struct render_list *l, const struct session *s)
{
	struct session *copy = malloc(sizeof(*copy));
	struct render_session *r = copy ? add(l, copy) : NULL;
	if (r == NULL) {
		free(copy);
		return -ENOMEM;
	}
	r->s = s;
	ask_kernel(r);
	*copy = *s;
	explicit_bzero(copy->dtls.master_secret, sizeof(copy->dtls.master_secret));
	copy->config = config_get(s->config);
	r->s = copy;
	r->is_owned = true;
	return 0;
}

int session_list_add_copies(struct render_list *l, const struct worker *w, const struct session_choice *c)
{
	int r = 0;
	for (const struct session *s = w->sessions; s && r == 0; s = s->next) {
		if (!s->is_closing && session_choice_takes(c, s))
			r = add_copy(l, s);
	}
	return r;
}

int session_list_join(struct render_list *to, struct render_list *from)
{
	if (from->n == 0)
		return 0;
	struct render_session *v = reallocarray(to->v, to->n + from->n, sizeof(*v));
	if (v == NULL)
		return -ENOMEM;
	memcpy(v + to->n, from->v, from->n * sizeof(*v));
	to->v = v;
	to->n += from->n;
	to->cap = to->n;
	to->n_owned += from->n_owned;
	free(from->v);
	*from = (struct render_list){0};
	return 0;
}

/* What auth knows of a session, in the form of those of this process. */
static void session_from_item(struct session *s, const struct worker *w, const struct ipc_session_item *item,
        const struct render_now *now)
{
	struct session_identity *id = &s->id;
	uint64_t lost_s = now->now_s > item->lost_at_s ? now->now_s - item->lost_at_s : 0;
	/* the clock of the machine may have started later than the session was lost */
	ms_t lost_ms = lost_s < now->now_ms / 1000 ? lost_s * 1000 : now->now_ms - 1;
	id->index = item->index;
	memcpy(id->username, item->username, sizeof(id->username));
	memcpy(id->tunnel_group, item->tunnel_group, sizeof(id->tunnel_group));
	memcpy(id->group_policy, item->group_policy, sizeof(id->group_policy));
	id->ip4.addr = item->ip4;
	id->ip6.addr = item->ip6;
	id->peer = item->peer;
	id->login_at_s = item->login_at_s;
	s->lost_at_ms = now->now_ms - lost_ms;
	s->link.last_data_ms = s->lost_at_ms;
	s->tunnels.v[TUNNEL_PARENT] = (struct session_tunnel){.is_up = true, .number = 1};
	const struct tunnel_group *g = config_find_tunnel_group(w->config, span_str(id->tunnel_group));
	if (g == NULL ||
	        config_resolve_policy(w->config, g, config_find_user(w->config, span_str(id->username)),
	                span_str(id->group_policy), NULL, &s->policy) < 0)
		memset(&s->policy, 0, sizeof(s->policy)); /* gone with a reload: no timeouts to show */
}

int session_list_add_waiting(struct render_list *l, const struct worker *w, const struct session_choice *c,
        const struct ipc_session_item *item, const struct render_now *now)
{
	if (l->n_owned >= SESSION_LIST_WAITING_MAX)
		return ERR_LIMIT;
	struct session *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	session_from_item(s, w, item, now);
	struct render_session *r = NULL;
	bool wanted = session_choice_takes(c, s);
	if (wanted && (r = add(l, s)) != NULL) {
		r->is_owned = true;
		l->n_owned++;
		return 0;
	}
	free(s);
	return wanted ? -ENOMEM : 0;
}

void session_list_done(struct render_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (!l->v[i].is_owned)
			continue;
		config_put(l->v[i].s->config);
		free((struct session *)l->v[i].s);
	}
	free(l->v);
	*l = (struct render_list){0};
}

/* ---- order ---- */

static uint64_t sort_number(const struct session *s, uint8_t key)
{
	struct traffic t = session_traffic(s);
	switch (key) {
	case SESSION_SORT_BYTES_TX:
		return t.tx_bytes;
	case SESSION_SORT_BYTES_RX:
		return t.rx_bytes;
	case SESSION_SORT_BYTES:
		return t.tx_bytes + t.rx_bytes;
	case SESSION_SORT_DURATION:
		return UINT64_MAX - s->id.login_at_s;
	default: /* inactivity */
		return s->lost_at_ms ? UINT64_MAX - s->lost_at_ms : 0;
	}
}

static int compare(const void *a, const void *b, void *ctx)
{
	const struct session *x = ((const struct render_session *)a)->s,
	                     *y = ((const struct render_session *)b)->s;
	uint8_t key = *(const uint8_t *)ctx;
	int r = 0;
	if (key == SESSION_SORT_NAME) {
		r = strcmp(x->id.username, y->id.username);
	} else if (key == SESSION_SORT_ASSIGNED) {
		r = memcmp(&x->id.ip4.addr, &y->id.ip4.addr, sizeof(struct ip_addr));
	} else if (key == SESSION_SORT_PUBLIC) {
		r = memcmp(&x->id.peer, &y->id.peer, sizeof(struct ip_addr));
	} else if (key) {
		uint64_t m = sort_number(x, key), n = sort_number(y, key);
		r = m > n ? -1 : m < n;
	}
	return r ? r : x->id.index < y->id.index ? -1 : x->id.index > y->id.index;
}

void session_list_sort(struct render_list *l, const struct session_choice *c)
{
	uint8_t key = c->sort;
	if (l->n > 0)
		qsort_r(l->v, l->n, sizeof(*l->v), compare, &key);
}

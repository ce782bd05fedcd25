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

/* ---- facts ---- */

struct render_session session_list_look(const struct session *s)
{
	struct render_session r = {.s = s};
	struct sock_tcp_facts facts;
	if (!s->conn || sock_tcp_facts(s->conn->fd, &facts) < 0)
		return r;
	r.tls_rtt_us = facts.rtt_us;
	r.path_mtu_bytes = facts.pmtu_bytes <= UINT16_MAX ? (uint16_t)facts.pmtu_bytes : 0;
	return r;
}

void session_list_from_item(const struct worker *w, const struct ipc_session_item *item,
        const struct render_now *now, struct session *s)
{
	memset(s, 0, sizeof(*s));
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

uint8_t session_choice_kind(const struct session_choice *c)
{
	static const uint8_t kinds[] = {
	        [0] = SESSION_REF_PLAIN,
	        [SESSION_SORT_NAME] = SESSION_REF_NAME,
	        [SESSION_SORT_INACTIVITY] = SESSION_REF_NUMBER,
	        [SESSION_SORT_BYTES_TX] = SESSION_REF_NUMBER,
	        [SESSION_SORT_BYTES_RX] = SESSION_REF_NUMBER,
	        [SESSION_SORT_BYTES] = SESSION_REF_NUMBER,
	        [SESSION_SORT_DURATION] = SESSION_REF_NUMBER,
	        [SESSION_SORT_ASSIGNED] = SESSION_REF_ADDR,
	        [SESSION_SORT_PUBLIC] = SESSION_REF_ADDR,
	};
	return kinds[c->sort];
}

int session_choice_ref(const struct session_choice *c, const struct session *s, struct session_ref *ret)
{
	*ret = (struct session_ref){.index = s->id.index, .thread = SESSION_REF_AUTH};
	if (s->w)
		ret->thread = s->w->index;
	switch (session_choice_kind(c)) {
	case SESSION_REF_NAME:
		ret->by.name = strdup(s->id.username);
		return ret->by.name ? 0 : -ENOMEM;
	case SESSION_REF_ADDR:
		ret->by.addr = c->sort == SESSION_SORT_ASSIGNED ? s->id.ip4.addr : s->id.peer;
		return 0;
	case SESSION_REF_NUMBER:
		ret->by.number = sort_number(s, c->sort);
		return 0;
	default:
		return 0;
	}
}

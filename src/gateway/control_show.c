/* show ...: gathers the facts and hands them to the renderers. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "gateway/conn.h"
#include "gateway/control_int.h"
#include "io/sock.h"
#include "policy/config.h"

static struct render_now now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (struct render_now){.now_ms = loop_now(), .now_s = (uint64_t)t.tv_sec};
}

void show_version(struct call *c)
{
	struct render_version v = {
	        .version = CULVERT_VERSION,
	        .hostname = c->w->config->hostname,
	        .uptime_s = (loop_now() - c->w->started_at_ms) / 1000,
	        .n_sessions = c->w->n_sessions,
	};
	if (c->is_json)
		c->json = render_version_json(&v);
	else
		render_version(&v, &c->out);
}

/* ---- sessions ---- */

static int by_index(const void *a, const void *b)
{
	const struct render_session *x = a, *y = b;
	return x->s->id.index < y->s->id.index ? -1 : x->s->id.index > y->s->id.index;
}

static void ask_kernel(struct render_session *r)
{
	struct sock_tcp_facts facts;
	if (!r->s->conn || sock_tcp_facts(r->s->conn->fd, &facts) < 0)
		return;
	r->tls_rtt_us = facts.rtt_us;
	r->path_mtu_bytes = facts.pmtu_bytes <= UINT16_MAX ? (uint16_t)facts.pmtu_bytes : 0;
}

/* All sessions, or those of one user (NULL: all). free(ret->v). */
static int gather(const struct worker *w, const char *user, struct render_list *ret)
{
	size_t n = 0;
	for (const struct session *s = w->sessions; s; s = s->next)
		n++;
	struct render_list l = {.v = calloc(n + 1, sizeof(*l.v))};
	if (!l.v)
		return -ENOMEM;
	for (const struct session *s = w->sessions; s; s = s->next) {
		if (s->is_closing || (user && strcmp(user, s->id.username) != 0))
			continue;
		l.v[l.n].s = s;
		ask_kernel(&l.v[l.n++]);
	}
	qsort(l.v, l.n, sizeof(*l.v), by_index);
	*ret = l;
	return 0;
}

void show_sessions(struct call *c)
{
	struct render_list l;
	struct render_now t = now();
	if (gather(c->w, c->n_args ? c->args[0] : NULL, &l) < 0) {
		call_fail(c, "out of memory");
		return;
	}
	if (c->is_json)
		c->json = render_sessions_json(&l, &t);
	else
		render_sessions(&l, &t, c->command->variant == SHOW_DETAIL, &c->out);
	free(l.v);
}

void show_mtu(struct call *c)
{
	struct render_list l;
	if (gather(c->w, c->n_args ? c->args[0] : NULL, &l) < 0) {
		call_fail(c, "out of memory");
		return;
	}
	if (c->is_json)
		c->json = render_mtu_json(&l);
	else
		render_mtu(&l, &c->out);
	free(l.v);
}

/* ---- summary: auth knows the sessions of the time before this worker as well ---- */

static void summary_on_stats(struct call *c, const struct ipc_msg *m)
{
	struct render_summary s = {
	        .n_active = m->stats_info.n_active,
	        .n_inactive = m->stats_info.n_waiting,
	        .n_total = m->stats_info.n_sessions,
	        .n_peak = m->stats_info.n_peak,
	        .n_capacity = c->w->max_conns,
	};
	for (const struct session *x = c->w->sessions; x; x = x->next) {
		s.n_tls += x->conn != NULL;
		s.n_dtls += link_is_up(&x->link, LINK_DTLS);
	}
	if (c->is_json)
		c->json = render_summary_json(&s);
	else
		render_summary(&s, &c->out);
}

void show_summary(struct call *c)
{
	call_ask(c, &(struct ipc_msg){.type = IPC_STATS_QUERY}, summary_on_stats);
}

/* ---- configuration and counters ---- */

static json_t *lines_json(const struct text *t)
{
	json_t *a = json_array();
	struct span rest = span_of(t->p, t->n);
	while (rest.n > 0) {
		struct span one = span_cut(&rest, '\n');
		json_array_append_new(a, json_stringn((const char *)one.p, one.n));
	}
	return a;
}

void show_config(struct call *c)
{
	config_format(c->w->config, c->command->variant == SHOW_DETAIL ? CONFIG_ALL : 0, &c->out);
	if (!c->is_json)
		return;
	c->json = json_pack("{s:o}", "running_config", lines_json(&c->out));
	text_done(&c->out);
}

void show_drops(struct call *c)
{
	if (c->is_json)
		c->json = render_drops_json(c->w->drops);
	else
		render_drops(c->w->drops, &c->w->control->cleared, &c->out);
}

/* ---- pools: one question after the other ---- */

static const char *pool_name(const struct config *cfg, size_t i)
{
	if (i < cfg->n_pools4)
		return cfg->pools4[i].name;
	i -= cfg->n_pools4;
	return i < cfg->n_pools6 ? cfg->pools6[i].name : NULL;
}

static void pool_ask(struct call *c);

static void pool_on_info(struct call *c, const struct ipc_msg *m)
{
	const char *name = c->n_args ? c->args[0] : pool_name(c->w->config, c->step);
	if (name && m->pool_info.is_found) {
		if (c->is_json) {
			json_t *j = render_pool_json(name, &m->pool_info);
			if (c->n_args)
				c->json = j;
			else
				json_array_append_new(c->json, j);
		} else {
			if (!c->n_args)
				text_fmt(&c->out, "%sPool: %s\n", c->step ? "\n" : "", name);
			render_pool_head(&c->out);
			render_pool(&m->pool_info, &c->out);
		}
	} else if (c->n_args) {
		call_fail(c, "ERROR: there is no pool \"%s\"", c->args[0]);
	}
	c->step++;
	if (c->n_args == 0)
		pool_ask(c);
}

static void pool_ask(struct call *c)
{
	struct ipc_msg m = {.type = IPC_POOL_QUERY};
	const char *name = c->n_args ? c->args[0] : pool_name(c->w->config, c->step);
	if (!name)
		return; /* that was the last one */
	if (ipc_set_str(m.pool_query.name, sizeof(m.pool_query.name), span_str(name)) < 0)
		call_fail(c, "ERROR: there is no pool of that name");
	else
		call_ask(c, &m, pool_on_info);
}

void show_pool(struct call *c)
{
	if (c->is_json && c->n_args == 0)
		c->json = json_array();
	pool_ask(c);
}

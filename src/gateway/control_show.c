/* show ...: gathers the facts and hands them to the renderers. */
#include <time.h>

#include "gateway/control_int.h"
#include "io/aead.h"
#include "policy/config.h"

static struct render_now now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (struct render_now){.now_ms = loop_now(), .now_s = (uint64_t)t.tv_sec};
}

static uint32_t n_sessions(struct process *p)
{
	struct tunnel_count tunnels[N_TUNNEL_KINDS];
	process_tunnels(p, tunnels);
	return tunnels[TUNNEL_PARENT].n_active;
}

static void version_gathered(struct call *c)
{
	struct render_version v = {
	        .version = CULVERT_VERSION,
	        .hostname = c->w->config->hostname,
	        .crypto = aead_engine_name(),
	        .uptime_s = (loop_now() - c->w->process->started_at_ms) / 1000,
	        .n_sessions = n_sessions(c->w->process),
	        .n_threads = c->w->process->n_threads,
	        .n_handed_over = c->gathered.n_handed_over,
	};
	if (c->is_json)
		c->json = render_version_json(&v);
	else
		render_version(&v, &c->out);
}

void show_version(struct call *c)
{
	call_gather(c, gather_counts, NULL, version_gathered);
}

/* ---- sessions: those of this process, and those that wait since before it started ---- */

static bool read_choice(struct call *c, struct session_choice *ret)
{
	if (session_choice_parse(c->options, c->n_options, ret) == 0)
		return true;
	call_fail(c, "ERROR: the filter wants an address or a number");
	return false;
}

static void sessions_answer(struct call *c)
{
	struct session_choice choice;
	struct render_now t = now();
	if (!read_choice(c, &choice) || c->gathered.is_short ||
	        session_list_join(&c->list, &c->gathered.list) < 0 ||
	        session_list_add_live(&c->list, c->w, &choice) < 0) {
		call_fail(c, "ERROR: the filter is not usable, or memory is short");
		return;
	}
	session_list_sort(&c->list, &choice);
	if (c->is_json)
		c->json = render_sessions_json(&c->list, &t);
	else
		render_sessions(&c->list, &t, c->command->variant == SHOW_DETAIL, &c->out);
	session_list_done(&c->list);
}

static void sessions_ask(struct call *c, uint32_t after);

static void sessions_on_item(struct call *c, const struct ipc_msg *m)
{
	const struct ipc_session_item *item = &m->session_item;
	struct session_choice choice;
	struct render_now t = now();
	int r = 0;
	if (!read_choice(c, &choice))
		return;
	if (item->is_found && session_by_index(c->w, item->index) == NULL &&
	        !session_is_elsewhere(c->w, item->index))
		r = session_list_add_waiting(&c->list, c->w, &choice, item, &t);
	if (r == ERR_LIMIT)
		call_fail(c, "ERROR: more than %u sessions wait: use a filter", SESSION_LIST_WAITING_MAX);
	else if (r < 0)
		call_fail(c, "ERROR: memory is short");
	else if (item->is_found)
		sessions_ask(c, item->index);
	else
		sessions_answer(c);
}

static void sessions_ask(struct call *c, uint32_t after)
{
	struct ipc_msg m = {
	        .type = IPC_SESSION_QUERY, .session_query = {.after = after, .wants_waiting = true}};
	call_ask(c, &m, sessions_on_item);
}

static void sessions_gathered(struct call *c)
{
	if (c->w->is_auth_up)
		sessions_ask(c, 0);
	else
		sessions_answer(c);
}

void show_sessions(struct call *c)
{
	struct session_choice choice;
	if (read_choice(c, &choice))
		call_gather(c, gather_sessions, &choice, sessions_gathered);
}

static struct session_choice mtu_choice(const struct call *c)
{
	return (struct session_choice){
	        .filter = c->n_args ? SESSION_FILTER_NAME : 0, .text = c->n_args ? c->args[0] : NULL};
}

static void mtu_gathered(struct call *c)
{
	const struct session_choice choice = mtu_choice(c);
	if (c->gathered.is_short || session_list_join(&c->list, &c->gathered.list) < 0 ||
	        session_list_add_live(&c->list, c->w, &choice) < 0) {
		call_fail(c, "ERROR: memory is short");
		return;
	}
	session_list_sort(&c->list, &choice);
	if (c->is_json)
		c->json = render_mtu_json(&c->list);
	else
		render_mtu(&c->list, &c->out);
	session_list_done(&c->list);
}

void show_mtu(struct call *c)
{
	const struct session_choice choice = mtu_choice(c);
	call_gather(c, gather_sessions, &choice, mtu_gathered);
}

/* ---- summary: auth knows the sessions of the time before this worker as well ---- */

static void summary_on_stats(struct call *c, const struct ipc_msg *m)
{
	struct render_summary s = {
	        .n_active = m->stats_info.n_active,
	        .n_inactive = m->stats_info.n_waiting,
	        .n_total = m->stats_info.n_sessions,
	        .n_peak = m->stats_info.n_peak,
	        .n_capacity = c->w->process->max_conns,
	};
	process_tunnels(c->w->process, s.tunnels);
	s.tunnels[TUNNEL_PARENT] = (struct tunnel_count){
	        .n_active = m->stats_info.n_active + m->stats_info.n_waiting,
	        .n_peak = m->stats_info.n_peak,
	        .n_total = m->stats_info.n_sessions,
	};
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

static bool is_complete(struct call *c)
{
	if (c->gathered.is_short)
		call_fail(c, "ERROR: memory is short");
	return !c->gathered.is_short;
}

static void drops_gathered(struct call *c)
{
	if (!is_complete(c))
		return;
	if (c->is_json)
		c->json = render_drops_json(c->gathered.drops);
	else
		render_drops(c->gathered.drops, &c->w->process->control->cleared, &c->out);
}

void show_drops(struct call *c)
{
	call_gather(c, gather_counts, NULL, drops_gathered);
}

static void switches_gathered(struct call *c)
{
	if (!is_complete(c))
		return;
	if (c->is_json)
		c->json = render_switches_json(&c->gathered.switches);
	else
		render_switches(&c->gathered.switches, &c->out);
}

void show_switches(struct call *c)
{
	call_gather(c, gather_counts, NULL, switches_gathered);
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

/* show ...: gathers the facts and hands them to the renderers. */
#include "gateway/control_int.h"
#include "gateway/listing.h"
#include "io/aead.h"
#include "policy/config.h"

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
	        .n_handed_over = c->gathered.counts.n_handed_over,
	};
	if (c->is_json)
		c->json = render_version_json(&v);
	else
		render_version(&v, &c->out);
}

void show_version(struct call *c)
{
	call_gather(c, gather_counts, version_gathered);
}

/* ---- sessions ---- */

static void head_brief(struct text *out)
{
	render_sessions_head(false, out);
}

static void head_detail(struct text *out)
{
	render_sessions_head(true, out);
}

void show_sessions(struct call *c)
{
	static const struct list_form brief = {head_brief, render_session_brief, render_session_json};
	static const struct list_form detail = {head_detail, render_session_detail, render_session_json};
	struct session_choice choice;
	if (session_choice_parse(c->options, c->n_options, &choice) < 0)
		call_fail(c, "ERROR: the filter wants an address or a number");
	else
		control_list_begin(c, c->command->variant == SHOW_DETAIL ? &detail : &brief, &choice);
}

void show_mtu(struct call *c)
{
	static const struct list_form form = {NULL, render_mtu, render_mtu_json};
	const struct session_choice choice = {
	        .filter = c->n_args ? SESSION_FILTER_NAME : 0, .text = c->n_args ? c->args[0] : NULL};
	control_list_begin(c, &form, &choice);
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

/* Each of the words may be shortened. */
static bool line_begins(struct span line, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct span have = span_cut(&line, ' ');
		size_t len = strlen(words[i]);
		if (have.n < len || strncasecmp((const char *)have.p, words[i], len) != 0)
			return false;
	}
	return true;
}

/* Lines of the outermost mode that begin with these words, each with what stands below it. */
static void sections_keep(struct span all, const char *const *words, size_t n, struct text *out)
{
	bool is_kept = false;
	while (all.n > 0) {
		struct span line = span_cut(&all, '\n');
		if (line.n > 0 && line.p[0] != ' ')
			is_kept = line_begins(line, words, n);
		if (is_kept) {
			text_put(out, line);
			text_str(out, "\n");
		}
	}
}

void show_config(struct call *c)
{
	struct text all = {0};
	config_format(c->w->config, c->command->variant == SHOW_DETAIL ? CONFIG_ALL : 0, &all);
	sections_keep(span_of(all.p, all.n), c->args, c->n_args, &c->out);
	text_done(&all);
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
		c->json = render_drops_json(c->gathered.counts.drops);
	else
		render_drops(c->gathered.counts.drops, &c->w->process->control->cleared, &c->out);
}

void show_drops(struct call *c)
{
	call_gather(c, gather_counts, drops_gathered);
}

static void switches_gathered(struct call *c)
{
	if (!is_complete(c))
		return;
	if (c->is_json)
		c->json = render_switches_json(&c->gathered.counts.switches);
	else
		render_switches(&c->gathered.counts.switches, &c->out);
}

void show_switches(struct call *c)
{
	call_gather(c, gather_counts, switches_gathered);
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
			render_pool(&m->pool_info, c->n_args > 0, &c->out);
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

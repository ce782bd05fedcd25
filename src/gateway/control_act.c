/* Commands that change something. */
#include <stdio.h>
#include <time.h>

#include "base/parse.h"
#include "gateway/control_int.h"

static void drops_cleared(struct call *c)
{
	if (c->is_json)
		c->json = json_object();
}

void act_clear_drops(struct call *c)
{
	struct render_clearing *x = &c->w->process->control->cleared;
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	x->at_s = (uint64_t)t.tv_sec;
	snprintf(x->by, sizeof(x->by), "uid %u", c->uid);
	call_gather(c, gather_clear_drops, drops_cleared);
}

/* ---- logoff ---- */

static void logoff_on_result(struct call *c, const struct ipc_msg *m)
{
	static const char *const kinds[] = {
	        [IPC_LOGOFF_NAME] = "name",
	        [IPC_LOGOFF_INDEX] = "index",
	        [IPC_LOGOFF_TUNNEL_GROUP] = "tunnel-group",
	        [IPC_LOGOFF_ADDRESS] = "IP address",
	};
	uint32_t n = m->logoff_result.n_sessions;
	uint8_t kind = c->command->variant;
	bool has_value = kind < N_ELEM(kinds) && kinds[kind];
	c->status = n == 0 && has_value; /* whom the operator meant is not here */
	if (c->is_json) {
		c->json = json_pack("{s:I}", "sessions_logged_off", (json_int_t)n);
	} else if (kind == LOGOFF_ANYCONNECT) {
		text_fmt(&c->out, "INFO: Number of sessions of type \"anyconnect\" logged off : %u\n", n);
	} else if (!has_value) {
		text_fmt(&c->out, "INFO: Number of sessions logged off : %u\n", n);
	} else {
		text_fmt(&c->out, "INFO: Number of sessions with %s \"", kinds[kind]);
		text_escaped(&c->out, span_str(c->args[0]), CONTROL_WORD_MAX);
		text_fmt(&c->out, "\" logged off : %u\n", n);
	}
}

void act_logoff(struct call *c)
{
	uint8_t kind = c->command->variant;
	struct ipc_msg m = {
	        .type = IPC_LOGOFF, .logoff.kind = kind == LOGOFF_ANYCONNECT ? IPC_LOGOFF_ALL : kind};
	const char *value = c->n_args ? c->args[0] : "";
	struct ip_addr addr;
	uint32_t index;
	if (kind == IPC_LOGOFF_ADDRESS && addr_parse(span_str(value), &addr) < 0)
		call_fail(c, "ERROR: this is not an IP address");
	else if (m.logoff.kind == IPC_LOGOFF_INDEX && parse_u32(span_str(value), 1, UINT32_MAX, &index) < 0)
		call_fail(c, "ERROR: the index of a session is a number");
	else if (ipc_set_str(m.logoff.value, sizeof(m.logoff.value), span_str(value)) < 0)
		call_fail(c, "ERROR: the name is too long");
	else
		call_ask(c, &m, logoff_on_result);
}

/* ---- reload ---- */

/* Every thread has the new configuration. */
static void reload_done(struct call *c)
{
	(void)c;
}

static void reload_on_result(struct call *c, const struct ipc_msg *m)
{
	c->status = !m->reload_result.is_ok;
	if (c->is_json) {
		c->json = json_pack("{s:b, s:o}", "ok", m->reload_result.is_ok, "text",
		        render_json_text(m->reload_result.text));
		call_gather(c, NULL, reload_done);
		return;
	}
	text_str(&c->out, m->reload_result.text);
	if (c->out.n > 0 && c->out.p[c->out.n - 1] != '\n')
		text_str(&c->out, "\n");
	text_str(&c->out, m->reload_result.is_ok ? "Configuration reloaded.\n"
	                                         : "ERROR: the former configuration stays in use.\n");
	call_gather(c, NULL, reload_done);
}

void act_reload(struct call *c)
{
	call_ask(c, &(struct ipc_msg){.type = IPC_RELOAD_REQUEST}, reload_on_result);
}

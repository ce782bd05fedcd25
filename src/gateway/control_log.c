/* show logging, clear logging buffer: the monitor has the messages, and is asked for one after the other. */
#include "gateway/control_int.h"

static void on_item(struct call *c, const struct ipc_msg *m);

static void ask_item(struct call *c, uint64_t after)
{
	struct ipc_msg m = {.type = IPC_LOG_ITEM_QUERY, .log_item_query = {.after = after}};
	call_ask(c, &m, on_item);
}

static void on_item(struct call *c, const struct ipc_msg *m)
{
	const struct ipc_log_item *i = &m->log_item;
	if (!i->is_found || i->number > c->step)
		return;
	if (c->is_json)
		json_array_append_new(json_object_get(c->json, "messages"), render_log_item_json(i));
	else
		render_log_item(i, c->w->config->logging.has_timestamp, &c->out);
	if (i->number < c->step)
		ask_item(c, i->number);
}

static void on_foot(struct call *c, const struct ipc_msg *m)
{
	if (!c->is_json)
		render_log_foot(c->w->config, &m->log_info, &c->out);
	c->step = m->log_info.newest; /* what comes while we ask is not for this answer: it might never end */
	if (c->step > 0)
		ask_item(c, 0);
}

static void on_host(struct call *c, const struct ipc_msg *m);

static void ask_host(struct call *c)
{
	struct ipc_msg m = {.type = IPC_LOG_HOST_QUERY, .log_host_query = {.index = (uint16_t)c->step++}};
	call_ask(c, &m, on_host);
}

static void on_host(struct call *c, const struct ipc_msg *m)
{
	const struct ipc_log_host_info *h = &m->log_host_info;
	if (!h->is_found) {
		call_ask(c, &(struct ipc_msg){.type = IPC_LOG_QUERY}, on_foot);
		return;
	}
	if (c->is_json)
		json_array_append_new(
		        json_object_get(json_object_get(c->json, "trap"), "hosts"), render_log_host_json(h));
	else
		render_log_host(h, &c->out);
	ask_host(c);
}

static void on_head(struct call *c, const struct ipc_msg *m)
{
	if (c->is_json)
		c->json = render_log_json(c->w->config, &m->log_info);
	else
		render_log_head(c->w->config, &m->log_info, &c->out);
	ask_host(c);
}

void show_logging(struct call *c)
{
	call_ask(c, &(struct ipc_msg){.type = IPC_LOG_QUERY}, on_head);
}

static void on_cleared(struct call *c, const struct ipc_msg *m)
{
	(void)m;
	if (c->is_json)
		c->json = json_object();
}

void act_clear_log(struct call *c)
{
	call_ask(c, &(struct ipc_msg){.type = IPC_LOG_CLEAR}, on_cleared);
}

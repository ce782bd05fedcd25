/* show logging, in the ASA's layout. */
#include "gateway/log_frame.h"
#include "gateway/render.h"

static const char *const levels[] = {"emergencies", "alerts", "critical", "errors", "warnings",
        "notifications", "informational", "debugging"};

static const char *on_off(bool is_on)
{
	return is_on ? "enabled" : "disabled";
}

/* NULL: off. */
static const char *level_name(const struct logging_settings *l, uint32_t level)
{
	return l->is_enabled && level < N_ELEM(levels) ? levels[level] : NULL;
}

static void put_destination(
        struct text *out, const char *name, const char *level, const char *also, uint64_t n)
{
	if (level)
		text_fmt(out, "    %s logging: level %s,%s %llu messages logged\n", name, level, also,
		        (unsigned long long)n);
	else
		text_fmt(out, "    %s logging: disabled\n", name);
}

void render_log_head(const struct config *c, const struct ipc_log_info *i, struct text *out)
{
	const struct logging_settings *l = &c->logging;
	char facility[32];
	snprintf(facility, sizeof(facility), " facility %u,", l->facility);
	text_fmt(out, "Syslog logging: %s\n    Facility: %u\n    Timestamp logging: %s\n",
	        on_off(l->is_enabled), l->facility, on_off(l->has_timestamp));
	text_fmt(out, "    Hide Username logging: %s\n", on_off(!l->shows_usernames));
	text_str(out, "    Deny Conn when Queue Full: disabled\n    Console logging: disabled\n"
	              "    Monitor logging: disabled\n");
	put_destination(out, "Buffer", level_name(l, l->buffered_level), "", i->n_buffered);
	put_destination(
	        out, "Trap", l->n_hosts ? level_name(l, l->trap_level) : NULL, facility, i->n_trapped);
}

void render_log_host(const struct ipc_log_host_info *h, struct text *out)
{
	char addr[ADDR_TEXT_MAX];
	text_fmt(out, "        Logging to %s %s %s/%u", h->interface, addr_format(&h->addr, addr),
	        h->is_tcp ? "tcp" : "udp", h->port);
	if (h->is_tcp)
		text_fmt(out, " %s", h->is_up ? "Connected" : "Not connected");
	text_fmt(out, " errors: %llu dropped: %llu TX:%llu", (unsigned long long)h->n_errors,
	        (unsigned long long)h->n_dropped, (unsigned long long)h->n_sent);
	if (h->is_tcp)
		text_fmt(out, " waiting: %u", h->n_waiting);
	text_str(out, "\n");
}

static const char *device_id(const struct config *c)
{
	return c->logging.is_device_hostname ? c->hostname : c->logging.device_id;
}

void render_log_foot(const struct config *c, const struct ipc_log_info *i, struct text *out)
{
	const struct logging_settings *l = &c->logging;
	text_fmt(out, "    Permit-hostdown logging: %s\n    History logging: disabled\n",
	        on_off(l->permits_host_down));
	if (device_id(c)[0] == '\0')
		text_str(out, "    Device ID: disabled\n");
	else
		text_fmt(out, "    Device ID: %s \"%s\"\n", l->is_device_hostname ? "hostname" : "string",
		        device_id(c));
	text_str(out, "    Mail logging: disabled\n    ASDM logging: disabled\n");
	if (i->n_lost)
		text_fmt(out, "    Messages lost between processes: %llu\n", (unsigned long long)i->n_lost);
}

static struct log_item item_of(const struct ipc_log_item *i)
{
	return (struct log_item){
	        .at_s = i->at_s, .id = i->id, .severity = i->severity, .is_asa = i->is_asa, .text = i->text};
}

void render_log_item(const struct ipc_log_item *i, bool has_timestamp, struct text *out)
{
	char line[LOG_FRAME_MAX + 1];
	const struct log_item item = item_of(i);
	text_put(out, span_of(line, log_frame_line(&item, has_timestamp, line, sizeof(line))));
	text_str(out, "\n");
}

static json_t *level_json(const char *name)
{
	return name ? json_string(name) : json_null();
}

json_t *render_log_json(const struct config *c, const struct ipc_log_info *i)
{
	const struct logging_settings *l = &c->logging;
	return json_pack("{s:b, s:i, s:b, s:b, s:o, s:{s:o, s:I, s:I}, s:{s:o, s:I, s:[]}, s:I, s:[]}",
	        "enabled", (int)l->is_enabled, "facility", (int)l->facility, "timestamp",
	        (int)l->has_timestamp, "hide_username", (int)!l->shows_usernames, "device_id",
	        render_json_text(device_id(c)), "buffered", "level",
	        level_json(level_name(l, l->buffered_level)), "messages_logged", (json_int_t)i->n_buffered,
	        "size_bytes", (json_int_t)l->buffer_bytes, "trap", "level",
	        level_json(level_name(l, l->trap_level)), "messages_logged", (json_int_t)i->n_trapped,
	        "hosts", "lost", (json_int_t)i->n_lost, "messages");
}

json_t *render_log_host_json(const struct ipc_log_host_info *h)
{
	char addr[ADDR_TEXT_MAX];
	return json_pack("{s:o, s:s, s:s, s:i, s:o, s:I, s:I, s:I, s:I}", "interface",
	        render_json_text(h->interface), "address", addr_format(&h->addr, addr), "protocol",
	        h->is_tcp ? "tcp" : "udp", "port", (int)h->port, "connected",
	        h->is_tcp ? json_boolean(h->is_up) : json_null(), "sent", (json_int_t)h->n_sent, "errors",
	        (json_int_t)h->n_errors, "dropped", (json_int_t)h->n_dropped, "waiting",
	        (json_int_t)h->n_waiting);
}

json_t *render_log_item_json(const struct ipc_log_item *i)
{
	char id[32];
	snprintf(id, sizeof(id), "%%%s-%u-%06u", i->is_asa ? "ASA" : "CULVERT", i->severity,
	        i->id ? i->id : LOG_ID_GENERAL);
	return json_pack("{s:I, s:I, s:i, s:s, s:o}", "number", (json_int_t)i->number, "t",
	        (json_int_t)i->at_s, "severity", (int)i->severity, "id", id, "text",
	        render_json_text(i->text));
}

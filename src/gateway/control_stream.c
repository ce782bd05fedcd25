/* debug: a console that stays and is told each line as it happens. What it does not read in time is left out
 * and counted; nobody waits for it. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/parse.h"
#include "gateway/control_int.h"
#include "gateway/debug.h"

/* The most that anybody wants to know, so that others need not ask. */
static void update_level(struct control *ctl)
{
	unsigned level = 0;
	for (size_t i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		const struct control_client *k = ctl->clients[i];
		if (k && k->call.stream_level > level)
			level = k->call.stream_level;
	}
	atomic_store(&ctl->w->process->debug_level, level);
}

static size_t n_streams(const struct control *ctl)
{
	size_t n = 0;
	for (size_t i = 0; i < CONTROL_MAX_CLIENTS; i++)
		n += ctl->clients[i] && ctl->clients[i]->call.stream_level > 0;
	return n;
}

/* ---- lines ---- */

static void put_line(struct call *c, const char *text)
{
	if (!c->is_json) {
		text_fmt(&c->out, "%s\n", text);
		return;
	}
	struct timespec now;
	struct tm tm;
	char t[32] = "";
	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &tm))
		strftime(t, sizeof(t), "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_t *j = json_pack("{s:s, s:o}", "t", t, "text", render_json_text(text));
	char *line = j ? json_dumps(j, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	if (line)
		text_fmt(&c->out, "%s\n", line);
	else
		c->n_lost++;
	free(line);
	json_decref(j);
}

/* A console that has fallen behind is told so before the next line that it gets. */
static void take_line(struct control_client *k, const char *text)
{
	struct call *c = &k->call;
	char lost[64];
	if (c->out.n + strlen(text) > CONTROL_STREAM_BYTES) {
		c->n_lost++;
		return;
	}
	if (c->n_lost > 0) {
		snprintf(lost, sizeof(lost), "(%llu lines lost: the console reads too slowly)",
		        (unsigned long long)c->n_lost);
		c->n_lost = 0;
		put_line(c, lost);
	}
	put_line(c, text);
	control_stream_wake(k);
}

void control_debug_line(struct control *ctl, unsigned level, const char *text)
{
	for (size_t i = 0; ctl && i < CONTROL_MAX_CLIENTS; i++) {
		struct control_client *k = ctl->clients[i];
		if (k && k->call.stream_level >= level)
			take_line(k, text);
	}
}

void control_debug_lost(struct control *ctl, uint32_t n)
{
	for (size_t i = 0; ctl && i < CONTROL_MAX_CLIENTS; i++) {
		struct control_client *k = ctl->clients[i];
		if (k && k->call.stream_level > 0)
			k->call.n_lost += n;
	}
}

/* ---- commands ---- */

void debug_on(struct call *c)
{
	uint32_t level = DEBUG_DIALOGUE;
	if (c->n_args && parse_u32(span_str(c->args[0]), 1, DEBUG_LEVEL_MAX, &level) < 0) {
		call_fail(c, "ERROR: the level is a number from 1 to %u", DEBUG_LEVEL_MAX);
		return;
	}
	if (n_streams(c->w->process->control) >= CONTROL_MAX_STREAMS) {
		call_fail(c, "ERROR: %u consoles are debugging already", CONTROL_MAX_STREAMS);
		return;
	}
	c->stream_level = (uint8_t)level;
	if (!c->is_json)
		text_fmt(&c->out, "INFO: debug webvpn anyconnect enabled at level %u.\n", level);
}

void control_stream_opened(struct control_client *k)
{
	update_level(k->control);
}

void control_stream_closed(struct control_client *k)
{
	k->call.stream_level = 0;
	update_level(k->control);
}

/* Every console's, on whichever it was asked for. */
void debug_off(struct call *c)
{
	struct control *ctl = c->w->process->control;
	unsigned n = 0;
	for (size_t i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct control_client *k = ctl->clients[i];
		if (k && k->call.stream_level > 0) {
			control_stream_end(k);
			n++;
		}
	}
	if (c->is_json)
		c->json = json_pack("{s:i}", "ended", (int)n);
	else
		text_str(&c->out, "All possible debugging has been turned off\n");
}

void show_debug(struct call *c)
{
	const struct control *ctl = c->w->process->control;
	if (c->is_json)
		c->json = json_array();
	for (size_t i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		const struct control_client *k = ctl->clients[i];
		if (!k || k->call.stream_level == 0)
			continue;
		if (c->is_json)
			json_array_append_new(
			        c->json, json_pack("{s:s, s:i, s:I, s:I}", "debug", "webvpn anyconnect",
			                         "level", (int)k->call.stream_level, "uid",
			                         (json_int_t)k->uid, "lost", (json_int_t)k->call.n_lost));
		else
			text_fmt(&c->out, "debug webvpn anyconnect enabled at level %u (uid %u)\n",
			        k->call.stream_level, k->uid);
	}
}

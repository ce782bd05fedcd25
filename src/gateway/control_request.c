/* A request: one JSON object, strictly read, to a command that is run. Form: docs/control-protocol.md. */
#include <stdarg.h>
#include <stdio.h>

#include "gateway/control_int.h"
#include "io/log.h"

struct words {
	const char *v[COMMAND_MAX_WORDS];
	size_t n;
};

void call_fail(struct call *c, const char *fmt, ...)
{
	char text[4096];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->ref = 0; /* answers still to come find nobody, who might need what goes here */
	control_list_done(c);
	text_done(&c->out);
	json_decref(c->json);
	c->json = NULL;
	c->status = 1;
	if (c->is_begun) {
		text_str(&c->cut, text);
		return;
	}
	if (c->is_json)
		c->json = json_pack("{s:o}", "error", render_json_text(text));
	else
		text_fmt(&c->out, "%s%s", text, text[0] && text[strlen(text) - 1] == '\n' ? "" : "\n");
}

/* ---- reading ---- */

static bool read_words(const json_t *a, struct words *ret)
{
	if (!json_is_array(a) || json_array_size(a) > COMMAND_MAX_WORDS)
		return false;
	for (ret->n = 0; ret->n < json_array_size(a); ret->n++) {
		const json_t *word = json_array_get(a, ret->n);
		if (!json_is_string(word) || json_string_length(word) == 0 ||
		        json_string_length(word) > CONTROL_WORD_MAX)
			return false;
		ret->v[ret->n] = json_string_value(word);
	}
	return ret->n > 0;
}

/* Exactly the two keys that we know; "json" may be left out. */
static bool read_request(struct span packet, struct call *c, struct words *ret)
{
	json_t *argv;
	int is_json = 0;
	if (packet.n > CONTROL_REQUEST_MAX)
		return false;
	c->request = json_loadb((const char *)packet.p, packet.n, JSON_REJECT_DUPLICATES, NULL);
	if (!c->request || json_unpack(c->request, "{s:o, s?b !}", "argv", &argv, "json", &is_json) < 0)
		return false;
	c->is_json = is_json;
	return read_words(argv, ret);
}

/* ---- "?" ---- */

static void next_json(void *ctx, struct span word, const char *help)
{
	json_array_append_new(ctx, json_pack("{s:s%, s:s}", "word", word.p, word.n, "help", help));
}

static void explain(struct call *c, struct words *w, const char *prefix)
{
	struct command_match m = command_find(&control_commands, w->v, w->n);
	if (m.verdict == COMMAND_UNKNOWN || m.verdict == COMMAND_AMBIGUOUS) {
		struct text t = {0};
		command_complain(&m, w->v, &t);
		call_fail(c, "%s", text_cstr(&t));
		text_done(&t);
	} else if (c->is_json) {
		c->json = json_array();
		command_next(&m, prefix, next_json, c->json);
	} else {
		command_list(&m, prefix, &c->out);
	}
}

/* ---- running ---- */

static void audit(const struct call *c, const struct words *w, unsigned severity, unsigned id)
{
	struct text t = {0};
	for (size_t i = 0; i < w->n; i++) {
		text_str(&t, i ? " " : "");
		text_escaped(&t, span_str(w->v[i]), CONTROL_WORD_MAX);
	}
	log_msg(severity, "ASA", id, "User 'uid %u' executed the '%s' command.", c->uid, text_cstr(&t));
	text_done(&t);
}

static void run(struct call *c, const struct words *w)
{
	struct command_match m = command_find(&control_commands, w->v, w->n);
	if (m.verdict != COMMAND_FOUND) {
		struct text t = {0};
		command_complain(&m, w->v, &t);
		call_fail(c, "%s", text_cstr(&t));
		text_done(&t);
		return;
	}
	c->command = m.command;
	c->n_args = m.n_args;
	memcpy(c->args, m.args, sizeof(c->args));
	c->n_options = m.n_options;
	memcpy(c->options, m.options, sizeof(c->options));
	if (m.command->is_change)
		audit(c, w, 5, 111008);
	else if (log_wants_msg(7, 111009))
		audit(c, w, 7, 111009);
	m.command->run(c);
}

void control_request(struct control_client *k, struct span packet)
{
	struct call *c = &k->call;
	struct words w;
	*c = (struct call){.w = k->control->w, .uid = k->uid};
	if (!read_request(packet, c, &w)) {
		call_fail(c, "ERROR: malformed request");
		return;
	}
	char prefix[CONTROL_WORD_MAX + 1];
	size_t n = strlen(w.v[w.n - 1]);
	if (w.v[w.n - 1][n - 1] != '?') {
		run(c, &w);
		return;
	}
	snprintf(prefix, sizeof(prefix), "%.*s", (int)(n - 1), w.v[w.n - 1]);
	w.n--;
	explain(c, &w, prefix);
}

/* `logging ...`: levels, hosts, and settings of single messages. */
#include <errno.h>

#include "base/parse.h"
#include "policy/apply.h"
#include "policy/args.h"

#define SYSLOG_UDP_PORT 514
#define SYSLOG_TCP_PORT 1470 /* the ASA's, cisco-facts.md 5.2 */

/* The last word is the level, by name or number. */
static uint32_t level_of(const struct stmt *s)
{
	uint32_t v;
	const struct stmt_word *w = &s->w[s->n - 1];
	if (stmt_is_arg(s, s->n - 1) && parse_u32(span_str(w->text), 0, 7, &v) == 0)
		return v;
	return syntax_choice(s->row->syntax, w->elem);
}

int apply_log_buffered(struct builder *b, const struct stmt *s, void *obj)
{
	struct config *c = obj;
	(void)b;
	c->logging.buffered_level = level_of(s);
	return 0;
}

int apply_log_trap(struct builder *b, const struct stmt *s, void *obj)
{
	struct config *c = obj;
	(void)b;
	c->logging.trap_level = level_of(s);
	return 0;
}

int apply_log_device_id(struct builder *b, const struct stmt *s, void *obj)
{
	struct config *c = obj;
	const char *word = stmt_arg(s, "WORD");
	(void)b;
	c->logging.device_id = word ? word : "";
	c->logging.is_device_hostname = word == NULL;
	return 0;
}

int apply_log_host(struct builder *b, const struct stmt *s, void *obj)
{
	struct logging_settings *l = &((struct config *)obj)->logging;
	struct log_host host = {.interface = stmt_arg(s, "IF"), .port = SYSLOG_UDP_PORT};
	const char *service = stmt_arg(s, "SERVICE");
	void *v;
	if (addr_parse(span_str(stmt_arg(s, "ADDR")), &host.addr) < 0)
		return apply_error(b, s, 3, "not an address");
	if (service && arg_parse_service(span_str(service), &host.is_tcp, &host.port) < 0)
		return apply_error(b, s, s->n - 1, "not udp/PORT or tcp/PORT");
	if (l->n_hosts == POLICY_MAX_LOG_HOSTS)
		return apply_error(b, s, 0, "more than %d log hosts", POLICY_MAX_LOG_HOSTS);
	struct log_host *h = apply_append(b, b->log_hosts, l->n_hosts, sizeof(*h), &v);
	if (h == NULL)
		return -ENOMEM;
	*h = host;
	l->hosts = b->log_hosts = v;
	l->n_hosts++;
	return 0;
}

/* The rule of the message that the statement names, made in its place when there is none. */
static int rule_of(struct builder *b, const struct stmt *s, struct config *c, struct log_message_rule **ret)
{
	struct logging_settings *l = &c->logging;
	uint32_t id = 0;
	size_t at = 0;
	void *v;
	if (parse_u32(span_str(stmt_arg(s, "N")), s->row->min, s->row->max, &id) < 0)
		return apply_error(b, s, s->n - 1, "not a message");
	while (at < l->n_rules && b->log_rules[at].id < id)
		at++;
	if (at < l->n_rules && b->log_rules[at].id == id) {
		*ret = &b->log_rules[at];
		return 0;
	}
	if (l->n_rules == POLICY_MAX_LOG_RULES)
		return apply_error(b, s, 0, "settings of more than %d messages", POLICY_MAX_LOG_RULES);
	if (apply_append(b, b->log_rules, l->n_rules, sizeof(**ret), &v) == NULL)
		return -ENOMEM;
	l->rules = b->log_rules = v;
	memmove(&b->log_rules[at + 1], &b->log_rules[at], (l->n_rules++ - at) * sizeof(**ret));
	b->log_rules[at] = (struct log_message_rule){.id = id, .level = POLICY_LOG_LEVEL_OFF};
	*ret = &b->log_rules[at];
	return 0;
}

int apply_log_off(struct builder *b, const struct stmt *s, void *obj)
{
	struct log_message_rule *rule;
	int r = rule_of(b, s, obj, &rule);
	if (r == 0)
		rule->is_off = true;
	return r;
}

int apply_log_level(struct builder *b, const struct stmt *s, void *obj)
{
	struct log_message_rule *rule;
	int r = rule_of(b, s, obj, &rule);
	if (r == 0)
		rule->level = level_of(s);
	return r;
}

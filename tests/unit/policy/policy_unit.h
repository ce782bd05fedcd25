/* Helpers of the policy tests: parse a text, keep its messages. */
#ifndef POLICY_UNIT_H
#define POLICY_UNIT_H

#include "../unit.h"

#include "policy/config.h"

static inline void keep_message(void *arg, const struct diag *d)
{
	diag_format(d, arg);
	text_str(arg, "\n");
}

/* What config_parse() returned; *said holds the messages (to be freed), *ret the configuration when it is 0.
 */
static inline int read_conf(const char *text, struct text *said, struct config **ret)
{
	*said = (struct text){0};
	return config_parse(span_str(text), "t", (struct diag_sink){keep_message, said}, ret);
}

/* A configuration that must be right. */
static inline struct config *good(const char *text)
{
	struct text said;
	struct config *c = NULL;
	if (read_conf(text, &said, &c) != 0)
		fail_msg("%s", text_cstr(&said));
	text_done(&said);
	return c;
}

/* All messages of the text must be exactly these. */
static inline void check_said(const char *conf, const char *want)
{
	struct text said;
	struct config *c = NULL;
	int r = read_conf(conf, &said, &c);
	if (r == 0)
		config_put(c);
	assert_string_equal(text_cstr(&said), want);
	text_done(&said);
}

static inline void check_printed(const char *conf, unsigned flags, const char *want)
{
	struct config *c = good(conf);
	struct text out = {0};
	config_format(c, flags, &out);
	assert_string_equal(text_cstr(&out), want);
	text_done(&out);
	config_put(c);
}

static inline struct group_policy_values resolved(const struct config *c, const char *group, const char *user)
{
	struct group_policy_values v;
	assert_int_equal(config_resolve_policy(c, config_find_tunnel_group(c, span_str(group)),
	                         config_find_user(c, span_str(user)), (struct span){0}, NULL, &v),
	        0);
	return v;
}

#endif

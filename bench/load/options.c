#include "base/option_table.h"
#include "load/load.h"

static bool gateway_take(void *at, const char *value, struct text *why)
{
	if (addr_parse(span_str(value), at) == 0)
		return true;
	text_str(why, "--gateway wants an address");
	return false;
}

static bool sources_take(void *at, const char *value, struct text *why)
{
	struct load_options *o = at;
	struct span list = span_str(value);
	while (list.n > 0) {
		struct span one = span_cut(&list, ',');
		if (o->n_sources == LOAD_SOURCES_MAX || addr_parse(one, &o->sources[o->n_sources]) < 0) {
			text_fmt(
			        why, "--from wants up to %d addresses with commas between", LOAD_SOURCES_MAX);
			return false;
		}
		o->n_sources++;
	}
	return true;
}

#define TEXT(member)                    OPTION_TEXT(struct load_options, member)
#define NUMBER(member, unit, low, high) OPTION_NUMBER(struct load_options, member, unit, low, high)

static const struct option_row rows[] = {
        {"gateway", 0, "ADDRESS", "whom to load", OPTION_TAKE(struct load_options, gateway, gateway_take)},
        {"pin", 0, "PIN", "of its key", TEXT(pin)},
        {"port", 0, "N", "443", NUMBER(port, NULL, 1, UINT16_MAX)},
        {"user", 0, "NAME", "tester", TEXT(user)},
        {"users", 0, "N", "members take turns as NAME0 ... NAME(N-1)",
                NUMBER(n_users, "users", 1, LOAD_MEMBERS_MAX)},
        {"password", 0, "TEXT", "secret", TEXT(password)},
        {"sessions", 0, "N", "how many in all (1)", NUMBER(n_members, "sessions", 1, LOAD_MEMBERS_MAX)},
        {"parallel", 0, "N", "how many of them log in at the same time (1)",
                NUMBER(n_parallel, "sessions", 1, LOAD_MEMBERS_MAX)},
        {"dtls", 0, "N", "the first N of them bring up DTLS as well (0)",
                NUMBER(n_dtls, "sessions", 0, LOAD_MEMBERS_MAX)},
        {"from", 0, "A[,A...]", "source addresses, taken in turn", OPTION_TAKE_ALL(sources_take)},
        {"timeout", 0, "S", "for one login (60)", NUMBER(timeout_s, "seconds", 1, 3600)},
        {"once", 0, NULL, "end each session as soon as it is up",
                OPTION_SWITCH(struct load_options, is_once)},
        {"help", 'h', NULL, "this text", OPTION_HELP},
};

static const struct option_table table = {
        .program = "loadgen",
        .usage = "--gateway ADDRESS --pin PIN [options]",
        .about = "Many sessions of the real protocol in one process.",
        .end = "One line of JSON when all are up or have failed, one at the end. Without --once it stays "
               "until "
               "SIGTERM.",
        .rows = rows,
        .n_rows = N_ELEM(rows),
};

enum options_verdict load_options_parse(int argc, char **argv, struct load_options *ret, struct text *say)
{
	struct option_words words;
	struct load_options o = {.port = 443,
	        .user = "tester",
	        .password = "secret",
	        .n_members = 1,
	        .n_parallel = 1,
	        .timeout_s = 60};
	enum options_verdict v = option_table_parse(&table, argc, argv, &o, &words, say);
	if (v != OPTIONS_OK)
		return v;
	if (!addr_is_set(&o.gateway) || o.pin == NULL)
		return option_table_refuse(&table, say, "--gateway and --pin must be given");
	if (strlen(o.user) >= LOAD_USER_BYTES - 10) /* a number may follow */
		return option_table_refuse(&table, say, "--user is too long");
	*ret = o;
	return OPTIONS_OK;
}

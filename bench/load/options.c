#include <errno.h>
#include <getopt.h>
#include <stdio.h>

#include "base/parse.h"
#include "load/load.h"

static const char usage[] = "usage: loadgen --gateway ADDRESS --pin PIN [option...]\n"
                            "  --port N          443\n"
                            "  --user NAME       tester\n"
                            "  --users N         members take turns as NAME0 ... NAME(N-1)\n"
                            "  --password TEXT   secret\n"
                            "  --sessions N      how many in all (1)\n"
                            "  --parallel N      how many of them log in at the same time (1)\n"
                            "  --dtls N          the first N of them bring up DTLS as well (0)\n"
                            "  --from A[,A...]   source addresses, taken in turn\n"
                            "  --timeout S       for one login (60)\n"
                            "  --once            end each session as soon as it is up\n"
                            "One line of JSON when all are up or have failed, one at the end. Without --once "
                            "it stays until SIGTERM.\n";

enum {
	OPT_GATEWAY = 256,
	OPT_PIN,
	OPT_PORT,
	OPT_USER,
	OPT_USERS,
	OPT_PASSWORD,
	OPT_SESSIONS,
	OPT_PARALLEL,
	OPT_DTLS,
	OPT_FROM,
	OPT_TIMEOUT,
	OPT_ONCE,
	OPT_HELP
};

static const struct option table[] = {
        {"gateway", required_argument, NULL, OPT_GATEWAY},
        {"pin", required_argument, NULL, OPT_PIN},
        {"port", required_argument, NULL, OPT_PORT},
        {"user", required_argument, NULL, OPT_USER},
        {"users", required_argument, NULL, OPT_USERS},
        {"password", required_argument, NULL, OPT_PASSWORD},
        {"sessions", required_argument, NULL, OPT_SESSIONS},
        {"parallel", required_argument, NULL, OPT_PARALLEL},
        {"dtls", required_argument, NULL, OPT_DTLS},
        {"from", required_argument, NULL, OPT_FROM},
        {"timeout", required_argument, NULL, OPT_TIMEOUT},
        {"once", no_argument, NULL, OPT_ONCE},
        {"help", no_argument, NULL, OPT_HELP},
        {0},
};

static int sources_parse(struct load_options *o, struct span list)
{
	while (list.n > 0) {
		struct span one = span_cut(&list, ',');
		if (o->n_sources == LOAD_SOURCES_MAX || addr_parse(one, &o->sources[o->n_sources]) < 0)
			return -EINVAL;
		o->n_sources++;
	}
	return 0;
}

static int port_parse(struct load_options *o, struct span v)
{
	uint32_t n;
	int err = parse_u32(v, 1, UINT16_MAX, &n);
	if (err == 0)
		o->port = (uint16_t)n;
	return err;
}

static int one_parse(struct load_options *o, int which, const char *arg)
{
	struct span v = span_str(arg);
	switch (which) {
	case OPT_GATEWAY:
		return addr_parse(v, &o->gateway);
	case OPT_PIN:
		o->pin = arg;
		return 0;
	case OPT_PORT:
		return port_parse(o, v);
	case OPT_USER:
		o->user = arg;
		return v.n > 0 && v.n < LOAD_USER_BYTES - 10 ? 0 : -EINVAL;
	case OPT_USERS:
		return parse_u32(v, 1, LOAD_MEMBERS_MAX, &o->n_users);
	case OPT_PASSWORD:
		o->password = arg;
		return 0;
	case OPT_SESSIONS:
		return parse_u32(v, 1, LOAD_MEMBERS_MAX, &o->n_members);
	case OPT_PARALLEL:
		return parse_u32(v, 1, LOAD_MEMBERS_MAX, &o->n_parallel);
	case OPT_DTLS:
		return parse_u32(v, 0, LOAD_MEMBERS_MAX, &o->n_dtls);
	case OPT_FROM:
		return sources_parse(o, v);
	case OPT_TIMEOUT:
		return parse_u32(v, 1, 3600, &o->timeout_s);
	case OPT_ONCE:
		o->is_once = true;
		return 0;
	default:
		return -EINVAL;
	}
}

int load_options_parse(int argc, char **argv, struct load_options *ret)
{
	struct load_options o = {.port = 443,
	        .user = "tester",
	        .password = "secret",
	        .n_members = 1,
	        .n_parallel = 1,
	        .timeout_s = 60};
	int which, at;
	while ((which = getopt_long(argc, argv, "", table, &at)) != -1) {
		if (which >= OPT_GATEWAY && which != OPT_HELP && one_parse(&o, which, optarg) == 0)
			continue;
		if (which >= OPT_GATEWAY && which != OPT_HELP)
			fprintf(stderr, "loadgen: --%s: not a possible value\n", table[at].name);
		fputs(usage, stderr);
		return -EINVAL;
	}
	if (!addr_is_set(&o.gateway) || o.pin == NULL || optind != argc) {
		fputs(usage, stderr);
		return -EINVAL;
	}
	*ret = o;
	return 0;
}

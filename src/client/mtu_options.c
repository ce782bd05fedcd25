#include "client/mtu_options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/parse.h"

#define NOTE_TCPMSS     1380 /* an ASA's `sysopt connection tcpmss` when nothing is configured */
#define ETHERNET_MTU    1500
#define VERSION_DEFAULT (-1)
#define TCPMSS_MIN      48 /* ranges of the ASA's commands: cisco-facts.md 5.2 and 1.5 */
#define TCPMSS_MAX      65535
#define CONFIGURED_MIN  256
#define CONFIGURED_MAX  1462

enum option_id {
	OPT_FORMULA = 256,
	OPT_TCPMSS,
	OPT_BASE_MTU,
	OPT_OUTER,
	OPT_IP6,
	OPT_TLS_CIPHER,
	OPT_TLS_VERSION,
	OPT_DTLS_CIPHER,
	OPT_DTLS_VERSION,
	OPT_CIPHER,
	OPT_CONFIGURED,
	OPT_ETM,
	OPT_LIST,
	OPT_JSON,
};

static const struct option_row {
	const char *name;
	int id;
	const char *arg; /* NULL: a switch */
	const char *help;
} rows[] = {
        {"formula", OPT_FORMULA, "exact|cisco", "true record sizes (default), or as an ASA counts"},
        {"tcpmss", OPT_TCPMSS, "BYTES",
                "sysopt connection tcpmss; 0: base MTU less headers (default; cisco: 1380)"},
        {"base-mtu", OPT_BASE_MTU, "BYTES", "MTU of the outer path (default 1500)"},
        {"outer", OPT_OUTER, "4|6", "address family of the outer path (default 4)"},
        {"ip6", OPT_IP6, NULL, "IPv6 inside: no MTU is below 1280"},
        {"tls-cipher", OPT_TLS_CIPHER, "NAME", "suite of the TLS tunnel, OpenSSL's or IANA's name"},
        {"tls-version", OPT_TLS_VERSION, "1.0|1.1|1.2|1.3", "default: the newest that has the suite"},
        {"dtls-cipher", OPT_DTLS_CIPHER, "NAME|none", "suite of the DTLS tunnel; none: TLS only"},
        {"dtls-version", OPT_DTLS_VERSION, "1.0|1.2", "default: the newest that has the suite"},
        {"cipher", OPT_CIPHER, "NAME", "both suites"},
        {"configured", OPT_CONFIGURED, "BYTES", "anyconnect mtu; 0: not configured (default)"},
        {"encrypt-then-mac", OPT_ETM, NULL, "exact, CBC suites: as in RFC 7366"},
        {"list-ciphers", OPT_LIST, NULL, "the suites that are known"},
        {"json", OPT_JSON, NULL, "as JSON"},
        {"help", 'h', NULL, "this text"},
};

void mtu_options_print_help(void)
{
	printf("Usage: culvert mtu [options]\n\n"
	       "Derives the MTU of the TLS and of the DTLS tunnel step by step, says whether a client has "
	       "to\n"
	       "reconnect when UDP is blocked (Cisco tech note 116881), and what helps. Needs no "
	       "network.\n\n");
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		char left[48];
		(void)snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, rows[i].arg ? " " : "",
		        rows[i].arg ? rows[i].arg : "");
		printf("  %-30s %s\n", left, rows[i].help);
	}
}

void mtu_note(struct mtu_notes *n, const char *fmt, ...)
{
	va_list ap;
	if (n->n == MTU_MAX_NOTES)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(n->v[n->n++], MTU_NOTE_BYTES, fmt, ap);
	va_end(ap);
}

const char *mtu_version_name(enum mtu_version v)
{
	static const char *const names[] = {
	        "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3", "DTLS 1.0", "DTLS 1.2"};
	return names[v];
}

/* ---- one option ---- */

struct choice {
	const char *tls, *dtls, *both; /* suites by name; NULL: default */
	int tls_version, dtls_version; /* or VERSION_DEFAULT */
	bool has_tcpmss;
};

static bool bytes_parse(const char *name, const char *value, uint32_t min, uint32_t max, uint32_t *ret)
{
	bool may_be_none = strcmp(name, "base-mtu") != 0;
	if (may_be_none && strcmp(value, "0") == 0) {
		*ret = 0;
		return true;
	}
	if (parse_u32(span_str(value), min, max, ret) == 0)
		return true;
	fprintf(stderr, "culvert: --%s wants a number of bytes from %u to %u%s, not \"%s\".\n", name, min,
	        max, may_be_none ? ", or 0 for none" : "", value);
	return false;
}

/* Index of value in words, which end with NULL; -1: told the user. */
static int word_parse(const char *name, const char *value, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++)
		if (strcmp(value, words[i]) == 0)
			return i;
	fprintf(stderr, "culvert: --%s is one of", name);
	for (int i = 0; words[i] != NULL; i++)
		fprintf(stderr, " %s", words[i]);
	fprintf(stderr, ", not \"%s\".\n", value);
	return -1;
}

static bool option_word(struct mtu_request *q, struct choice *c, int id, const char *arg)
{
	static const char *const formulas[] = {"exact", "cisco", NULL}, *const families[] = {"4", "6", NULL};
	static const char *const tls[] = {"1.0", "1.1", "1.2", "1.3", NULL}, *const dtls[] = {
	                                                                             "1.0", "1.2", NULL};
	int i;
	switch (id) {
	case OPT_FORMULA:
		i = word_parse("formula", arg, formulas);
		q->in.formula = i == 1 ? MTU_CISCO : MTU_EXACT;
		return i >= 0;
	case OPT_OUTER:
		i = word_parse("outer", arg, families);
		q->in.outer_family = i == 1 ? 6 : 4;
		return i >= 0;
	case OPT_TLS_VERSION:
		i = word_parse("tls-version", arg, tls);
		c->tls_version = MTU_TLS_1_0 + i;
		return i >= 0;
	default:
		i = word_parse("dtls-version", arg, dtls);
		c->dtls_version = MTU_DTLS_1_0 + i;
		return i >= 0;
	}
}

static bool option_take(struct mtu_request *q, struct choice *c, int id, const char *arg)
{
	switch (id) {
	case OPT_FORMULA:
	case OPT_OUTER:
	case OPT_TLS_VERSION:
	case OPT_DTLS_VERSION:
		return option_word(q, c, id, arg);
	case OPT_TCPMSS:
		c->has_tcpmss = true;
		return bytes_parse("tcpmss", arg, TCPMSS_MIN, TCPMSS_MAX, &q->in.tcpmss);
	case OPT_BASE_MTU:
		return bytes_parse("base-mtu", arg, MTU_BASE_MIN, MTU_MAX, &q->in.base_mtu);
	case OPT_CONFIGURED:
		return bytes_parse("configured", arg, CONFIGURED_MIN, CONFIGURED_MAX, &q->in.configured);
	case OPT_TLS_CIPHER:
		c->tls = arg;
		return true;
	case OPT_DTLS_CIPHER:
		c->dtls = arg;
		return true;
	case OPT_CIPHER:
		c->both = arg;
		return true;
	case OPT_IP6:
		q->in.has_ip6 = true;
		return true;
	case OPT_ETM:
		q->in.mac_order = MTU_MAC_LAST;
		return true;
	case OPT_LIST:
		q->wants_list = true;
		return true;
	case OPT_JSON:
		q->is_json = true;
		return true;
	default:
		return false; /* getopt has said what is wrong */
	}
}

/* ---- suites and versions ---- */

/* What is assumed when no suite is named. The cisco set begins with the note's situation, the exact one with
 * what our own two programs agree on. */
static const char *suite_default(enum mtu_formula_set f, int version, bool is_dtls)
{
	if (is_dtls)
		return f == MTU_CISCO || version == MTU_DTLS_1_0 ? "AES128-SHA" : "PSK-AES256-GCM-SHA384";
	if (version == MTU_TLS_1_3 || (version == VERSION_DEFAULT && f == MTU_EXACT))
		return "TLS_AES_256_GCM_SHA384";
	if (f == MTU_CISCO)
		return "RC4-SHA";
	return version == MTU_TLS_1_2 ? "ECDHE-RSA-AES256-GCM-SHA384" : "ECDHE-RSA-AES256-SHA";
}

/* Newest version of one protocol that has the suite; VERSION_DEFAULT: none. */
static int version_newest(const struct mtu_suite *s, bool is_dtls)
{
	int low = is_dtls ? MTU_DTLS_1_0 : MTU_TLS_1_0;
	for (int v = is_dtls ? MTU_DTLS_1_2 : MTU_TLS_1_3; v >= low; v--)
		if (mtu_suite_has_version(s, (enum mtu_version)v))
			return v;
	return VERSION_DEFAULT;
}

static const struct mtu_suite *suite_parse(const char *name)
{
	const struct mtu_suite *s = mtu_suite_find(span_str(name));
	if (s == NULL)
		fprintf(stderr,
		        "culvert: there is no cipher suite \"%s\". culvert mtu --list-ciphers shows those "
		        "that "
		        "are known.\n",
		        name);
	return s;
}

static bool version_check(const struct mtu_suite *s, int version, bool is_dtls)
{
	if (version != VERSION_DEFAULT && mtu_suite_has_version(s, (enum mtu_version)version))
		return true;
	fprintf(stderr, "culvert: %s does not exist in %s, only in", s->name,
	        version != VERSION_DEFAULT ? mtu_version_name((enum mtu_version)version)
	        : is_dtls                  ? "DTLS"
	                                   : "TLS");
	const char *comma = "";
	for (unsigned v = MTU_TLS_1_0; v <= MTU_DTLS_1_2; v++) {
		if (mtu_suite_has_version(s, v)) {
			fprintf(stderr, "%s %s", comma, mtu_version_name(v));
			comma = ",";
		}
	}
	fprintf(stderr, ".\n");
	return false;
}

static bool tls_resolve(struct mtu_request *q, const struct choice *c)
{
	const char *name = c->tls ? c->tls : c->both;
	if (name == NULL)
		name = suite_default(q->in.formula, c->tls_version, false);
	const struct mtu_suite *s = suite_parse(name);
	if (s == NULL)
		return false;
	int version = c->tls_version != VERSION_DEFAULT ? c->tls_version : version_newest(s, false);
	if (!version_check(s, version, false))
		return false;
	q->in.tls_suite = s;
	q->in.tls_version = (enum mtu_version)version;
	return true;
}

static bool dtls_resolve(struct mtu_request *q, const struct choice *c)
{
	const char *fallback = suite_default(q->in.formula, c->dtls_version, true);
	if (c->dtls != NULL && strcmp(c->dtls, "none") == 0)
		return true;
	const struct mtu_suite *s = suite_parse(c->dtls ? c->dtls : c->both ? c->both : fallback);
	if (s == NULL)
		return false;
	if (c->dtls == NULL && version_newest(s, true) == VERSION_DEFAULT) {
		mtu_note(&q->notes, "%s does not exist in DTLS: the DTLS tunnel is computed with %s.",
		        s->name, fallback);
		s = suite_parse(fallback);
	}
	int version = c->dtls_version != VERSION_DEFAULT ? c->dtls_version : version_newest(s, true);
	if (!version_check(s, version, true))
		return false;
	q->in.dtls_suite = s;
	q->in.dtls_version = (enum mtu_version)version;
	return true;
}

enum options_verdict mtu_options_parse(int argc, char **argv, struct mtu_request *ret)
{
	struct option longs[N_ELEM(rows) + 1] = {0};
	struct mtu_request q = {.in = {.formula = MTU_EXACT, .base_mtu = ETHERNET_MTU, .outer_family = 4}};
	struct choice c = {.tls_version = VERSION_DEFAULT, .dtls_version = VERSION_DEFAULT};
	for (size_t i = 0; i < N_ELEM(rows); i++)
		longs[i] = (struct option){
		        rows[i].name, rows[i].arg ? required_argument : no_argument, NULL, rows[i].id};
	optind = 1;
	for (int id; (id = getopt_long(argc, argv, "h", longs, NULL)) != -1;) {
		if (id == 'h')
			return OPTIONS_HELP;
		if (!option_take(&q, &c, id, optarg))
			return OPTIONS_BAD;
	}
	if (optind != argc) {
		fprintf(stderr, "culvert: mtu does not know \"%s\". Try: culvert mtu --help\n", argv[optind]);
		return OPTIONS_BAD;
	}
	if (q.in.formula == MTU_CISCO && !c.has_tcpmss)
		q.in.tcpmss = NOTE_TCPMSS;
	if (!q.wants_list && (!tls_resolve(&q, &c) || !dtls_resolve(&q, &c)))
		return OPTIONS_BAD;
	*ret = q;
	return OPTIONS_OK;
}

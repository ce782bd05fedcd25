#include "client/mtu_options.h"

#include <stdarg.h>
#include <stdio.h>

#define NOTE_TCPMSS     1380 /* an ASA's `sysopt connection tcpmss` when nothing is configured */
#define ETHERNET_MTU    1500
#define VERSION_DEFAULT UINT32_MAX
#define TCPMSS_DEFAULT  UINT32_MAX
#define TCPMSS_MIN      48 /* ranges of the ASA's commands: cisco-facts.md 5.2 and 1.5 */
#define TCPMSS_MAX      65535
#define CONFIGURED_MIN  256
#define CONFIGURED_MAX  1462

/* What was said, before suites and versions are looked up. */
struct choice {
	struct mtu_request q;
	const char *tls, *dtls, *both;      /* suites by name; NULL: default */
	unsigned tls_version, dtls_version; /* or VERSION_DEFAULT */
	unsigned outer_family;
	uint32_t tcpmss; /* or TCPMSS_DEFAULT */
};

static const struct option_word formulas[] = {{"exact", MTU_EXACT}, {"cisco", MTU_CISCO}, {0}};
static const struct option_word families[] = {{"4", 4}, {"6", 6}, {0}};
static const struct option_word tls_versions[] = {
        {"1.0", MTU_TLS_1_0}, {"1.1", MTU_TLS_1_1}, {"1.2", MTU_TLS_1_2}, {"1.3", MTU_TLS_1_3}, {0}};
static const struct option_word dtls_versions[] = {{"1.0", MTU_DTLS_1_0}, {"1.2", MTU_DTLS_1_2}, {0}};

#define SWITCH(member)           OPTION_SWITCH(struct choice, member)
#define TEXT(member)             OPTION_TEXT(struct choice, member)
#define CHOICE(member, list)     OPTION_CHOICE(struct choice, member, list)
#define BYTES(member, low, high) OPTION_NUMBER(struct choice, member, "bytes", low, high)

static const struct option_row rows[] = {
        {"formula", 0, "exact|cisco", "true record sizes (default), or as an ASA counts",
                CHOICE(q.in.formula, formulas)},
        {"tcpmss", 0, "BYTES", "sysopt connection tcpmss; 0: base MTU less headers (default; cisco: 1380)",
                BYTES(tcpmss, TCPMSS_MIN, TCPMSS_MAX), .may_be_0 = true},
        {"base-mtu", 0, "BYTES", "MTU of the outer path (default 1500)",
                BYTES(q.in.base_mtu, MTU_BASE_MIN, MTU_MAX)},
        {"outer", 0, "4|6", "address family of the outer path (default 4)", CHOICE(outer_family, families)},
        {"ip6", 0, NULL, "IPv6 inside: no MTU is below 1280", SWITCH(q.in.has_ip6)},
        {"tls-cipher", 0, "NAME", "suite of the TLS tunnel, OpenSSL's or IANA's name", TEXT(tls)},
        {"tls-version", 0, "1.0|1.1|1.2|1.3", "default: the newest that has the suite",
                CHOICE(tls_version, tls_versions)},
        {"dtls-cipher", 0, "NAME|none", "suite of the DTLS tunnel; none: TLS only", TEXT(dtls)},
        {"dtls-version", 0, "1.0|1.2", "default: the newest that has the suite",
                CHOICE(dtls_version, dtls_versions)},
        {"cipher", 0, "NAME", "both suites", TEXT(both)},
        {"configured", 0, "BYTES", "anyconnect mtu; 0: not configured (default)",
                BYTES(q.in.configured, CONFIGURED_MIN, CONFIGURED_MAX), .may_be_0 = true},
        {"encrypt-then-mac", 0, NULL, "exact, CBC suites: as in RFC 7366",
                OPTION_SET(struct choice, q.in.mac_order, MTU_MAC_LAST)},
        {"list-ciphers", 0, NULL, "the suites that are known", SWITCH(q.wants_list)},
        {"json", 0, NULL, "as JSON", SWITCH(q.is_json)},
        {"help", 'h', NULL, "this text", OPTION_HELP},
};

static const struct option_table table = {
        .program = "culvert",
        .command = "mtu",
        .usage = "[options]",
        .about = "Derives the MTU of the TLS and of the DTLS tunnel step by step, says whether a client has "
                 "to\n"
                 "reconnect when UDP is blocked (Cisco tech note 116881), and what helps. Needs no network.",
        .rows = rows,
        .n_rows = N_ELEM(rows),
};

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

/* ---- suites and versions ---- */

/* What is assumed when no suite is named. The cisco set begins with the note's situation, the exact one with
 * what our own two programs agree on. */
static const char *suite_default(enum mtu_formula_set f, unsigned version, bool is_dtls)
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
static unsigned version_newest(const struct mtu_suite *s, bool is_dtls)
{
	unsigned found = VERSION_DEFAULT;
	for (unsigned v = is_dtls ? MTU_DTLS_1_0 : MTU_TLS_1_0; v <= (is_dtls ? MTU_DTLS_1_2 : MTU_TLS_1_3);
	        v++)
		if (mtu_suite_has_version(s, v))
			found = v;
	return found;
}

static const struct mtu_suite *suite_find(const char *name, struct text *say)
{
	const struct mtu_suite *s = mtu_suite_find(span_str(name));
	if (s == NULL)
		option_table_refuse(&table, say,
		        "there is no cipher suite \"%s\". culvert mtu --list-ciphers shows those that are "
		        "known",
		        name);
	return s;
}

static bool version_check(const struct mtu_suite *s, unsigned version, bool is_dtls, struct text *say)
{
	if (version != VERSION_DEFAULT && mtu_suite_has_version(s, version))
		return true;
	struct text versions = {0};
	for (unsigned v = MTU_TLS_1_0; v <= MTU_DTLS_1_2; v++)
		if (mtu_suite_has_version(s, v))
			text_fmt(&versions, "%s%s", versions.n > 0 ? ", " : "", mtu_version_name(v));
	const char *where = version != VERSION_DEFAULT ? mtu_version_name(version) : is_dtls ? "DTLS" : "TLS";
	option_table_refuse(
	        &table, say, "%s does not exist in %s, only in %s", s->name, where, text_cstr(&versions));
	text_done(&versions);
	return false;
}

static bool tls_resolve(struct choice *c, struct text *say)
{
	const char *name = c->tls ? c->tls : c->both;
	if (name == NULL)
		name = suite_default(c->q.in.formula, c->tls_version, false);
	const struct mtu_suite *s = suite_find(name, say);
	if (s == NULL)
		return false;
	unsigned version = c->tls_version != VERSION_DEFAULT ? c->tls_version : version_newest(s, false);
	if (!version_check(s, version, false, say))
		return false;
	c->q.in.tls_suite = s;
	c->q.in.tls_version = version;
	return true;
}

static bool dtls_resolve(struct choice *c, struct text *say)
{
	const char *fallback = suite_default(c->q.in.formula, c->dtls_version, true);
	if (c->dtls != NULL && strcmp(c->dtls, "none") == 0)
		return true;
	const struct mtu_suite *s = suite_find(c->dtls ? c->dtls : c->both ? c->both : fallback, say);
	if (s == NULL)
		return false;
	if (c->dtls == NULL && version_newest(s, true) == VERSION_DEFAULT) {
		mtu_note(&c->q.notes, "%s does not exist in DTLS: the DTLS tunnel is computed with %s.",
		        s->name, fallback);
		s = suite_find(fallback, say);
	}
	unsigned version = c->dtls_version != VERSION_DEFAULT ? c->dtls_version : version_newest(s, true);
	if (!version_check(s, version, true, say))
		return false;
	c->q.in.dtls_suite = s;
	c->q.in.dtls_version = version;
	return true;
}

enum options_verdict mtu_options_parse(int argc, char **argv, struct mtu_request *ret, struct text *say)
{
	struct option_words words;
	struct choice c = {
	        .q.in = {.formula = MTU_EXACT, .base_mtu = ETHERNET_MTU},
	        .outer_family = 4,
	        .tls_version = VERSION_DEFAULT,
	        .dtls_version = VERSION_DEFAULT,
	        .tcpmss = TCPMSS_DEFAULT,
	};
	enum options_verdict v = option_table_parse(&table, argc, argv, &c, &words, say);
	if (v != OPTIONS_OK)
		return v;
	if (c.tcpmss == TCPMSS_DEFAULT)
		c.tcpmss = c.q.in.formula == MTU_CISCO ? NOTE_TCPMSS : 0;
	c.q.in.tcpmss = c.tcpmss;
	c.q.in.outer_family = (uint8_t)c.outer_family;
	if (!c.q.wants_list && (!tls_resolve(&c, say) || !dtls_resolve(&c, say)))
		return OPTIONS_BAD;
	*ret = c.q;
	return OPTIONS_OK;
}

#include "policy/cipher.h"

#include "base/err.h"
#include "policy/syntax.h"

/* What a suite is made of. A word of a cipher string stands for any of some tags. */
enum tag {
	KX_RSA = 1 << 0,
	KX_DHE = 1 << 1,
	KX_ECDHE = 1 << 2,
	KX_PSK = 1 << 3,
	KX_ANY = 1 << 4, /* TLS 1.3 */
	AU_RSA = 1 << 5,
	AU_ECDSA = 1 << 6,
	AES128 = 1 << 7,
	AES256 = 1 << 8,
	CHACHA = 1 << 9,
	GCM = 1 << 10,
	CBC = 1 << 11,
	SHA1 = 1 << 12,
	SHA256 = 1 << 13,
	SHA384 = 1 << 14,
	SINCE_1_2 = 1 << 15, /* does not exist in older versions */
	SINCE_1_0 = 1 << 16,
};

#define SCOPE(s) (1u << (s))
#define TLS_OLD  (SCOPE(SSL_SCOPE_TLS1) | SCOPE(SSL_SCOPE_TLS11))
#define TLS12    SCOPE(SSL_SCOPE_TLS12)
#define TLS13    SCOPE(SSL_SCOPE_TLS13)
#define DTLS1    SCOPE(SSL_SCOPE_DTLS1)
#define DTLS12   SCOPE(SSL_SCOPE_DTLS12)

struct suite {
	const char *name, *iana_name;
	uint32_t tags;   /* enum tag */
	uint32_t scopes; /* bits (1 << enum ssl_scope) where the gateway can speak it */
};

#define ECDSA KX_ECDHE | AU_ECDSA
#define ECRSA KX_ECDHE | AU_RSA
#define DHRSA KX_DHE | AU_RSA
#define RSA   KX_RSA | AU_RSA
#define G256  AES256 | GCM | SHA384 | SINCE_1_2
#define G128  AES128 | GCM | SHA256 | SINCE_1_2
#define POLY  CHACHA | SHA256 | SINCE_1_2

/* In the order of preference of the levels: forward secrecy, then AEAD, then strength. DTLS has the names
 * that clients put into X-DTLS12-CipherSuite and X-DTLS-CipherSuite (cisco-facts.md 1.6), and PSK-NEGOTIATE.
 */
static const struct suite suites[] = {
        {"TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", KX_ANY | AES256 | GCM | SHA384, TLS13},
        {"TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256", KX_ANY | CHACHA | SHA256, TLS13},
        {"TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", KX_ANY | AES128 | GCM | SHA256, TLS13},
        {"PSK-AES256-GCM-SHA384", "TLS_PSK_WITH_AES_256_GCM_SHA384", KX_PSK | G256, DTLS12},
        {"PSK-CHACHA20-POLY1305", "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", KX_PSK | POLY, DTLS12},
        {"PSK-AES128-GCM-SHA256", "TLS_PSK_WITH_AES_128_GCM_SHA256", KX_PSK | G128, DTLS12},
        {"ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", ECDSA | G256,
                TLS12 | DTLS12},
        {"ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", ECRSA | G256,
                TLS12 | DTLS12},
        {"ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", ECDSA | POLY,
                TLS12},
        {"ECDHE-RSA-CHACHA20-POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", ECRSA | POLY, TLS12},
        {"DHE-RSA-AES256-GCM-SHA384", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", DHRSA | G256, TLS12 | DTLS12},
        {"DHE-RSA-CHACHA20-POLY1305", "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", DHRSA | POLY, TLS12},
        {"ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", ECDSA | G128,
                TLS12 | DTLS12},
        {"ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", ECRSA | G128,
                TLS12 | DTLS12},
        {"DHE-RSA-AES128-GCM-SHA256", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", DHRSA | G128, TLS12 | DTLS12},
        {"ECDHE-ECDSA-AES256-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
                ECDSA | AES256 | CBC | SHA384 | SINCE_1_2, TLS12 | DTLS12},
        {"ECDHE-RSA-AES256-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
                ECRSA | AES256 | CBC | SHA384 | SINCE_1_2, TLS12 | DTLS12},
        {"DHE-RSA-AES256-SHA256", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
                DHRSA | AES256 | CBC | SHA256 | SINCE_1_2, TLS12 | DTLS12},
        {"ECDHE-ECDSA-AES128-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
                ECDSA | AES128 | CBC | SHA256 | SINCE_1_2, TLS12 | DTLS12},
        {"ECDHE-RSA-AES128-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
                ECRSA | AES128 | CBC | SHA256 | SINCE_1_2, TLS12 | DTLS12},
        {"DHE-RSA-AES128-SHA256", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
                DHRSA | AES128 | CBC | SHA256 | SINCE_1_2, TLS12 | DTLS12},
        {"ECDHE-ECDSA-AES256-SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
                ECDSA | AES256 | CBC | SHA1 | SINCE_1_0, TLS_OLD | TLS12},
        {"ECDHE-RSA-AES256-SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
                ECRSA | AES256 | CBC | SHA1 | SINCE_1_0, TLS_OLD | TLS12},
        {"DHE-RSA-AES256-SHA", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", DHRSA | AES256 | CBC | SHA1 | SINCE_1_0,
                TLS_OLD | TLS12 | DTLS1 | DTLS12},
        {"ECDHE-ECDSA-AES128-SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
                ECDSA | AES128 | CBC | SHA1 | SINCE_1_0, TLS_OLD | TLS12},
        {"ECDHE-RSA-AES128-SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
                ECRSA | AES128 | CBC | SHA1 | SINCE_1_0, TLS_OLD | TLS12},
        {"DHE-RSA-AES128-SHA", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", DHRSA | AES128 | CBC | SHA1 | SINCE_1_0,
                TLS_OLD | TLS12 | DTLS1 | DTLS12},
        {"AES256-GCM-SHA384", "TLS_RSA_WITH_AES_256_GCM_SHA384", RSA | G256, TLS12 | DTLS12},
        {"AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256", RSA | G128, TLS12 | DTLS12},
        {"AES256-SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA256", RSA | AES256 | CBC | SHA256 | SINCE_1_2,
                TLS12 | DTLS12},
        {"AES128-SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256", RSA | AES128 | CBC | SHA256 | SINCE_1_2,
                TLS12 | DTLS12},
        {"AES256-SHA", "TLS_RSA_WITH_AES_256_CBC_SHA", RSA | AES256 | CBC | SHA1 | SINCE_1_0,
                TLS_OLD | TLS12 | DTLS1 | DTLS12},
        {"AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA", RSA | AES128 | CBC | SHA1 | SINCE_1_0,
                TLS_OLD | TLS12 | DTLS1 | DTLS12},
};
#define N_SUITES N_ELEM(suites)

#define OLD_DEFAULT                                                                                          \
	"ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:DHE-RSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:"             \
	"ECDHE-RSA-AES128-SHA:DHE-RSA-AES128-SHA:AES256-SHA:AES128-SHA"

const char *cipher_default(enum ssl_scope scope)
{
	static const char *const lists[N_SSL_SCOPES] = {
	        [SSL_SCOPE_DEFAULT] = "",
	        [SSL_SCOPE_TLS1] = OLD_DEFAULT,
	        [SSL_SCOPE_TLS11] = OLD_DEFAULT,
	        [SSL_SCOPE_TLS12] = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
	                            "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
	                            "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",
	        [SSL_SCOPE_TLS13] =
	                "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
	        [SSL_SCOPE_DTLS1] = "AES256-SHA:AES128-SHA:DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA",
	        [SSL_SCOPE_DTLS12] = "PSK-AES256-GCM-SHA384:PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256:"
	                             "AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
	                             "ECDHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256",
	};
	return scope < N_SSL_SCOPES ? lists[scope] : "";
}

/* Not tags of a suite: SHA256 and SHA384 as words mean the MAC, which only CBC suites have. */
#define CBC_SHA256 (1u << 30)
#define CBC_SHA384 (1u << 31)

/* Words that stand for suites with any of these tags. 0: nothing that the gateway speaks. */
static const struct {
	const char *word;
	uint32_t any; /* enum tag */
} words[] = {
        {"ALL", ~0u},
        {"HIGH", ~0u},
        {"MEDIUM", 0}, /* in OpenSSL: what is weaker than AES, and nothing of that is spoken */
        {"kRSA", KX_RSA},
        {"RSA", KX_RSA},
        {"aRSA", AU_RSA},
        {"kDHE", KX_DHE},
        {"kEDH", KX_DHE},
        {"DH", KX_DHE},
        {"DHE", KX_DHE},
        {"EDH", KX_DHE},
        {"kECDHE", KX_ECDHE},
        {"kEECDH", KX_ECDHE},
        {"ECDH", KX_ECDHE},
        {"ECDHE", KX_ECDHE},
        {"EECDH", KX_ECDHE},
        {"aECDSA", AU_ECDSA},
        {"ECDSA", AU_ECDSA},
        {"PSK", KX_PSK},
        {"kPSK", KX_PSK},
        {"aPSK", KX_PSK},
        {"AES", AES128 | AES256},
        {"AES128", AES128},
        {"AES256", AES256},
        {"AESGCM", GCM},
        {"CHACHA20", CHACHA},
        {"SHA", SHA1},
        {"SHA1", SHA1},
        {"SHA256", CBC_SHA256},
        {"SHA384", CBC_SHA384},
        {"TLSv1.2", SINCE_1_2},
        {"TLSv1.0", SINCE_1_0},
        {"TLSv1", SINCE_1_0},
        {"SSLv3", SINCE_1_0},
        {"FIPS", AES128 | AES256},
};

/* Parts of names, and whole words, that are never spoken. */
static const struct {
	const char *part, *why;
} refused[] = {
        {"RC4", "RC4 is broken and prohibited (RFC 7465)"},
        {"CBC3", "3DES has blocks of 64 bits, which leak after some gigabytes (Sweet32)"},
        {"3DES", "3DES has blocks of 64 bits, which leak after some gigabytes (Sweet32)"},
        {"EXP", "export keys are broken within minutes"},
        {"EXP1024", "export keys are broken within minutes"},
        {"EXPORT", "export keys are broken within minutes"},
        {"EXPORT40", "export keys are broken within minutes"},
        {"EXPORT56", "export keys are broken within minutes"},
        {"DES", "keys of 56 bits are found by trying them"},
        {"NULL", "it does not encrypt"},
        {"eNULL", "it does not encrypt"},
        {"COMPLEMENTOFALL", "it does not encrypt"},
        {"aNULL", "anybody could be the gateway: there is no certificate"},
        {"ADH", "anybody could be the gateway: there is no certificate"},
        {"AECDH", "anybody could be the gateway: there is no certificate"},
        {"anon", "anybody could be the gateway: there is no certificate"},
        {"MD5", "MD5 is broken"},
        {"LOW", "keys of 56 bits are found by trying them"},
        {"RC2", "RC2 is obsolete"},
        {"IDEA", "IDEA has blocks of 64 bits"},
        {"SEED", "the gateway does not speak SEED"},
        {"CAMELLIA", "the gateway does not speak Camellia"},
        {"CAMELLIA128", "the gateway does not speak Camellia"},
        {"CAMELLIA256", "the gateway does not speak Camellia"},
        {"ARIA", "the gateway does not speak ARIA"},
        {"ARIA128", "the gateway does not speak ARIA"},
        {"ARIA256", "the gateway does not speak ARIA"},
        {"ARIAGCM", "the gateway does not speak ARIA"},
        {"CCM", "the gateway does not speak AES-CCM"},
        {"CCM8", "the gateway does not speak AES-CCM"},
        {"AESCCM", "the gateway does not speak AES-CCM"},
        {"AESCCM8", "the gateway does not speak AES-CCM"},
        {"DSS", "the gateway has no DSA certificates"},
        {"aDSS", "the gateway has no DSA certificates"},
        {"SRP", "the gateway has no SRP passwords"},
        {"kSRP", "the gateway has no SRP passwords"},
        {"aSRP", "the gateway has no SRP passwords"},
        {"kDHEPSK", "PSK is only spoken without another key exchange"},
        {"kECDHEPSK", "PSK is only spoken without another key exchange"},
        {"kRSAPSK", "PSK is only spoken without another key exchange"},
        {"GOST", "the gateway does not speak GOST"},
        {"KRB5", "the gateway does not speak Kerberos"},
};

static const char *scope_word(enum ssl_scope scope)
{
	static const char *const v[N_SSL_SCOPES] = {
	        "default", "tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3", "dtlsv1", "dtlsv1.2"};
	return v[scope];
}

static const struct suite *suite_find(struct span name)
{
	for (size_t i = 0; i < N_SUITES; i++) {
		if (span_is_nocase(name, suites[i].name) || span_is_nocase(name, suites[i].iana_name))
			return &suites[i];
	}
	return NULL;
}

/* Why a name or word is never spoken; NULL: that is not known. The parts of a name end at '-' or '_'. */
static const char *why_refused(struct span name)
{
	for (size_t i = 0; i < N_ELEM(refused); i++) {
		size_t n = strlen(refused[i].part);
		for (size_t at = 0; at + n <= name.n; at++) {
			bool begins = at == 0 || name.p[at - 1] == '-' || name.p[at - 1] == '_';
			bool ends = at + n == name.n || name.p[at + n] == '-' || name.p[at + n] == '_';
			if (begins && ends && span_is_nocase(span_of(name.p + at, n), refused[i].part))
				return refused[i].why;
		}
	}
	return NULL;
}

static bool has_name(const char *list, const char *name)
{
	for (struct span rest = span_str(list); rest.n > 0;) {
		if (span_is(span_cut(&rest, ':'), name))
			return true;
	}
	return false;
}

/* ---- evaluation ---- */

struct cipher_eval {
	enum ssl_scope scope;
	size_t order[N_SUITES]; /* indexes of suites */
	size_t n;
	bool is_killed[N_SUITES];
	struct text *why;
};

static bool tags_match(uint32_t any, uint32_t tags)
{
	if (any == CBC_SHA256 || any == CBC_SHA384)
		return tags & CBC && tags & (any == CBC_SHA256 ? SHA256 : SHA384);
	return any & tags;
}

static void say_unknown(struct cipher_eval *e, struct span word)
{
	const char *nearest = NULL;
	size_t best = SIZE_MAX;
	text_str(e->why, "there is no cipher suite \"");
	text_escaped(e->why, word, POLICY_NAME_MAX);
	text_str(e->why, "\"");
	for (size_t i = 0; i < N_SUITES; i++) {
		size_t d = syntax_distance(span_str(suites[i].name), word);
		if (suites[i].scopes & SCOPE(e->scope) && d < best) {
			best = d;
			nearest = suites[i].name;
		}
	}
	if (nearest)
		text_fmt(e->why, "; nearest is \"%s\"", nearest);
}

/* What an ASA speaks and we do not: `culvert mtu` knows these. */
static bool is_explained(struct span name)
{
	static const char *const names[] = {"RC4-SHA", "DES-CBC3-SHA", "NULL-SHA", "TLS_RSA_WITH_RC4_128_SHA",
	        "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_RSA_WITH_NULL_SHA"};
	for (size_t i = 0; i < N_ELEM(names); i++) {
		if (span_is_nocase(name, names[i]))
			return true;
	}
	return false;
}

static void say_refused(struct cipher_eval *e, struct span word, const char *reason)
{
	struct text shown = {0};
	text_escaped(&shown, word, POLICY_NAME_MAX);
	text_fmt(e->why, "\"%s\" is refused: %s", text_cstr(&shown), reason);
	if (is_explained(word))
		text_fmt(e->why, "; \"culvert mtu --cipher %s\" explains what the ASA would compute",
		        text_cstr(&shown));
	text_done(&shown);
}

/* Narrows set to the suites that one word means. is_adding: it must be something that can be spoken; to take
 * away what is not there is always right. */
static int word_narrow(struct cipher_eval *e, struct span word, bool is_adding, bool set[N_SUITES])
{
	const struct suite *one = suite_find(word);
	const char *reason;
	uint32_t any = 0;
	bool is_default = span_is(word, "DEFAULT"), is_word = is_default;
	for (size_t i = 0; i < N_ELEM(words) && !is_word; i++) {
		is_word = span_is(word, words[i].word);
		any = words[i].any;
	}
	if (one == NULL && !is_word && (reason = why_refused(word)) != NULL) {
		if (is_adding)
			say_refused(e, word, reason);
		memset(set, 0, N_SUITES * sizeof(*set));
		return is_adding ? ERR_CONFIG : 0;
	}
	if (one == NULL && !is_word) {
		say_unknown(e, word);
		return ERR_CONFIG;
	}
	if (one && is_adding && !(one->scopes & SCOPE(e->scope))) {
		text_fmt(e->why, "\"%s\" is not a suite of %s", one->name, scope_word(e->scope));
		return ERR_CONFIG;
	}
	for (size_t i = 0; i < N_SUITES; i++) {
		bool is_meant = one          ? one == &suites[i]
		                : is_default ? has_name(cipher_default(e->scope), suites[i].name)
		                             : tags_match(any, suites[i].tags);
		set[i] = set[i] && is_meant;
	}
	return 0;
}

static void take_away(struct cipher_eval *e, const bool set[N_SUITES])
{
	size_t n = 0;
	for (size_t i = 0; i < e->n; i++) {
		if (!set[e->order[i]])
			e->order[n++] = e->order[i];
	}
	e->n = n;
}

static bool is_listed(const struct cipher_eval *e, size_t suite)
{
	for (size_t i = 0; i < e->n; i++) {
		if (e->order[i] == suite)
			return true;
	}
	return false;
}

static void append(struct cipher_eval *e, const bool set[N_SUITES])
{
	for (size_t i = 0; i < N_SUITES; i++) {
		if (set[i] && !e->is_killed[i] && !is_listed(e, i))
			e->order[e->n++] = i;
	}
}

static void apply_prefix(struct cipher_eval *e, char prefix, const bool set[N_SUITES])
{
	bool moved[N_SUITES];
	switch (prefix) {
	case '!':
		for (size_t i = 0; i < N_SUITES; i++)
			e->is_killed[i] |= set[i];
		take_away(e, set);
		break;
	case '-':
		take_away(e, set);
		break;
	case '+': /* to the end, if they are there */
		for (size_t i = 0; i < N_SUITES; i++)
			moved[i] = set[i] && is_listed(e, i);
		take_away(e, set);
		append(e, moved);
		break;
	default:
		append(e, set);
	}
}

/* Longer keys first; what is equal stays in its order. */
static void sort_by_strength(struct cipher_eval *e)
{
	bool weak[N_SUITES] = {false};
	for (size_t i = 0; i < N_SUITES; i++)
		weak[i] = suites[i].tags & AES128 && is_listed(e, i);
	size_t order[N_SUITES], n = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < e->n; i++) {
			if (weak[e->order[i]] == (pass == 1))
				order[n++] = e->order[i];
		}
	}
	memcpy(e->order, order, n * sizeof(*order));
}

static int eval_command(struct cipher_eval *e, struct span item)
{
	if (span_is(item, "@STRENGTH")) {
		sort_by_strength(e);
		return 0;
	}
	text_str(e->why,
	        "only @STRENGTH is understood here: the security level follows from \"ssl server-version\"");
	return ERR_CONFIG;
}

/* One element: [!-+]word[+word...] */
static int eval_item(struct cipher_eval *e, struct span item)
{
	bool set[N_SUITES];
	char prefix = '\0';
	if (item.p[0] == '@')
		return eval_command(e, item);
	if (item.p[0] == '!' || item.p[0] == '-' || item.p[0] == '+') {
		prefix = (char)item.p[0];
		item = span_skip(item, 1);
	}
	for (size_t i = 0; i < N_SUITES; i++)
		set[i] = suites[i].scopes & SCOPE(e->scope);
	do {
		int r = word_narrow(e, span_cut(&item, '+'), prefix == '\0', set);
		if (r < 0)
			return r;
	} while (item.n > 0);
	apply_prefix(e, prefix, set);
	return 0;
}

static bool is_separator(uint8_t c)
{
	return c == ':' || c == ',' || c == ';' || c == ' ';
}

static void put_names(const struct cipher_eval *e, struct text *ret)
{
	for (size_t i = 0; i < e->n; i++)
		text_fmt(ret, "%s%s", i > 0 ? ":" : "", suites[e->order[i]].name);
}

int cipher_custom_list(
        enum ssl_scope scope, struct span list, struct text *ret, size_t *ret_at, struct text *why)
{
	struct cipher_eval e = {.scope = scope, .why = why};
	if (scope == SSL_SCOPE_DEFAULT || scope >= N_SSL_SCOPES)
		return ERR_CONFIG;
	for (size_t at = 0; at < list.n;) {
		size_t end = at;
		while (end < list.n && !is_separator(list.p[end]))
			end++;
		*ret_at = at;
		int r = end > at ? eval_item(&e, span_of(list.p + at, end - at)) : 0;
		if (r < 0)
			return r;
		at = end + 1;
	}
	*ret_at = 0;
	if (e.n == 0) {
		text_fmt(why, "no suite of %s is left", scope_word(scope));
		return ERR_CONFIG;
	}
	put_names(&e, ret);
	return 0;
}

int cipher_level_list(enum ssl_scope scope, enum cipher_level level, struct text *ret)
{
	struct cipher_eval e = {.scope = scope};
	bool set[N_SUITES];
	for (size_t i = 0; i < N_SUITES; i++) {
		uint32_t t = suites[i].tags;
		set[i] = suites[i].scopes & SCOPE(scope) && (level != CIPHER_FIPS || t & (AES128 | AES256)) &&
		         (level != CIPHER_HIGH || (t & AES256 && t & (SHA256 | SHA384)));
	}
	append(&e, set);
	put_names(&e, ret);
	return e.n > 0 ? 0 : ERR_CONFIG;
}

#include "policy/cipher.h"

#include "base/err.h"
#include "policy/cipher_table.h"
#include "policy/syntax.h"

static const char *scope_word(enum ssl_scope scope)
{
	static const char *const v[N_SSL_SCOPES] = {
	        "default", "tlsv1", "tlsv1.1", "tlsv1.2", "tlsv1.3", "dtlsv1", "dtlsv1.2"};
	return v[scope];
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
	size_t order[CIPHER_N_SUITES]; /* indexes of cipher_suites */
	size_t n;
	bool is_killed[CIPHER_N_SUITES];
	struct text *why;
};

static bool tags_match(uint32_t any, uint32_t tags)
{
	if (any == CIPHER_MAC_SHA256 || any == CIPHER_MAC_SHA384)
		return tags & CBC && tags & (any == CIPHER_MAC_SHA256 ? SHA256 : SHA384);
	return any & tags;
}

static void say_unknown(struct cipher_eval *e, struct span word)
{
	const char *nearest = NULL;
	size_t best = SIZE_MAX;
	text_str(e->why, "there is no cipher suite \"");
	text_escaped(e->why, word, POLICY_NAME_MAX);
	text_str(e->why, "\"");
	for (size_t i = 0; i < CIPHER_N_SUITES; i++) {
		size_t d = syntax_distance(span_str(cipher_suites[i].name), word);
		if (cipher_suites[i].scopes & CIPHER_SCOPE(e->scope) && d < best) {
			best = d;
			nearest = cipher_suites[i].name;
		}
	}
	if (nearest)
		text_fmt(e->why, "; nearest is \"%s\"", nearest);
}

static void say_refused(struct cipher_eval *e, struct span word, const char *reason)
{
	struct text shown = {0};
	text_escaped(&shown, word, POLICY_NAME_MAX);
	text_fmt(e->why, "\"%s\" is refused: %s", text_cstr(&shown), reason);
	if (cipher_is_explained(word))
		text_fmt(e->why, "; \"culvert mtu --cipher %s\" explains what the ASA would compute",
		        text_cstr(&shown));
	text_done(&shown);
}

/* Narrows set to the suites that one word means. is_adding: it must be something that can be spoken; to take
 * away what is not there is always right. */
static int word_narrow(struct cipher_eval *e, struct span word, bool is_adding, bool set[CIPHER_N_SUITES])
{
	const struct cipher_suite *one = cipher_suite_find(word);
	const char *reason;
	uint32_t any = 0;
	bool is_default = span_is(word, "DEFAULT"), is_word = is_default || cipher_word_find(word, &any);
	if (one == NULL && !is_word && (reason = cipher_why_refused(word)) != NULL) {
		if (is_adding)
			say_refused(e, word, reason);
		memset(set, 0, CIPHER_N_SUITES * sizeof(*set));
		return is_adding ? ERR_CONFIG : 0;
	}
	if (one == NULL && !is_word) {
		say_unknown(e, word);
		return ERR_CONFIG;
	}
	if (one && is_adding && !(one->scopes & CIPHER_SCOPE(e->scope))) {
		text_fmt(e->why, "\"%s\" is not a suite of %s", one->name, scope_word(e->scope));
		return ERR_CONFIG;
	}
	for (size_t i = 0; i < CIPHER_N_SUITES; i++) {
		bool is_meant = one          ? one == &cipher_suites[i]
		                : is_default ? has_name(cipher_default(e->scope), cipher_suites[i].name)
		                             : tags_match(any, cipher_suites[i].tags);
		set[i] = set[i] && is_meant;
	}
	return 0;
}

static void take_away(struct cipher_eval *e, const bool set[CIPHER_N_SUITES])
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

static void append(struct cipher_eval *e, const bool set[CIPHER_N_SUITES])
{
	for (size_t i = 0; i < CIPHER_N_SUITES; i++) {
		if (set[i] && !e->is_killed[i] && !is_listed(e, i))
			e->order[e->n++] = i;
	}
}

static void apply_prefix(struct cipher_eval *e, char prefix, const bool set[CIPHER_N_SUITES])
{
	bool moved[CIPHER_N_SUITES];
	switch (prefix) {
	case '!':
		for (size_t i = 0; i < CIPHER_N_SUITES; i++)
			e->is_killed[i] |= set[i];
		take_away(e, set);
		break;
	case '-':
		take_away(e, set);
		break;
	case '+': /* to the end, if they are there */
		for (size_t i = 0; i < CIPHER_N_SUITES; i++)
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
	bool weak[CIPHER_N_SUITES] = {false};
	for (size_t i = 0; i < CIPHER_N_SUITES; i++)
		weak[i] = cipher_suites[i].tags & AES128 && is_listed(e, i);
	size_t order[CIPHER_N_SUITES], n = 0;
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
	bool set[CIPHER_N_SUITES];
	char prefix = '\0';
	if (item.p[0] == '@')
		return eval_command(e, item);
	if (item.p[0] == '!' || item.p[0] == '-' || item.p[0] == '+') {
		prefix = (char)item.p[0];
		item = span_skip(item, 1);
	}
	for (size_t i = 0; i < CIPHER_N_SUITES; i++)
		set[i] = cipher_suites[i].scopes & CIPHER_SCOPE(e->scope);
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
		text_fmt(ret, "%s%s", i > 0 ? ":" : "", cipher_suites[e->order[i]].name);
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
	bool set[CIPHER_N_SUITES];
	for (size_t i = 0; i < CIPHER_N_SUITES; i++) {
		uint32_t t = cipher_suites[i].tags;
		set[i] = cipher_suites[i].scopes & CIPHER_SCOPE(scope) &&
		         (level != CIPHER_FIPS || t & (AES128 | AES256)) &&
		         (level != CIPHER_HIGH || (t & AES256 && t & (SHA256 | SHA384)));
	}
	append(&e, set);
	put_names(&e, ret);
	return e.n > 0 ? 0 : ERR_CONFIG;
}

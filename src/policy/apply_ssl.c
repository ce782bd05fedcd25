/* The `ssl` commands: what a client may negotiate. */
#include <errno.h>

#include "base/err.h"
#include "policy/apply.h"
#include "policy/cipher.h"

static void warn(struct builder *b, const struct stmt *s, size_t i, const char *text)
{
	if (s->line > 0) /* not about our own defaults */
		report(b->reporter, DIAG_WARNING, s->line, s->w[i].col, "%s", text);
}

int apply_ssl_version(struct builder *b, const struct stmt *s, void *obj)
{
	struct config *c = obj;
	c->ssl.min_tls = TLS_V1_0 + syntax_choice(s->row->syntax, s->w[2].elem);
	c->ssl.min_dtls = DTLS_V1_2;
	if (s->n > 3)
		c->ssl.min_dtls = DTLS_V1_0 + syntax_choice(s->row->syntax, s->w[3].elem);
	if (c->ssl.min_tls < TLS_V1_2)
		warn(b, s, 2,
		        "TLS 1.0 and 1.1 are deprecated (RFC 8996): they sign with SHA-1 and have no AEAD");
	if (c->ssl.min_dtls < DTLS_V1_2)
		warn(b, s, 3,
		        "DTLS 1.0 is deprecated (RFC 8996); clients that speak only its predecessor of "
		        "AnyConnect, "
		        "\"DTLS 0.9\", stay on TLS");
	return 0;
}

/* Where in the file a part of a word stands. */
static uint32_t column_in(const struct stmt_word *w, size_t at)
{
	return w->col + (w->is_quoted ? 1 : 0) + (uint32_t)at;
}

static int custom_list(struct builder *b, const struct stmt *s, enum ssl_scope scope, struct text *ret)
{
	const struct stmt_word *w = &s->w[s->n - 1];
	struct text why = {0};
	size_t at = 0;
	int r = cipher_custom_list(scope, span_str(w->text), ret, &at, &why);
	if (r < 0)
		report(b->reporter, DIAG_ERROR, s->line, column_in(w, at), "%s", text_cstr(&why));
	text_done(&why);
	return r;
}

static int level_list(struct builder *b, const struct stmt *s, enum ssl_scope scope, struct text *ret)
{
	const struct stmt_word *w = &s->w[s->n - 1];
	enum cipher_level level = (enum cipher_level)syntax_choice(s->row->syntax, w->elem);
	int r = cipher_level_list(scope, level, ret);
	if (r < 0)
		return apply_error(b, s, s->n - 1, "%s has no suite of level %s", s->w[2].text, w->text);
	if (level < CIPHER_MEDIUM)
		warn(b, s, s->n - 1, "the same as medium: NULL, RC4 and DES suites are never spoken");
	return 0;
}

int apply_ssl_cipher(struct builder *b, const struct stmt *s, void *obj)
{
	struct config *c = obj;
	enum ssl_scope scope = (enum ssl_scope)syntax_choice(s->row->syntax, s->w[2].elem);
	struct text names = {0};
	if (scope == SSL_SCOPE_DEFAULT) {
		warn(b, s, 2,
		        "concerns outgoing connections, as on the ASA, and has no effect yet; clients are "
		        "under tlsv1.2, tlsv1.3, dtlsv1.2 ...");
		return 0;
	}
	int r = stmt_is_arg(s, s->n - 1) ? custom_list(b, s, scope, &names) : level_list(b, s, scope, &names);
	if (r == 0) {
		c->ssl.ciphers[scope] = arena_copy(b->arena, span_of(names.p, names.n));
		r = text_ok(&names) && c->ssl.ciphers[scope] ? 0 : -ENOMEM;
	}
	text_done(&names);
	return r;
}

int apply_ssl_dh_group(struct builder *b, const struct stmt *s, void *obj)
{
	static const struct {
		const char *group;
		int bits;
	} weak[] = {{"group1", 768}, {"group2", 1024}, {"group5", 1536}};
	const char *group = s->w[s->n - 1].text;
	(void)obj;
	for (size_t i = 0; i < N_ELEM(weak); i++) {
		if (strcmp(group, weak[i].group) == 0)
			return apply_error(b, s, s->n - 1,
			        "%s is refused: %d bits are too weak, clients refuse it as well; the least "
			        "is group14",
			        group, weak[i].bits);
	}
	if (strcmp(group, "group24") == 0)
		warn(b, s, s->n - 1,
		        "nobody knows how the numbers of group24 were chosen (RFC 8247 2.4): prefer group14");
	return 0;
}

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>

/* realloc() may leave the old bytes in freed memory: secrets are moved by hand. */
static char *text_grow(struct text *t, size_t cap)
{
	if (!t->is_secret || t->p == NULL)
		return realloc(t->p, cap);
	char *p = malloc(cap);
	if (p == NULL)
		return NULL;
	memcpy(p, t->p, t->n + 1);
	explicit_bzero(t->p, t->cap);
	free(t->p);
	return p;
}

static bool text_reserve(struct text *t, size_t more)
{
	if (t->is_bad)
		return false;
	if (more < t->cap - t->n)
		return true;
	if (more >= TEXT_MAX_BYTES - t->n)
		goto bad;
	size_t cap = t->cap ? t->cap : 256;
	while (cap <= t->n + more)
		cap *= 2;
	char *p = text_grow(t, cap);
	if (p == NULL)
		goto bad;
	t->p = p;
	t->cap = cap;
	return true;
bad:
	t->is_bad = true;
	return false;
}

void text_put(struct text *t, struct span s)
{
	if (!text_reserve(t, s.n))
		return;
	if (s.n > 0)
		memcpy(t->p + t->n, s.p, s.n);
	t->n += s.n;
	t->p[t->n] = '\0';
}

void text_str(struct text *t, const char *s)
{
	text_put(t, span_str(s));
}

void text_vfmt(struct text *t, const char *fmt, va_list ap)
{
	char *p = NULL;
	int n = vasprintf(&p, fmt, ap);
	if (n < 0) {
		t->is_bad = true;
		return;
	}
	text_put(t, span_of(p, (size_t)n));
	free(p);
}

void text_fmt(struct text *t, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	text_vfmt(t, fmt, ap);
	va_end(ap);
}

void text_escaped(struct text *t, struct span s, size_t max)
{
	bool is_cut = s.n > max;
	size_t n = is_cut ? max : s.n;
	for (size_t i = 0; i < n; i++) {
		uint8_t c = s.p[i];
		if (c == '\\')
			text_str(t, "\\\\");
		else if (c >= 0x20 && c < 0x7f)
			text_put(t, span_of(&c, 1));
		else
			text_fmt(t, "\\x%02x", c);
	}
	if (is_cut)
		text_str(t, "...");
}

const char *text_cstr(const struct text *t)
{
	return t->p ? t->p : "";
}

void text_done(struct text *t)
{
	if (t->is_secret && t->p != NULL)
		explicit_bzero(t->p, t->cap);
	free(t->p);
	*t = (struct text){0};
}

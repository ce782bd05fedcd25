#include "wire/auth_common.h"

_Static_assert(XML_MAX_DEPTH == AUTH_XML_MAX_DEPTH && XML_MAX_ELEMENTS == AUTH_XML_MAX_ELEMENTS,
        "one set of limits");
_Static_assert(AUTH_TEXT_BYTES - 1 <= XML_MAX_TEXT, "a text field can be read");

static bool is_white(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span trim_white(struct span s)
{
	while (s.n > 0 && is_white(s.p[0]))
		s = span_skip(s, 1);
	while (s.n > 0 && is_white(s.p[s.n - 1]))
		s.n--;
	return s;
}

static bool has_control(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	}
	return false;
}

int field_set(enum field_kind kind, struct span text, char *ret, size_t cap)
{
	struct span s = kind == FIELD_RAW ? text : trim_white(text);
	if (kind == FIELD_LINE && has_control(s))
		return ERR_MALFORMED;
	if (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)
		return ERR_MALFORMED;
	if (s.n >= cap)
		return ERR_TOO_LARGE;
	if (s.n > 0)
		memcpy(ret, s.p, s.n);
	ret[s.n] = '\0';
	return 0;
}

int field_target_set(void *doc, const struct field_target *t, struct span text)
{
	char *field = (char *)doc + t->at;
	struct span s = t->kind == FIELD_RAW ? text : trim_white(text);
	if (field[0] != '\0')
		return t->kind == FIELD_PROSE || span_is(s, field) ? 0 : ERR_MALFORMED;
	return field_set(t->kind, s, field, t->cap);
}

const struct field_target *field_target_find(const struct field_target *t, size_t n, uint8_t node)
{
	for (size_t i = 0; i < n; i++) {
		if (t[i].node == node)
			return &t[i];
	}
	return NULL;
}

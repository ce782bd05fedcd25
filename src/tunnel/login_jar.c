#include "tunnel/login_jar.h"

#include "base/parse.h"

static struct login_cookie *jar_find(struct login_jar *jar, struct span name)
{
	for (size_t i = 0; i < jar->n; i++)
		if (span_is(name, jar->c[i].name))
			return &jar->c[i];
	return NULL;
}

static void jar_remove(struct login_jar *jar, struct login_cookie *c)
{
	explicit_bzero(c, sizeof(*c));
	*c = jar->c[jar->n - 1];
	explicit_bzero(&jar->c[jar->n - 1], sizeof(*c));
	jar->n--;
}

void login_jar_put(struct login_jar *jar, struct span name, struct span value)
{
	struct login_cookie *old = jar_find(jar, name);
	if (value.n == 0) {
		if (old != NULL)
			jar_remove(jar, old);
		return;
	}
	if (old == NULL && jar->n == LOGIN_MAX_COOKIES)
		return;
	struct login_cookie fresh;
	if (parse_name(name, fresh.name, sizeof(fresh.name)) ||
	        parse_name(value, fresh.value, sizeof(fresh.value)))
		return;
	if (old == NULL)
		old = &jar->c[jar->n++];
	*old = fresh;
	explicit_bzero(&fresh, sizeof(fresh));
}

void login_jar_take(struct login_jar *jar, const struct http_head *head)
{
	for (size_t i = 0; i < head->n_headers; i++) {
		struct span name, value;
		if (!span_is_nocase(head->headers[i].name, "Set-Cookie"))
			continue;
		if (http_set_cookie_parse(head->headers[i].value, &name, &value) == 0)
			login_jar_put(jar, name, value);
	}
}

const char *login_jar_get(const struct login_jar *jar, const char *name)
{
	for (size_t i = 0; i < jar->n; i++)
		if (strcmp(jar->c[i].name, name) == 0)
			return jar->c[i].value;
	return NULL;
}

void login_jar_format(const struct login_jar *jar, struct text *out)
{
	for (size_t i = 0; i < jar->n; i++) {
		text_str(out, i == 0 ? "Cookie: " : "; ");
		text_str(out, jar->c[i].name);
		text_str(out, "=");
		text_str(out, jar->c[i].value);
	}
	if (jar->n > 0)
		text_str(out, "\r\n");
}

#include "diagnose/debug_line.h"

#include "base/parse.h"

#define MTU_MAX 65535

/* "NAME=123" at the beginning, cut off. */
static bool take_value(struct span *s, const char *name, uint32_t *ret)
{
	struct span rest = *s;
	size_t n = 0;
	if (!span_starts(rest, name))
		return false;
	rest = span_skip(rest, strlen(name));
	while (n < rest.n && rest.p[n] >= '0' && rest.p[n] <= '9')
		n++;
	if (parse_u32(span_of(rest.p, n), 0, MTU_MAX, ret) < 0)
		return false;
	*s = span_skip(rest, n);
	return true;
}

bool debug_line_mtu(struct span line, struct event *ret, bool *ret_is_final)
{
	uint32_t tls, dtls;
	struct span s = span_trim(line);
	*ret_is_final = !span_starts(s, "computed ");
	if (!*ret_is_final)
		s = span_skip(s, 9);
	else if (span_starts(s, "announced "))
		s = span_skip(s, 10);
	if (!take_value(&s, "tls-mtu=", &tls) || !take_value(&s, " dtls-mtu=", &dtls))
		return false;
	ret->size = tls;
	ret->limit = dtls;
	return true;
}

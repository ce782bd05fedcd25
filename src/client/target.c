#include "client/target.h"

#include <errno.h>

#include "base/addr.h"
#include "base/parse.h"

static struct span span_before_last(struct span in, char sep, struct span *ret_after)
{
	for (size_t i = in.n; i > 0; i--) {
		if (in.p[i - 1] != (uint8_t)sep)
			continue;
		*ret_after = span_skip(in, i);
		return span_of(in.p, i - 1);
	}
	*ret_after = in;
	return (struct span){0};
}

/* "host", "host:port", "[v6]", "[v6]:port", or a bare IPv6 literal. */
static int host_port_parse(struct span in, struct span *ret_host, uint16_t *ret_port)
{
	struct ip_addr literal;
	struct span port = {0};
	uint32_t n = 443;
	bool has_port = false;
	*ret_host = in;
	if (in.n > 0 && in.p[0] == '[') {
		port = span_skip(in, 1);
		*ret_host = span_cut(&port, ']');
		if (ret_host->n + 2 > in.n || addr_parse(*ret_host, &literal) || literal.family != 6)
			return -EINVAL;
		has_port = port.n > 0;
		if (has_port && port.p[0] != ':')
			return -EINVAL;
		port = span_skip(port, 1);
	} else if (addr_parse(in, &literal) != 0) {
		port = in;
		*ret_host = span_cut(&port, ':');
		has_port = ret_host->n < in.n;
	}
	if (ret_host->n == 0 || (has_port && parse_u32(port, 1, 65535, &n)))
		return -EINVAL;
	*ret_port = (uint16_t)n;
	return 0;
}

int target_parse(const char *in, struct target *ret)
{
	struct target t = {0};
	struct span rest = span_str(in), host, after;
	if (span_starts(rest, "https://"))
		rest = span_skip(rest, 8);
	/* the group may hold anything, a user name no slash: cut the path first */
	struct span authority = span_cut(&rest, '/');
	struct span group = rest;
	struct span user = span_before_last(authority, '@', &after);
	if (host_port_parse(after, &host, &t.port))
		return -EINVAL;
	for (size_t i = 0; i < host.n; i++)
		if (host.p[i] <= ' ' || host.p[i] >= 0x7f)
			return -EINVAL;
	while (group.n > 0 && group.p[group.n - 1] == '/')
		group.n--;
	if (parse_name(user, t.user, sizeof(t.user)) || parse_name(host, t.host, sizeof(t.host)) ||
	        parse_name(group, t.group, sizeof(t.group)))
		return -EINVAL;
	*ret = t;
	return 0;
}

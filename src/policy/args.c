#include "policy/args.h"

#include <errno.h>

#include "base/parse.h"

#define NAME_MAX_CHARS   POLICY_NAME_MAX
#define WORD_MAX_CHARS   1024
#define SECRET_MAX_CHARS 512
#define DOMAIN_MAX_CHARS 253

static bool has_only(struct span s, size_t max, const char *also)
{
	if (s.n == 0 || s.n > max)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		uint8_t c = s.p[i];
		bool is_alnum = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
		if (!is_alnum && strchr(also, c) == NULL)
			return false;
	}
	return true;
}

static int check_word_of(struct span s, size_t max)
{
	if (s.n == 0 || s.n > max)
		return -EINVAL;
	return memchr(s.p, '"', s.n) ? -EINVAL : 0;
}

static int check_word(struct span s)
{
	return check_word_of(s, WORD_MAX_CHARS);
}

static int check_name(struct span s)
{
	return check_word_of(s, NAME_MAX_CHARS);
}

static int check_secret(struct span s)
{
	return s.n > 0 && s.n <= SECRET_MAX_CHARS ? 0 : -EINVAL;
}

static int check_text(struct span s)
{
	return s.n > 0 ? 0 : -EINVAL;
}

static int check_host(struct span s)
{
	return has_only(s, 63, "-._") ? 0 : -EINVAL;
}

static int check_domain(struct span s)
{
	return has_only(s, DOMAIN_MAX_CHARS, "-._") ? 0 : -EINVAL;
}

static int check_interface(struct span s)
{
	return has_only(s, 48, "-._/") ? 0 : -EINVAL;
}

static int check_device(struct span s)
{
	return has_only(s, 15, "-._") ? 0 : -EINVAL;
}

static int check_paren(struct span s)
{
	if (s.n < 3 || s.p[0] != '(' || s.p[s.n - 1] != ')')
		return -EINVAL;
	return check_interface(span_of(s.p + 1, s.n - 2));
}

static int check_addr(struct span s)
{
	struct ip_addr a;
	return addr_parse(s, &a);
}

static int check_family(struct span s, uint8_t family)
{
	struct ip_addr a;
	return addr_parse(s, &a) == 0 && a.family == family ? 0 : -EINVAL;
}

static int check_addr4(struct span s)
{
	return check_family(s, 4);
}

static int check_addr6(struct span s)
{
	return check_family(s, 6);
}

static int check_mask(struct span s)
{
	struct ip_addr a;
	uint8_t len;
	if (check_addr4(s) < 0 || addr_parse(s, &a) < 0)
		return -EINVAL;
	return addr_mask_len(&a, &len);
}

static int check_prefix6(struct span s)
{
	struct ip_prefix p;
	if (s.n == 0 || memchr(s.p, '/', s.n) == NULL || prefix_parse(s, &p) < 0)
		return -EINVAL;
	return p.addr.family == 6 ? 0 : -EINVAL;
}

int arg_parse_range4(struct span s, struct ip_addr *ret_first, struct ip_addr *ret_last)
{
	struct ip_addr first, last;
	struct span head = span_cut(&s, '-');
	if (addr_parse(head, &first) < 0 || addr_parse(s, &last) < 0 || first.family != 4 || last.family != 4)
		return -EINVAL;
	if (addr_to_v4(&first) > addr_to_v4(&last))
		return -EINVAL;
	*ret_first = first;
	*ret_last = last;
	return 0;
}

static int check_range4(struct span s)
{
	struct ip_addr a, b;
	return arg_parse_range4(s, &a, &b);
}

static int check_url(struct span s)
{
	if (check_word(s) < 0 || !(span_starts(s, "https://") || span_starts(s, "http://")))
		return -EINVAL;
	return s.n > strlen("https://") ? 0 : -EINVAL;
}

static int check_path(struct span s)
{
	return check_word(s) == 0 && s.p[0] == '/' ? 0 : -EINVAL;
}

static int check_privilege(struct span s)
{
	uint32_t v;
	return parse_u32(s, 0, 15, &v) == 0 ? 0 : -EINVAL;
}

int arg_parse_service(struct span s, bool *ret_is_tcp, uint16_t *ret_port)
{
	uint32_t port;
	struct span proto = span_cut(&s, '/');
	bool is_tcp = span_is_nocase(proto, "tcp") || span_is(proto, "6");
	if (!is_tcp && !span_is_nocase(proto, "udp") && !span_is(proto, "17"))
		return -EINVAL;
	if (parse_u32(s, 1, UINT16_MAX, &port) < 0)
		return -EINVAL;
	*ret_is_tcp = is_tcp;
	*ret_port = (uint16_t)port;
	return 0;
}

static int check_service(struct span s)
{
	bool is_tcp;
	uint16_t port;
	return arg_parse_service(s, &is_tcp, &port);
}

static int check_level(struct span s)
{
	uint32_t v;
	return parse_u32(s, 0, 7, &v) == 0 ? 0 : -EINVAL;
}

static const struct arg_type types[] = {
        {"N", "number", NULL, false, NULL},
        {"NAME", "name", "name1", false, check_name},
        {"WORD", "word", "word1", false, check_word},
        {"TEXT", "text", "some text", false, check_text},
        {"REST", "anything", "anything", false, NULL},
        {"HOSTNAME", "host name", "gw1", false, check_host},
        {"DOMAIN", "domain name", "example.com", false, check_domain},
        {"IF", "interface name", "outside", false, check_interface},
        {"(IF)", "interface name in parentheses", "(inside)", false, check_paren},
        {"DEVICE", "network device name, up to 15 characters", "culvert1", false, check_device},
        {"ADDR", "IP address", "10.0.0.1", false, check_addr},
        {"ADDR4", "IPv4 address", "10.0.0.1", false, check_addr4},
        {"ADDR6", "IPv6 address", "2001:db8::1", false, check_addr6},
        {"MASK", "netmask such as 255.255.255.0", "255.255.255.0", false, check_mask},
        {"PREFIX6", "IPv6 prefix such as 2001:db8::/64", "2001:db8::/64", false, check_prefix6},
        {"RANGE4", "IPv4 range FIRST-LAST", "10.0.0.1-10.0.0.9", false, check_range4},
        {"URL", "URL beginning with https:// or http://", "https://vpn.example.com/x", false, check_url},
        {"PATH", "absolute path", "/etc/culvert/file.pem", false, check_path},
        {"PRIVILEGE", "level 0-15", "0", false, check_privilege},
        {"LEVEL", "level 0-7", "6", false, check_level},
        {"SERVICE", "udp/PORT or tcp/PORT", "udp/514", false, check_service},
        {"SECRET", "secret", "secret1", true, check_secret},
};

const struct arg_type *arg_find(struct span elem)
{
	for (size_t i = 0; i < N_ELEM(types); i++) {
		if (span_is(elem, types[i].name))
			return &types[i];
	}
	return NULL;
}

int arg_check(const struct command *row, struct span elem, const struct word *w)
{
	const struct arg_type *t = arg_find(elem);
	uint32_t v;
	if (t == NULL)
		return -EINVAL;
	if (span_is(elem, "N"))
		return parse_u32(w->text, row->min, row->max, &v);
	return t->check ? t->check(w->text) : 0;
}

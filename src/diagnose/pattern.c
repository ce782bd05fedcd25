#include "diagnose/pattern.h"

#include "base/parse.h"

/* How many bytes of a pattern are fixed words, up to the next place. */
static size_t fixed_bytes(const char *pattern)
{
	size_t n = 0;
	while (pattern[n] != '\0' && pattern[n] != '%')
		n++;
	return n;
}

static size_t digits(struct span in)
{
	size_t n = 0;
	while (n < in.n && in.p[n] >= '0' && in.p[n] <= '9')
		n++;
	return n;
}

static size_t word_bytes(struct span in, char end)
{
	size_t n = 0;
	while (n < in.n && in.p[n] != ' ' && in.p[n] != '\t' && in.p[n] != (uint8_t)end)
		n++;
	return n;
}

static bool is_address_byte(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == '.' ||
	       c == ':';
}

/* A literal that a sentence or a port may follow: "10.1.1.2." and "10.1.1.2:443" are the address. */
static size_t address_bytes(struct span in, struct ip_addr *ret)
{
	size_t n = 0;
	while (n < in.n && n < ADDR_TEXT_MAX && is_address_byte(in.p[n]))
		n++;
	for (; n > 0; n--)
		if (addr_parse(span_of(in.p, n), ret) == 0)
			return n;
	return 0;
}

static const uint8_t *find(struct span in, const char *words, size_t n)
{
	return n <= in.n && in.n > 0 ? memmem(in.p, in.n, words, n) : NULL;
}

/* Bytes of in that the place takes; false: it cannot be filled. */
static bool place_bytes(const char *place, struct span in, struct pattern_match *m, size_t *ret)
{
	size_t n_next = fixed_bytes(place + 1);
	const uint8_t *at;
	switch (place[0]) {
	case 'n':
		*ret = digits(in);
		return parse_u32(span_of(in.p, *ret), 0, UINT32_MAX, &m->n[m->count]) == 0;
	case 'a':
		*ret = address_bytes(in, &m->a[m->count]);
		return *ret > 0;
	case 'w':
		*ret = word_bytes(in, place[1]);
		return *ret > 0;
	default: /* t */
		at = n_next > 0 ? find(in, place + 1, n_next) : in.p + in.n;
		*ret = at != NULL ? (size_t)(at - in.p) : 0;
		return at != NULL || n_next == 0;
	}
}

bool pattern_match(const char *pattern, struct span in, struct pattern_match *ret)
{
	if (in.n == 0 || (pattern[0] != '%' && in.p[0] != (uint8_t)pattern[0]))
		return false;
	ret->count = 0;
	while (*pattern != '\0') {
		size_t n = fixed_bytes(pattern);
		if (n > 0) {
			if (in.n < n || memcmp(in.p, pattern, n) != 0)
				return false;
			in = span_skip(in, n);
			pattern += n;
			continue;
		}
		size_t i = ret->count;
		if (i >= PATTERN_MAX_PLACES)
			return false;
		ret->n[i] = 0;
		ret->a[i] = (struct ip_addr){0};
		if (!place_bytes(pattern + 1, in, ret, &n))
			return false;
		ret->s[i] = span_of(in.p, n);
		ret->count++;
		in = span_skip(in, n);
		pattern += 2;
	}
	ret->rest = in;
	return true;
}

const uint8_t *span_find(struct span s, const char *word)
{
	return find(s, word, strlen(word));
}

const uint8_t *span_find_nocase(struct span s, const char *word)
{
	size_t n = strlen(word);
	for (size_t i = 0; n > 0 && n <= s.n && i <= s.n - n; i++)
		if ((s.p[i] | 0x20) == ((uint8_t)word[0] | 0x20) &&
		        strncasecmp((const char *)s.p + i, word, n) == 0)
			return s.p + i;
	return NULL;
}

struct span span_behind(struct span s, const char *word)
{
	const uint8_t *at = span_find(s, word);
	return at != NULL ? span_skip(s, (size_t)(at - s.p) + strlen(word)) : (struct span){0};
}

struct span span_trim_end(struct span s, const char *set)
{
	while (s.n > 0 && s.p[s.n - 1] != '\0' && strchr(set, s.p[s.n - 1]) != NULL)
		s.n--;
	return s;
}

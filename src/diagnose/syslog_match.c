/* The pattern language of syslog_table.h: tries the shortest text for each field, and goes back when what
 * follows does not fit, so that a user's name may have blanks, brackets and " IP " in it. */
#include "diagnose/syslog_table.h"

#include "base/parse.h"

#define FIELD_MAX 256   /* bytes of a name or of words within a message */
#define STEPS_MAX 20000 /* attempts for one line: nobody's log makes us try for long */

struct matcher {
	struct event e;
	struct syslog_words w;
	bool is_lax; /* addresses may be anything, as in "IP <x.x.x.x>" of a log that somebody made anonymous
	              */
	unsigned steps;
};

static bool match(struct matcher *m, const char *p, struct span in);

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t';
}

/* ---- fields of text ---- */

static struct span *text_field(struct matcher *m, char f)
{
	switch (f) {
	case 'g':
		return &m->e.group;
	case 't':
		return &m->e.profile;
	case 'u':
		return &m->e.user;
	case 'r':
		return &m->e.cause;
	case 'x':
		return &m->w.x;
	case 'y':
		return &m->w.y;
	default:
		return NULL;
	}
}

static bool match_text(struct matcher *m, char f, const char *rest, struct span in)
{
	struct span *to = text_field(m, f);
	for (size_t n = 0; n <= in.n && n <= FIELD_MAX; n++) {
		if (++m->steps > STEPS_MAX)
			return false;
		if (match(m, rest, span_skip(in, n))) {
			if (to != NULL)
				*to = span_trim(span_of(in.p, n));
			return true;
		}
	}
	return false;
}

/* All that is left; a cause without the dot that ends the message. */
static bool match_last(struct matcher *m, char f, struct span in)
{
	struct span *to = text_field(m, f);
	in = span_trim(in);
	if (in.n == 0)
		return false;
	if (f == 'r' && in.p[in.n - 1] == '.')
		in.n--;
	if (to != NULL)
		*to = in;
	return true;
}

/* ---- numbers, addresses, words ---- */

static bool match_number(struct matcher *m, char f, const char *rest, struct span in)
{
	uint32_t v;
	size_t n = 0;
	while (n < in.n && in.p[n] >= '0' && in.p[n] <= '9')
		n++;
	if (n == 0 || (f != 'n' && parse_u32(span_of(in.p, n), 0, UINT32_MAX, &v) < 0))
		return false;
	if (!match(m, rest, span_skip(in, n)))
		return false;
	if (f != 'n')
		*(f == 's' ? &m->e.size : &m->e.limit) = v;
	return true;
}

static bool is_address_char(uint8_t c)
{
	return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'f') || c == ':' || c == '.';
}

static bool is_unspecified(const struct ip_addr *a)
{
	static const uint8_t zeros[sizeof(a->b)];
	return memcmp(a->b, zeros, sizeof(zeros)) == 0;
}

static bool match_address(struct matcher *m, char f, const char *rest, struct span in)
{
	struct ip_addr a = {0};
	size_t n = 0;
	while (n < in.n &&
	        (m->is_lax ? !is_blank(in.p[n]) && in.p[n] != '>' && in.p[n] != ',' && in.p[n] != '/'
	                   : is_address_char(in.p[n])))
		n++;
	bool is_good = addr_parse(span_of(in.p, n), &a) == 0;
	if (!is_good && n > 1 && (in.p[n - 1] == '.' || in.p[n - 1] == ':')) /* of the sentence */
		is_good = addr_parse(span_of(in.p, --n), &a) == 0;
	if ((!is_good && !m->is_lax) || n == 0 || !match(m, rest, span_skip(in, n)))
		return false;
	if (is_good && !is_unspecified(&a))
		*(f == 'p' ? &m->e.public_ip : f == 'a' ? &m->e.inner : &m->e.peer) = a;
	return true;
}

static bool match_tunnel(struct matcher *m, char f, const char *rest, struct span in)
{
	static const struct {
		char field;
		uint8_t tunnel;
		const char *word;
	} words[] = {{'k', TUNNEL_TLS, "TCP"}, {'k', TUNNEL_DTLS, "UDP"}, {'v', TUNNEL_DTLS, "DTLS"},
	        {'v', TUNNEL_TLS, "TLS"}, {'v', TUNNEL_TLS, "SSL"}};
	for (size_t i = 0; i < N_ELEM(words); i++) {
		if (words[i].field != f || !span_starts(in, words[i].word))
			continue;
		size_t n = 3;
		while (f == 'v' && n < in.n && !is_blank(in.p[n]))
			n++;
		if (!match(m, rest, span_skip(in, n)))
			return false;
		m->e.tunnel = words[i].tunnel;
		return true;
	}
	return false;
}

static bool match_field(struct matcher *m, char f, const char *rest, struct span in)
{
	switch (f) {
	case 's':
	case 'l':
	case 'n':
		return match_number(m, f, rest, in);
	case 'p':
	case 'a':
	case 'd':
		return match_address(m, f, rest, in);
	case 'k':
	case 'v':
		return match_tunnel(m, f, rest, in);
	default:
		return *rest == '\0' ? match_last(m, f, in) : match_text(m, f, rest, in);
	}
}

/* ---- the pattern ---- */

static struct span skip_blanks(struct span in)
{
	while (in.n > 0 && is_blank(in.p[0]))
		in = span_skip(in, 1);
	return in;
}

static bool match(struct matcher *m, const char *p, struct span in)
{
	for (; *p != '\0'; p++) {
		bool is_there = in.n > 0 && in.p[0] == (uint8_t)*p;
		if (*p == '$')
			return match_field(m, p[1], p + 2, in);
		if (*p == '[')
			return match(m, p + 1, in) || match(m, strchr(p, ']') + 1, in);
		if (*p == ']')
			continue;
		if (*p == ' ') {
			if (in.n == 0 || !is_blank(in.p[0]))
				return false;
			in = skip_blanks(in);
		} else if (is_there) {
			in = span_skip(in, 1);
		} else if (*p != '<' && *p != '>') {
			return false;
		}
	}
	return true;
}

bool syslog_match(const char *pattern, struct span text, struct event *e, struct syslog_words *w)
{
	for (int pass = 0; pass < 2; pass++) {
		struct matcher m = {.e = *e, .w = *w, .is_lax = pass == 1};
		if (match(&m, pattern, text)) {
			*e = m.e;
			*w = m.w;
			return true;
		}
	}
	return false;
}

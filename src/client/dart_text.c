#include "client/dart_text.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define RULE "******************************************\n"

#define PEM_LABEL_MAX 64 /* bytes of "-----BEGIN ENCRYPTED PRIVATE KEY-----" and the like */

/* ---- events ---- */

/* "2026-11-26T09:14:52.190Z" to local time. */
static bool time_parse(const char *t, struct tm *ret)
{
	struct tm utc = {0};
	const char *rest = strptime(t, "%Y-%m-%dT%H:%M:%S", &utc);
	if (rest == NULL || (*rest != '.' && *rest != 'Z'))
		return false;
	time_t at = timegm(&utc);
	return localtime_r(&at, ret) != NULL;
}

/* Where a code is named, Cisco's client begins a new line behind it. */
static void put_description(struct text *out, const char *text)
{
	static const char mark[] = " reason code ";
	const char *at = strstr(text, mark), *colon = at != NULL ? strstr(at, ": ") : NULL;
	if (colon == NULL) {
		text_fmt(out, "%s", text);
		return;
	}
	text_put(out, span_of(text, (size_t)(colon - text) + 1));
	text_fmt(out, "\n%s", colon + 2);
}

static bool event_put(json_t *o, struct text *out)
{
	const char *t, *type, *source, *text;
	struct tm tm;
	if (json_unpack(
	            o, "{s:s, s:s, s:s, s:s}", "t", &t, "type", &type, "source", &source, "text", &text) ||
	        !time_parse(t, &tm))
		return false;
	text_fmt(out, RULE "\nDate        : %02d/%02d/%04d\nTime        : %02d:%02d:%02d\n", tm.tm_mon + 1,
	        tm.tm_mday, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	text_fmt(out, "Type        : %s\nSource      : %s\n\nDescription : ", type, source);
	put_description(out, text);
	text_str(out, "\n\n");
	return true;
}

bool dart_event_put(struct span line, struct text *out)
{
	if (line.n == 0 || line.n > DART_LINE_MAX)
		return false;
	json_t *o = json_loadb((const char *)line.p, line.n, 0, NULL);
	bool is_event = o != NULL && event_put(o, out);
	json_decref(o);
	return is_event;
}

void dart_events_end(struct text *out)
{
	text_str(out, RULE);
}

/* ---- no secrets ---- */

/* What stands before a secret, in any case; behind it come blanks, quotes, "=", ":" and ">", then the secret.
 */
static const struct mark {
	const char *word;
	bool is_line; /* the secret has several parts: all of the line */
} marks[] = {
        {"webvpn", false},
        {"webvpnc", false},
        {"token", false},
        {"session-token", false},
        {"session_token", false},
        {"set-cookie", true},
        {"cookie", true},
        {"password", false},
        {"passwd", false},
        {"passphrase", false},
        {"passcode", false},
        {"secret", false},
        {"psk", false},
        {"x-dtls-master-secret", false},
        {"authorization", true},
};

/* The longest that s begins with; NULL: none. */
static const struct mark *mark_at(struct span s)
{
	const struct mark *best = NULL;
	for (size_t i = 0; i < N_ELEM(marks); i++) {
		size_t n = strlen(marks[i].word);
		if (s.n > n && (best == NULL || n > strlen(best->word)) &&
		        strncasecmp((const char *)s.p, marks[i].word, n) == 0)
			best = &marks[i];
	}
	return best;
}

static bool is_quote(uint8_t c)
{
	return c == '"' || c == '\'';
}

static bool is_sign(uint8_t c)
{
	return c == '=' || c == ':' || c == '>';
}

static bool is_joint(uint8_t c)
{
	return is_sign(c) || is_quote(c) || c == ' ' || c == '\t' || c == '\\';
}

/* What stands between a mark and its value. */
struct joint {
	size_t n;           /* bytes; 0: no sign is among them, and the mark was only a word */
	uint8_t last_sign;  /* of "=", ":", ">" */
	uint8_t quote;      /* behind the last sign, which the same ends; 0: none */
	size_t n_backslash; /* before that quote: JSON that is a string of JSON */
};

static struct joint joint_at(struct span s)
{
	struct joint j = {0};
	size_t n_backslash = 0;
	for (; j.n < s.n && is_joint(s.p[j.n]); j.n++) {
		uint8_t c = s.p[j.n];
		if (is_sign(c)) {
			j.last_sign = c;
			j.quote = 0;
		} else if (is_quote(c) && j.quote == 0) {
			j.quote = c;
			j.n_backslash = n_backslash;
		}
		n_backslash = c == '\\' ? n_backslash + 1 : 0;
	}
	if (j.last_sign == 0)
		j.n = 0;
	return j;
}

/* Up to the quote that ends it, or the end of the line. One with more backslashes is part of the value. */
static size_t quoted_bytes(struct span s, const struct joint *j)
{
	size_t n = 0, n_backslash = 0;
	for (; n < s.n && s.p[n] != '\n'; n++) {
		if (s.p[n] == j->quote && n_backslash <= j->n_backslash)
			return n - n_backslash;
		n_backslash = s.p[n] == '\\' ? n_backslash + 1 : 0;
	}
	return n;
}

/* Where no rule says how a value ends, rather more is taken than less. */
static size_t value_bytes(struct span s, const struct mark *m, const struct joint *j)
{
	size_t n = 0;
	if (j->quote)
		return quoted_bytes(s, j);
	if (j->last_sign == '>' || m->is_line)
		while (n < s.n && s.p[n] != '\n' && s.p[n] != '\r' && s.p[n] != '<' && s.p[n] != '"')
			n++;
	else
		while (n < s.n && s.p[n] > ' ' && s.p[n] != '<' && !is_quote(s.p[n]))
			n++;
	return n;
}

/* Bytes of a PEM block of a private key that begins here, else 0. */
static size_t pem_bytes(struct span s)
{
	static const char begin[] = "-----BEGIN ", end[] = "-----END ";
	if (s.p == NULL || !span_starts(s, begin))
		return 0;
	size_t head = s.n < PEM_LABEL_MAX ? s.n : PEM_LABEL_MAX;
	const uint8_t *eol = memchr(s.p, '\n', head);
	if (eol != NULL)
		head = (size_t)(eol - s.p);
	if (memmem(s.p, head, "PRIVATE KEY", 11) == NULL)
		return 0;
	const uint8_t *tail = memmem(s.p, s.n, end, sizeof(end) - 1);
	if (tail == NULL)
		return s.n;
	const uint8_t *last = memchr(tail, '\n', s.n - (size_t)(tail - s.p));
	return last != NULL ? (size_t)(last - s.p) : s.n;
}

/* Bytes of in that are a secret with its mark; appends what stands in their place. 0: none begins here. */
static size_t scrub_here(struct span in, struct text *out)
{
	size_t pem = pem_bytes(in);
	if (pem > 0) {
		text_str(out, "[private key removed]");
		return pem;
	}
	const struct mark *m = mark_at(in);
	if (m == NULL)
		return 0;
	size_t n = strlen(m->word);
	const struct joint j = joint_at(span_skip(in, n));
	if (j.n == 0)
		return 0;
	n += j.n;
	size_t value = value_bytes(span_skip(in, n), m, &j);
	text_put(out, span_of(in.p, n));
	if (value > 0)
		text_str(out, "[removed]");
	return n + value;
}

void dart_scrub(struct span in, struct text *out)
{
	size_t from = 0, i = 0;
	while (i < in.n) {
		struct text piece = {0};
		size_t n = scrub_here(span_of(in.p + i, in.n - i), &piece);
		if (n > 0) {
			text_put(out, span_of(in.p + from, i - from));
			text_put(out, span_of(piece.p, piece.n));
			from = i + n;
		}
		i += n > 0 ? n : 1;
		text_done(&piece);
	}
	text_put(out, span_of(in.p + from, in.n - from));
}

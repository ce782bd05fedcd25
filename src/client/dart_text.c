#include "client/dart_text.h"

#include <ctype.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define RULE "******************************************\n"

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
static const char *const marks[] = {
        "webvpn",
        "webvpnc",
        "session-token",
        "session_token",
        "set-cookie",
        "cookie",
        "password",
        "passwd",
        "secret",
        "psk",
        "x-dtls-master-secret",
        "authorization",
};

static size_t mark_at(struct span s)
{
	size_t best = 0;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		size_t n = strlen(marks[i]);
		if (n > best && s.n > n && strncasecmp((const char *)s.p, marks[i], n) == 0)
			best = n;
	}
	return best;
}

static bool is_joint(uint8_t c)
{
	return c == '=' || c == ':' || c == '>' || c == '"' || c == '\'' || c == ' ' || c == '\t' ||
	       c == '\\';
}

/* Bytes between the mark and its value, 0 when no "=", ":" or ">" is among them: then it is only a word. */
static size_t joint_bytes(struct span s)
{
	size_t n = 0;
	bool has_sign = false;
	for (; n < s.n && is_joint(s.p[n]); n++)
		has_sign |= s.p[n] == '=' || s.p[n] == ':' || s.p[n] == '>';
	return has_sign ? n : 0;
}

/* A mark and what joins it to its value; 0: none here. */
static size_t label_bytes(struct span s)
{
	size_t mark = mark_at(s);
	size_t joint = mark > 0 ? joint_bytes(span_of(s.p + mark, s.n - mark)) : 0;
	return joint > 0 ? mark + joint : 0;
}

static size_t value_bytes(struct span s)
{
	size_t n = 0;
	while (n < s.n && s.p[n] > ' ' && strchr("\"'<;,\\", s.p[n]) == NULL)
		n++;
	return n;
}

/* Bytes of a PEM block of a private key that begins here, else 0. */
static size_t pem_bytes(struct span s)
{
	static const char begin[] = "-----BEGIN ", end[] = "-----END ";
	if (!span_starts(s, begin))
		return 0;
	const uint8_t *eol = memchr(s.p, '\n', s.n);
	size_t head = eol != NULL ? (size_t)(eol - s.p) : s.n;
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
	size_t n = label_bytes(in);
	if (n == 0)
		return 0;
	struct span rest = span_of(in.p + n, in.n - n);
	size_t value = value_bytes(rest);
	if (value == 0 || label_bytes(rest) > 0) {
		text_put(out,
		        span_of(in.p, n)); /* "Cookie: webvpn=...": the next label stands before the value */
		return n;
	}
	text_put(out, span_of(in.p, n));
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

#include "diagnose/syslog_head.h"

#include "base/parse.h"
#include "diagnose/cli.h"

#define TAG_MAX      32 /* bytes from '%' to the number: "%CULVERT-6-", "%ASA-session-6-" */
#define ID_DIGITS    6
#define NILS_MAX     3 /* PROCID, MSGID and STRUCTURED-DATA of RFC 5424, when the tag was taken for APP-NAME */
#define CEF_HEAD_MAX 200 /* bytes up to "CEF:0|" */
#define BARS_MAX     6   /* fields between number and text in a line of ASDM */

/* ---- which message ---- */

static bool is_digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(uint8_t c)
{
	return (c | 32) >= 'a' && (c | 32) <= 'z';
}

/* "ASA-6-722036", "ASA-svc-4-722051", "FTD--6-852002", "FTD<Up>-4-313005"; 0: none. *ret_n: bytes of it. */
static uint32_t take_id(struct span s, size_t *ret_n)
{
	for (size_t i = 3; i + ID_DIGITS < s.n && i < TAG_MAX; i++) {
		if (s.p[i] == '-' && is_digit(s.p[i + 1]) && is_digit(s.p[i + 2])) {
			uint32_t id;
			if (parse_u32(span_of(s.p + i + 1, ID_DIGITS), 100000, 999999, &id) < 0)
				return 0;
			*ret_n = i + 1 + ID_DIGITS;
			return *ret_n < s.n && is_digit(s.p[*ret_n]) ? 0 : id;
		}
		if (!is_letter(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '-' && s.p[i] != '<' &&
		        s.p[i] != '>')
			return 0;
	}
	return 0;
}

static bool find_family(struct span s, uint8_t *ret)
{
	static const char *const names[] = {"ASA", "FTD", "PIX", "FWSM"};
	*ret = SYSLOG_ASA;
	for (size_t i = 0; i < N_ELEM(names); i++)
		if (span_starts(s, names[i]))
			return true;
	*ret = SYSLOG_CULVERT;
	return span_starts(s, "CULVERT-");
}

/* "%ASA-6-722036 - - - text": what a relay has put between the two. */
static struct span skip_nils(struct span text)
{
	for (int i = 0; i < NILS_MAX && text.n > 1 && text.p[0] == '-' && text.p[1] == ' '; i++)
		text = span_trim(span_skip(text, 2));
	return span_starts(text, "\xef\xbb\xbf") ? span_skip(text, 3) : text;
}

/* ASDM's log viewer, copied or saved: "6|Nov 16 2013|01:28:50|722036|198.51.100.7|4431|10.1.1.2|443|text";
 * old ones have no ports. */
static bool find_asdm(struct span line, struct syslog_head *ret)
{
	struct span rest = line, level = span_cut(&rest, '|'), date = span_cut(&rest, '|'),
	            time = span_cut(&rest, '|'), number = span_cut(&rest, '|');
	if (level.n != 1 || !is_digit(level.p[0]) || date.n < 10 || time.n != 8 || number.n != ID_DIGITS ||
	        parse_u32(number, 100000, 999999, &ret->id) < 0)
		return false;
	for (int i = 0; i < BARS_MAX && rest.n > 0; i++) {
		struct span after = rest, field = span_cut(&after, '|');
		if (memchr(field.p, ' ', field.n) != NULL)
			break;
		rest = after;
	}
	ret->family = SYSLOG_ASA;
	ret->before = span_of(date.p, date.n + 1 + time.n);
	ret->text = span_trim(rest);
	return true;
}

/* ---- CEF ---- */

static size_t find(struct span in, const char *what)
{
	const uint8_t *at = in.n ? memmem(in.p, in.n, what, strlen(what)) : NULL;
	return at ? (size_t)(at - in.p) : in.n;
}

/* What follows "CEF:0|vendor|product|version|id|name|severity|"; *ret_product and the others as they stand.
 */
static bool cut_cef(struct span s, struct span *ret_product, struct span *ret_id, struct span *ret_name,
        struct span *ret_extension)
{
	(void)span_cut(&s, '|');
	(void)span_cut(&s, '|');
	*ret_product = span_cut(&s, '|');
	(void)span_cut(&s, '|');
	*ret_id = span_cut(&s, '|');
	*ret_name = span_cut(&s, '|');
	(void)span_cut(&s, '|');
	*ret_extension = s;
	return ret_product->n > 0 && ret_name->n > 0;
}

/* A value ends where the next key stands; the message itself has "dest_addr=" in it. */
static struct span cut_at_key(struct span text)
{
	static const char *const keys[] = {"rt", "dvc", "dvchost", "src", "dst", "spt", "dpt", "suser",
	        "duser", "cat", "act", "proto", "cs1", "cn1", "externalId", "deviceExternalId", "eventId",
	        "start", "end"};
	for (size_t i = 0; i < text.n; i++)
		for (size_t k = 0; text.p[i] == ' ' && k < N_ELEM(keys); k++) {
			struct span rest = span_skip(text, i + 1);
			size_t n = strlen(keys[k]);
			if (span_starts(rest, keys[k]) && rest.n > n && rest.p[n] == '=')
				text.n = i;
		}
	return text;
}

/* Collectors that put the number into the head leave "%ASA-6-722036:" out of the message. */
static bool find_cef(struct span line, struct syslog_head *ret)
{
	struct span head = span_of(line.p, line.n < CEF_HEAD_MAX ? line.n : CEF_HEAD_MAX), product, id, name,
	            extension;
	const uint8_t *bar = head.n > 0 ? memchr(head.p, '|', head.n) : NULL;
	if (bar == NULL || bar - line.p < 5 || memcmp(bar - 5, "CEF:", 4) != 0 ||
	        !cut_cef(span_skip(line, (size_t)(bar - line.p) - 5), &product, &id, &name, &extension))
		return false;
	bool is_ours = span_is(product, "ASA") || span_is(product, "FTD") || span_is(product, "Firepower") ||
	               span_is(product, "ASA Firewall");
	if (!is_ours || id.n != ID_DIGITS || parse_u32(id, 100000, 999999, &ret->id) < 0)
		return false;
	size_t msg = find(extension, "msg=");
	ret->family = SYSLOG_ASA;
	ret->before = span_of(line.p, (size_t)(bar - line.p) + 1);
	ret->text = msg < extension.n ? span_skip(extension, msg + 4) : name;
	ret->after = extension;
	return true;
}

/* What stands in front of a message may be such a head: only what is in front of that is a relay's. */
static void trim_cef(struct syslog_head *h)
{
	struct span product, id, name, extension;
	size_t at = find(h->before, "CEF:");
	h->is_cef = at < h->before.n;
	if (!h->is_cef)
		return;
	struct span record = span_of(h->before.p + at, (size_t)(h->text.p + h->text.n - h->before.p) - at);
	if (h->after.n == 0 && cut_cef(record, &product, &id, &name, &extension))
		h->after = extension;
	h->before.n = at;
	h->text = span_trim(cut_at_key(h->text));
}

bool syslog_head_find(struct span line, struct syslog_head *ret)
{
	struct span rest = line;
	const uint8_t *at;
	*ret = (struct syslog_head){.id = 0};
	while (rest.n > 0 && (at = memchr(rest.p, '%', rest.n)) != NULL) {
		size_t n;
		rest = span_skip(rest, (size_t)(at - rest.p) + 1);
		if (!find_family(rest, &ret->family) || (ret->id = take_id(rest, &n)) == 0)
			continue;
		ret->before = span_of(line.p, (size_t)(at - line.p));
		ret->text = span_skip(rest, n);
		if (ret->text.n > 0 && ret->text.p[0] == ':')
			ret->text = span_skip(ret->text, 1);
		ret->text = skip_nils(span_trim(ret->text));
		return true;
	}
	return (line.n > 1 && line.p[1] == '|' && find_asdm(line, ret)) || find_cef(line, ret);
}

/* ---- what stands around it ---- */

/* N of "N times", 1 when it is none. */
static uint32_t take_times(struct span s, struct span *ret_rest)
{
	uint32_t n;
	struct span number = cli_next(&s), times = cli_next(&s);
	*ret_rest = s;
	if (!span_starts(times, "time") || parse_u32(number, 1, UINT32_MAX, &n) < 0)
		return 0;
	return n < SYSLOG_REPEATS_MAX ? n : SYSLOG_REPEATS_MAX;
}

static bool is_odd(struct span s, char c)
{
	bool is = false;
	for (size_t i = 0; i < s.n; i++)
		is ^= s.p[i] == (uint8_t)c;
	return is;
}

/* The message ends at the quote that closes its field; one behind '\' and a doubled one are part of it. */
static struct span cut_quote(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' || (s.p[i] == '"' && i + 1 < s.n && s.p[i + 1] == '"'))
			i++;
		else if (s.p[i] == '"')
			s.n = i;
	}
	return s;
}

uint32_t syslog_head_trim(struct syslog_head *h)
{
	static const char repeated[] = "message repeated ";
	struct span rest;
	trim_cef(h);
	if (h->is_cef)
		return 1;
	size_t at = find(h->before, repeated);
	h->is_quoted = is_odd(h->before, '"');
	if (h->is_quoted) {
		struct span inside = cut_quote(h->text);
		h->after = span_skip(h->text, inside.n);
		h->text = span_trim(inside);
	}
	if (at == h->before.n)
		return 1;
	uint32_t n = take_times(span_skip(h->before, at + sizeof(repeated) - 1), &rest);
	if (n == 0)
		return 1;
	h->before.n = at;
	if (h->text.n > 0 && h->text.p[h->text.n - 1] == ']')
		h->text.n--;
	h->text = span_trim(h->text);
	return n;
}

uint32_t syslog_head_repeats(struct span line, struct span *ret_before)
{
	static const char repeated[] = "last message repeated ";
	struct span rest;
	size_t at = find(line, repeated);
	*ret_before = span_of(line.p, at);
	return at == line.n ? 0 : take_times(span_skip(line, at + sizeof(repeated) - 1), &rest);
}

#include "diagnose/lines.h"

#include <errno.h>
#include <stdlib.h>

#include "diagnose/lines_int.h"

#define CARRY_BYTES LINE_MAX_BYTES

_Static_assert(LINES_PROBE_BYTES <= CARRY_BYTES, "the probe is gathered there");

int lines_init(struct lines *l, void (*on_line)(void *ctx, struct span line, uint32_t number), void *ctx)
{
	*l = (struct lines){.on_line = on_line, .ctx = ctx, .separator = '\n'};
	l->carry = malloc(CARRY_BYTES);
	return l->carry != NULL ? 0 : -ENOMEM;
}

void lines_done(struct lines *l)
{
	free(l->carry);
	free(l->utf16);
	*l = (struct lines){0};
}

/* ---- one line ---- */

/* Where a line that is too long may be parted without harm: behind the last event or record that is whole
 * (XML of an event log, JSON of a search: they may be one line of megabytes). 0: nowhere. */
static size_t joint_of(struct span s)
{
	static const char *const joints[] = {"</Event>", "},", "}, "};
	static const char *const next[] = {"", "{", "{"};
	for (size_t n = s.n; n > 0; n--) {
		if (s.p[n - 1] != '>' && s.p[n - 1] != ',' && s.p[n - 1] != ' ')
			continue;
		for (size_t i = 0; i < N_ELEM(joints); i++) {
			size_t len = strlen(joints[i]);
			if (len <= n && memcmp(s.p + n - len, joints[i], len) == 0 &&
			        span_starts(span_skip(s, n), next[i]))
				return n;
		}
	}
	return 0;
}

static void emit_one(struct lines *l, struct span line)
{
	if (span_starts(line, "\xef\xbb\xbf")) /* files with a mark that were put together */
		line = span_skip(line, 3);
	l->on_line(l->ctx, line, l->n);
}

static void emit(struct lines *l, struct span line)
{
	while (line.n > LINE_MAX_BYTES) {
		size_t n = joint_of(span_of(line.p, LINE_MAX_BYTES));
		emit_one(l, span_of(line.p, n > 0 ? n : LINE_MAX_BYTES));
		if (n == 0) {
			l->n_cut++;
			return;
		}
		line = span_skip(line, n);
	}
	emit_one(l, line);
}

/* What crashed machines leave: a line that begins with NULs. */
static struct span without_nuls(struct lines *l, struct span line)
{
	if (memchr(line.p, 0, line.n) == NULL)
		return line;
	l->n_junk++;
	while (line.n > 0 && line.p[0] == 0)
		line = span_skip(line, 1);
	return line;
}

/* A whole line without its separator. The other newline character ends it too, or stands in its middle where
 * a pager wrote over its own question. */
static void line_end(struct lines *l, struct span line)
{
	uint8_t other = l->separator == '\n' ? '\r' : '\n';
	if (l->n < UINT32_MAX)
		l->n++;
	while (line.n > 0 && line.p[line.n - 1] == other)
		line.n--;
	if (line.n == 0) {
		emit(l, line);
		return;
	}
	line = without_nuls(l, line);
	while (line.n > 0 && memchr(line.p, other, line.n) != NULL) {
		struct span part = span_cut(&line, (char)other);
		if (part.n > 0)
			emit(l, part);
	}
	emit(l, line);
}

/* ---- bytes ---- */

/* Room for more of a long line: what is whole of it goes out. False: nothing is. */
static bool carry_part(struct lines *l)
{
	size_t n = l->is_carry_cut ? 0 : joint_of(span_of(l->carry, l->n_carry));
	if (n == 0)
		return false;
	l->n++; /* it is the line that is not yet counted */
	emit_one(l, span_of(l->carry, n));
	l->n--;
	memmove(l->carry, l->carry + n, l->n_carry - n);
	l->n_carry -= n;
	return true;
}

static void carry_add(struct lines *l, struct span s)
{
	while (s.n > 0) {
		size_t room = CARRY_BYTES - l->n_carry, n = s.n < room ? s.n : room;
		if (n > 0)
			memcpy(l->carry + l->n_carry, s.p, n);
		l->n_carry += n;
		s = span_skip(s, n);
		if (s.n > 0 && !carry_part(l)) {
			l->is_carry_cut = true;
			return;
		}
	}
}

static void carry_end(struct lines *l)
{
	struct span line = span_of(l->carry, l->n_carry);
	l->n_cut += l->is_carry_cut;
	l->n_carry = 0;
	l->is_carry_cut = false;
	line_end(l, line);
}

static void feed_bytes(struct lines *l, struct span block)
{
	while (block.n > 0) {
		const uint8_t *at = memchr(block.p, l->separator, block.n);
		if (at == NULL) {
			carry_add(l, block);
			return;
		}
		struct span line = span_of(block.p, (size_t)(at - block.p));
		block = span_skip(block, line.n + 1);
		if (l->n_carry == 0) {
			line_end(l, line);
		} else {
			carry_add(l, line);
			carry_end(l);
		}
	}
}

static bool feed_utf16(struct lines *l, struct span block)
{
	if (l->utf16 == NULL)
		l->utf16 = calloc(1, sizeof(*l->utf16));
	while (l->utf16 != NULL && block.n > 0)
		feed_bytes(l, utf16_decode(l->utf16, &block, l->form == LINES_UTF16BE));
	return l->utf16 != NULL;
}

static bool feed(struct lines *l, struct span block)
{
	if (l->form != LINES_BYTES)
		return l->form != LINES_BINARY && feed_utf16(l, block);
	feed_bytes(l, block);
	return true;
}

/* ---- the first block ---- */

/* CR alone ends lines where there is no LF at all, in units as well as in bytes. */
static uint8_t separator_of(struct span head)
{
	bool has_cr = head.n > 0 && memchr(head.p, '\r', head.n) != NULL;
	bool has_lf = head.n > 0 && memchr(head.p, '\n', head.n) != NULL;
	return has_cr && !has_lf ? '\r' : '\n';
}

static void decide(struct lines *l, struct span *block)
{
	struct span head = *block;
	size_t mark;
	if (head.n > LINES_PROBE_BYTES)
		head.n = LINES_PROBE_BYTES;
	l->form = probe_form(head, &mark);
	l->separator = separator_of(head);
	*block = span_skip(*block, mark);
}

bool lines_feed(struct lines *l, struct span block)
{
	uint8_t head[LINES_PROBE_BYTES];
	if (l->form != LINES_UNDECIDED)
		return feed(l, block);
	if (l->n_carry == 0 && block.n >= LINES_PROBE_BYTES) {
		decide(l, &block);
		return feed(l, block);
	}
	/* blocks of a pipe may be small: gather as much as the probe wants */
	struct span part = block;
	if (part.n > LINES_PROBE_BYTES - l->n_carry)
		part.n = LINES_PROBE_BYTES - l->n_carry;
	carry_add(l, part);
	if (l->n_carry < LINES_PROBE_BYTES)
		return true;
	memcpy(head, l->carry, sizeof(head));
	l->n_carry = 0;
	struct span first = span_of(head, sizeof(head));
	decide(l, &first);
	return feed(l, first) && feed(l, span_skip(block, part.n));
}

void lines_end(struct lines *l)
{
	if (l->form == LINES_UNDECIDED && l->n_carry > 0) {
		uint8_t head[LINES_PROBE_BYTES];
		struct span first = span_of(head, l->n_carry);
		memcpy(head, l->carry, l->n_carry);
		l->n_carry = 0;
		decide(l, &first);
		(void)feed(l, first);
	}
	if (l->n_carry > 0)
		carry_end(l);
}

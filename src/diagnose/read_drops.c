/* `show asp drop`. */
#include "base/parse.h"
#include "base/util.h"
#include "diagnose/cli.h"
#include "diagnose/reader.h"

#define NAME_MAX_BYTES 60 /* of a reason */

struct drops {
	const struct sink *sink;
	bool is_inside; /* behind "Frame drop:" or "Flow drop:" */
};

static void drops_begin(void *state, const struct file_hint *hint, const struct sink *sink)
{
	struct drops *d = state;
	(void)hint;
	d->sink = sink;
}

static bool is_name(struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < 'a' || s.p[i] > 'z') && (s.p[i] < '0' || s.p[i] > '9') && s.p[i] != '-' &&
		        s.p[i] != '_')
			return false;
	return s.n > 0 && s.n <= NAME_MAX_BYTES;
}

/* "  SVC Module unable to fragment packet (mp-svc-no-fragment)      148934": the last word is the count, the
 * one before it the name. */
static bool take_row(struct span line, struct span *ret_name, uint32_t *ret_count)
{
	uint64_t count;
	size_t open, n = line.n;
	while (n > 0 && line.p[n - 1] >= '0' && line.p[n - 1] <= '9')
		n--;
	if (n == line.n || parse_u64(span_skip(line, n), 0, UINT64_MAX, &count) < 0)
		return false;
	struct span rest = span_trim(span_of(line.p, n));
	if (rest.n == n || rest.n < 3 || rest.p[rest.n - 1] != ')')
		return false;
	for (open = rest.n - 1; open > 0 && rest.p[open] != '('; open--)
		;
	*ret_name = span_of(rest.p + open + 1, rest.n - open - 2);
	*ret_count = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
	return rest.p[open] == '(' && open > 0 && is_name(*ret_name);
}

/* These names nobody else prints with a number behind them. */
static bool is_distinctive(struct span name)
{
	static const char *const begins[] = {
	        "mp-svc-", "svc-", "ssl-", "dtls-", "acl-drop", "tcp-", "vpn-", "rpf-violated"};
	for (size_t i = 0; i < N_ELEM(begins); i++)
		if (span_starts(name, begins[i]))
			return true;
	return false;
}

static enum claim take_fact(struct drops *d, struct span line, uint32_t number)
{
	struct span name;
	uint32_t count;
	if (!take_row(line, &name, &count) || (!d->is_inside && !is_distinctive(name)))
		return CLAIM_NO;
	const struct fact f = {.kind = FACT_DROP_COUNT,
	        .source = SOURCE_ASA_DROPS,
	        .number = count,
	        .line = number,
	        .text = name,
	        .raw = line};
	d->sink->on_fact(d->sink->ctx, &f);
	return is_distinctive(name) ? CLAIM_STRONG : CLAIM_WEAK;
}

static bool is_command(struct span line, struct span *ret_device)
{
	struct span command;
	return cli_prompt(line, ret_device, &command) && cli_word(&command, "show", 2) &&
	       cli_word(&command, "asp", 2) && cli_word(&command, "drop", 1);
}

static void tell_device(struct drops *d, struct span device, struct span line, uint32_t number)
{
	const struct fact f = {
	        .kind = FACT_DEVICE, .source = SOURCE_ASA_DROPS, .line = number, .text = device, .raw = line};
	if (device.n > 0)
		d->sink->on_fact(d->sink->ctx, &f);
}

static enum claim drops_line(void *state, struct span whole, uint32_t number)
{
	struct drops *d = state;
	struct span line = span_trim(cli_clean(whole)), device;
	if (span_is(line, "Frame drop:") || span_is(line, "Flow drop:")) {
		d->is_inside = true;
		return CLAIM_STRONG;
	}
	if (is_command(line, &device)) {
		tell_device(d, device, line, number);
		return CLAIM_STRONG;
	}
	if (!d->is_inside)
		return take_fact(d, line, number);
	if (line.n == 0)
		return CLAIM_WEAK;
	if (span_starts(line, "Last clearing:"))
		return CLAIM_STRONG;
	return take_fact(d, line, number);
}

static void drops_end(void *state)
{
	struct drops *d = state;
	d->is_inside = false;
}

const struct reader reader_drops = {
        .source = SOURCE_ASA_DROPS,
        .state_bytes = sizeof(struct drops),
        .begin = drops_begin,
        .line = drops_line,
        .end = drops_end,
};

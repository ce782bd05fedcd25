/* Configurations of ASA and FTD: whole devices with thousands of lines that do not matter here, parts of
 * them, and statements typed at a prompt. */
#include "base/parse.h"
#include "base/util.h"
#include "diagnose/cli.h"
#include "diagnose/config_table.h"
#include "diagnose/reader.h"

#define LEVELS_MAX      3
#define SCOPE_MAX_BYTES 200

/* A mode that was entered and not yet left. */
struct level {
	uint8_t mode;
	size_t indent;     /* of the statement that entered it */
	bool has_indented; /* a statement in it stood further right: so do all in it */
};

struct config {
	const struct sink *sink;
	bool is_known; /* a distinctive line was seen: the lines that follow are the same configuration's */
	size_t n_levels;
	struct level levels[LEVELS_MAX];
	size_t n_scope;
	uint8_t scope[SCOPE_MAX_BYTES]; /* group-policy, tunnel-group or user of the mode */
	uint8_t once_fact;              /* last CONFIG_ONCE fact, and its scope */
	size_t n_once;
	uint8_t once[SCOPE_MAX_BYTES];
};

static void config_begin(void *state, const struct file_hint *hint, const struct sink *sink)
{
	struct config *c = state;
	(void)hint;
	c->sink = sink;
	c->once_fact = FACT_N;
}

static void leave_all(struct config *c)
{
	c->n_levels = 0;
	c->n_scope = 0;
}

/* ---- facts ---- */

static void keep(uint8_t *to, size_t *ret_n, struct span s)
{
	*ret_n = s.n < SCOPE_MAX_BYTES ? s.n : SCOPE_MAX_BYTES;
	if (*ret_n > 0)
		memcpy(to, s.p, *ret_n);
}

/* Addresses of "10.10.10.1-10.10.10.254 mask 255.255.255.0"; 0: it is none. */
static uint32_t count_pool4(struct span range)
{
	struct ip_addr from, to;
	struct span last = cli_next(&range), first = span_cut(&last, '-');
	if (addr_parse(first, &from) < 0 || addr_parse(last, &to) < 0 || from.family != 4 || to.family != 4)
		return 0;
	uint32_t a = addr_to_v4(&from), b = addr_to_v4(&to);
	return b < a ? 0 : b - a < UINT32_MAX ? b - a + 1 : UINT32_MAX;
}

/* "2001:db8::1/64 254" */
static uint32_t count_pool6(struct span range)
{
	struct ip_prefix p;
	uint32_t n;
	struct span prefix = cli_next(&range), count = cli_next(&range);
	if (prefix_parse(prefix, &p) < 0 || p.addr.family != 6 || parse_u32(count, 1, UINT32_MAX, &n) < 0)
		return 0;
	return n;
}

static bool is_said_before(struct config *c, const struct fact *f)
{
	bool is_same = c->once_fact == f->kind && span_eq(span_of(c->once, c->n_once), f->scope);
	c->once_fact = f->kind;
	keep(c->once, &c->n_once, f->scope);
	return is_same;
}

/* "ikev1 ikev2 ssl-client ssl-clientless", "IPSec svc webvpn" of old releases */
static bool has_ssl_client(struct span protocols)
{
	while (span_trim(protocols).n > 0) {
		struct span word = cli_next(&protocols);
		if (span_is(word, "ssl-client") || span_is(word, "svc"))
			return true;
	}
	return false;
}

static void tell_list(struct config *c, const struct config_match *m, struct fact f)
{
	for (size_t i = 0; i < m->n_words; i++) {
		f.text = m->words[i];
		c->sink->on_fact(c->sink->ctx, &f);
	}
}

static void tell(struct config *c, const struct config_match *m, struct span line, uint32_t number)
{
	struct fact f = {.kind = m->row->fact,
	        .source = SOURCE_ASA_CONFIG,
	        .is_user = c->n_levels > 0 && c->levels[0].mode == CONFIG_USER,
	        .number = m->number,
	        .line = number,
	        .scope = m->scope.n > 0 ? m->scope : span_of(c->scope, c->n_scope),
	        .text = m->text,
	        .raw = line};
	if (f.kind == FACT_TCPMSS && span_starts(line, "no "))
		f.number = 0;
	if (m->row->how == CONFIG_POOL4 || m->row->how == CONFIG_POOL6) {
		f.number = m->row->how == CONFIG_POOL4 ? count_pool4(f.text) : count_pool6(f.text);
		f.text = (struct span){0};
		if (f.number == 0)
			return;
	}
	if (m->row->how == CONFIG_SSL)
		f.number = has_ssl_client(f.text);
	if (m->row->how == CONFIG_ONCE && is_said_before(c, &f))
		return;
	if (m->row->how == CONFIG_LIST)
		tell_list(c, m, f);
	else
		c->sink->on_fact(c->sink->ctx, &f);
}

/* ---- modes ---- */

static void enter(struct config *c, const struct config_match *m, size_t indent)
{
	if (c->n_levels == LEVELS_MAX)
		return;
	c->levels[c->n_levels++] = (struct level){.mode = m->row->enters, .indent = indent};
	if (m->scope.n > 0)
		keep(c->scope, &c->n_scope, m->scope);
}

/* A statement that stands no further right than the one that entered a mode is out of it, when others in it
 * did stand further right. Without that it is text typed or pasted without indentation: try. */
static void leave_by_indent(struct config *c, size_t indent)
{
	while (c->n_levels > 0) {
		struct level *l = &c->levels[c->n_levels - 1];
		if (indent > l->indent) {
			l->has_indented = true;
			return;
		}
		if (!l->has_indented)
			return;
		c->n_levels--;
	}
	leave_all(c);
}

/* ---- statements ---- */

/* All that the statement says in the mode of the first depth levels. False: nothing, and nothing changed. */
static bool take_in_mode(struct config *c, size_t depth, struct span line, size_t indent, uint32_t number)
{
	struct config_match m;
	bool is_any = false;
	enum config_mode mode = depth > 0 ? c->levels[depth - 1].mode : CONFIG_TOP;
	for (size_t i = 0; config_match(mode, line, &i, &m);) {
		if (!is_any && depth == 0)
			leave_all(c);
		c->n_levels = depth;
		is_any = true;
		if (m.row->fact != FACT_N)
			tell(c, &m, line, number);
		if (m.row->enters != CONFIG_TOP)
			enter(c, &m, indent);
	}
	return is_any;
}

static bool take_statement(struct config *c, struct span line, size_t indent, uint32_t number)
{
	leave_by_indent(c, indent);
	for (size_t depth = c->n_levels; depth > 0; depth--)
		if (take_in_mode(c, depth, line, indent, number))
			return true;
	return (c->n_levels == 0 || indent <= c->levels[0].indent) &&
	       take_in_mode(c, 0, line, indent, number);
}

/* ---- lines ---- */

/* Lines of a configuration that say nothing here: they begin with small letters, blanks, '!' or ':'. */
static bool is_plausible(struct span whole)
{
	uint8_t first = whole.p[0];
	return (first >= 'a' && first <= 'z') || first == ' ' || first == '!' || first == ':';
}

static void tell_device(struct config *c, struct span device, struct span line, uint32_t number)
{
	const struct fact f = {.kind = FACT_DEVICE,
	        .source = SOURCE_ASA_CONFIG,
	        .line = number,
	        .text = device,
	        .raw = line};
	if (device.n > 0)
		c->sink->on_fact(c->sink->ctx, &f);
}

/* "fw1# show running-config": a new device; "fw1(config-webvpn)# anyconnect mtu 1300": a statement. */
static enum claim take_prompt(struct config *c, struct span line, uint32_t number)
{
	struct span device, command, rest;
	if (!cli_prompt(line, &device, &command))
		return CLAIM_NO;
	rest = command;
	if ((cli_word(&rest, "show", 2) &&
	            (cli_word(&rest, "running-config", 3) || cli_word(&rest, "startup-config", 5))) ||
	        span_starts(command, "more system:running-config")) {
		leave_all(c);
		tell_device(c, device, line, number);
		c->is_known = true;
		return CLAIM_STRONG;
	}
	if (memmem(line.p, (size_t)(command.p - line.p), "(config", 7) == NULL)
		return CLAIM_NO;
	if (take_statement(c, command, 0, number))
		c->is_known = true;
	return c->is_known ? CLAIM_STRONG : CLAIM_NO;
}

static bool is_end(struct span line)
{
	return span_is(line, ": end") || span_starts(line, "Cryptochecksum:");
}

/* Routers write some of the statements, too: alone they make no configuration of an ASA. */
static bool is_sure(struct span line)
{
	static const char *const begins[] = {
	        "hostname ", "crypto map ", "webvpn", "ip local pool ", "ipv6 local pool "};
	for (size_t i = 0; i < N_ELEM(begins); i++)
		if (span_starts(line, begins[i]))
			return false;
	return true;
}

static enum claim take_separator(struct config *c, bool is_comment)
{
	if (!c->is_known)
		return CLAIM_NO;
	if (is_comment)
		leave_all(c);
	return CLAIM_WEAK;
}

static enum claim config_line(void *state, struct span whole, uint32_t number)
{
	struct config *c = state;
	whole = cli_clean(whole);
	struct span line = span_trim(whole);
	if (line.n == 0 || whole.p[0] == '!')
		return take_separator(c, line.n > 0);
	enum claim prompt = take_prompt(c, line, number);
	if (prompt != CLAIM_NO)
		return prompt;
	bool is_distinctive = config_is_distinctive(line);
	if (!is_distinctive && !is_plausible(whole))
		return CLAIM_NO;
	if (is_end(line)) {
		leave_all(c);
		c->is_known = !span_is(line, ": end");
		return CLAIM_STRONG;
	}
	struct level before[LEVELS_MAX];
	size_t n_before = c->n_levels;
	memcpy(before, c->levels, sizeof(before));
	bool is_taken = take_statement(c, line, (size_t)(line.p - whole.p), number);
	if (is_distinctive || (is_taken && (c->is_known || is_sure(line)))) {
		c->is_known = true;
		return CLAIM_STRONG;
	}
	if (is_taken || c->is_known)
		return CLAIM_WEAK;
	c->n_levels = n_before;
	memcpy(c->levels, before, sizeof(before));
	return CLAIM_NO;
}

static void config_end(void *state)
{
	struct config *c = state;
	leave_all(c);
	c->is_known = false;
}

const struct reader reader_config = {
        .source = SOURCE_ASA_CONFIG,
        .state_bytes = sizeof(struct config),
        .begin = config_begin,
        .line = config_line,
        .end = config_end,
};

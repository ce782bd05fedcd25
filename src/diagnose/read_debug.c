/* `debug webvpn anyconnect` of an ASA, copied from its terminal, and `debug webvpn anyconnect` of culvertctl.
 */
#include "base/parse.h"
#include "base/util.h"
#include "diagnose/cli.h"
#include "diagnose/debug_line.h"
#include "diagnose/reader.h"

#define USER_MAX  256
#define TEXT_MAX  160
#define LINES_MAX 40 /* foreign lines after which the output is taken to be over */

struct debug {
	const struct sink *sink;
	uint32_t last_line; /* of this output; 0: none */
	bool is_told;       /* of this client: what was announced */
	struct event mtu;   /* computed or in headers; kind is EVENT_N when none waits */
	size_t n_text;
	uint8_t text[TEXT_MAX]; /* of mtu */
	size_t n_user;
	uint8_t user[USER_MAX];
	struct ip_addr inner;
};

static void debug_begin(void *state, const struct file_hint *hint, const struct sink *sink)
{
	struct debug *d = state;
	(void)hint;
	d->sink = sink;
	d->mtu.kind = EVENT_N;
}

/* ---- what is told ---- */

/* A value that nothing final followed: the output was cut, or shows the headers only. */
static void flush(struct debug *d)
{
	if (d->mtu.kind == EVENT_MTU) {
		d->mtu.inner = d->inner;
		d->mtu.user = span_of(d->user, d->n_user);
		d->mtu.text = span_of(d->text, d->n_text);
		d->sink->on_event(d->sink->ctx, &d->mtu);
	}
	d->mtu = (struct event){.kind = EVENT_N};
}

static void forget(struct debug *d)
{
	flush(d);
	d->is_told = false;
	d->n_user = 0;
	d->inner = (struct ip_addr){0};
}

static void wait_for_more(struct debug *d, const struct event *e, struct span line)
{
	d->mtu = *e;
	d->n_text = line.n < sizeof(d->text) ? line.n : sizeof(d->text);
	memcpy(d->text, line.p, d->n_text);
}

static bool take_mtu(struct debug *d, struct span line, struct event *e)
{
	bool is_final;
	if (!debug_line_mtu(line, e, &is_final))
		return false;
	if (!is_final) {
		flush(d);
		wait_for_more(d, e, line);
		return true;
	}
	d->mtu.kind = EVENT_N;
	d->is_told = true;
	d->sink->on_event(d->sink->ctx, e);
	return true;
}

/* "Sending X-CSTP-MTU: 1367": tells the same when the level is too low for the computation. */
static bool take_header(struct debug *d, struct span line, struct event *e)
{
	uint32_t value;
	bool is_tls = span_starts(line, "Sending X-CSTP-MTU: "),
	     is_dtls = span_starts(line, "Sending X-DTLS-MTU: ");
	if ((!is_tls && !is_dtls) || parse_u32(span_trim(span_skip(line, 20)), 0, UINT16_MAX, &value) < 0)
		return false;
	if (d->is_told)
		return true;
	if (d->mtu.kind == EVENT_MTU) {
		e->size = d->mtu.size;
		e->limit = d->mtu.limit;
	}
	*(is_tls ? &e->size : &e->limit) = value;
	wait_for_more(d, e, line);
	return true;
}

/* "IPADDR: '1', INDEX: '4', LOGIN: 'vpn'" */
static bool take_login(struct debug *d, struct span line)
{
	static const char key[] = "LOGIN: '";
	const uint8_t *at =
	        span_starts(line, "IPADDR: '") ? memmem(line.p, line.n, key, sizeof(key) - 1) : NULL;
	if (at == NULL)
		return false;
	struct span user = span_skip(line, (size_t)(at - line.p) + sizeof(key) - 1);
	if (user.n > 0 && user.p[user.n - 1] == '\'')
		user.n--;
	if (user.n <= sizeof(d->user)) {
		memcpy(d->user, user.p, user.n);
		d->n_user = user.n;
	}
	return true;
}

static bool take_inner(struct debug *d, struct span line)
{
	struct span s = line;
	if (!span_starts(s, "webvpn_cstp_accept_address: "))
		return false;
	s = span_skip(s, 28);
	if (addr_parse(span_trim(span_cut(&s, '/')), &d->inner) < 0)
		d->inner = (struct ip_addr){0};
	return true;
}

/* ---- which lines are of this output ---- */

static const struct {
	const char *begin;
	bool is_start; /* of another client's request */
	bool is_sum;   /* "1380(mss)" follows */
} own[] = {
        {"http_parse_cstp_method()", .is_start = true},
        {"Iphdr="},
        {"tcp-mss = "},
        {"path-mtu = ", .is_sum = true},
        {"mtu = ", .is_sum = true},
        {"mod-mtu = ", .is_sum = true},
        {"tls-mtu = ", .is_sum = true},
        {"dtls-mtu = ", .is_sum = true},
        {"override computed "},
        {"TLS Block size = "},
        {"DTLS Block size = "},
        {"DTLS enabled for intf="},
        {"webvpn_cstp_parse_request_field()"},
        {"webvpn_svc_np_setup"},
        {"Processing CSTP header line: "},
        {"CSTP state = "},
        {"Sending X-CSTP-"},
        {"Sending X-DTLS-"},
        {"SVC: "},
        {"SVC ACL "},
        {"np_svc_create_session("},
        {"vpn_put_uauth success"},
        {"Found WebVPN cookie: "},
        {"WebVPN Cookie: "},
};

/* Lines that others may write, too. */
static const char *const likely[] = {"...input: '", "Setting ", "Validating address", "Calculating payload",
        "Sending ", "CSTP ", "webvpn_", "INFO: debug"};

static bool is_sum(struct span s)
{
	size_t n = 0;
	while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n > 0 && n < s.n && s.p[n] == '(';
}

static enum claim take_own(struct debug *d, struct span line)
{
	for (size_t i = 0; i < N_ELEM(own); i++) {
		if (!span_starts(line, own[i].begin) ||
		        (own[i].is_sum && !is_sum(span_skip(line, strlen(own[i].begin)))))
			continue;
		if (own[i].is_start)
			forget(d);
		return CLAIM_STRONG;
	}
	return CLAIM_NO;
}

static bool is_likely(const struct debug *d, struct span line, uint32_t number)
{
	if (d->last_line == 0 || number - d->last_line > LINES_MAX)
		return false;
	for (size_t i = 0; i < N_ELEM(likely); i++)
		if (span_starts(line, likely[i]))
			return true;
	return false;
}

static bool is_command(struct span line)
{
	struct span device, command;
	return cli_prompt(line, &device, &command) && cli_word(&command, "debug", 3) &&
	       cli_word(&command, "webvpn", 2);
}

static enum claim claim_line(struct debug *d, struct span line, uint32_t number)
{
	struct event e = {.kind = EVENT_MTU,
	        .source = SOURCE_ASA_DEBUG,
	        .at_ms = TIME_NONE,
	        .line = number,
	        .inner = d->inner,
	        .user = span_of(d->user, d->n_user),
	        .text = line};
	if (take_mtu(d, line, &e) || take_header(d, line, &e) || take_inner(d, line) || take_login(d, line) ||
	        is_command(line))
		return CLAIM_STRONG;
	return take_own(d, line);
}

static enum claim debug_line(void *state, struct span whole, uint32_t number)
{
	struct debug *d = state;
	struct span line = span_trim(cli_clean(whole));
	if (line.n == 0)
		return CLAIM_NO;
	if (claim_line(d, line, number) == CLAIM_STRONG) {
		d->last_line = number;
		return CLAIM_STRONG;
	}
	return is_likely(d, line, number) ? CLAIM_WEAK : CLAIM_NO;
}

static void debug_end(void *state)
{
	forget(state);
}

const struct reader reader_debug = {
        .source = SOURCE_ASA_DEBUG,
        .state_bytes = sizeof(struct debug),
        .begin = debug_begin,
        .line = debug_line,
        .end = debug_end,
};

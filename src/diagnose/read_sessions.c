/* `show vpn-sessiondb [detail] anyconnect` of ASA, FTD and culvertctl, in the layouts of all releases. */
#include <stdio.h>

#include "base/parse.h"
#include "base/util.h"
#include "diagnose/cli.h"
#include "diagnose/duration.h"
#include "diagnose/reader.h"
#include "diagnose/when.h"

#define LABEL_WIDTH    13 /* labels are padded to it, then ": " */
#define NAME_MAX_BYTES 256
#define TEXT_MAX       256

struct kept_text {
	size_t n;
	uint8_t bytes[TEXT_MAX];
};

enum block { BLOCK_SUM, BLOCK_PARENT, BLOCK_TLS, BLOCK_DTLS };

struct session {
	struct event e; /* texts are set when it is told */
	int64_t login_at_ms;
	enum block block;
	bool is_ipsec;
	struct kept_text user, group, profile, text;
	struct kept_text encryption, hashing, suite; /* of TLS */
};

struct sessions {
	const struct sink *sink;
	bool is_listing; /* "Session Type:" or a session was seen */
	bool is_other;   /* sessions of another type are listed */
	bool is_open;    /* session has something to tell */
	struct session session;
	struct kept_text device; /* from the prompt */
};

static void sessions_begin(void *state, const struct file_hint *hint, const struct sink *sink)
{
	struct sessions *s = state;
	(void)hint;
	s->sink = sink;
}

static void keep(struct kept_text *k, struct span s)
{
	k->n = s.n < sizeof(k->bytes) ? s.n : sizeof(k->bytes);
	if (k->n > 0)
		memcpy(k->bytes, s.p, k->n);
}

static struct span kept(const struct kept_text *k)
{
	return span_of(k->bytes, k->n);
}

/* ---- telling ---- */

/* The suite by name, or what older releases print of it: "AES128 SHA1". */
static struct span cipher_of(const struct session *s, char buf[static 2 * TEXT_MAX + 2])
{
	if (s->suite.n > 0)
		return kept(&s->suite);
	int n = snprintf(buf, 2 * TEXT_MAX + 2, "%.*s%s%.*s", (int)s->encryption.n,
	        (const char *)s->encryption.bytes, s->hashing.n ? " " : "", (int)s->hashing.n,
	        (const char *)s->hashing.bytes);
	return span_of(buf, s->encryption.n > 0 && n > 0 ? (size_t)n : 0);
}

static void tell(struct sessions *s)
{
	char buf[2 * TEXT_MAX + 2];
	struct session *x = &s->session;
	struct event *e = &x->e;
	if (!s->is_open)
		return;
	s->is_open = false;
	if (x->is_ipsec)
		return;
	e->device = kept(&s->device);
	e->user = kept(&x->user);
	e->group = kept(&x->group);
	e->profile = kept(&x->profile);
	e->text = kept(&x->text);
	e->cause = cipher_of(x, buf);
	if (x->login_at_ms != TIME_NONE)
		e->at_ms = x->login_at_ms + (int64_t)e->size * 1000;
	s->sink->on_event(s->sink->ctx, e);
}

static void open_session(struct sessions *s, struct span user, struct span line, uint32_t number)
{
	tell(s);
	s->session = (struct session){.login_at_ms = TIME_NONE};
	s->session.e = (struct event){
	        .kind = EVENT_SNAPSHOT, .source = SOURCE_ASA_SESSIONS, .at_ms = TIME_NONE, .line = number};
	keep(&s->session.user, user);
	keep(&s->session.text, line);
	s->is_open = s->is_listing = true;
}

/* ---- values ---- */

static void take_ip(struct session *s, struct span v)
{
	struct ip_addr a;
	struct ip_addr *to = &s->e.inner;
	if (addr_parse(v, &a) < 0)
		return;
	if (a.family == 6 && s->e.inner.family == 4)
		to = &s->e.peer; /* as in EVENT_CONNECTED: the other one of two */
	if (!addr_is_set(to))
		*to = a;
}

static void take_public(struct session *s, struct span v)
{
	struct ip_addr a;
	if (!addr_is_set(&s->e.public_ip) && addr_parse(v, &a) == 0)
		s->e.public_ip = a;
}

static bool has(struct span s, const char *what)
{
	return s.n > 0 && memmem(s.p, s.n, what, strlen(what)) != NULL;
}

/* "AnyConnect-Parent SSL-Tunnel DTLS-Tunnel"; an IKEv2 session is no business of ours. */
static void take_protocol(struct session *s, struct span v)
{
	s->e.has_dtls = has(v, "DTLS-Tunnel");
	while (v.n > 0)
		s->e.has_tls |= span_is(cli_next(&v), "SSL-Tunnel");
}

/* In the summary "AnyConnect-Parent: (1)none  SSL-Tunnel: (1)AES-GCM-256", in the tunnel's block
 * "AES-GCM-256". */
static void take_algorithm(struct session *s, struct kept_text *to, struct span v)
{
	static const char key[] = "SSL-Tunnel: (";
	if (s->block == BLOCK_TLS && v.n > 0)
		keep(to, v);
	if (s->block != BLOCK_SUM)
		return;
	const uint8_t *at = v.n ? memmem(v.p, v.n, key, sizeof(key) - 1) : NULL;
	if (at != NULL && (at == v.p || at[-1] == ' ')) {
		v = span_skip(v, (size_t)(at - v.p) + sizeof(key) - 1);
		(void)span_cut(&v, ')');
		keep(to, cli_next(&v));
	}
}

static void take_encryption(struct session *s, struct span v)
{
	take_algorithm(s, &s->encryption, v);
}

static void take_hashing(struct session *s, struct span v)
{
	take_algorithm(s, &s->hashing, v);
}

static void take_suite(struct session *s, struct span v)
{
	if (s->block == BLOCK_TLS)
		keep(&s->suite, v);
}

static void take_group(struct session *s, struct span v)
{
	keep(&s->group, v);
}

static void take_profile(struct session *s, struct span v)
{
	keep(&s->profile, v);
}

static void take_duration(struct session *s, struct span v)
{
	s->e.size = duration_s(v);
}

/* "01:40:44 UTC Tue Feb 5 2013", put in the order that when_bsd() reads. */
static void take_login(struct session *s, struct span v)
{
	struct span words[6];
	struct when w;
	char buf[96];
	for (size_t i = 0; i < N_ELEM(words); i++) {
		words[i] = cli_next(&v);
		if (words[i].n == 0 || words[i].n > 12)
			return;
	}
	int n = snprintf(buf, sizeof(buf), "%.*s %.*s %.*s %.*s %.*s:", (int)words[3].n,
	        (const char *)words[3].p, (int)words[4].n, (const char *)words[4].p, (int)words[5].n,
	        (const char *)words[5].p, (int)words[0].n, (const char *)words[0].p, (int)words[1].n,
	        (const char *)words[1].p);
	struct span text = span_of(buf, n > 0 ? (size_t)n : 0);
	if (!when_bsd(&text, TIME_NONE, &w))
		return;
	s->login_at_ms = w.at_ms;
	s->e.has_zone = w.has_zone;
}

/* ---- lines ---- */

static const struct label {
	const char *name;
	void (*take)(struct session *s, struct span value); /* NULL: of no interest */
} labels[] = {
        {"Assigned IP", take_ip},
        {"Assigned IPv6", take_ip},
        {"Public IP", take_public},
        {"Protocol", NULL}, /* take_line() */
        {"Encryption", take_encryption},
        {"Hashing", take_hashing},
        {"Ciphersuite", take_suite},
        {"Group Policy", take_group},
        {"Tunnel Group", take_profile},
        {"Login Time", take_login},
        {"Duration", take_duration},
        {"Username", NULL},
        {"Index", NULL},
        {"License", NULL},
        {"Bytes Tx", NULL},
        {"Bytes Rx", NULL},
        {"Pkts Tx", NULL},
        {"Pkts Rx", NULL},
        {"Pkts Tx Drop", NULL},
        {"Pkts Rx Drop", NULL},
        {"Inactivity", NULL},
        {"NAC Result", NULL},
        {"VLAN Mapping", NULL},
        {"VLAN", NULL},
        {"Audt Sess ID", NULL},
        {"Security Grp", NULL},
        {"Tunnel ID", NULL},
        {"Encapsulation", NULL},
        {"TCP Src Port", NULL},
        {"TCP Dst Port", NULL},
        {"UDP Src Port", NULL},
        {"UDP Dst Port", NULL},
        {"Auth Mode", NULL},
        {"Idle Time Out", NULL},
        {"Idle TO Left", NULL},
        {"Conn Time Out", NULL},
        {"Conn TO Left", NULL},
        {"Client Type", NULL},
        {"Client Ver", NULL},
        {"Client OS", NULL},
        {"Client OS Ver", NULL},
        {"Filter Name", NULL},
};

/* The label that stands at the beginning, followed by blanks and ':'. *ret_value: all behind it. */
static const struct label *label_at(struct span s, struct span *ret_value)
{
	for (size_t i = 0; i < N_ELEM(labels); i++) {
		if (!span_starts(s, labels[i].name))
			continue;
		struct span rest = span_trim(span_skip(s, strlen(labels[i].name)));
		if (rest.n == 0 || rest.p[0] != ':')
			continue;
		*ret_value = span_skip(rest, 1);
		return &labels[i];
	}
	return NULL;
}

/* The value ends where the label of the second column begins. *ret_second: from there, empty when none. */
static struct span value_of(struct span s, struct span *ret_second)
{
	struct span value;
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i - 1] != ' ' || s.p[i] < 'A' || s.p[i] > 'Z' ||
		        label_at(span_skip(s, i), &value) == NULL)
			continue;
		*ret_second = span_skip(s, i);
		return span_trim(span_of(s.p, i));
	}
	*ret_second = span_skip(s, s.n);
	return span_trim(s);
}

static bool take_block(struct sessions *s, struct span line)
{
	static const struct {
		const char *name;
		enum block block;
	} blocks[] = {{"AnyConnect-Parent:", BLOCK_PARENT}, {"Clientless:", BLOCK_PARENT},
	        {"SSL-Tunnel:", BLOCK_TLS}, {"DTLS-Tunnel:", BLOCK_DTLS}};
	for (size_t i = 0; i < N_ELEM(blocks); i++) {
		if (!span_is(line, blocks[i].name))
			continue;
		s->session.block = blocks[i].block;
		return true;
	}
	return false;
}

static bool take_line(struct sessions *s, struct span line, uint32_t number)
{
	struct span rest, second, value, second_value;
	const struct label *l = label_at(line, &rest), *l2;
	if (l == NULL)
		return false;
	value = value_of(rest, &second);
	l2 = label_at(second, &second_value);
	if (strcmp(l->name, "Username") == 0) {
		if (l2 == NULL || strcmp(l2->name, "Index") != 0)
			return false;
		if (!s->is_other)
			open_session(s, value, line, number);
		return true;
	}
	if (!s->is_open)
		return s->is_other;
	if (strcmp(l->name, "Protocol") == 0) {
		take_protocol(&s->session, value);
		s->session.is_ipsec = has(value, "IKE") || has(value, "IPsec");
		s->session.e.line = number;
		keep(&s->session.text, line);
	}
	if (l->take != NULL)
		l->take(&s->session, value);
	if (l2 != NULL && l2->take != NULL)
		l2->take(&s->session, value_of(second_value, &rest));
	return true;
}

static bool is_heading(struct span line)
{
	static const char *const begins[] = {"VPN Session Summary", "Tunnels Summary", "AnyConnect Client  ",
	        "  SSL/TLS/DTLS  ", "AnyConnect-Parent  ", "SSL-Tunnel  ", "DTLS-Tunnel  ",
	        "Device Total VPN Capacity", "Total Active and Inactive",
	        "AnyConnect-Parent Tunnels: ", "SSL-Tunnel Tunnels: ", "DTLS-Tunnel Tunnels: "};
	for (size_t i = 0; i < N_ELEM(begins); i++)
		if (span_starts(line, begins[i]))
			return true;
	return false;
}

static bool is_command(struct span line, struct span *ret_device)
{
	struct span command;
	return cli_prompt(line, ret_device, &command) && cli_word(&command, "show", 2) &&
	       cli_word(&command, "vpn-sessiondb", 5);
}

static void sessions_end(void *state)
{
	struct sessions *s = state;
	tell(s);
	s->is_listing = s->is_other = false;
}

static enum claim sessions_line(void *state, struct span whole, uint32_t number)
{
	struct sessions *s = state;
	struct span clean = cli_clean(whole), line = span_trim(clean), device;
	if (span_starts(line, "Session Type: ")) {
		tell(s);
		s->is_listing = true;
		s->is_other = !has(line, "AnyConnect") && !has(line, "SVC") && !has(line, "WebVPN");
		return CLAIM_STRONG;
	}
	if (is_command(line, &device)) {
		sessions_end(s);
		keep(&s->device, device);
		return CLAIM_STRONG;
	}
	if (take_line(s, line, number) || (s->is_open && take_block(s, line)) || is_heading(clean))
		return CLAIM_STRONG;
	bool is_labelled = line.n > LABEL_WIDTH && line.p[LABEL_WIDTH] == ':';
	return s->is_listing && (line.n == 0 || is_labelled || line.p[0] == '-') ? CLAIM_WEAK : CLAIM_NO;
}

const struct reader reader_sessions = {
        .source = SOURCE_ASA_SESSIONS,
        .state_bytes = sizeof(struct sessions),
        .begin = sessions_begin,
        .line = sessions_line,
        .end = sessions_end,
};

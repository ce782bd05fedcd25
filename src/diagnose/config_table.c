#include "diagnose/config_table.h"

#include "base/parse.h"
#include "base/util.h"
#include "diagnose/cli.h"

/* Old releases say svc instead of anyconnect (up to 8.3). */
static const struct config_row rows[] = {
        {"hostname $t", CONFIG_TOP, FACT_DEVICE},
        {"sys*opt conn*ection tcpmss $n", CONFIG_TOP, FACT_TCPMSS},
        {"no sys*opt conn*ection tcpmss", CONFIG_TOP, FACT_TCPMSS},
        {"no sys*opt conn*ection tcpmss $n", CONFIG_TOP, FACT_TCPMSS},
        {"mtu $s $n", CONFIG_TOP, FACT_BASE_MTU},
        {"group-p*olicy $s attr*ibutes", CONFIG_TOP, FACT_GROUP_POLICY, CONFIG_POLICY, CONFIG_ONCE, 1},
        {"group-p*olicy $s internal|external ...", CONFIG_TOP, FACT_GROUP_POLICY, .how = CONFIG_ONCE,
                .number = 1},
        {"tunnel-g*roup $s type ipsec-l2l", CONFIG_TOP, FACT_L2L, .how = CONFIG_ONCE, .number = 1},
        {"tunnel-g*roup $s general-a*ttributes", CONFIG_TOP, FACT_N, CONFIG_PROFILE},
        {"tunnel-g*roup $s webvpn-a*ttributes", CONFIG_TOP, FACT_N, CONFIG_OTHER},
        {"tunnel-g*roup $s ipsec-a*ttributes", CONFIG_TOP, FACT_N, CONFIG_OTHER},
        {"tunnel-g*roup $s ppp-a*ttributes", CONFIG_TOP, FACT_N, CONFIG_OTHER},
        {"crypto map $s $w set peer ...", CONFIG_TOP, FACT_L2L, .how = CONFIG_ONCE, .number = 1},
        {"webvpn", CONFIG_TOP, FACT_N, CONFIG_WEBVPN},
        {"user*name $s attr*ibutes", CONFIG_TOP, FACT_N, CONFIG_USER},
        {"ip local pool $s $r", CONFIG_TOP, FACT_POOL_SIZE, .how = CONFIG_POOL4},
        {"ipv6 local pool $s $r", CONFIG_TOP, FACT_POOL_SIZE, .how = CONFIG_POOL6},
        {"ssl server-v*ersion $t ...", CONFIG_TOP, FACT_TLS_VERSION},
        {"ssl cipher dtlsv1|dtlsv1.2 $r", CONFIG_TOP, FACT_DTLS_CIPHERS},
        {"ssl cipher default|tlsv1|tlsv1.1|tlsv1.2|tlsv1.3 $r", CONFIG_TOP, FACT_TLS_CIPHERS},
        {"ssl enc*ryption $r", CONFIG_TOP, FACT_TLS_CIPHERS},

        {"vpn-idle-t*imeout $m", CONFIG_POLICY, FACT_IDLE_TIMEOUT},
        {"vpn-session-t*imeout $m", CONFIG_POLICY, FACT_SESSION_TIMEOUT},
        {"vpn-simul*taneous-logins $n", CONFIG_POLICY, FACT_LOGINS},
        {"vpn-tunnel-p*rotocol $r", CONFIG_POLICY, FACT_SSL_CLIENT, .how = CONFIG_SSL},
        {"address-pools value $+", CONFIG_POLICY, FACT_POOL4_OF_POLICY, .how = CONFIG_LIST, .number = 1},
        {"address-pools none", CONFIG_POLICY, FACT_POOL4_OF_POLICY},
        {"ipv6-address-pools value $+", CONFIG_POLICY, FACT_POOL6_OF_POLICY, .how = CONFIG_LIST, .number = 1},
        {"ipv6-address-pools none", CONFIG_POLICY, FACT_POOL6_OF_POLICY},
        {"webvpn", CONFIG_POLICY, FACT_N, CONFIG_POLICY_WEBVPN},

        {"anyc*onnect mtu $n", CONFIG_POLICY_WEBVPN, FACT_GROUP_MTU},
        {"svc mtu $n", CONFIG_POLICY_WEBVPN, FACT_GROUP_MTU},
        {"anyc*onnect ssl df-bit-ignore $b", CONFIG_POLICY_WEBVPN, FACT_DF_IGNORE},
        {"svc df-bit-ignore $b", CONFIG_POLICY_WEBVPN, FACT_DF_IGNORE},
        {"anyc*onnect ssl dtls $b", CONFIG_POLICY_WEBVPN, FACT_DTLS_ENABLE},
        {"svc dtls $b", CONFIG_POLICY_WEBVPN, FACT_DTLS_ENABLE},
        {"anyc*onnect dpd*-interval client $m", CONFIG_POLICY_WEBVPN, FACT_DPD_CLIENT},
        {"svc dpd*-interval client $m", CONFIG_POLICY_WEBVPN, FACT_DPD_CLIENT},
        {"anyc*onnect dpd*-interval gateway $m", CONFIG_POLICY_WEBVPN, FACT_DPD_GATEWAY},
        {"svc dpd*-interval gateway $m", CONFIG_POLICY_WEBVPN, FACT_DPD_GATEWAY},

        {"enable $s ...", CONFIG_WEBVPN, FACT_WEBVPN, .number = 1},
        {"enable $s tls-only", CONFIG_WEBVPN, FACT_DTLS_ENABLE},
        {"port $n", CONFIG_WEBVPN, FACT_TLS_PORT},
        {"dtls port $n", CONFIG_WEBVPN, FACT_DTLS_PORT},

        {"default-group-p*olicy $t", CONFIG_PROFILE, FACT_POLICY_OF_PROFILE},
        {"address-pool $+", CONFIG_PROFILE, FACT_POOL4_OF_POLICY, .how = CONFIG_LIST, .number = 1},
        {"ipv6-address-pool $+", CONFIG_PROFILE, FACT_POOL6_OF_POLICY, .how = CONFIG_LIST, .number = 1},

        {"vpn-group-p*olicy $t", CONFIG_USER, FACT_POLICY_OF_USER},
};

bool config_is_distinctive(struct span statement)
{
	static const char *const begins[] = {"ASA Version ", "NGFW Version ", "PIX Version ", ": Saved",
	        ": end", ": Serial Number: ", "Cryptochecksum:", "sysopt ", "no sysopt ", "ssl trust-point ",
	        "ssl client-version ", "ssl server-version ", "ssl cipher ", "ssl encryption ", "anyconnect ",
	        "svc image ", "group-policy ", "tunnel-group ", "same-security-traffic permit ",
	        "threat-detection ", "security-level ", "nameif ", "aaa-server ", "http server enable",
	        "vpn-addr-assign ", "dynamic-access-policy-record ", "policy-map global_policy"};
	for (size_t i = 0; i < N_ELEM(begins); i++)
		if (span_starts(statement, begins[i]))
			return true;
	return false;
}

/* ---- words ---- */

/* Names with blanks stand in quotes. */
static struct span next_word(struct span *rest)
{
	struct span s = span_trim(*rest), inside;
	if (s.n == 0 || s.p[0] != '"')
		return cli_next(rest);
	inside = span_skip(s, 1);
	*rest = inside;
	struct span word = span_cut(rest, '"');
	return word;
}

/* "sys*opt" */
static bool is_keyword(struct span word, struct span keyword)
{
	size_t min = 0, n = 0;
	bool is_same = true;
	for (size_t i = 0; i < keyword.n; i++) {
		if (keyword.p[i] == '*') {
			min = n;
			continue;
		}
		is_same &= n >= word.n || word.p[n] == keyword.p[i];
		n++;
	}
	return is_same && word.n <= n && word.n >= (min != 0 ? min : n);
}

static bool is_one_of(struct span word, struct span keywords)
{
	while (keywords.n > 0)
		if (is_keyword(word, span_cut(&keywords, '|')))
			return true;
	return false;
}

static bool take_list(struct span *rest, struct config_match *m)
{
	while (m->n_words < CONFIG_MAX_WORDS) {
		struct span word = next_word(rest);
		if (word.n == 0)
			break;
		if (word.p[0] != '(') /* "(outside)": for clients of that interface */
			m->words[m->n_words++] = word;
	}
	return m->n_words > 0;
}

static bool take_switch(struct span word, uint32_t *ret)
{
	*ret = span_is(word, "enable");
	return *ret || span_is(word, "disable") || span_is(word, "none");
}

static bool take_field(char field, struct span *rest, struct config_match *m)
{
	if (field == 'r') {
		m->text = span_trim(*rest);
		*rest = span_skip(*rest, rest->n);
		return m->text.n > 0;
	}
	if (field == '+')
		return take_list(rest, m);
	struct span word = next_word(rest);
	switch (field) {
	case 's':
		m->scope = word;
		return word.n > 0 && word.p[0] != '='; /* "mtu = 1400" is another program's */
	case 't':
		m->text = word;
		return word.n > 0;
	case 'b':
		return take_switch(word, &m->number);
	case 'm':
		if (span_is(word, "none")) {
			m->number = 0;
			return true;
		}
		return parse_u32(word, 0, UINT32_MAX, &m->number) == 0;
	case 'n':
		return parse_u32(word, 0, UINT32_MAX, &m->number) == 0;
	default:
		return word.n > 0;
	}
}

static bool match_row(const struct config_row *row, struct span rest, struct config_match *m)
{
	struct span pattern = span_str(row->pattern);
	*m = (struct config_match){.row = row, .number = row->number};
	while (pattern.n > 0) {
		struct span piece = span_cut(&pattern, ' ');
		if (span_is(piece, "..."))
			return true;
		if (piece.p[0] == '$' ? !take_field((char)piece.p[1], &rest, m)
		                      : !is_one_of(cli_next(&rest), piece))
			return false;
	}
	return span_trim(rest).n == 0;
}

bool config_match(enum config_mode mode, struct span statement, size_t *i, struct config_match *ret)
{
	while (*i < N_ELEM(rows)) {
		const struct config_row *row = &rows[(*i)++];
		/* most lines are foreign: their first letter says so already */
		bool is_there = row->mode == mode || (row->mode == CONFIG_POLICY && mode == CONFIG_USER);
		if (!is_there || statement.n == 0 || statement.p[0] != (uint8_t)row->pattern[0])
			continue;
		if (match_row(row, statement, ret))
			return true;
	}
	return false;
}

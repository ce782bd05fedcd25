/* Reading the 200 CONNECTED answer: what ocserv and ASA send, wire-protocol.md 2.4 - 2.6. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/parse.h"
#include "wire/params_internal.h"

struct reader {
	struct tunnel_params p;
	struct ip_addr addr6; /* old form: address and netmask in separate headers */
	uint8_t len4, len6;
	bool has_len4, has_len6, has_new_ip6;
	struct span header; /* the one at hand */
	uint8_t app_id[DTLS_ID_BYTES], session_id[DTLS_ID_BYTES];
	size_t app_id_bytes, session_id_bytes;
};

typedef int read_fn(struct reader *r, struct span v, void *field);

static int read_number16(struct span v, uint32_t min, uint32_t max, uint16_t *ret)
{
	*ret = (uint16_t)params_number(v, min, max);
	return 0;
}

static int read_mtu(struct reader *r, struct span v, void *field)
{
	(void)r;
	return read_number16(v, PARAMS_MTU_MIN, PARAMS_MTU_MAX, field);
}

static int read_base_mtu(struct reader *r, struct span v, void *field)
{
	(void)r;
	return read_number16(v, PARAMS_BASE_MTU_MIN, PARAMS_MTU_MAX, field);
}

static int read_port(struct reader *r, struct span v, void *field)
{
	(void)r;
	return read_number16(v, 1, UINT16_MAX, field);
}

static int read_seconds(struct reader *r, struct span v, void *field)
{
	(void)r;
	*(uint32_t *)field = params_number(v, 0, PARAMS_SECONDS_MAX);
	return 0;
}

static int read_bool(struct reader *r, struct span v, void *field)
{
	(void)r;
	*(bool *)field = span_is_nocase(v, "true");
	return 0;
}

static int read_license(struct reader *r, struct span v, void *field)
{
	(void)r;
	*(bool *)field = span_is_nocase(v, "accept");
	return 0;
}

static int read_own(struct reader *r, struct span v, void *field)
{
	(void)r;
	*(struct own_words *)field = params_own_parse(v);
	return 0;
}

static int read_name(struct reader *r, struct span v, void *field)
{
	(void)r;
	params_name(v, field, PARAMS_NAME_BYTES);
	return 0;
}

static int read_method(struct reader *r, struct span v, void *field)
{
	(void)r;
	*(enum rekey_method *)field = span_is_nocase(v, "ssl")          ? REKEY_SSL
	                              : span_is_nocase(v, "new-tunnel") ? REKEY_NEW_TUNNEL
	                                                                : REKEY_NONE;
	return 0;
}

static int read_encoding(struct reader *r, struct span v, void *field)
{
	(void)r, (void)field;
	return v.n ? ERR_UNSUPPORTED : 0;
}

static int read_address(struct reader *r, struct span v, void *field)
{
	struct ip_addr a;
	(void)field;
	if (addr_parse(v, &a) < 0)
		return ERR_MALFORMED;
	*(a.family == 4 ? &r->p.ip4.addr : &r->addr6) = a;
	return 0;
}

/* An IPv4 netmask; or, in the old form, the IPv6 network and its length. */
static int read_netmask(struct reader *r, struct span v, void *field)
{
	struct ip_prefix p;
	(void)field;
	if (prefix_parse(v, &p) < 0)
		return ERR_MALFORMED;
	if (p.addr.family == 6) {
		r->len6 = p.len;
		r->has_len6 = true;
		return 0;
	}
	r->has_len4 = true;
	return p.len == 32 && addr_mask_len(&p.addr, &r->len4) == 0 ? 0 : ERR_MALFORMED;
}

static int read_address6(struct reader *r, struct span v, void *field)
{
	struct ip_prefix p;
	if (prefix_parse(v, &p) < 0 || p.addr.family != 6)
		return ERR_MALFORMED;
	*(struct ip_prefix *)field = p;
	r->has_new_ip6 = true;
	return 0;
}

static int add_resolver(struct span v, struct ip_addr *list, size_t *n)
{
	struct ip_addr a;
	if (addr_parse(v, &a) < 0)
		return 0; /* a resolver less is better than no tunnel */
	if (*n == PARAMS_MAX_DNS)
		return ERR_TOO_LARGE;
	list[(*n)++] = a;
	return 0;
}

static int read_dns(struct reader *r, struct span v, void *field)
{
	(void)field;
	return add_resolver(v, r->p.dns, &r->p.n_dns);
}

static int read_nbns(struct reader *r, struct span v, void *field)
{
	(void)field;
	return add_resolver(v, r->p.nbns, &r->p.n_nbns);
}

/* Makes room for one more element, in steps. NULL when out of memory. */
static void *grow(void *array, size_t n, size_t each)
{
	return n % 16 == 0 ? reallocarray(array, n + 16, each) : array;
}

/* Names of domains go to scripts, resolver files and other programs' arguments: a word that could be taken
 * for something else there (an option, an expression of the shell) is no name. */
static bool is_domain(struct span name)
{
	for (size_t i = 0; i < name.n; i++) {
		uint8_t c = name.p[i], lower = c | 0x20;
		bool is_plain = (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c >= 0x80;
		if (!is_plain && c != '.' && c != '_' && (c != '-' || i == 0))
			return false;
	}
	return name.n > 0;
}

/* The next word of a list between commas or blanks; empty: no more. */
static struct span word_take(struct span *rest)
{
	size_t n = 0;
	while (rest->n > 0 && (rest->p[0] == ',' || rest->p[0] == ' ' || rest->p[0] == '\t'))
		*rest = span_skip(*rest, 1);
	while (n < rest->n && rest->p[n] != ',' && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	struct span word = span_of(rest->p, n);
	*rest = span_skip(*rest, n);
	return word;
}

/* Search domains, with a blank between; what is none is left out. */
static int read_domains(struct reader *r, struct span v, void *field)
{
	char *list = field;
	size_t n = 0;
	(void)r;
	list[0] = '\0';
	if (v.n >= PARAMS_NAME_BYTES)
		return 0;
	for (struct span word; (word = word_take(&v)).n > 0;) {
		if (!is_domain(word))
			continue;
		n += (size_t)snprintf(list + n, PARAMS_NAME_BYTES - n, "%s%.*s", n ? " " : "", (int)word.n,
		        (const char *)word.p);
	}
	return 0;
}

static int add_split_dns(struct tunnel_params *p, struct span name)
{
	if (!is_domain(name))
		return 0; /* nobody can ask for it */
	if (p->n_split_dns == PARAMS_MAX_SPLIT_DNS)
		return ERR_TOO_LARGE;
	void *array = grow(p->split_dns, p->n_split_dns, sizeof(p->split_dns[0]));
	if (array == NULL)
		return -ENOMEM;
	p->split_dns = array;
	if (parse_name(name, p->split_dns[p->n_split_dns], PARAMS_NAME_BYTES) < 0)
		return ERR_MALFORMED;
	p->n_split_dns++;
	return 0;
}

/* One domain in each header; several between commas or blanks are understood. */
static int read_split_dns(struct reader *r, struct span v, void *field)
{
	(void)field;
	int err = 0;
	for (struct span name; err == 0 && (name = word_take(&v)).n > 0;)
		err = add_split_dns(&r->p, name);
	return err;
}

static int add_route(struct span v, struct ip_prefix **list, size_t *n)
{
	struct ip_prefix p;
	if (prefix_parse_masked(v, &p) < 0)
		return ERR_MALFORMED; /* ignoring it could send traffic the wrong way */
	if (*n == PARAMS_MAX_ROUTES)
		return ERR_TOO_LARGE;
	void *array = grow(*list, *n, sizeof(p));
	if (array == NULL)
		return -ENOMEM;
	*list = array;
	p.addr = prefix_network(&p);
	(*list)[(*n)++] = p;
	return 0;
}

static int read_include(struct reader *r, struct span v, void *field)
{
	(void)field;
	return add_route(v, &r->p.include, &r->p.n_include);
}

static int read_exclude(struct reader *r, struct span v, void *field)
{
	(void)field;
	return add_route(v, &r->p.exclude, &r->p.n_exclude);
}

/* Plain text for a terminal: no control characters but line ends and tabs; cut when too long. */
static int read_banner(struct reader *r, struct span v, void *field)
{
	struct text t = {0};
	char *banner = field;
	size_t n = 0;
	(void)r;
	form_unescape(&t, v);
	for (size_t i = 0; i < t.n && n < PARAMS_BANNER_BYTES - 1; i++) {
		uint8_t c = (uint8_t)t.p[i];
		if (n > 0 && text_makes_c1(banner[n - 1], c))
			banner[n - 1] = '?';
		else if (c == '\n' || c == '\t' || (c >= 0x20 && c != 0x7f))
			banner[n++] = (char)c;
	}
	banner[n] = '\0';
	int err = text_ok(&t) ? 0 : -ENOMEM;
	text_done(&t);
	return err;
}

static int read_app_id(struct reader *r, struct span v, void *field)
{
	(void)field;
	return parse_hex(v, r->app_id, DTLS_ID_BYTES, &r->app_id_bytes) < 0 ? ERR_MALFORMED : 0;
}

static int read_session_id(struct reader *r, struct span v, void *field)
{
	(void)field;
	if (parse_hex(v, r->session_id, DTLS_ID_BYTES, &r->session_id_bytes) < 0)
		return ERR_MALFORMED;
	return r->session_id_bytes == DTLS_ID_BYTES ? 0 : ERR_MALFORMED;
}

static int read_suite(struct reader *r, struct span v, void *field)
{
	enum dtls_suite s = dtls_suite_find(r->header, v);
	if (s != DTLS_NONE)
		*(enum dtls_suite *)field = s;
	return 0;
}

#define FIELD(f) offsetof(struct reader, p.f)

static const struct {
	const char *name;
	read_fn *read;
	size_t field;
} HEADERS[] = {
        {"X-CSTP-Server-Name", read_name, FIELD(server_name)},
        {"X-CSTP-Hostname", read_name, FIELD(hostname)},
        {"X-CSTP-Address", read_address, 0},
        {"X-CSTP-Netmask", read_netmask, 0},
        {"X-CSTP-Address-IP6", read_address6, FIELD(ip6)},
        {"X-CSTP-DNS", read_dns, 0},
        {"X-CSTP-DNS-IP6", read_dns, 0},
        {"X-CSTP-NBNS", read_nbns, 0},
        {"X-CSTP-Default-Domain", read_domains, FIELD(default_domain)},
        {"X-CSTP-Split-DNS", read_split_dns, 0},
        {"X-CSTP-Split-Include", read_include, 0},
        {"X-CSTP-Split-Include-IP6", read_include, 0},
        {"X-CSTP-Split-Exclude", read_exclude, 0},
        {"X-CSTP-Split-Exclude-IP6", read_exclude, 0},
        {"X-CSTP-Tunnel-All-DNS", read_bool, FIELD(tunnel_all_dns)},
        {"X-CSTP-Client-Bypass-Protocol", read_bool, FIELD(client_bypass_protocol)},
        {"X-CSTP-Banner", read_banner, FIELD(banner)},
        {"X-CSTP-Base-MTU", read_base_mtu, FIELD(base_mtu)},
        {"X-CSTP-MTU", read_mtu, FIELD(cstp_mtu)},
        {"X-CSTP-DPD", read_seconds, FIELD(cstp.dpd_s)},
        {"X-CSTP-Keepalive", read_seconds, FIELD(cstp.keepalive_s)},
        {"X-CSTP-Rekey-Time", read_seconds, FIELD(cstp.rekey_s)},
        {"X-CSTP-Rekey-Method", read_method, FIELD(cstp.rekey_method)},
        {"X-CSTP-Lease-Duration", read_seconds, FIELD(lease_s)},
        {"X-CSTP-Idle-Timeout", read_seconds, FIELD(idle_timeout_s)},
        {"X-CSTP-Session-Timeout", read_seconds, FIELD(session_timeout_s)},
        {"X-CSTP-Session-Timeout-Remaining", read_seconds, FIELD(session_remaining_s)},
        {"X-CSTP-Session-Timeout-Alert-Interval", read_seconds, FIELD(session_alert_s)},
        {"X-CSTP-Disconnected-Timeout", read_seconds, FIELD(disconnected_timeout_s)},
        {"X-CSTP-License", read_license, FIELD(grants_license)},
        {"X-CSTP-Content-Encoding", read_encoding, 0},
        {"X-DTLS-Content-Encoding", read_encoding, 0},
        {"X-DTLS-DPD", read_seconds, FIELD(dtls.dpd_s)},
        {"X-DTLS-Keepalive", read_seconds, FIELD(dtls.keepalive_s)},
        {"X-DTLS-Rekey-Time", read_seconds, FIELD(dtls.rekey_s)},
        {"X-DTLS-Rekey-Method", read_method, FIELD(dtls.rekey_method)},
        {"X-DTLS-Port", read_port, FIELD(dtls_port)},
        {"X-DTLS-MTU", read_mtu, FIELD(dtls_mtu)},
        {"X-DTLS-App-ID", read_app_id, 0},
        {"X-DTLS-Session-ID", read_session_id, 0},
        {"X-DTLS-CipherSuite", read_suite, FIELD(suite)},
        {"X-DTLS12-CipherSuite", read_suite, FIELD(suite)},
        {"X-Culvert", read_own, FIELD(own)},
};

static int read_header(struct reader *r, const struct http_header *h)
{
	for (size_t i = 0; i < N_ELEM(HEADERS); i++) {
		if (!span_is_nocase(h->name, HEADERS[i].name) || h->value.n == 0)
			continue;
		r->header = h->name;
		return HEADERS[i].read(r, h->value, (char *)r + HEADERS[i].field);
	}
	return 0;
}

static void settle_addresses(struct reader *r)
{
	if (r->p.ip4.addr.family == 4)
		r->p.ip4.len = r->has_len4 ? r->len4 : 32;
	if (!r->has_new_ip6 && r->addr6.family == 6)
		r->p.ip6 = (struct ip_prefix){.addr = r->addr6, .len = r->has_len6 ? r->len6 : 128};
}

static void settle_rekey(struct channel_timers *t)
{
	if (t->rekey_s == 0 || t->rekey_method == REKEY_NONE) {
		t->rekey_s = 0;
		t->rekey_method = REKEY_NONE;
	}
}

static void settle_dtls(struct reader *r)
{
	bool is_psk = r->p.suite == DTLS_PSK_NEGOTIATE;
	size_t n = is_psk ? r->app_id_bytes : r->session_id_bytes;
	if (n == 0)
		r->p.suite = DTLS_NONE;
	if (r->p.suite == DTLS_NONE)
		return;
	memcpy(r->p.dtls_id, is_psk ? r->app_id : r->session_id, n);
	r->p.dtls_id_bytes = n;
}

int tunnel_params_parse(const struct http_head *h, struct tunnel_params *ret)
{
	struct reader r = {0};
	int err = h->status == 200 ? 0 : ERR_PEER_PROTOCOL;
	for (size_t i = 0; err == 0 && i < h->n_headers; i++)
		err = read_header(&r, &h->headers[i]);
	if (err < 0)
		goto out;
	settle_addresses(&r);
	settle_rekey(&r.p.cstp);
	settle_rekey(&r.p.dtls);
	settle_dtls(&r);
	err = ERR_PEER_PROTOCOL;
	if (!addr_is_set(&r.p.ip4.addr) && !addr_is_set(&r.p.ip6.addr))
		goto out;
	if (r.p.cstp_mtu == 0 && r.p.dtls_mtu == 0)
		goto out;
	*ret = r.p;
	return 0;
out:
	tunnel_params_done(&r.p);
	return err;
}

void tunnel_params_done(struct tunnel_params *p)
{
	free(p->split_dns);
	free(p->include);
	free(p->exclude);
	explicit_bzero(p, sizeof(*p));
}

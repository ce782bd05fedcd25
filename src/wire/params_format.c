/* Writing the 200 CONNECTED answer: order and names of wire-protocol.md 2.4 - 2.6. */
#include "wire/params_internal.h"

static void put_seconds(struct text *out, const char *name, uint32_t seconds)
{
	if (seconds)
		params_put_u32(out, name, seconds);
	else
		text_fmt(out, "%s: none\r\n", name);
}

static void put_bool(struct text *out, const char *name, bool value)
{
	params_put_str(out, name, value ? "true" : "false");
}

static void put_rekey(
        struct text *out, const char *time_name, const char *method_name, const struct channel_timers *t)
{
	/* "none" makes Cisco's client refuse the whole answer: say nothing instead */
	if (t->rekey_s == 0 || t->rekey_method == REKEY_NONE)
		return;
	params_put_u32(out, time_name, t->rekey_s);
	params_put_str(out, method_name, t->rekey_method == REKEY_SSL ? "ssl" : "new-tunnel");
}

/* IPv4 as address/mask, IPv6 as address/length, which has a header of its own in the full form. */
static void put_prefix(struct text *out, const char *name, const char *name6, const struct ip_prefix *p)
{
	char buf[PREFIX_TEXT_MAX], mask_buf[ADDR_TEXT_MAX];
	if (p->addr.family == 4) {
		struct ip_addr mask = addr_mask_v4(p->len);
		text_fmt(
		        out, "%s: %s/%s\r\n", name, addr_format(&p->addr, buf), addr_format(&mask, mask_buf));
	} else if (p->addr.family == 6) {
		text_fmt(out, "%s: %s\r\n", name6, prefix_format(p, buf));
	}
}

static void put_addresses(struct text *out, const struct tunnel_params *p, const struct tunnel_format_opts *o)
{
	char buf[PREFIX_TEXT_MAX];
	if (p->ip4.addr.family == 4) {
		struct ip_addr mask = addr_mask_v4(p->ip4.len);
		params_put_addr(out, "X-CSTP-Address", &p->ip4.addr);
		params_put_addr(out, "X-CSTP-Netmask", &mask);
	}
	if (p->ip6.addr.family != 6)
		return;
	if (o->has_full_ip6) {
		params_put_str(out, "X-CSTP-Address-IP6", prefix_format(&p->ip6, buf));
		return;
	}
	struct ip_prefix net = {.addr = prefix_network(&p->ip6), .len = p->ip6.len};
	params_put_addr(out, "X-CSTP-Address", &p->ip6.addr);
	params_put_str(out, "X-CSTP-Netmask", prefix_format(&net, buf));
}

static void put_names(struct text *out, const struct tunnel_params *p, const struct tunnel_format_opts *o)
{
	for (size_t i = 0; i < p->n_dns; i++) {
		bool is_ip6_form = o->is_anyconnect && p->dns[i].family == 6;
		params_put_addr(out, is_ip6_form ? "X-CSTP-DNS-IP6" : "X-CSTP-DNS", &p->dns[i]);
	}
	for (size_t i = 0; i < p->n_nbns; i++)
		params_put_addr(out, "X-CSTP-NBNS", &p->nbns[i]);
	for (size_t i = 0; i < p->n_split_dns; i++)
		params_put_str(out, "X-CSTP-Split-DNS", p->split_dns[i]);
}

static void put_routes(struct text *out, const struct tunnel_params *p, const struct tunnel_format_opts *o)
{
	const char *include6 = o->has_full_ip6 ? "X-CSTP-Split-Include-IP6" : "X-CSTP-Split-Include";
	const char *exclude6 = o->has_full_ip6 ? "X-CSTP-Split-Exclude-IP6" : "X-CSTP-Split-Exclude";
	for (size_t i = 0; i < p->n_include; i++)
		put_prefix(out, "X-CSTP-Split-Include", include6, &p->include[i]);
	put_bool(out, "X-CSTP-Tunnel-All-DNS", p->tunnel_all_dns);
	put_bool(out, "X-CSTP-Client-Bypass-Protocol", p->client_bypass_protocol);
	for (size_t i = 0; i < p->n_exclude; i++)
		put_prefix(out, "X-CSTP-Split-Exclude", exclude6, &p->exclude[i]);
}

static void put_session(struct text *out, const struct tunnel_params *p)
{
	params_put_u32(out, "X-CSTP-Keepalive", p->cstp.keepalive_s);
	params_put_u32(out, "X-CSTP-Lease-Duration", p->lease_s);
	put_seconds(out, "X-CSTP-Idle-Timeout", p->idle_timeout_s);
	text_str(out, "X-CSTP-Smartcard-Removal-Disconnect: true\r\n");
	put_rekey(out, "X-CSTP-Rekey-Time", "X-CSTP-Rekey-Method", &p->cstp);
	put_seconds(out, "X-CSTP-Session-Timeout", p->session_timeout_s);
	params_put_u32(out, "X-CSTP-Session-Timeout-Alert-Interval", p->session_alert_s);
	params_put_u32(out, "X-CSTP-Session-Timeout-Remaining", p->session_remaining_s);
	put_seconds(out, "X-CSTP-Disconnected-Timeout", p->disconnected_timeout_s);
	text_str(out, "X-CSTP-Keep: true\r\n");
	text_str(out, "X-CSTP-TCP-Keepalive: true\r\n");
	params_put_str(out, "X-CSTP-License", p->grants_license ? "accept" : "");
}

/* Clients end the whole connection over a Session-ID of another length. */
static bool dtls_id_fits(const struct tunnel_params *p, const struct dtls_suite_info *suite)
{
	if (suite->code != 0)
		return p->dtls_id_bytes == DTLS_ID_BYTES;
	return p->dtls_id_bytes >= 1 && p->dtls_id_bytes <= DTLS_ID_BYTES;
}

static void put_dtls(struct text *out, const struct tunnel_params *p)
{
	const struct dtls_suite_info *suite = dtls_suite_info(p->suite);
	if (suite == NULL || !dtls_id_fits(p, suite))
		return;
	params_put_u32(out, "X-DTLS-DPD", p->dtls.dpd_s);
	params_put_u32(out, "X-DTLS-Port", p->dtls_port);
	put_rekey(out, "X-DTLS-Rekey-Time", "X-DTLS-Rekey-Method", &p->dtls);
	params_put_u32(out, "X-DTLS-Keepalive", p->dtls.keepalive_s);
	params_put_hex(out, suite->code ? "X-DTLS-Session-ID" : "X-DTLS-App-ID",
	        span_of(p->dtls_id, p->dtls_id_bytes), false);
	params_put_str(out, suite->header, suite->name);
	params_put_u32(out, "X-DTLS-MTU", p->dtls_mtu);
}

static void put_banner(struct text *out, const char *banner)
{
	if (banner[0] == '\0')
		return;
	text_str(out, "X-CSTP-Banner: ");
	form_escape(out, span_str(banner));
	text_str(out, "\r\n");
}

void tunnel_params_format(const struct tunnel_params *p, const struct tunnel_format_opts *o, struct text *out)
{
	text_str(out, "HTTP/1.1 200 CONNECTED\r\nX-CSTP-Version: 1\r\n");
	if (o->is_anyconnect)
		text_str(out, "X-CSTP-Protocol: Copyright (c) 2004 Cisco Systems, Inc.\r\n");
	params_put_str(out, "X-CSTP-Server-Name", p->server_name);
	params_put_str(out, "X-CSTP-Hostname", p->hostname);
	params_put_u32(out, "X-CSTP-DPD", p->cstp.dpd_s);
	params_put_str(out, "X-CSTP-Default-Domain", p->default_domain);
	put_addresses(out, p, o);
	put_names(out, p, o);
	put_routes(out, p, o);
	put_session(out, p);
	put_dtls(out, p);
	params_put_u32(out, "X-CSTP-Base-MTU", p->base_mtu);
	params_put_u32(out, "X-CSTP-MTU", p->cstp_mtu);
	put_banner(out, p->banner);
	params_own_format(&p->own, out);
	text_str(out, "\r\n");
}

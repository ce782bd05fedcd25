#include "client/adapter.h"

#include <stdlib.h>

#include "io/offload.h"

uint16_t adapter_mtu(const struct tunnel_params *p)
{
	uint16_t mtu = p->cstp_mtu;
	if (p->dtls_mtu != 0 && (mtu == 0 || p->dtls_mtu < mtu))
		mtu = p->dtls_mtu;
	return adapter_mtu_bound(p, mtu);
}

uint16_t adapter_mtu_bound(const struct tunnel_params *p, uint16_t mtu)
{
	if (mtu > ADAPTER_MTU_MAX)
		mtu = ADAPTER_MTU_MAX;
	if (addr_is_set(&p->ip6.addr) && mtu < ADAPTER_MTU_IP6)
		mtu = ADAPTER_MTU_IP6;
	return mtu;
}

static void run_script(struct adapter *a, enum script_reason reason, const struct tunnel_params *p)
{
	struct script_facts f = {
	        .command = a->opt->script,
	        .adapter = a->is_open ? a->tun.name : "",
	        .gateway = a->gateway,
	        .mtu = a->mtu,
	        .params = p,
	        .cstp_options = a->cstp_options,
	        .verbosity = a->verbosity,
	};
	int err = script_run(&f, reason);
	if (err > 0)
		events_note(
		        a->ev, EVENT_WARNING, 0, "The script %s ended with status %d.", a->opt->script, err);
	else if (err < 0)
		events_note(a->ev, EVENT_ERROR, 0, "The script %s could not be run: %s.", a->opt->script,
		        err_text(err));
}

int adapter_prepare(
        struct adapter *a, const struct connect_options *o, const struct ip_addr *gateway, struct events *ev)
{
	*a = (struct adapter){
	        .opt = &o->network, .ev = ev, .gateway = *gateway, .verbosity = o->run.verbosity};
	dns_init(&a->dns);
	int err = netconf_open(&a->net);
	if (err) {
		events_fail(ev, "Netlink is not available: %s.", err_text(err));
		return err;
	}
	if (a->opt->script != NULL)
		run_script(a, SCRIPT_PRE_INIT, NULL);
	else if (!a->opt->has_no_script && dns_repair(&a->dns))
		events_note(ev, EVENT_WARNING, 0,
		        "%s of an earlier session that did not end properly was put back.", DNS_RESOLV_CONF);
	return 0;
}

static int device_open(struct adapter *a)
{
	struct tun_config config = {
	        .name = a->opt->interface,
	        .queues = 1,
	        .queue_packets = ADAPTER_QUEUE_PACKETS,
	        .wants_vnet_hdr = !(a->opt->offloads_refused & OFFLOAD_TUN),
	        .offloads_refused = offload_tun_refused(a->opt->offloads_refused),
	};
	int err = tun_open(&config, &a->tun);
	if (err)
		events_fail(
		        a->ev, "The adapter %s cannot be made: %s", a->opt->interface, tun_error_text(err));
	a->is_open = err == 0;
	return err;
}

static int configure(struct adapter *a, const struct tunnel_params *p)
{
	struct ip_prefix failed;
	char text[PREFIX_TEXT_MAX];
	int err = netconf_adapter(&a->net, a->tun.name, p, a->mtu);
	if (err) {
		events_fail(a->ev, "The adapter %s cannot be configured: %s.", a->tun.name, err_text(err));
		return err;
	}
	if (a->opt->has_no_script)
		return 0;
	err = netconf_routes(&a->net, p, &a->gateway, &failed);
	if (err) {
		events_fail(a->ev, "The route to %s cannot be set: %s.", prefix_format(&failed, text),
		        err_text(err));
		return err;
	}
	err = dns_set(&a->dns, a->tun.name, p);
	if (err) /* addresses work without names: say it and go on */
		events_fail(a->ev,
		        "The gateway's name servers cannot be put into %s: %s. Names inside will not "
		        "resolve.",
		        DNS_RESOLV_CONF, err_text(err));
	return 0;
}

/* CISCO_CSTP_OPTIONS: all X-CSTP-* lines, NAME=value, LF between (wire-protocol.md 8.1). */
static void keep_options(struct adapter *a, const struct http_head *head)
{
	struct text t = {0};
	for (size_t i = 0; i < head->n_headers; i++) {
		const struct http_header *h = &head->headers[i];
		if (h->name.n < 7 || strncasecmp((const char *)h->name.p, "X-CSTP-", 7) != 0)
			continue;
		if (t.n > 0)
			text_str(&t, "\n");
		text_put(&t, h->name);
		text_str(&t, "=");
		text_put(&t, h->value);
	}
	free(a->cstp_options);
	a->cstp_options = text_ok(&t) ? t.p : NULL;
	if (!text_ok(&t))
		text_done(&t);
}

/* By our own hands, or by the script's. */
static int set_up(struct adapter *a, const struct tunnel_params *p)
{
	events_say(a->ev, "Establishing VPN - Configuring system...");
	a->is_configured = true;
	if (a->opt->script == NULL)
		return configure(a, p);
	run_script(a, SCRIPT_CONNECT, p);
	return 0;
}

int adapter_up(struct adapter *a, const struct tunnel_params *p, const struct http_head *head, uint16_t mtu)
{
	a->mtu = mtu;
	events_say(a->ev, "Establishing VPN - Activating VPN adapter...");
	int err = device_open(a);
	if (err)
		return err;
	if (a->opt->script != NULL)
		keep_options(a, head);
	return set_up(a, p);
}

int adapter_disable(struct adapter *a, const struct tunnel_params *p)
{
	/* a script's "reconnect" puts nothing back that the kernel forgets with the device: it begins anew */
	if (a->opt->script != NULL)
		run_script(a, SCRIPT_DISCONNECT, p);
	int err = netconf_adapter_down(&a->net, a->tun.name);
	if (err)
		events_fail(a->ev, "The adapter %s cannot be disabled: %s.", a->tun.name, err_text(err));
	a->is_disabled = err == 0;
	a->bounces += err == 0;
	return err;
}

int adapter_enable(struct adapter *a, const struct tunnel_params *p, uint16_t mtu)
{
	a->mtu = mtu;
	a->is_disabled = false;
	return set_up(a, p);
}

bool adapter_follow(struct adapter *a)
{
	if (a->is_disabled || a->opt->script != NULL || a->opt->has_no_script || !netconf_repair(&a->net))
		return false;
	events_note(a->ev, EVENT_INFO, 0, "The route to the gateway was moved to the machine's new network.");
	return true;
}

void adapter_attempt(struct adapter *a, const struct tunnel_params *p)
{
	if (a->is_disabled)
		return; /* nothing of ours is in the machine's way */
	if (a->opt->script != NULL)
		run_script(a, SCRIPT_ATTEMPT_RECONNECT, p);
	else
		(void)adapter_follow(a);
}

void adapter_set_mtu(struct adapter *a, uint16_t mtu)
{
	if (mtu == a->mtu || !a->is_open || a->is_disabled)
		return;
	int err = a->net.index != 0 ? 0 : netlink_link_index(a->net.nl, a->tun.name, &a->net.index);
	if (err == 0)
		err = netconf_set_mtu(&a->net, mtu);
	if (err) {
		events_note(a->ev, EVENT_WARNING, 0, "The adapter's MTU could not be changed to %u: %s", mtu,
		        err_text(err));
		return;
	}
	events_note(a->ev, EVENT_INFO, 0, "The adapter's MTU changed in place from %u to %u.", a->mtu, mtu);
	a->mtu = mtu;
}

void adapter_reconnected(struct adapter *a, const struct tunnel_params *p, uint16_t mtu)
{
	if (a->opt->script == NULL)
		adapter_set_mtu(a, mtu);
	else
		a->mtu = mtu;
	if (a->opt->script != NULL)
		run_script(a, SCRIPT_RECONNECT, p);
}

void adapter_down(struct adapter *a, const struct tunnel_params *p)
{
	if (a->is_configured && a->opt->script != NULL)
		run_script(a, SCRIPT_DISCONNECT, p);
	dns_undo(&a->dns);
	if (a->net.nl != NULL)
		netconf_undo(&a->net);
	netconf_close(&a->net);
	if (a->is_open)
		tun_close(&a->tun);
	a->is_open = a->is_configured = false;
	free(a->cstp_options);
	a->cstp_options = NULL;
}

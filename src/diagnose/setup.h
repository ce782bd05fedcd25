/* What the configurations say, put in order: devices, their group-policies with inheritance, who gets which.
 * A value that no file states is the ASA's default, and marked as such. */
#ifndef DIAGNOSE_SETUP_H
#define DIAGNOSE_SETUP_H

#include "diagnose/store.h"

#define SETUP_MAX_DEVICES  64
#define SETUP_MAX_POLICIES 2000

/* The ASA's defaults: cisco-facts.md 5.2 */
#define SETUP_DEFAULT_TCPMSS   1380
#define SETUP_DEFAULT_BASE_MTU 1500
#define SETUP_DEFAULT_MTU      1406 /* of `anyconnect mtu`; not a cap, cisco-facts.md 1.5 */
#define SETUP_DEFAULT_IDLE_MIN 30
#define SETUP_DEFAULT_DPD_S    30

/* A number of a configuration and the line it is from; fact NULL: a default, or inherited without a line. */
struct setting {
	uint32_t value;
	const struct fact_record *fact;
};

struct policy_setup {
	word_t name, device;
	struct setting mtu, df_ignore, dtls, idle_min, session_min, dpd_client_s, dpd_gateway_s;
	struct setting pool4, pool6; /* value: 1 when it has one, by itself or its tunnel-groups */
	const struct fact_record *exists;
};

struct device_setup {
	word_t name;
	struct setting tcpmss, base_mtu, dtls_port, tls_port, l2l, tls_only;
	const struct fact_record *tls_ciphers, *tls_version, *dtls_ciphers;
	bool has_config; /* a running configuration, not only `show run all sysopt` */
};

/* "vpn-group-policy", "default-group-policy": from a user or a profile to the name of its policy. */
struct policy_link {
	uint8_t fact; /* enum fact_kind */
	word_t scope, value;
};

struct setup {
	const struct store *store;
	struct policy_link *links; /* sorted */
	size_t n_links;
	struct device_setup devices[SETUP_MAX_DEVICES];
	size_t n_devices;
	struct policy_setup *policies;
	size_t n_policies;
	struct setting ocserv_dpd, ocserv_switch, ocserv_udp_port;
	struct setting told_dpd; /* what openconnect was told by its gateway */
};

/* -ENOMEM */
MUST_USE int setup_init(struct setup *u, const struct store *s);
void setup_done(struct setup *u);

/* By name, on this device if it is known there. NULL: no configuration says anything of it. */
const struct policy_setup *setup_policy(const struct setup *u, word_t device, word_t name);
/* The policy that a login gets: by its own name, else by user, else by connection profile. */
const struct policy_setup *setup_policy_of(
        const struct setup *u, word_t device, word_t group, word_t user, word_t profile);
/* Never NULL: defaults when nothing is known. The only device there is, when the name is not known. */
const struct device_setup *setup_device(const struct setup *u, word_t name);

#endif

/* What the configurations say, put in order: devices, their group-policies with inheritance, who gets which.
 * A value that no file states is the ASA's default, and marked as such. */
#ifndef DIAGNOSE_SETUP_H
#define DIAGNOSE_SETUP_H

#include "diagnose/store.h"

#define SETUP_MAX_DEVICES  64
#define SETUP_MAX_POLICIES 2000
#define SETUP_MAX_USERS    2000 /* with settings of their own; and as many pairs of such a user and a policy */

/* The ASA's defaults: cisco-facts.md 5.2 */
#define SETUP_DEFAULT_TCPMSS   1380
#define SETUP_DEFAULT_BASE_MTU 1500
#define SETUP_DEFAULT_MTU      1406 /* of `anyconnect mtu`; not a cap, cisco-facts.md 1.5 */
#define SETUP_DEFAULT_IDLE_MIN 30
#define SETUP_MAX_IDLE_MIN     35791394
#define SETUP_DEFAULT_DPD_S    30
#define SETUP_DEFAULT_LOGINS   3

/* A number of a configuration and the line it is from; fact NULL: a default, or inherited without a line. */
struct setting {
	uint32_t value;
	const struct fact_record *fact;
};

struct policy_setup {
	word_t name, device; /* name 0: a user's settings, whose policy is not known */
	word_t user; /* whose own settings (`username X attributes`) are laid over the policy's; 0: nobody's
	              */
	const struct policy_setup *base; /* with user: the policy itself; NULL: not known */
	struct setting logins, ssl_client;
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
	word_t device, scope, value;
};

struct setup {
	const struct store *store;
	struct policy_link *links; /* sorted */
	size_t n_links;
	struct device_setup devices[SETUP_MAX_DEVICES];
	size_t n_devices;
	struct policy_setup *policies;
	size_t n_policies;
	uint16_t *policy_slots;              /* index + 1 in policies, by device and name */
	struct policy_setup *users, *merged; /* settings of users alone; laid over policies */
	size_t n_users, n_merged;
	word_t only_device; /* the only one that a configuration names; 0: none or several */
	struct setting ocserv_dpd, ocserv_switch, ocserv_udp_port;
	struct setting told_dpd; /* what openconnect was told by its gateway */
};

/* -ENOMEM */
MUST_USE int setup_init(struct setup *u, const struct store *s);
void setup_done(struct setup *u);

/* By name, on this device if it is known there. NULL: no configuration says anything of it, or several
 * devices have one of that name and none is known to be this one. */
const struct policy_setup *setup_policy(const struct setup *u, word_t device, word_t name);
/* The policy that a login gets, by its own name, else by user, else by connection profile, with the user's
 * own settings laid over it. It lives as long as u. */
const struct policy_setup *setup_policy_of(
        struct setup *u, word_t device, word_t group, word_t user, word_t profile);
/* All policies, and those of users with own settings for MTU and DTLS laid over them: 0..n-1. */
size_t setup_n_all(const struct setup *u);
const struct policy_setup *setup_at(const struct setup *u, size_t i); /* NULL: not one of these */
size_t setup_index(const struct setup *u, const struct policy_setup *p);
/* False: it is for IPsec only. */
bool policy_is_for_clients(const struct policy_setup *p);
/* Does the user have settings of his own that hide those of the policy for MTU and DTLS? */
bool policy_has_own_tunnel(const struct policy_setup *p);
/* Never NULL: defaults when nothing is known. The only device there is, when the name is not known. */
const struct device_setup *setup_device(const struct setup *u, word_t name);

#endif

/* The policy model: what one configuration file means, as an immutable, reference-counted value.
 * A session holds a reference and keeps what it negotiated elsewhere; a reload makes a new value.
 * Every pointer and string inside lives exactly as long as the configuration it came from.
 * Sources: cisco-facts.md 5.1 (syntax), 5.2 (ranges, defaults, precedence); contract.md 2 (extensions). */
#ifndef POLICY_MODEL_H
#define POLICY_MODEL_H

#include <stdatomic.h>

#include "base/addr.h"
#include "base/span.h"
#include "base/text.h"
#include "base/util.h"

#define POLICY_MAX_DNS       8 /* resolvers of one family in one policy */
#define POLICY_MAX_WINS      2
#define POLICY_MAX_POOLS     6 /* pools of one family in one policy or tunnel group, as on the ASA */
#define POLICY_MAX_SPLIT_DNS 64
#define POLICY_MAX_ACL_NETS  512  /* prefixes in one access list */
#define POLICY_NAME_MAX      64   /* characters in the name of an object */
#define POLICY_BANNER_MAX    4000 /* characters */

#define POLICY_DEFAULT_GROUP_POLICY "DfltGrpPolicy"
#define POLICY_DEFAULT_WEBVPN_GROUP "DefaultWEBVPNGroup"

struct str_list {
	const char *const *v;
	size_t n;
};

/* `ip local pool`. first..last inclusive; mask_len is announced to clients. */
struct pool4 {
	const char *name;
	struct ip_addr first, last;
	uint8_t mask_len;
};

/* `ipv6 local pool`: count addresses, the first being prefix.addr as written (host part included). */
struct pool6 {
	const char *name;
	struct ip_prefix prefix;
	uint32_t count;
};

/* Standard access list used as a split-tunnel list: the permitted prefixes, both families. */
struct acl {
	const char *name;
	const struct ip_prefix *nets;
	size_t n_nets;
};

struct trustpoint {
	const char *name;
	const char *certificate_file; /* NULL: not given */
	const char *key_file;         /* NULL: inside certificate_file */
};

enum split_policy { SPLIT_TUNNEL_ALL, SPLIT_TUNNEL_SPECIFIED, SPLIT_EXCLUDE_SPECIFIED };
enum policy_rekey { POLICY_REKEY_NONE, POLICY_REKEY_SSL, POLICY_REKEY_NEW_TUNNEL };
enum policy_compression { POLICY_COMPRESS_NONE, POLICY_COMPRESS_DEFLATE, POLICY_COMPRESS_LZS };
enum mtu_policy { MTU_POLICY_SEAMLESS, MTU_POLICY_CLASSIC };
enum mtu_formula { MTU_FORMULA_EXACT, MTU_FORMULA_CISCO };

/* Bits of tunnel_protocols. */
enum tunnel_protocol {
	TUNNEL_IKEV1 = 1,
	TUNNEL_IKEV2 = 2,
	TUNNEL_L2TP_IPSEC = 4,
	TUNNEL_SSL_CLIENTLESS = 8,
	TUNNEL_SSL_CLIENT = 16,
};

/* One bit per attribute that a group policy or a user may set; the others are inherited. */
enum policy_attr {
	ATTR_BANNER,
	ATTR_DNS4,
	ATTR_DNS6,
	ATTR_WINS,
	ATTR_SIMULTANEOUS_LOGINS,
	ATTR_IDLE_TIMEOUT,
	ATTR_IDLE_ALERT,
	ATTR_SESSION_TIMEOUT,
	ATTR_SESSION_ALERT,
	ATTR_TUNNEL_PROTOCOLS,
	ATTR_GROUP_LOCK,
	ATTR_SPLIT4,
	ATTR_SPLIT6,
	ATTR_SPLIT_LIST,
	ATTR_DEFAULT_DOMAIN,
	ATTR_SPLIT_DNS,
	ATTR_SPLIT_ALL_DNS,
	ATTR_CLIENT_BYPASS,
	ATTR_GATEWAY_FQDN,
	ATTR_POOLS4,
	ATTR_POOLS6,
	ATTR_DTLS,
	ATTR_MTU,
	ATTR_DF_BIT_IGNORE,
	ATTR_KEEPALIVE,
	ATTR_REKEY_TIME,
	ATTR_REKEY_METHOD,
	ATTR_DPD_CLIENT,
	ATTR_DPD_GATEWAY,
	ATTR_SSL_COMPRESSION,
	ATTR_DTLS_COMPRESSION,
	ATTR_MTU_POLICY,
	ATTR_KEEP_INSTALLER,
	N_POLICY_ATTRS,
};

/* The attributes of a group policy. Inside the configuration only those whose bit is set in the owner's
 * is_set mean anything; after config_resolve_policy() every one is filled. */
struct group_policy_values {
	const char *banner; /* "": none */
	struct ip_addr dns4[POLICY_MAX_DNS], dns6[POLICY_MAX_DNS], wins[POLICY_MAX_WINS];
	uint32_t n_dns4, n_dns6, n_wins;
	uint32_t simultaneous_logins;               /* 0: nobody may log in */
	uint32_t idle_timeout_s, session_timeout_s; /* 0: none */
	uint32_t idle_alert_s, session_alert_s;     /* how long before the end the client is told */
	uint32_t tunnel_protocols;                  /* enum tunnel_protocol */
	const char *group_lock;                     /* only through this tunnel group; "": any */
	uint32_t split4, split6;                    /* enum split_policy */
	const char *split_list_name;                /* "": none */
	struct str_list split_dns;                  /* domains */
	const char *default_domain;                 /* "": none */
	const char *gateway_fqdn;                   /* "": none */
	struct str_list pool4_names, pool6_names;
	uint32_t split_all_dns;    /* 0 or 1 */
	uint32_t client_bypass;    /* 0 or 1 */
	uint32_t dtls;             /* 0 or 1 */
	uint32_t mtu;              /* bytes, 576..1462; 0: not configured */
	uint32_t df_bit_ignore;    /* 0 or 1 */
	uint32_t keepalive_s;      /* 0: none */
	uint32_t rekey_s;          /* 0: none */
	uint32_t rekey_method;     /* enum policy_rekey */
	uint32_t dpd_client_s;     /* 0: none */
	uint32_t dpd_gateway_s;    /* 0: none */
	uint32_t ssl_compression;  /* enum policy_compression */
	uint32_t dtls_compression; /* enum policy_compression */
	uint32_t mtu_policy;       /* enum mtu_policy */
	uint32_t keep_installer;   /* 0 or 1 */

	/* Filled by config_resolve_policy() only. */
	const char *policy_name;                      /* the policy that was chosen */
	const struct acl *split_acl;                  /* split_list_name looked up; NULL: none */
	const struct pool4 *pools4[POLICY_MAX_POOLS]; /* the tunnel group's when the policy names none */
	const struct pool6 *pools6[POLICY_MAX_POOLS];
	uint32_t n_pools4, n_pools6;
	struct ip_addr framed_ip4, framed_ip6; /* the user's own address; family 0: from the pool */
	uint8_t framed_mask_len;               /* bits, with framed_ip4 */
};

/* A set of attributes with the bits that say which are meant: also what RADIUS or a DAP rule may add. */
struct policy_overlay {
	uint64_t is_set; /* bit (UINT64_C(1) << enum policy_attr) */
	struct group_policy_values v;
};

struct group_policy {
	const char *name;
	struct policy_overlay attrs;
};

struct group_alias {
	const char *name; /* alias, or URL */
	bool is_enabled;
};

enum tunnel_group_type { TUNNEL_GROUP_REMOTE_ACCESS, TUNNEL_GROUP_L2L };
#define AUTH_AAA         1u
#define AUTH_CERTIFICATE 2u

struct tunnel_group {
	const char *name;
	uint32_t type;           /* enum tunnel_group_type */
	uint32_t authentication; /* AUTH_* bits */
	struct str_list pool4_names, pool6_names;
	const char *default_policy;    /* never NULL */
	struct str_list auth_servers;  /* names in order, "LOCAL" among them; LOCAL alone by default */
	const char *accounting_server; /* "": none */
	const struct group_alias *aliases;
	size_t n_aliases;
	const struct group_alias *urls; /* name is the URL as written */
	size_t n_urls;
};

enum secret_kind {
	SECRET_NONE,   /* cannot log in: no password, or `*****` */
	SECRET_PLAIN,  /* compare in constant time */
	SECRET_PBKDF2, /* "$sha512$ROUNDS$SALT-BASE64$HASH-BASE64" as the ASA writes it */
	SECRET_CRYPT,  /* for crypt(3): $y$, $6$, ... */
};

struct local_user {
	const char *name;
	const char *secret; /* wiped when the configuration is freed */
	enum secret_kind kind;
	uint32_t privilege;          /* 0..15 */
	const char *policy;          /* vpn-group-policy; "": the tunnel group's */
	struct ip_addr framed_ip4;   /* family 0: from the pool */
	uint8_t framed_mask_len;     /* bits */
	struct ip_addr framed_ip6;   /* family 0: from the pool */
	struct policy_overlay attrs; /* timeouts, logins, group-lock, protocols */
};

enum policy_tls_version { TLS_V1_0 = 1, TLS_V1_1, TLS_V1_2, TLS_V1_3 };
enum dtls_version { DTLS_V1_0 = 1, DTLS_V1_2 };
enum ssl_scope {
	SSL_SCOPE_DEFAULT,
	SSL_SCOPE_TLS1,
	SSL_SCOPE_TLS11,
	SSL_SCOPE_TLS12,
	SSL_SCOPE_TLS13,
	SSL_SCOPE_DTLS1,
	SSL_SCOPE_DTLS12,
	N_SSL_SCOPES,
};

struct ssl_settings {
	uint32_t min_tls;  /* enum policy_tls_version: lowest accepted; default TLS_V1_2 */
	uint32_t min_dtls; /* enum dtls_version; default DTLS_V1_2 */
	/* OpenSSL names joined with ':', best first, resolved from levels and cipher strings; never empty but
	 * for SSL_SCOPE_DEFAULT */
	const char *ciphers[N_SSL_SCOPES];
	const char *dh_group;   /* "group14" ... */
	const char *ecdh_group; /* "group19" ...; NULL: the usual curves, the client chooses */
	const char *trustpoint; /* "": self-signed */
};

struct webvpn_settings {
	uint32_t is_enabled; /* 0 or 1: `enable IF` */
	bool has_dtls;       /* one of them without `tls-only` */
	uint32_t tls_port, dtls_port;
	struct ip_addr listen;          /* extension; family 0: all addresses */
	uint32_t idle_timeout_s;        /* default-idle-timeout: when the policy has none of its own */
	uint32_t has_group_list;        /* tunnel-group-list enable */
	uint32_t is_anyconnect_enabled; /* `anyconnect enable`; recorded, see the manual */
};

#define POLICY_LOG_LEVEL_OFF 8
#define POLICY_MAX_LOG_HOSTS 16 /* as on the ASA */
#define POLICY_MAX_THREADS   64
#define POLICY_MAX_LOG_RULES 256 /* messages with settings of their own */

/* `logging host`. */
struct log_host {
	const char *interface; /* as written; not used to find the way */
	struct ip_addr addr;
	uint16_t port;
	bool is_tcp;
};

/* `logging message`: by id, each id once. */
struct log_message_rule {
	uint32_t id;
	uint32_t level; /* 0..7, POLICY_LOG_LEVEL_OFF: the message's own */
	bool is_off;
};

struct logging_settings {
	uint32_t is_enabled, has_timestamp;
	uint32_t format;                     /* 0: ASA lines, 1: JSON */
	uint32_t trap_level, buffered_level; /* 0..7, POLICY_LOG_LEVEL_OFF */
	uint32_t facility;                   /* 16..23 */
	uint32_t buffer_bytes;
	uint32_t queue;             /* messages that may wait for one host */
	uint32_t shows_usernames;   /* `no logging hide username` */
	uint32_t permits_host_down; /* recorded: logins never depend on a log host */
	bool is_device_hostname;    /* messages to hosts begin with the hostname */
	const char *device_id;      /* or with this; "": none */
	const struct log_host *hosts;
	size_t n_hosts;
	const struct log_message_rule *rules; /* sorted by id */
	size_t n_rules;
};

struct config_store;

struct config {
	atomic_uint n_refs;
	struct config_store *store; /* the statements themselves and all memory */

	const char *hostname;
	const char *tunnel_interface;    /* at most 15 characters */
	uint32_t worker_threads;         /* 0: one for every core */
	uint32_t outside_mtu;            /* `mtu outside N`, bytes */
	uint32_t mtu_formula;            /* enum mtu_formula */
	uint32_t mtu_formula_negotiated; /* 0 or 1: cisco with the suites of the session, not of the tech note
	                                  */
	uint32_t tcpmss;                 /* bytes, 0: off */
	uint32_t tcpmss_minimum;         /* bytes, 0: off */
	struct webvpn_settings webvpn;
	struct ssl_settings ssl;
	struct logging_settings logging;

	const struct pool4 *pools4;
	size_t n_pools4;
	const struct pool6 *pools6;
	size_t n_pools6;
	const struct acl *acls;
	size_t n_acls;
	const struct trustpoint *trustpoints;
	size_t n_trustpoints;
	const struct group_policy *policies; /* POLICY_DEFAULT_GROUP_POLICY is first */
	size_t n_policies;
	const struct tunnel_group *tunnel_groups; /* the three built-in ones first, DefaultWEBVPNGroup at 0 */
	size_t n_tunnel_groups;
	const struct local_user *users;
	size_t n_users;
};

/* One more reference; returns c. Any thread. */
struct config *config_get(struct config *c);
/* One reference less; the last one wipes secrets and frees. NULL is allowed. Any thread. */
void config_put(struct config *c);

/* Lookups by exact name (case-sensitive, as on the ASA); NULL when there is none. */
const struct group_policy *config_find_group_policy(const struct config *c, struct span name);
const struct tunnel_group *config_find_tunnel_group(const struct config *c, struct span name);
const struct local_user *config_find_user(const struct config *c, struct span name);
const struct pool4 *config_find_pool4(const struct config *c, struct span name);
const struct pool6 *config_find_pool6(const struct config *c, struct span name);
const struct acl *config_find_acl(const struct config *c, struct span name);
const struct trustpoint *config_find_trustpoint(const struct config *c, struct span name);
/* The tunnel group with this alias, enabled; NULL. */
const struct tunnel_group *config_find_tunnel_group_by_alias(const struct config *c, struct span alias);
/* The tunnel group one of whose enabled URLs has this path. path begins with "/" (a trailing "/" and a query
 * do not count); host is compared without case when not empty. NULL when there is none; "/" finds only URLs
 * that are written with an empty path. */
const struct tunnel_group *config_find_tunnel_group_by_url(
        const struct config *c, struct span host, struct span path);

/* Everything a session needs to know, with each attribute from the highest of: overlay (NULL: none; AAA
 * attributes of the user), the user's own attributes (user NULL: not local), the policy that AAA named
 * (policy_name empty: none), else the user's vpn-group-policy; the tunnel group's default policy;
 * DfltGrpPolicy. -ENOENT: policy_name does not exist (*ret untouched: log it, and call again without). *ret
 * borrows from c. */
MUST_USE int config_resolve_policy(const struct config *c, const struct tunnel_group *group,
        const struct local_user *user, struct span policy_name, const struct policy_overlay *overlay,
        struct group_policy_values *ret);

#endif

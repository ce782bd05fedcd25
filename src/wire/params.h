/* The tunnel parameters: X-CSTP-* and X-DTLS-* headers of CONNECT and its answer, both directions.
 * Source: wire-protocol.md 2. Header names are written with the exact capitals that stock peers compare. */
#ifndef WIRE_PARAMS_H
#define WIRE_PARAMS_H

#include "base/addr.h"
#include "base/text.h"
#include "wire/http.h"

#define PARAMS_MAX_DNS    8
#define PARAMS_MAX_ROUTES 512
#define PARAMS_MAX_SPLIT_DNS 64
#define PARAMS_NAME_BYTES 256
#define PARAMS_BANNER_BYTES 4096
#define PARAMS_COOKIE_MAX_BYTES 512
#define PARAMS_MTU_MIN      256 /* of an inner packet */
#define PARAMS_BASE_MTU_MIN 576 /* of a link, RFC 791 */
#define PARAMS_MTU_MAX      16384
#define PARAMS_SECONDS_MAX  315360000 /* ten years: more is "never" in disguise and overflows clocks */
#define DTLS_ID_BYTES 32
#define DTLS_SECRET_BYTES 48

/* DTLS suites that the injected-session and PSK styles can carry; bit positions of dtls_offer.suites. */
enum dtls_suite {
	DTLS_NONE = 0,
	DTLS_PSK_NEGOTIATE,             /* X-DTLS-CipherSuite: PSK-NEGOTIATE */
	DTLS_OC12_AES256_GCM,           /* X-DTLS-CipherSuite: OC-DTLS1_2-AES256-GCM */
	DTLS_OC12_AES128_GCM,           /* X-DTLS-CipherSuite: OC-DTLS1_2-AES128-GCM */
	DTLS_ECDHE_RSA_AES256_GCM,      /* X-DTLS12-CipherSuite: ECDHE-RSA-AES256-GCM-SHA384 */
	DTLS_ECDHE_RSA_AES128_GCM,      /* X-DTLS12-CipherSuite: ECDHE-RSA-AES128-GCM-SHA256 */
	DTLS_AES256_GCM,                /* X-DTLS12-CipherSuite: AES256-GCM-SHA384 */
	DTLS_AES128_GCM,                /* X-DTLS12-CipherSuite: AES128-GCM-SHA256 */
	/* X-DTLS12-CipherSuite, only when the gateway's operator names them (cisco-facts.md 1.6) */
	DTLS_ECDHE_ECDSA_AES256_GCM,
	DTLS_DHE_RSA_AES256_GCM,
	DTLS_ECDHE_ECDSA_AES128_GCM,
	DTLS_DHE_RSA_AES128_GCM,
	DTLS_ECDHE_RSA_AES256_SHA384,
	DTLS_ECDHE_ECDSA_AES256_SHA384,
	DTLS_DHE_RSA_AES256_SHA256,
	DTLS_AES256_SHA256,
	DTLS_ECDHE_RSA_AES128_SHA256,
	DTLS_ECDHE_ECDSA_AES128_SHA256,
	DTLS_DHE_RSA_AES128_SHA256,
	DTLS_AES128_SHA256,
	DTLS_DHE_RSA_AES256_SHA,
	DTLS_AES256_SHA,
	DTLS_DHE_RSA_AES128_SHA,
	DTLS_AES128_SHA,
	/* X-DTLS-CipherSuite: DTLS 1.0 (or the older dialect of AnyConnect, which we do not speak) */
	DTLS_V10_DHE_RSA_AES256_SHA,
	DTLS_V10_AES256_SHA,
	DTLS_V10_DHE_RSA_AES128_SHA,
	DTLS_V10_AES128_SHA,
	DTLS_N_SUITES,
};

/* What a client of ours offers: PSK-NEGOTIATE and AEAD. */
#define DTLS_SUITES_AEAD ((2u << DTLS_AES128_GCM) - 2)

struct dtls_suite_info {
	enum dtls_suite suite;
	const char *header;       /* "X-DTLS-CipherSuite" or "X-DTLS12-CipherSuite" */
	const char *name;         /* token on the wire */
	const char *openssl_name; /* the suite to inject, e.g. "AES256-GCM-SHA384"; NULL for PSK-NEGOTIATE */
	uint16_t code;            /* IANA code point, 0 for PSK-NEGOTIATE */
	bool is_dtls10;           /* of DTLS 1.0; all others of 1.2 */
};
/* NULL for DTLS_NONE and out of range. */
const struct dtls_suite_info *dtls_suite_info(enum dtls_suite s);

/* X-Culvert: `1`, then words; unknown ones are ignored. */
struct own_words {
	bool is_own;     /* the header is there, with version 1 */
	bool has_steer;  /* `steer`: takes data on both tunnels at the same time */
	bool has_pieces; /* `pieces`: puts packets together from DTLS_PIECE records */
	bool has_super;  /* `super`: takes CSTP_SUPER */
};

/* CONNECT request. Out-of-range numbers are treated as absent (0), never as an error: a peer must not lose its session
 * over a header that we can ignore; what is refused is listed in each field. */
struct tunnel_request {
	char hostname[PARAMS_NAME_BYTES]; /* X-CSTP-Hostname, "" when absent or unusable */
	char user_agent[PARAMS_NAME_BYTES];
	struct span cookie;               /* webvpn= value, view into the head; empty: none */
	uint16_t base_mtu;                /* 576..16384 bytes, 0 absent */
	uint16_t mtu;                     /* 256..16384, 0 absent */
	bool wants_ip4, wants_ip6;        /* X-CSTP-Address-Type; both when absent */
	bool has_full_ip6;                /* X-CSTP-Full-IPv6-Capability: true */
	bool wants_mobile_license;        /* X-CSTP-License */
	bool has_master_secret;
	uint8_t master_secret[DTLS_SECRET_BYTES];
	uint32_t suites; /* bit (1u << enum dtls_suite) for each offered one that we know */
	struct own_words own; /* X-Culvert */
};

/* Reads the headers of a CONNECT. ERR_MALFORMED only for a master secret (other than 96 hexadecimal digits) or a cookie
 * (over PARAMS_COOKIE_MAX_BYTES, blanks, quotes, commas, backslashes, not ASCII) that breaks its format. Wipe *ret. */
MUST_USE int tunnel_request_parse(const struct http_head *h, struct tunnel_request *ret);

/* The client's whole CONNECT head, in openconnect's order (2.1). Control characters in texts are left out, so that no
 * value can add a line. The text holds secrets. old4/old6: addresses to ask for again, or unset. */
struct tunnel_request_out {
	const char *host;   /* Host: value */
	const char *user_agent;
	const char *cookie; /* webvpn value */
	const char *hostname;
	uint16_t base_mtu, mtu; /* bytes */
	bool wants_ip6;
	struct ip_addr old4, old6;
	const uint8_t *master_secret; /* DTLS_SECRET_BYTES, or NULL: no DTLS lines */
	uint32_t suites;              /* as above */
	struct own_words own;
};
void tunnel_request_format(const struct tunnel_request_out *q, struct text *out);

enum rekey_method { REKEY_NONE, REKEY_SSL, REKEY_NEW_TUNNEL };

struct channel_timers {
	uint32_t dpd_s;       /* 0 off */
	uint32_t keepalive_s; /* 0 off */
	uint32_t rekey_s;     /* 0 off */
	enum rekey_method rekey_method;
};

/* The 200 CONNECTED answer. Used for writing by the gateway and filled by reading in the client. */
struct tunnel_params {
	char server_name[PARAMS_NAME_BYTES]; /* X-CSTP-Server-Name */
	char hostname[PARAMS_NAME_BYTES];    /* X-CSTP-Hostname */
	struct ip_prefix ip4;                /* address and its netmask's length; family 0: none */
	struct ip_prefix ip6;
	struct ip_addr dns[PARAMS_MAX_DNS];
	size_t n_dns;
	struct ip_addr nbns[PARAMS_MAX_DNS];
	size_t n_nbns;
	char default_domain[PARAMS_NAME_BYTES];
	char (*split_dns)[PARAMS_NAME_BYTES]; /* owned array */
	size_t n_split_dns;
	struct ip_prefix *include; /* owned; both families; none = default route */
	size_t n_include;
	struct ip_prefix *exclude; /* owned; 0.0.0.0/32 = local LAN */
	size_t n_exclude;
	bool tunnel_all_dns;
	bool client_bypass_protocol;
	char banner[PARAMS_BANNER_BYTES]; /* plain text; percent-encoded on the wire */
	uint16_t base_mtu;                /* bytes, 0 absent */
	uint16_t cstp_mtu;                /* X-CSTP-MTU */
	uint16_t dtls_mtu;                /* X-DTLS-MTU, 0 absent */
	struct channel_timers cstp, dtls;
	uint32_t lease_s, idle_timeout_s, session_timeout_s, session_remaining_s, disconnected_timeout_s; /* 0: none */
	uint32_t session_alert_s;
	bool grants_license; /* X-CSTP-License: accept */
	enum dtls_suite suite; /* DTLS_NONE: no DTLS */
	uint8_t dtls_id[DTLS_ID_BYTES]; /* App-ID (PSK) or Session-ID */
	size_t dtls_id_bytes;           /* 1..32; 32 for Session-ID */
	uint16_t dtls_port;             /* 0: not told */
	struct own_words own; /* X-Culvert */
};

struct tunnel_format_opts {
	bool has_full_ip6;   /* use the -IP6 header forms */
	bool is_anyconnect;  /* Cisco agent: IPv6 resolvers as X-CSTP-DNS-IP6, X-CSTP-Protocol line */
};
/* Status line, headers, empty line. What is absent (0, "", none) has no line; without a suite, or with an identifier that
 * does not fit it, there is no X-DTLS line at all. */
void tunnel_params_format(const struct tunnel_params *p, const struct tunnel_format_opts *o, struct text *out);
/* Reads a 200 answer. ERR_MALFORMED (an address, route, search domain or DTLS identifier that is none), ERR_TOO_LARGE
 * (over a PARAMS_MAX_*), ERR_UNSUPPORTED (Content-Encoding), ERR_PEER_PROTOCOL (not 200, no address or no MTU), -ENOMEM.
 * On error nothing is owned. Case-insensitive names. Routes lose their host bits; resolvers that are no addresses and
 * numbers out of range are as if absent; a suite we do not know, or without its identifier, is DTLS_NONE. */
MUST_USE int tunnel_params_parse(const struct http_head *h, struct tunnel_params *ret);
void tunnel_params_done(struct tunnel_params *p);

#endif

/* The TLS and DTLS MTU of a session, derived step by step, so that every number can be explained.
 *
 * Two formula sets. MTU_CISCO is the ASA's own arithmetic (cisco-facts.md 1.2 and 1.3), with which tech note
 * 116881 comes to 1347, 1427 and 1418. MTU_EXACT uses what a record really adds (wire-protocol.md 5.3).
 * Pure arithmetic on range-checked numbers; nothing here overflows or wraps for any input. */
#ifndef MTU_DERIVE_H
#define MTU_DERIVE_H

#include "base/span.h"
#include "base/util.h"

#define MTU_MIN       576  /* never announce less (RFC 791: what every host accepts) */
#define MTU_MIN_IP6   1280 /* with IPv6 inside (RFC 8200 5) */
#define MTU_MAX       16384
#define MTU_BASE_MIN  576
#define MTU_MSS_MIN   128 /* a smaller `tcpmss` counts as this: every record still leaves room for data */
#define MTU_MAX_STEPS 16

enum mtu_formula_set { MTU_EXACT, MTU_CISCO };
enum mtu_version { MTU_TLS_1_0, MTU_TLS_1_1, MTU_TLS_1_2, MTU_TLS_1_3, MTU_DTLS_1_0, MTU_DTLS_1_2 };
/* How a suite protects a record. */
enum mtu_protection { MTU_NULL, MTU_STREAM, MTU_CBC, MTU_GCM, MTU_CCM, MTU_CCM8, MTU_CHACHA };

/* Of CBC suites; decides what is padded. Differs in size for SHA-1 only, whose 20 bytes are not whole blocks.
 */
enum mtu_mac_order {
	MTU_MAC_FIRST, /* MAC-then-encrypt, as TLS itself defines it; what the published numbers fit */
	MTU_MAC_LAST,  /* encrypt-then-MAC (RFC 7366), which OpenSSL and GnuTLS agree on among themselves */
	MTU_MAC_ANY,   /* not known beforehand: the costlier of the two */
};

struct mtu_suite {
	const char *name;      /* OpenSSL's, which the ASA uses as well; TLS 1.3: the IANA name */
	const char *iana_name; /* TLS_... */
	uint8_t protection;    /* enum mtu_protection */
	uint8_t block_bytes;   /* CBC: 8 or 16; else 0 */
	uint8_t mac_bytes;     /* real HMAC, 0 for AEAD */
	uint8_t digest_bytes;  /* of the hash in the name: what the ASA subtracts */
	uint8_t versions;      /* in which it exists: bits 1 << enum mtu_version */
	bool is_negotiable;    /* false: we explain it (RC4, 3DES, NULL), but never speak it */
	const char *refusal;   /* why, when not negotiable; else NULL */
};

static inline bool mtu_suite_has_version(const struct mtu_suite *s, enum mtu_version v)
{
	return v <= MTU_DTLS_1_2 && (s->versions & 1u << v) != 0;
}

/* By OpenSSL or IANA name, case ignored; NULL: unknown. */
const struct mtu_suite *mtu_suite_find(struct span name);
/* All that are known, for completion and tests. */
const struct mtu_suite *mtu_suites(size_t *ret_n);

struct mtu_input {
	enum mtu_formula_set formula;
	uint32_t base_mtu; /* outer path, bytes; clamped to MTU_BASE_MIN..MTU_MAX */
	/* `sysopt connection tcpmss`, bytes; 0: base MTU less IP and TCP headers. Clamped to
	 * MTU_MSS_MIN..MTU_MAX; MTU_EXACT lowers it to what the path allows, MTU_CISCO takes it as it is. */
	uint32_t tcpmss;
	uint32_t configured;  /* `anyconnect mtu`, bytes; 0: none */
	uint8_t outer_family; /* 4 or 6 */
	bool has_ip6;         /* IPv6 inside: floor 1280 */
	enum mtu_version tls_version;
	const struct mtu_suite *tls_suite;
	enum mtu_version dtls_version;
	const struct mtu_suite *dtls_suite; /* NULL: no DTLS tunnel */
	enum mtu_mac_order mac_order;       /* of CBC suites in MTU_EXACT */
};

struct mtu_step {
	const char *label; /* constant text */
	int32_t value; /* bytes; negative: subtracted. The last is the result, and the sum of all before */
};

struct mtu_steps {
	struct mtu_step v[MTU_MAX_STEPS];
	size_t n;
};

/* Ranges: tls, dtls, adapter are MTU_MIN (or MTU_MIN_IP6)..MTU_MAX. */
struct mtu_derivation {
	uint16_t tls, dtls; /* announced, floors and the configured value applied; dtls 0: no DTLS */
	uint16_t adapter;   /* what a classic client sets first: dtls, or tls without DTLS */
	uint16_t tls_limit, dtls_limit; /* computed, before the configured value and the floors */
	uint16_t base_mtu, mss;         /* what was counted with, after clamping */
	/* The tech-note event occurs when UDP is blocked: tls < adapter. A TLS MTU above the adapter's needs
	 * no change (the note's third remedy: 1427 against 1418). */
	bool is_reconnect_expected;
	struct mtu_steps tls_steps, dtls_steps;
};

/* -EINVAL: a suite that does not exist in that version (AES-GCM in TLS 1.0, RC4 in DTLS, ...), a version of
 * the other protocol, or no TLS suite. */
MUST_USE int mtu_derive(const struct mtu_input *in, struct mtu_derivation *ret);

/* The derivation in the ASA's words (`debug webvpn anyconnect`, cisco-facts.md 1.2), from "Iphdr=" to the
 * line with both results, one line per call, without newline; the line lives until the return. d: what
 * mtu_derive() made of the same in. */
typedef void mtu_line_f(void *ctx, const char *line);
void mtu_explain(const struct mtu_input *in, const struct mtu_derivation *d, mtu_line_f *f, void *ctx);

/* Bytes that one record of this suite and version adds at most to n bytes of plaintext (header, IV or nonce,
 * MAC or tag, padding, inner type), MTU_MAC_ANY. Any n; the suite must exist in that version. TLS 1.0 CBC:
 * one record, without the empty one that some libraries put before it. */
uint32_t mtu_record_overhead_bytes(enum mtu_version v, const struct mtu_suite *s, uint32_t n);
/* Inner bytes that fit one DTLS datagram of a path with this base MTU: the true limit, no floor applied, safe
 * for either order of MAC and encryption (MTU_MAC_ANY). */
uint16_t mtu_exact_dtls(
        uint32_t base_mtu, uint8_t outer_family, enum mtu_version v, const struct mtu_suite *s);
/* What is announced for both tunnels in seamless mode: the exact limit, capped by configured (0: none), then
 * raised to the floor; packets between the limit and this value go by TLS or in pieces. */
uint16_t mtu_announce(uint16_t exact, uint32_t configured, bool has_ip6);

#endif

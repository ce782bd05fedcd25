#include "policy/cipher_table.h"

#include "policy/cipher.h"

#define SCOPE(s) CIPHER_SCOPE(s)
#define TLS_OLD  (SCOPE(SSL_SCOPE_TLS1) | SCOPE(SSL_SCOPE_TLS11))
#define TLS12    SCOPE(SSL_SCOPE_TLS12)
#define TLS13    SCOPE(SSL_SCOPE_TLS13)
#define DTLS1    SCOPE(SSL_SCOPE_DTLS1)
#define DTLS12   SCOPE(SSL_SCOPE_DTLS12)

#define ECDSA KX_ECDHE | AU_ECDSA
#define ECRSA KX_ECDHE | AU_RSA
#define DHRSA KX_DHE | AU_RSA
#define RSA   KX_RSA | AU_RSA
#define G256  AES256 | GCM | SHA384 | SINCE_1_2
#define G128  AES128 | GCM | SHA256 | SINCE_1_2
#define POLY  CHACHA | SHA256 | SINCE_1_2

/* DTLS has the names
 * that clients put into X-DTLS12-CipherSuite and X-DTLS-CipherSuite (cisco-facts.md 1.6), and PSK-NEGOTIATE.
 */
const struct cipher_suite cipher_suites[CIPHER_N_SUITES] = {
        {"TLS_AES_256_GCM_SHA384", "TLS_AES_256_GCM_SHA384", KX_ANY | AES256 | GCM | SHA384, TLS13},
        {"TLS_CHACHA20_POLY1305_SHA256", "TLS_CHACHA20_POLY1305_SHA256", KX_ANY | CHACHA | SHA256, TLS13},
        {"TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", KX_ANY | AES128 | GCM | SHA256, TLS13},
        {"PSK-AES256-GCM-SHA384", "TLS_PSK_WITH_AES_256_GCM_SHA384", KX_PSK | G256, DTLS12},
        {"PSK-CHACHA20-POLY1305", "TLS_PSK_WITH_CHACHA20_POLY1305_SHA256", KX_PSK | POLY, DTLS12},
        {"PSK-AES128-GCM-SHA256", "TLS_PSK_WITH_AES_128_GCM_SHA256", KX_PSK | G128, DTLS12},
        {"ECDHE-ECDSA-AES256-GCM-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", ECDSA | G256,
                TLS12 | DTLS12},
        {"ECDHE-RSA-AES256-GCM-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", ECRSA | G256,
                TLS12 | DTLS12},
        {"ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", ECDSA | POLY,
                TLS12},
        {"ECDHE-RSA-CHACHA20-POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", ECRSA | POLY, TLS12},
        {"DHE-RSA-AES256-GCM-SHA384", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", DHRSA | G256, TLS12 | DTLS12},
        {"DHE-RSA-CHACHA20-POLY1305", "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", DHRSA | POLY, TLS12},
        {"ECDHE-ECDSA-AES128-GCM-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", ECDSA | G128,
                TLS12 | DTLS12},
        {"ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", ECRSA | G128,
                TLS12 | DTLS12},
        {"DHE-RSA-AES128-GCM-SHA256", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", DHRSA | G128, TLS12 | DTLS12},
        {"ECDHE-ECDSA-AES256-SHA384", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384",
                ECDSA | AES256 | CBC | SHA384 | SINCE_1_2, TLS12 | DTLS12},
        {"ECDHE-RSA-AES256-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384",
                ECRSA | AES256 | CBC | SHA384 | SINCE_1_2, TLS12 | DTLS12},
        {"DHE-RSA-AES256-SHA256", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256",
                DHRSA | AES256 | CBC | SHA256 | SINCE_1_2, TLS12 | DTLS12},
        {"ECDHE-ECDSA-AES128-SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
                ECDSA | AES128 | CBC | SHA256 | SINCE_1_2, TLS12 | DTLS12},
        {"ECDHE-RSA-AES128-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
                ECRSA | AES128 | CBC | SHA256 | SINCE_1_2, TLS12 | DTLS12},
        {"DHE-RSA-AES128-SHA256", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256",
                DHRSA | AES128 | CBC | SHA256 | SINCE_1_2, TLS12 | DTLS12},
        {"ECDHE-ECDSA-AES256-SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
                ECDSA | AES256 | CBC | SHA1 | SINCE_1_0, TLS_OLD | TLS12},
        {"ECDHE-RSA-AES256-SHA", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
                ECRSA | AES256 | CBC | SHA1 | SINCE_1_0, TLS_OLD | TLS12},
        {"DHE-RSA-AES256-SHA", "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", DHRSA | AES256 | CBC | SHA1 | SINCE_1_0,
                TLS_OLD | TLS12 | DTLS1 | DTLS12},
        {"ECDHE-ECDSA-AES128-SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
                ECDSA | AES128 | CBC | SHA1 | SINCE_1_0, TLS_OLD | TLS12},
        {"ECDHE-RSA-AES128-SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
                ECRSA | AES128 | CBC | SHA1 | SINCE_1_0, TLS_OLD | TLS12},
        {"DHE-RSA-AES128-SHA", "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", DHRSA | AES128 | CBC | SHA1 | SINCE_1_0,
                TLS_OLD | TLS12 | DTLS1 | DTLS12},
        {"AES256-GCM-SHA384", "TLS_RSA_WITH_AES_256_GCM_SHA384", RSA | G256, TLS12 | DTLS12},
        {"AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256", RSA | G128, TLS12 | DTLS12},
        {"AES256-SHA256", "TLS_RSA_WITH_AES_256_CBC_SHA256", RSA | AES256 | CBC | SHA256 | SINCE_1_2,
                TLS12 | DTLS12},
        {"AES128-SHA256", "TLS_RSA_WITH_AES_128_CBC_SHA256", RSA | AES128 | CBC | SHA256 | SINCE_1_2,
                TLS12 | DTLS12},
        {"AES256-SHA", "TLS_RSA_WITH_AES_256_CBC_SHA", RSA | AES256 | CBC | SHA1 | SINCE_1_0,
                TLS_OLD | TLS12 | DTLS1 | DTLS12},
        {"AES128-SHA", "TLS_RSA_WITH_AES_128_CBC_SHA", RSA | AES128 | CBC | SHA1 | SINCE_1_0,
                TLS_OLD | TLS12 | DTLS1 | DTLS12},
};

#define OLD_DEFAULT                                                                                          \
	"ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:DHE-RSA-AES256-SHA:ECDHE-ECDSA-AES128-SHA:"             \
	"ECDHE-RSA-AES128-SHA:DHE-RSA-AES128-SHA:AES256-SHA:AES128-SHA"

const char *cipher_default(enum ssl_scope scope)
{
	static const char *const lists[N_SSL_SCOPES] = {
	        [SSL_SCOPE_DEFAULT] = "",
	        [SSL_SCOPE_TLS1] = OLD_DEFAULT,
	        [SSL_SCOPE_TLS11] = OLD_DEFAULT,
	        [SSL_SCOPE_TLS12] = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
	                            "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
	                            "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256",
	        [SSL_SCOPE_TLS13] =
	                "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
	        [SSL_SCOPE_DTLS1] = "AES256-SHA:AES128-SHA:DHE-RSA-AES256-SHA:DHE-RSA-AES128-SHA",
	        [SSL_SCOPE_DTLS12] = "PSK-AES256-GCM-SHA384:PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256:"
	                             "AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
	                             "ECDHE-RSA-AES128-GCM-SHA256:AES128-GCM-SHA256",
	};
	return scope < N_SSL_SCOPES ? lists[scope] : "";
}

/* Words that stand for suites with any of these tags. 0: nothing that the gateway speaks. */
static const struct {
	const char *word;
	uint32_t any; /* enum cipher_tag */
} words[] = {
        {"ALL", ~0u},
        {"HIGH", ~0u},
        {"MEDIUM", 0}, /* in OpenSSL: what is weaker than AES, and nothing of that is spoken */
        {"kRSA", KX_RSA},
        {"RSA", KX_RSA},
        {"aRSA", AU_RSA},
        {"kDHE", KX_DHE},
        {"kEDH", KX_DHE},
        {"DH", KX_DHE},
        {"DHE", KX_DHE},
        {"EDH", KX_DHE},
        {"kECDHE", KX_ECDHE},
        {"kEECDH", KX_ECDHE},
        {"ECDH", KX_ECDHE},
        {"ECDHE", KX_ECDHE},
        {"EECDH", KX_ECDHE},
        {"aECDSA", AU_ECDSA},
        {"ECDSA", AU_ECDSA},
        {"PSK", KX_PSK},
        {"kPSK", KX_PSK},
        {"aPSK", KX_PSK},
        {"AES", AES128 | AES256},
        {"AES128", AES128},
        {"AES256", AES256},
        {"AESGCM", GCM},
        {"CHACHA20", CHACHA},
        {"SHA", SHA1},
        {"SHA1", SHA1},
        {"SHA256", CIPHER_MAC_SHA256},
        {"SHA384", CIPHER_MAC_SHA384},
        {"TLSv1.2", SINCE_1_2},
        {"TLSv1.0", SINCE_1_0},
        {"TLSv1", SINCE_1_0},
        {"SSLv3", SINCE_1_0},
        {"FIPS", AES128 | AES256},
};

/* Parts of names, and whole words, that are never spoken. */
static const struct {
	const char *part, *why;
} refused[] = {
        {"RC4", "RC4 is broken and prohibited (RFC 7465)"},
        {"CBC3", "3DES has blocks of 64 bits, which leak after some gigabytes (Sweet32)"},
        {"3DES", "3DES has blocks of 64 bits, which leak after some gigabytes (Sweet32)"},
        {"EXP", "export keys are broken within minutes"},
        {"EXP1024", "export keys are broken within minutes"},
        {"EXPORT", "export keys are broken within minutes"},
        {"EXPORT40", "export keys are broken within minutes"},
        {"EXPORT56", "export keys are broken within minutes"},
        {"DES", "keys of 56 bits are found by trying them"},
        {"NULL", "it does not encrypt"},
        {"eNULL", "it does not encrypt"},
        {"COMPLEMENTOFALL", "it does not encrypt"},
        {"aNULL", "anybody could be the gateway: there is no certificate"},
        {"ADH", "anybody could be the gateway: there is no certificate"},
        {"AECDH", "anybody could be the gateway: there is no certificate"},
        {"anon", "anybody could be the gateway: there is no certificate"},
        {"MD5", "MD5 is broken"},
        {"LOW", "keys of 56 bits are found by trying them"},
        {"RC2", "RC2 is obsolete"},
        {"IDEA", "IDEA has blocks of 64 bits"},
        {"SEED", "the gateway does not speak SEED"},
        {"CAMELLIA", "the gateway does not speak Camellia"},
        {"CAMELLIA128", "the gateway does not speak Camellia"},
        {"CAMELLIA256", "the gateway does not speak Camellia"},
        {"ARIA", "the gateway does not speak ARIA"},
        {"ARIA128", "the gateway does not speak ARIA"},
        {"ARIA256", "the gateway does not speak ARIA"},
        {"ARIAGCM", "the gateway does not speak ARIA"},
        {"CCM", "the gateway does not speak AES-CCM"},
        {"CCM8", "the gateway does not speak AES-CCM"},
        {"AESCCM", "the gateway does not speak AES-CCM"},
        {"AESCCM8", "the gateway does not speak AES-CCM"},
        {"DSS", "the gateway has no DSA certificates"},
        {"aDSS", "the gateway has no DSA certificates"},
        {"SRP", "the gateway has no SRP passwords"},
        {"kSRP", "the gateway has no SRP passwords"},
        {"aSRP", "the gateway has no SRP passwords"},
        {"kDHEPSK", "PSK is only spoken without another key exchange"},
        {"kECDHEPSK", "PSK is only spoken without another key exchange"},
        {"kRSAPSK", "PSK is only spoken without another key exchange"},
        {"GOST", "the gateway does not speak GOST"},
        {"KRB5", "the gateway does not speak Kerberos"},
};

const struct cipher_suite *cipher_suite_find(struct span name)
{
	for (size_t i = 0; i < CIPHER_N_SUITES; i++) {
		if (span_is_nocase(name, cipher_suites[i].name) ||
		        span_is_nocase(name, cipher_suites[i].iana_name))
			return &cipher_suites[i];
	}
	return NULL;
}

bool cipher_word_find(struct span word, uint32_t *ret)
{
	for (size_t i = 0; i < N_ELEM(words); i++) {
		if (span_is(word, words[i].word)) {
			*ret = words[i].any;
			return true;
		}
	}
	return false;
}

/* The parts of a name end at '-' or '_'. */
const char *cipher_why_refused(struct span name)
{
	for (size_t i = 0; i < N_ELEM(refused); i++) {
		size_t n = strlen(refused[i].part);
		for (size_t at = 0; at + n <= name.n; at++) {
			bool begins = at == 0 || name.p[at - 1] == '-' || name.p[at - 1] == '_';
			bool ends = at + n == name.n || name.p[at + n] == '-' || name.p[at + n] == '_';
			if (begins && ends && span_is_nocase(span_of(name.p + at, n), refused[i].part))
				return refused[i].why;
		}
	}
	return NULL;
}

bool cipher_is_explained(struct span name)
{
	static const char *const names[] = {"RC4-SHA", "DES-CBC3-SHA", "NULL-SHA", "TLS_RSA_WITH_RC4_128_SHA",
	        "TLS_RSA_WITH_3DES_EDE_CBC_SHA", "TLS_RSA_WITH_NULL_SHA"};
	for (size_t i = 0; i < N_ELEM(names); i++) {
		if (span_is_nocase(name, names[i]))
			return true;
	}
	return false;
}

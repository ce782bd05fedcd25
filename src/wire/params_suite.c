/* The DTLS suites and their names in both headers: wire-protocol.md 4.2. */
#include "wire/params_internal.h"

static const char DTLS_LIST[] = "X-DTLS-CipherSuite";
static const char DTLS12_LIST[] = "X-DTLS12-CipherSuite";

/* A name that the header and OpenSSL share. */
#define CISCO12(suite, name, code)                                                                           \
	{                                                                                                    \
		suite, DTLS12_LIST, name, name, code, false                                                  \
	}

static const struct dtls_suite_info SUITES[] = {
        {DTLS_PSK_NEGOTIATE, DTLS_LIST, "PSK-NEGOTIATE", NULL, 0, false},
        {DTLS_OC12_AES256_GCM, DTLS_LIST, "OC-DTLS1_2-AES256-GCM", "AES256-GCM-SHA384", 0x009d, false},
        {DTLS_OC12_AES128_GCM, DTLS_LIST, "OC-DTLS1_2-AES128-GCM", "AES128-GCM-SHA256", 0x009c, false},
        CISCO12(DTLS_ECDHE_RSA_AES256_GCM, "ECDHE-RSA-AES256-GCM-SHA384", 0xc030),
        CISCO12(DTLS_ECDHE_RSA_AES128_GCM, "ECDHE-RSA-AES128-GCM-SHA256", 0xc02f),
        CISCO12(DTLS_AES256_GCM, "AES256-GCM-SHA384", 0x009d),
        CISCO12(DTLS_AES128_GCM, "AES128-GCM-SHA256", 0x009c),
        CISCO12(DTLS_ECDHE_ECDSA_AES256_GCM, "ECDHE-ECDSA-AES256-GCM-SHA384", 0xc02c),
        CISCO12(DTLS_DHE_RSA_AES256_GCM, "DHE-RSA-AES256-GCM-SHA384", 0x009f),
        CISCO12(DTLS_ECDHE_ECDSA_AES128_GCM, "ECDHE-ECDSA-AES128-GCM-SHA256", 0xc02b),
        CISCO12(DTLS_DHE_RSA_AES128_GCM, "DHE-RSA-AES128-GCM-SHA256", 0x009e),
        CISCO12(DTLS_ECDHE_RSA_AES256_SHA384, "ECDHE-RSA-AES256-SHA384", 0xc028),
        CISCO12(DTLS_ECDHE_ECDSA_AES256_SHA384, "ECDHE-ECDSA-AES256-SHA384", 0xc024),
        CISCO12(DTLS_DHE_RSA_AES256_SHA256, "DHE-RSA-AES256-SHA256", 0x006b),
        CISCO12(DTLS_AES256_SHA256, "AES256-SHA256", 0x003d),
        CISCO12(DTLS_ECDHE_RSA_AES128_SHA256, "ECDHE-RSA-AES128-SHA256", 0xc027),
        CISCO12(DTLS_ECDHE_ECDSA_AES128_SHA256, "ECDHE-ECDSA-AES128-SHA256", 0xc023),
        CISCO12(DTLS_DHE_RSA_AES128_SHA256, "DHE-RSA-AES128-SHA256", 0x0067),
        CISCO12(DTLS_AES128_SHA256, "AES128-SHA256", 0x003c),
        CISCO12(DTLS_DHE_RSA_AES256_SHA, "DHE-RSA-AES256-SHA", 0x0039),
        CISCO12(DTLS_AES256_SHA, "AES256-SHA", 0x0035),
        CISCO12(DTLS_DHE_RSA_AES128_SHA, "DHE-RSA-AES128-SHA", 0x0033),
        CISCO12(DTLS_AES128_SHA, "AES128-SHA", 0x002f),
        {DTLS_V10_DHE_RSA_AES256_SHA, DTLS_LIST, "DHE-RSA-AES256-SHA", "DHE-RSA-AES256-SHA", 0x0039, true},
        {DTLS_V10_AES256_SHA, DTLS_LIST, "AES256-SHA", "AES256-SHA", 0x0035, true},
        {DTLS_V10_DHE_RSA_AES128_SHA, DTLS_LIST, "DHE-RSA-AES128-SHA", "DHE-RSA-AES128-SHA", 0x0033, true},
        {DTLS_V10_AES128_SHA, DTLS_LIST, "AES128-SHA", "AES128-SHA", 0x002f, true},
};

const struct dtls_suite_info *dtls_suite_info(enum dtls_suite s)
{
	for (size_t i = 0; i < N_ELEM(SUITES); i++) {
		if (SUITES[i].suite == s)
			return &SUITES[i];
	}
	return NULL;
}

enum dtls_suite dtls_suite_find(struct span header, struct span name)
{
	for (size_t i = 0; i < N_ELEM(SUITES); i++) {
		/* the PSK token is understood in either list */
		if (span_is(name, SUITES[i].name) &&
		        (SUITES[i].code == 0 || span_is_nocase(header, SUITES[i].header)))
			return SUITES[i].suite;
	}
	return DTLS_NONE;
}

void params_put_suites(struct text *out, const char *header, uint32_t suites)
{
	const char *before = "";
	for (size_t i = 0; i < N_ELEM(SUITES); i++) {
		if (!(suites & 1u << SUITES[i].suite) || strcmp(SUITES[i].header, header) != 0)
			continue;
		text_str(out, *before ? before : header);
		text_str(out, *before ? "" : ": ");
		text_str(out, SUITES[i].name);
		before = ":";
	}
	if (*before)
		text_str(out, "\r\n");
}

/* The DTLS suites and their names in both headers: wire-protocol.md 4.2. */
#include "wire/params_internal.h"

static const char DTLS_LIST[] = "X-DTLS-CipherSuite";
static const char DTLS12_LIST[] = "X-DTLS12-CipherSuite";

static const struct dtls_suite_info SUITES[] = {
        {DTLS_PSK_NEGOTIATE, DTLS_LIST, "PSK-NEGOTIATE", NULL, 0},
        {DTLS_OC12_AES256_GCM, DTLS_LIST, "OC-DTLS1_2-AES256-GCM", "AES256-GCM-SHA384", 0x009d},
        {DTLS_OC12_AES128_GCM, DTLS_LIST, "OC-DTLS1_2-AES128-GCM", "AES128-GCM-SHA256", 0x009c},
        {DTLS_ECDHE_RSA_AES256_GCM, DTLS12_LIST, "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
                0xc030},
        {DTLS_ECDHE_RSA_AES128_GCM, DTLS12_LIST, "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
                0xc02f},
        {DTLS_AES256_GCM, DTLS12_LIST, "AES256-GCM-SHA384", "AES256-GCM-SHA384", 0x009d},
        {DTLS_AES128_GCM, DTLS12_LIST, "AES128-GCM-SHA256", "AES128-GCM-SHA256", 0x009c},
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

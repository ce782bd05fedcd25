#include "gateway/tls_policy.h"

struct group_name {
	const char *asa, *openssl;
};

static const struct group_name curves[] = {{"group19", "P-256"}, {"group20", "P-384"}, {"group21", "P-521"}};
/* RFC 3526 3 - 5, RFC 5114 2.3 */
static const struct group_name dh[] = {{"group14", "modp_2048"}, {"group15", "modp_3072"},
        {"group16", "modp_4096"}, {"group24", "dh_2048_256"}};

/* NULL: not configured, or none of ours. */
static const char *find(const struct group_name *v, size_t n, const char *asa)
{
	for (size_t i = 0; asa && i < n; i++) {
		if (strcmp(v[i].asa, asa) == 0)
			return v[i].openssl;
	}
	return NULL;
}

struct tls_server_opts tls_policy_opts(const struct ssl_settings *ssl, struct span pem)
{
	static const enum tls_version versions[] = {
	        [TLS_V1_0] = TLS_1_0, [TLS_V1_1] = TLS_1_1, [TLS_V1_2] = TLS_1_2, [TLS_V1_3] = TLS_1_3};
	static const enum ssl_scope scopes[TLS_N_VERSIONS] = {
	        SSL_SCOPE_TLS1, SSL_SCOPE_TLS11, SSL_SCOPE_TLS12, SSL_SCOPE_TLS13};
	struct tls_server_opts o = {
	        .cert_pem = pem,
	        .key_pem = pem,
	        .min = ssl->min_tls < N_ELEM(versions) ? versions[ssl->min_tls] : TLS_1_2,
	        .groups = find(curves, N_ELEM(curves), ssl->ecdh_group),
	        .dh_group = find(dh, N_ELEM(dh), ssl->dh_group),
	};
	for (size_t i = 0; i < TLS_N_VERSIONS; i++)
		o.suites[i] = ssl->ciphers[scopes[i]];
	return o;
}

/* The gateway's certificate and key: the operator's, or a self-signed one that is made once. */
#ifndef GATEWAY_IDENTITY_H
#define GATEWAY_IDENTITY_H

#include "io/tls_cert.h"
#include "policy/model.h"

#define IDENTITY_PEM_MAX_BYTES (256u << 10)
#define IDENTITY_VALID_DAYS    3650u

struct identity {
	struct text pem; /* chain, then the key; secret: identity_done() wipes */
	char pin[TLS_PIN_TEXT_MAX];
	bool is_self_signed;
	int64_t valid_from_s, valid_until_s; /* Unix time */
};

/* Of the configured trust point, else from state_dir (cert.pem, key.pem), made there when there is none yet.
 * why gets a line for the operator on failure. */
MUST_USE int identity_load(
        const struct config *c, const char *state_dir, int64_t now_s, struct identity *ret, struct text *why);
/* Whether the configured trust point could be loaded, for --test; 0 also without one, then nothing is in
 * *ret. -EACCES: this user may not read its files. */
MUST_USE int identity_test(const struct config *c, struct identity *ret, struct text *why);
/* A line for the operator when clients will refuse the certificate, now or within a month; else nothing. */
void identity_warn(const struct identity *id, int64_t now_s, struct text *ret);
void identity_done(struct identity *id);

#endif

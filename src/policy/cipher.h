/* Cipher suites by the names that the ASA and OpenSSL share, and the lists of `ssl cipher`.
 *
 * A list is resolved here, against a table of what the gateway is willing to speak, and not left to OpenSSL:
 * so a mistake is known at its column before anything starts, and no update of the library can turn on a
 * suite. Sources: cisco-facts.md 5.3 (names, levels), openssl-ciphers(1) (grammar). */
#ifndef POLICY_CIPHER_H
#define POLICY_CIPHER_H

#include "base/text.h"
#include "policy/model.h"

/* In the order of the syntax of `ssl cipher`. */
enum cipher_level { CIPHER_ALL, CIPHER_LOW, CIPHER_MEDIUM, CIPHER_FIPS, CIPHER_HIGH, N_CIPHER_LEVELS };

/* The list of this scope as long as nothing is configured: names joined with ':', best first. "" for
 * SSL_SCOPE_DEFAULT, which concerns outgoing connections only. */
const char *cipher_default(enum ssl_scope scope);

/* Appends the suites of a level. ERR_CONFIG: the protocol has none of it. */
MUST_USE int cipher_level_list(enum ssl_scope scope, enum cipher_level level, struct text *ret);

/* Appends the suites that an OpenSSL cipher string selects, in its order: names (OpenSSL's or IANA's), words
 * like ECDHE, AESGCM or HIGH joined with '+', the prefixes '!', '-', '+', and "@STRENGTH". ERR_CONFIG:
 * *ret_at is the offset of what is wrong, in bytes from the start of the string, and why says what. */
MUST_USE int cipher_custom_list(
        enum ssl_scope scope, struct span list, struct text *ret, size_t *ret_at, struct text *why);

#endif

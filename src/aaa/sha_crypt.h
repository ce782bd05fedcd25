/* Hashes "$5$" and "$6$" of crypt(5), by OpenSSL: it has the processor's SHA instructions, libcrypt has not,
 * and most of the cost of a login is this hash. Source: U. Drepper, "Unix crypt using SHA-256 and SHA-512",
 * public domain. */
#ifndef AAA_SHA_CRYPT_H
#define AAA_SHA_CRYPT_H

#include "base/err.h"
#include "base/span.h"
#include "base/util.h"

/* stored: "$5$[rounds=N$]salt$hash" as crypt_gensalt(3) and crypt(3) make it. 0; ERR_REFUSED; ERR_CONFIG: of
 * another form, which crypt(3) may know; ERR_CRYPTO. Comparison in constant time. Passwords of up to
 * PASSWORD_MAX_BYTES without NUL. */
MUST_USE int sha_crypt_verify(const char *stored, struct span password);

#endif

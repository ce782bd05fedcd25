/* Is this the password? Secrets of local users as the ASA dialect stores them.
 * All functions are slow on purpose (key derivation, up to about a second): call them in threads, never in a
 * loop. */
#ifndef AAA_PASSWORD_H
#define AAA_PASSWORD_H

#include "base/err.h"
#include "base/span.h"
#include "base/util.h"
#include "policy/model.h"

#define PASSWORD_MAX_BYTES      255     /* of what a user types; longer is refused */
#define PASSWORD_MAX_ROUNDS     1000000 /* of PBKDF2 and of $5$, $6$ */
#define PASSWORD_DEFAULT_ROUNDS 5000    /* what an ASA writes */

/* stored, by kind:
 * SECRET_PLAIN   the password itself
 * SECRET_PBKDF2  $sha512$ROUNDS$SALT$HASH, base64; PBKDF2-HMAC-SHA512 (RFC 8018), salt and hash of 16 bytes
 * on an ASA 9.6 and later; salts of 1..64 and hashes of 16..64 bytes are accepted SECRET_CRYPT   crypt(5):
 * $y$ (up to 256 MiB of memory), $6$, $5$ SECRET_NONE    nobody gets in. 0; ERR_REFUSED; ERR_CONFIG (stored
 * is not of this kind, or beyond the limits); ERR_CRYPTO; -ENOMEM. Comparison is in constant time. A hash
 * that is not usable costs as much as password_burn(); a plain secret costs next to nothing. */
MUST_USE int password_verify(enum secret_kind kind, const char *stored, struct span password);

/* Takes as long as verifying against an ASA's hash: for users that do not exist or have no hash, where others
 * have one, so that the time does not tell names apart. */
void password_burn(struct span password);

/* Could password_verify() use it? 0 or ERR_CONFIG; computes nothing. */
MUST_USE int password_stored_check(enum secret_kind kind, const char *stored);

#endif

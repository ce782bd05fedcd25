/* What the auth process wants from src/aaa: is this the password, and how long must this client wait. */
#ifndef GATEWAY_AUTH_VERIFY_H
#define GATEWAY_AUTH_VERIFY_H

#include "base/addr.h"
#include "policy/model.h"

/* Slow on purpose (key derivation): called in threads, never in the loop. user NULL: there is none of that
 * name. has_hashes: some user has a hash, so everybody's check costs one, and time tells nobody's name. 0,
 * ERR_REFUSED, -errno. */
MUST_USE int auth_verify(const struct local_user *user, const char *password, bool has_hashes);

struct auth_lockout;
MUST_USE int auth_lockout_new(struct auth_lockout **ret);
void auth_lockout_free(struct auth_lockout *l); /* NULL is fine */
/* 0: may try now; otherwise how many milliseconds to wait. */
uint32_t auth_lockout_delay_ms(
        struct auth_lockout *l, const char *username, const struct ip_addr *peer, ms_t now_ms);
void auth_lockout_note(
        struct auth_lockout *l, const char *username, const struct ip_addr *peer, bool is_ok, ms_t now_ms);

#endif

#include <stdlib.h>
#include <sys/random.h>
#include <errno.h>

#include "aaa/lockout.h"
#include "aaa/password.h"
#include "gateway/auth_verify.h"

struct auth_lockout {
	struct lockout *inner;
};

int auth_verify(const struct local_user *user, const char *password, bool has_hashes)
{
	bool is_cheap = user == NULL || user->kind == SECRET_PLAIN || user->kind == SECRET_NONE;
	if (has_hashes && is_cheap)
		password_burn(span_str(password));
	if (user == NULL)
		return ERR_REFUSED;
	return password_verify(user->kind, user->secret, span_str(password));
}

int auth_lockout_new(struct auth_lockout **ret)
{
	uint8_t key[16];
	if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key))
		return -EIO;
	struct auth_lockout *l = calloc(1, sizeof(*l));
	if (l == NULL)
		return -ENOMEM;
	int r = lockout_new(&lockout_default, key, &l->inner);
	if (r < 0) {
		free(l);
		return r;
	}
	*ret = l;
	return 0;
}

void auth_lockout_free(struct auth_lockout *l)
{
	if (l == NULL)
		return;
	lockout_free(l->inner);
	free(l);
}

uint32_t auth_lockout_delay_ms(
        struct auth_lockout *l, const char *username, const struct ip_addr *peer, ms_t now_ms)
{
	return lockout_ask(l->inner, span_str(username), peer, now_ms).wait_ms;
}

void auth_lockout_note(
        struct auth_lockout *l, const char *username, const struct ip_addr *peer, bool is_ok, ms_t now_ms)
{
	if (is_ok)
		lockout_success(l->inner, span_str(username));
	else
		lockout_failure(l->inner, span_str(username), peer, now_ms);
}

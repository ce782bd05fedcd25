/* Stand-ins at the link for the password check and the lockout, so that a test says when a check ends and who
 * is locked out: "banned" always, "guessed" after three wrong passwords. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/auth_verify.h"

/* "slow" waits until somebody writes into the pipe "gate". */
int auth_verify(const struct local_user *user, const char *password, bool has_hashes)
{
	(void)has_hashes;
	if (strcmp(password, "slow") == 0) {
		char c;
		int fd = open("gate", O_RDONLY);
		if (fd < 0 || read(fd, &c, 1) != 1)
			return -EIO;
		close(fd);
	}
	return user && strcmp(password, user->secret) == 0 ? 0 : ERR_REFUSED;
}

int auth_lockout_new(struct auth_lockout **ret)
{
	*ret = NULL;
	return 0;
}

static unsigned n_wrong_guesses;

void auth_lockout_free(struct auth_lockout *l)
{
	(void)l;
}

uint32_t auth_lockout_delay_ms(
        struct auth_lockout *l, const char *username, const struct ip_addr *peer, ms_t now_ms)
{
	(void)l, (void)peer, (void)now_ms;
	if (strcmp(username, "guessed") == 0 && n_wrong_guesses >= 3)
		return 1000;
	return strcmp(username, "banned") == 0 ? 2500 : 0;
}

void auth_lockout_note(
        struct auth_lockout *l, const char *username, const struct ip_addr *peer, bool is_ok, ms_t now_ms)
{
	(void)l, (void)peer, (void)now_ms;
	n_wrong_guesses += !is_ok && strcmp(username, "guessed") == 0;
}

/* Stand-ins at the link for the configuration, the password check and the lockout: one configuration in which
 * a user's name says what is special about him. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/auth_verify.h"
#include "gateway/config_text.h"

static const struct pool4 pool = {
        .name = "P4", .first = {4, {10, 1, 0, 0}}, .last = {4, {10, 1, 0, 255}}, .mask_len = 24};
static const char *const servers[] = {"LOCAL"};
static const struct tunnel_group group = {.name = POLICY_DEFAULT_WEBVPN_GROUP,
        .type = TUNNEL_GROUP_REMOTE_ACCESS,
        .authentication = AUTH_AAA,
        .default_policy = "GP",
        .auth_servers = {servers, 1}};
static const struct local_user users[] = {
        {.name = "alice"}, {.name = "locked"}, {.name = "never"}, {.name = "banned"}};

int config_text_read(int fd, struct config **ret)
{
	struct config *c = calloc(1, sizeof(*c));
	(void)fd;
	if (c == NULL)
		return -ENOMEM;
	atomic_init(&c->n_refs, 1);
	c->pools4 = &pool;
	c->n_pools4 = 1;
	*ret = c;
	return 0;
}

struct config *config_get(struct config *c)
{
	atomic_fetch_add(&c->n_refs, 1);
	return c;
}

void config_put(struct config *c)
{
	if (c && atomic_fetch_sub(&c->n_refs, 1) == 1)
		free(c);
}

const struct tunnel_group *config_find_tunnel_group(const struct config *c, struct span name)
{
	(void)c;
	return span_is(name, group.name) ? &group : NULL;
}

const struct local_user *config_find_user(const struct config *c, struct span name)
{
	(void)c;
	for (size_t i = 0; i < N_ELEM(users); i++)
		if (span_is(name, users[i].name))
			return &users[i];
	return NULL;
}

int config_resolve_policy(const struct config *c, const struct tunnel_group *tg,
        const struct local_user *user, struct span policy_name, const struct policy_overlay *overlay,
        struct group_policy_values *ret)
{
	(void)c, (void)tg, (void)policy_name, (void)overlay;
	*ret = (struct group_policy_values){.policy_name = "GP",
	        .group_lock = strcmp(user->name, "locked") == 0 ? "OTHER" : "",
	        .simultaneous_logins = strcmp(user->name, "never") == 0 ? 0 : 3,
	        .idle_timeout_s = 1800,
	        .tunnel_protocols = TUNNEL_SSL_CLIENT,
	        .pools4 = {&pool},
	        .n_pools4 = 1};
	return 0;
}

/* "slow" waits until somebody writes into the pipe "gate". */
int auth_verify(const struct local_user *user, const char *password)
{
	if (strcmp(password, "slow") == 0) {
		char c;
		int fd = open("gate", O_RDONLY);
		if (fd < 0 || read(fd, &c, 1) != 1)
			return -EIO;
		close(fd);
	}
	return user && strcmp(password, "right") == 0 ? 0 : ERR_REFUSED;
}

int auth_lockout_new(struct auth_lockout **ret)
{
	*ret = NULL;
	return 0;
}

void auth_lockout_free(struct auth_lockout *l)
{
	(void)l;
}

uint32_t auth_lockout_delay_ms(
        struct auth_lockout *l, const char *username, const struct ip_addr *peer, ms_t now_ms)
{
	(void)l, (void)peer, (void)now_ms;
	return strcmp(username, "banned") == 0 ? 2500 : 0;
}

void auth_lockout_note(
        struct auth_lockout *l, const char *username, const struct ip_addr *peer, bool is_ok, ms_t now_ms)
{
	(void)l, (void)username, (void)peer, (void)is_ok, (void)now_ms;
}

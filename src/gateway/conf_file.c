#include "gateway/conf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "policy/config.h"

#define CONF_FILE_CHUNK 8192u

int conf_file_slurp(const char *path, size_t max, struct text *ret)
{
	struct text t = {0};
	char buf[CONF_FILE_CHUNK];
	struct stat st;
	ssize_t n;
	int r = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (S_ISDIR(st.st_mode))
		r = -EISDIR;
	while (r == 0 && (n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0)
			r = -errno;
		else if (t.n + (size_t)n > max)
			r = ERR_TOO_LARGE;
		else
			text_put(&t, span_of(buf, (size_t)n));
	}
	if (r == 0 && !text_ok(&t))
		r = -ENOMEM;
	explicit_bzero(buf, sizeof(buf));
	close(fd);
	if (r == 0) {
		*ret = t;
		return 0;
	}
	if (t.p != NULL)
		explicit_bzero(t.p, t.cap);
	text_done(&t);
	return r;
}

static void message_put(void *arg, const struct diag *d)
{
	struct text *messages = arg;
	diag_format(d, messages);
	text_str(messages, "\n");
}

int conf_file_load(const char *path, struct text *messages, struct config **ret)
{
	struct text t = {0};
	int r = conf_file_slurp(path, CONF_FILE_MAX_BYTES, &t);
	if (r < 0) {
		text_fmt(messages, "%s:1:1: error: cannot be read: %s\n", path, err_text(r));
		return r;
	}
	const struct diag_sink sink = {.put = message_put, .arg = messages};
	r = config_parse(span_of(t.p, t.n), path, sink, ret);
	if (t.p != NULL)
		explicit_bzero(t.p, t.cap); /* passwords */
	text_done(&t);
	return r;
}

static bool is_local(const struct str_list *servers)
{
	for (size_t i = 0; i < servers->n; i++) {
		if (strcmp(servers->v[i], "LOCAL") == 0)
			return true;
	}
	return false;
}

static void warn_of_servers(const struct config *c, const char *path, struct text *messages)
{
	for (size_t i = 0; i < c->n_tunnel_groups; i++) {
		const struct tunnel_group *g = &c->tunnel_groups[i];
		if (g->type != TUNNEL_GROUP_REMOTE_ACCESS || is_local(&g->auth_servers))
			continue;
		text_fmt(messages, "%s:1:1: warning: nobody can log in through tunnel-group ", path);
		text_escaped(messages, span_str(g->name), POLICY_NAME_MAX);
		text_str(messages,
		        ": its servers are not asked yet (\"authentication-server-group LOCAL\")\n");
	}
}

/* Such a gateway starts, and nobody knows why no login succeeds. */
static void warn_of_useless(const struct config *c, const char *path, struct text *messages)
{
	bool has_login = false, has_address = c->n_pools4 + c->n_pools6 > 0;
	for (size_t i = 0; i < c->n_users; i++) {
		has_login |= c->users[i].kind != SECRET_NONE;
		has_address |= c->users[i].framed_ip4.family != 0 || c->users[i].framed_ip6.family != 0;
	}
	if (!has_login)
		text_fmt(messages,
		        "%s:1:1: warning: nobody can log in: there is no user with a password "
		        "(\"username NAME password SECRET\")\n",
		        path);
	if (!has_address)
		text_fmt(messages,
		        "%s:1:1: warning: nobody can connect: there are no addresses for clients "
		        "(\"ip local pool\")\n",
		        path);
	warn_of_servers(c, path, messages);
}

int conf_file_check(const struct config *c, const char *path, struct text *messages)
{
	if (!c->webvpn.is_enabled) {
		text_fmt(messages,
		        "%s:1:1: error: webvpn is not enabled on any interface: nothing to do (\"webvpn\", "
		        "\"enable outside\")\n",
		        path);
		return ERR_CONFIG;
	}
	warn_of_useless(c, path, messages);
	return 0;
}

int conf_file_memfd_bytes(const char *name, struct span bytes, int *ret_fd)
{
	size_t done = 0;
	int r = 0;
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	while (r == 0 && done < bytes.n) {
		ssize_t n = write(fd, bytes.p + done, bytes.n - done);
		if (n > 0)
			done += (size_t)n;
		else
			r = n < 0 ? -errno : -EIO;
	}
	if (r == 0 &&
	        (lseek(fd, 0, SEEK_SET) < 0 ||
	                fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0))
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int conf_file_memfd(const struct config *c, bool has_secrets, int *ret_fd)
{
	struct text t = {0};
	config_format(c, has_secrets ? CONFIG_SECRETS : 0, &t);
	int r = text_ok(&t) ? conf_file_memfd_bytes("culvert-config", span_of(t.p, t.n), ret_fd) : -ENOMEM;
	if (t.p != NULL)
		explicit_bzero(t.p, t.cap);
	text_done(&t);
	return r;
}

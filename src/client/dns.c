#include "client/dns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/parse.h"
#include "client/child.h"
#include "client/file.h"

#define RESOLVED_SOCKET "/run/systemd/resolve/io.systemd.Resolve"
#define RESOLV_MAX      65536 /* a larger resolv.conf is not one */
#define RESOLV_SERVERS  3     /* resolver(5): MAXNS */
#define RESOLVED_ARGS   (PARAMS_MAX_DNS + PARAMS_MAX_SPLIT_DNS + 24)

static const char marker[] = "# Written by culvert, process ";
static const char was_line[] = "#was: ";
static const char was_link[] = "#was a link to ";
static const char was_end[] = "#now";

void dns_init(struct dns *d)
{
	*d = (struct dns){.path = DNS_RESOLV_CONF};
}

/* ---- the file's content ---- */

long dns_file_owner(struct span content)
{
	uint32_t pid;
	struct span line = span_cut(&content, '\n');
	if (!span_starts(line, marker))
		return 0;
	line = span_skip(line, strlen(marker));
	return parse_u32(span_cut(&line, ' '), 1, INT32_MAX, &pid) ? 0 : (long)pid;
}

void dns_file_format(
        const struct tunnel_params *p, long pid, struct span old, const char *link, struct text *out)
{
	char a[ADDR_TEXT_MAX];
	text_fmt(out, "%s%ld (the former file comes back at its end)\n", marker, pid);
	if (link[0] != '\0')
		text_fmt(out, "%s%s\n", was_link, link);
	for (struct span rest = old; link[0] == '\0' && rest.n > 0;) {
		text_str(out, was_line);
		text_put(out, span_cut(&rest, '\n'));
		text_str(out, "\n");
	}
	text_fmt(out, "%s\n", was_end);
	if (p->default_domain[0] != '\0')
		text_fmt(out, "search %s\n", p->default_domain);
	for (size_t i = 0; i < p->n_dns && i < RESOLV_SERVERS; i++)
		text_fmt(out, "nameserver %s\n", addr_format(&p->dns[i], a));
	while (old.n > 0) {
		struct span line = span_cut(&old, '\n');
		if (span_starts(line, "options")) {
			text_put(out, line);
			text_str(out, "\n");
		}
	}
}

bool dns_file_recover(struct span content, struct text *old, struct text *link)
{
	if (dns_file_owner(content) == 0)
		return false;
	(void)span_cut(&content, '\n');
	while (content.n > 0) {
		struct span line = span_cut(&content, '\n');
		if (span_is(line, was_end))
			return text_ok(old) && text_ok(link);
		if (span_starts(line, was_link)) {
			text_put(link, span_skip(line, strlen(was_link)));
		} else if (span_starts(line, was_line)) {
			text_put(old, span_skip(line, strlen(was_line)));
			text_str(old, "\n");
		} else {
			return false;
		}
	}
	return false;
}

/* ---- files ---- */

static int fd_write_all(int fd, struct span s)
{
	while (s.n > 0) {
		ssize_t n = write(fd, s.p, s.n);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			s = span_skip(s, (size_t)n);
	}
	return 0;
}

static int file_write(const char *path, int flags, struct span content)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0644);
	if (fd < 0)
		return -errno;
	int err = fd_write_all(fd, content);
	if (err == 0 && fchmod(fd, 0644) != 0)
		err = -errno;
	if (close(fd) != 0 && err == 0)
		err = -errno;
	return err;
}

/* Whole or not at all. Where the file is a mount of its own (containers, ip netns exec) it cannot be replaced
 * (EBUSY) and is written in place. With link set, path becomes that symbolic link again. */
static int file_replace(const char *path, struct span content, const char *link)
{
	char tmp[PATH_MAX];
	if (snprintf(tmp, sizeof(tmp), "%s.culvert-%ld", path, (long)getpid()) >= (int)sizeof(tmp))
		return -ENAMETOOLONG;
	unlink(tmp);
	int err = 0;
	if (link[0] == '\0')
		err = file_write(tmp, O_CREAT | O_EXCL | O_NOFOLLOW, content);
	else if (symlink(link, tmp) != 0)
		err = -errno;
	if (err == 0 && rename(tmp, path) != 0)
		err = -errno;
	if (err)
		unlink(tmp);
	if ((err == -EBUSY || err == -EXDEV) && link[0] == '\0')
		err = file_write(path, O_TRUNC, content);
	return err;
}

static int file_restore(const char *path, struct span now)
{
	struct text old = {0}, link = {0};
	int err = -EINVAL;
	if (dns_file_recover(now, &old, &link))
		err = file_replace(path, span_of(old.p, old.n), text_cstr(&link));
	text_done(&old);
	text_done(&link);
	return err;
}

/* Whether it is still a culvert: the number may be another program's by now, and a zombie has no program at
 * all. */
static bool process_lives(long pid)
{
	char path[32], exe[PATH_MAX];
	(void)snprintf(path, sizeof(path), "/proc/%ld/exe", pid);
	ssize_t n = readlink(path, exe, sizeof(exe) - 1);
	if (n <= 0)
		return false;
	exe[n] = '\0';
	const char *name = strrchr(exe, '/');
	return name != NULL && span_starts(span_str(name), "/culvert");
}

bool dns_repair(const struct dns *d)
{
	struct text now = {0};
	bool is_restored = false;
	if (file_read(d->path, RESOLV_MAX, &now) == 0) {
		long owner = dns_file_owner(span_of(now.p, now.n));
		if (owner != 0 && (owner == getpid() || !process_lives(owner)))
			is_restored = file_restore(d->path, span_of(now.p, now.n)) == 0;
	}
	text_done(&now);
	return is_restored;
}

static int link_read(const char *path, char link[static PATH_MAX])
{
	ssize_t n = readlink(path, link, PATH_MAX - 1);
	link[n > 0 ? n : 0] = '\0';
	return n > 0 && strchr(link, '\n') != NULL ? -EINVAL : 0;
}

static int file_set(struct dns *d, const struct tunnel_params *p)
{
	struct text old = {0}, fresh = {0};
	char link[PATH_MAX];
	int err = file_read(d->path, RESOLV_MAX, &old);
	if (err == -ENOENT)
		err = 0;
	if (err == 0)
		err = link_read(d->path, link);
	if (err)
		goto exit;
	if (dns_file_owner(span_of(old.p, old.n)) != 0) {
		err = -EBUSY; /* another session's: its backup must not be lost */
		goto exit;
	}
	dns_file_format(p, (long)getpid(), span_of(old.p, old.n), link, &fresh);
	err = text_ok(&fresh) ? file_replace(d->path, span_of(fresh.p, fresh.n), "") : -ENOMEM;
exit:
	text_done(&old);
	text_done(&fresh);
	return err;
}

/* A file without our marker is newer than ours: it wins. */
static void file_undo(struct dns *d)
{
	struct text now = {0};
	if (file_read(d->path, RESOLV_MAX, &now) == 0 && dns_file_owner(span_of(now.p, now.n)) == getpid()) {
		int err = file_restore(d->path, span_of(now.p, now.n));
		(void)err; /* the marker stays, so the next start tries again */
	}
	text_done(&now);
}

/* ---- systemd-resolved ---- */

static const char *const resolvectl_paths[] = {"/usr/bin/resolvectl", "/bin/resolvectl"};

static const char *resolvectl_find(void)
{
	if (access(RESOLVED_SOCKET, F_OK) != 0)
		return NULL;
	for (size_t i = 0; i < N_ELEM(resolvectl_paths); i++)
		if (access(resolvectl_paths[i], X_OK) == 0)
			return resolvectl_paths[i];
	return NULL;
}

static int exec_wait(const char *const *argv)
{
	pid_t pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);
		if (null >= 0) {
			dup2(null, 0);
			dup2(null, 1);
			dup2(null, 2);
		}
		execv(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	int status = child_wait(pid);
	return status > 0 ? -EIO : status;
}

static int resolved_servers(const char *tool, const char *adapter, const struct tunnel_params *p)
{
	const char *argv[RESOLVED_ARGS] = {tool, "dns", adapter};
	char text[PARAMS_MAX_DNS][ADDR_TEXT_MAX];
	size_t n = 3;
	for (size_t i = 0; i < p->n_dns; i++)
		argv[n++] = addr_format(&p->dns[i], text[i]);
	return exec_wait(argv);
}

/* Split names are routed only to the tunnel's resolvers; without any, everything is ("~."). */
static int resolved_domains(const char *tool, const char *adapter, const struct tunnel_params *p)
{
	const char *argv[RESOLVED_ARGS] = {tool, "domain", adapter};
	char search[PARAMS_NAME_BYTES];
	char(*routed)[PARAMS_NAME_BYTES + 1] = calloc(p->n_split_dns + 1, sizeof(*routed));
	size_t n = 3;
	if (routed == NULL)
		return -ENOMEM;
	(void)snprintf(search, sizeof(search), "%s", p->default_domain);
	for (char *w = search, *end = search + strlen(search); w < end && n < 16; w += strlen(w) + 1) {
		w[strcspn(w, " ,")] = '\0';
		if (*w != '\0')
			argv[n++] = w;
	}
	for (size_t i = 0; i < p->n_split_dns; i++) {
		(void)snprintf(routed[i], sizeof(routed[i]), "~%s", p->split_dns[i]);
		argv[n++] = routed[i];
	}
	if (p->n_split_dns == 0 || p->tunnel_all_dns)
		argv[n++] = "~.";
	int err = exec_wait(argv);
	free(routed);
	return err;
}

static int resolved_set(const char *tool, const char *adapter, const struct tunnel_params *p)
{
	int err = resolved_servers(tool, adapter, p);
	return err ? err : resolved_domains(tool, adapter, p);
}

static void resolved_undo(const char *adapter)
{
	const char *tool = resolvectl_find();
	if (tool == NULL)
		return;
	const char *const argv[] = {tool, "revert", adapter, NULL};
	int err = exec_wait(argv);
	(void)err; /* the adapter goes away, and its settings with it */
}

/* ---- both ---- */

int dns_set(struct dns *d, const char *adapter, const struct tunnel_params *p)
{
	if (p->n_dns == 0)
		return 0;
	(void)snprintf(d->adapter, sizeof(d->adapter), "%s", adapter);
	const char *tool = resolvectl_find();
	if (tool != NULL && resolved_set(tool, adapter, p) == 0) {
		d->way = DNS_RESOLVED;
		return 0;
	}
	int err = file_set(d, p);
	if (err == 0)
		d->way = DNS_FILE;
	return err;
}

void dns_undo(struct dns *d)
{
	if (d->way == DNS_RESOLVED)
		resolved_undo(d->adapter);
	else if (d->way == DNS_FILE)
		file_undo(d);
	d->way = DNS_NONE;
}

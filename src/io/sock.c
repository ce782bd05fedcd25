#include "io/sock.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/tcp.h>

#include "base/err.h"

static int sock_opt(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int sock_listen_family(
        const struct sock_listen *l, const struct ip_addr *addr, bool is_dual, int *ret_fd)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(addr, l->port, &sa);
	int r = 0, fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0)
		return -errno;
	if (addr->family == 6)
		r = sock_opt(fd, IPPROTO_IPV6, IPV6_V6ONLY, !is_dual);
	if (r == 0)
		r = sock_opt(
		        fd, SOL_SOCKET, SO_REUSEADDR, 1); /* old connections in TIME_WAIT do not matter */
	if (r == 0 && l->has_reuseport)
		r = sock_opt(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (r == 0 && l->mss_bytes > 0)
		r = sock_opt(fd, IPPROTO_TCP, TCP_MAXSEG, l->mss_bytes);
	if (r == 0 && (bind(fd, (struct sockaddr *)&sa, len) < 0 ||
	                      listen(fd, l->backlog > 0 ? l->backlog : SOMAXCONN) < 0))
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

int sock_listen_tcp(const struct sock_listen *l, int *ret_fd)
{
	static const struct ip_addr any4 = {.family = 4}, any6 = {.family = 6};
	if (addr_is_set(&l->addr))
		return sock_listen_family(l, &l->addr, false, ret_fd);
	int r = sock_listen_family(l, &any6, true, ret_fd);
	if (r == -EAFNOSUPPORT || r == -EADDRNOTAVAIL) /* IPv6 is not there or switched off */
		r = sock_listen_family(l, &any4, false, ret_fd);
	return r;
}

const char *sock_listen_hint(int err)
{
	switch (err) {
	case -EADDRINUSE:
		return "the address is in use: another program listens on this port";
	case -EACCES:
		return "ports below 1024 need root or CAP_NET_BIND_SERVICE";
	case -EADDRNOTAVAIL:
		return "no interface of this machine has this address";
	default:
		return err_text(err);
	}
}

int sock_accept(int listen_fd, struct ip_addr *ret_peer, uint16_t *ret_port)
{
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof(sa);
	int fd;
	do
		fd = accept4(listen_fd, (struct sockaddr *)&sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	if (fd < 0)
		return -errno;
	*ret_peer = addr_from_sockaddr((struct sockaddr *)&sa, ret_port);
	return fd;
}

int sock_local(int fd, struct ip_addr *ret, uint16_t *ret_port)
{
	struct sockaddr_storage sa = {0};
	socklen_t len = sizeof(sa);
	if (getsockname(fd, (struct sockaddr *)&sa, &len) < 0)
		return -errno;
	*ret = addr_from_sockaddr((struct sockaddr *)&sa, ret_port);
	return 0;
}

int sock_tune(int fd, unsigned idle_s, unsigned interval_s)
{
	int r = sock_opt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (r < 0 || idle_s == 0)
		return r;
	if ((r = sock_opt(fd, SOL_SOCKET, SO_KEEPALIVE, 1)) < 0 ||
	        (r = sock_opt(fd, IPPROTO_TCP, TCP_KEEPIDLE, (int)idle_s)) < 0 ||
	        (r = sock_opt(fd, IPPROTO_TCP, TCP_KEEPINTVL, (int)(interval_s > 0 ? interval_s : 1))) < 0)
		return r;
	return sock_opt(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

int sock_limit_unsent(int fd, unsigned bytes)
{
	return sock_opt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, (int)bytes);
}

int sock_tcp_facts(int fd, struct sock_tcp_facts *ret)
{
	struct tcp_info info = {0}; /* older kernels fill less of it */
	socklen_t len = sizeof(info);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0)
		return -errno;
	*ret = (struct sock_tcp_facts){
	        .rtt_us = info.tcpi_rtt,
	        .pmtu_bytes = info.tcpi_pmtu,
	        .snd_mss_bytes = info.tcpi_snd_mss,
	        .rcv_mss_bytes = info.tcpi_rcv_mss,
	        .adv_mss_bytes = info.tcpi_advmss,
	        .retransmits = info.tcpi_total_retrans,
	        .unacked = info.tcpi_unacked,
	        .notsent_bytes = info.tcpi_notsent_bytes,
	        .delivered_bytes_per_s = info.tcpi_delivery_rate,
	};
	return 0;
}

/* ---- UNIX ---- */

static int sock_unix_addr(const char *path, struct sockaddr_un *ret)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t n = strlen(path);
	if (n == 0)
		return -EINVAL;
	if (n >= sizeof(sa.sun_path))
		return -ENAMETOOLONG;
	memcpy(sa.sun_path, path, n + 1);
	*ret = sa;
	return 0;
}

int sock_connect_unix(const char *path, int *ret_fd)
{
	struct sockaddr_un sa;
	int r = sock_unix_addr(path, &sa);
	if (r < 0)
		return r;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

/* Clears the way for bind: only a socket that nobody serves is removed. */
static int sock_unix_clear(const char *path)
{
	struct stat st;
	int fd, r;
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	r = sock_connect_unix(path, &fd);
	if (r == 0)
		close(fd);
	if (r == 0 || r == -EAGAIN || r == -EPROTOTYPE) /* answers, is busy, or is of another kind */
		return -EADDRINUSE;
	if (r != -ECONNREFUSED)
		return r;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int sock_listen_unix(const char *path, mode_t mode, uid_t uid, gid_t gid, int *ret_fd)
{
	struct sockaddr_un sa;
	bool is_bound = false;
	int r = sock_unix_addr(path, &sa);
	if (r < 0 || (r = sock_unix_clear(path)) < 0)
		return r;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* On Linux bind takes the new file's mode from the socket's, so there is no moment with a wider one.
	 */
	if (fchmod(fd, mode & 0600) < 0)
		goto fail;
	is_bound = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;
	if (!is_bound || ((uid != (uid_t)-1 || gid != (gid_t)-1) && lchown(path, uid, gid) < 0) ||
	        chmod(path, mode) < 0 || listen(fd, SOMAXCONN) < 0)
		goto fail;
	*ret_fd = fd;
	return 0;
fail:
	r = -errno;
	if (is_bound)
		unlink(path);
	close(fd);
	return r;
}

int sock_peer_cred(int fd, uid_t *ret_uid, gid_t *ret_gid, pid_t *ret_pid)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return -errno;
	*ret_uid = cred.uid;
	*ret_gid = cred.gid;
	*ret_pid = cred.pid;
	return 0;
}

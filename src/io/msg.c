#include "io/msg.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

#define MSG_BUFFER_BYTES (512 * 1024) /* the kernel doubles it and caps it at net.core.wmem_max */

union msg_control {
	struct cmsghdr align;
	uint8_t bytes[CMSG_SPACE(MSG_MAX_FDS * sizeof(int))];
};

/* The largest message has to fit whatever the system's default is: better to fail here than at the first one.
 */
static int msg_buffer_set(int fd)
{
	int bytes = MSG_BUFFER_BYTES, got = 0;
	socklen_t len = sizeof(got);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)) < 0 &&
	        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes)) < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &got, &len) < 0)
		return -errno;
	return got < 2 * MSG_MAX_BYTES ? -ENOBUFS : 0;
}

int msg_pair(int ret_fds[static 2])
{
	int fds[2], r;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	if ((r = msg_buffer_set(fds[0])) < 0 || (r = msg_buffer_set(fds[1])) < 0) {
		close(fds[0]);
		close(fds[1]);
		return r;
	}
	memcpy(ret_fds, fds, sizeof(fds));
	return 0;
}

int msg_send(int fd, struct span body, const int *fds, size_t n_fds)
{
	union msg_control control = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)body.p, .iov_len = body.n};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;
	if (body.n == 0 || body.n > MSG_MAX_BYTES)
		return -EMSGSIZE;
	if (n_fds > MSG_MAX_FDS)
		return -E2BIG;
	if (n_fds > 0) {
		struct cmsghdr *c = &control.align;
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
		h.msg_control = control.bytes;
		h.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
	}
	do
		n = sendmsg(fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* All descriptors that came along, in order; the kernel never gives more than the control bytes hold. */
static size_t msg_fds_take(struct msghdr *h, int ret[static MSG_MAX_FDS])
{
	size_t n = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t bytes = c->cmsg_len - CMSG_LEN(0);
		for (size_t at = 0; at + sizeof(int) <= bytes && n < MSG_MAX_FDS; at += sizeof(int))
			memcpy(&ret[n++], CMSG_DATA(c) + at, sizeof(int));
	}
	return n;
}

int msg_recv(int fd, uint8_t *buf, size_t cap, int *ret_fds, size_t max_fds, size_t *ret_n_fds)
{
	union msg_control control;
	struct iovec iov = {.iov_base = buf, .iov_len = cap};
	struct msghdr h = {.msg_iov = &iov,
	        .msg_iovlen = 1,
	        .msg_control = control.bytes,
	        .msg_controllen = sizeof(control)};
	int fds[MSG_MAX_FDS], r = 0;
	ssize_t n;
	do
		n = recvmsg(fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? ERR_CLOSED : -errno;
	size_t n_fds = msg_fds_take(&h, fds);
	if (h.msg_flags & MSG_TRUNC)
		r = ERR_TOO_LARGE;
	else if (n_fds > max_fds || (h.msg_flags & MSG_CTRUNC))
		r = ERR_MALFORMED;
	else if (n == 0)
		r = ERR_CLOSED;
	if (r < 0) {
		for (size_t i = 0; i < n_fds; i++)
			close(fds[i]);
		return r;
	}
	if (n_fds > 0)
		memcpy(ret_fds, fds, n_fds * sizeof(int));
	if (ret_n_fds != NULL)
		*ret_n_fds = n_fds;
	return (int)n;
}

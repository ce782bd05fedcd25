#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "ipc/chan.h"

struct chan_item {
	struct chan_item *next;
	size_t n;
	uint8_t bytes[];
};

void chan_init(struct chan *c, int fd, uint8_t self, uint8_t peer)
{
	*c = (struct chan){.fd = fd, .gate = {.self = self, .peer = peer}};
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int chan_pair(int ret_fds[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_fds) < 0 ? -errno : 0;
}

static int send_error(int err)
{
	return err == EPIPE || err == ECONNRESET || err == EBADF ? ERR_CLOSED : -err;
}

static int packet_send(int sock, struct span s, int fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {.iov_base = (void *)s.p, .iov_len = s.n};
	struct msghdr h = {.msg_iov = &iov, .msg_iovlen = 1};
	if (fd >= 0) {
		h.msg_control = control.buf;
		h.msg_controllen = sizeof(control.buf);
		struct cmsghdr *ch = CMSG_FIRSTHDR(&h);
		ch->cmsg_level = SOL_SOCKET;
		ch->cmsg_type = SCM_RIGHTS;
		ch->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(ch), &fd, sizeof(int));
	}
	ssize_t n;
	do
		n = sendmsg(sock, &h, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? send_error(errno) : 0;
}

static void queue_drop(struct chan *c)
{
	struct chan_item *item = c->first;
	c->first = item->next;
	if (c->first == NULL)
		c->last = NULL;
	c->n_waiting--;
	c->waiting_bytes -= sizeof(*item) + item->n;
	explicit_bzero(item->bytes, item->n);
	free(item);
}

static void queue_drop_all(struct chan *c)
{
	while (c->first)
		queue_drop(c);
}

void chan_break(struct chan *c)
{
	queue_drop_all(c);
	if (c->fd >= 0)
		(void)shutdown(c->fd, SHUT_RDWR);
}

static int queue_put(struct chan *c, struct span s)
{
	/* a peer that asks and does not read the answers would have us hold more and more */
	if (c->waiting_bytes + sizeof(struct chan_item) + s.n > CHAN_QUEUE_BYTES) {
		chan_break(c);
		return ERR_LIMIT;
	}
	struct chan_item *item = malloc(sizeof(*item) + s.n);
	if (item == NULL)
		return -ENOMEM;
	item->next = NULL;
	item->n = s.n;
	memcpy(item->bytes, s.p, s.n);
	if (c->last)
		c->last->next = item;
	else
		c->first = item;
	c->last = item;
	c->n_waiting++;
	c->waiting_bytes += sizeof(*item) + s.n;
	return 0;
}

int chan_send(struct chan *c, const struct ipc_msg *m, int fd)
{
	if (c->fd < 0)
		return ERR_CLOSED;
	uint8_t buf[IPC_MSG_MAX_BYTES];
	struct wr w = wr_open(buf, sizeof(buf));
	int r = ipc_format(m, &w);
	if (r < 0)
		goto out;
	r = c->first ? -EAGAIN : packet_send(c->fd, wr_span(&w), fd);
	if (r == -EAGAIN && fd < 0)
		r = queue_put(c, wr_span(&w));
out:
	explicit_bzero(buf, w.n);
	return r;
}

bool chan_wants_write(const struct chan *c)
{
	return c->first != NULL;
}

int chan_flush(struct chan *c)
{
	while (c->first) {
		int r = packet_send(c->fd, span_of(c->first->bytes, c->first->n), -1);
		if (r == -EAGAIN)
			return 0;
		/* it would be "writable" for ever */
		if (r == ERR_CLOSED)
			queue_drop_all(c);
		if (r < 0)
			return r;
		queue_drop(c);
	}
	return 0;
}

/* The first descriptor goes to *ret_fd, further ones (nobody honest sends them) are closed: returns how many
 * came. */
static size_t fds_take(struct msghdr *h, int *ret_fd)
{
	size_t n_all = 0;
	for (struct cmsghdr *ch = CMSG_FIRSTHDR(h); ch; ch = CMSG_NXTHDR(h, ch)) {
		if (ch->cmsg_level != SOL_SOCKET || ch->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (ch->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(ch) + i * sizeof(int), sizeof(int));
			if (n_all++ == 0)
				*ret_fd = fd;
			else
				close(fd);
		}
	}
	return n_all;
}

int chan_recv(struct chan *c, uint8_t state, ms_t now_ms, struct ipc_msg *ret, int *ret_fd)
{
	if (c->fd < 0)
		return ERR_CLOSED;
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(4 * sizeof(int))];
	} control;
	uint8_t buf[IPC_MSG_MAX_BYTES];
	struct iovec iov = {.iov_base = buf, .iov_len = sizeof(buf)};
	struct msghdr h = {.msg_iov = &iov,
	        .msg_iovlen = 1,
	        .msg_control = control.buf,
	        .msg_controllen = sizeof(control.buf)};
	ssize_t n;
	/* A peer that closed before it read all we sent leaves ECONNRESET, once, before what it had said. */
	do
		n = recvmsg(c->fd, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n < 0)
		return send_error(errno);
	if (n == 0)
		return ERR_CLOSED;
	int fd = -1;
	size_t n_fds = fds_take(&h, &fd);
	int r = (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) || n_fds > 1
	                ? ERR_MALFORMED
	                : ipc_parse(span_of(buf, (size_t)n), ret);
	explicit_bzero(buf, (size_t)n);
	if (r == 0)
		r = ipc_check(&c->gate, state, ret->type, fd >= 0, now_ms);
	if (r < 0 && r != ERR_LIMIT && fd >= 0) {
		close(fd);
		fd = -1;
	}
	*ret_fd = fd;
	return r;
}

void chan_done(struct chan *c)
{
	queue_drop_all(c);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* Names to addresses, and a TCP connection within a time. */
#include "io/sock.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "io/loop.h"

static int sock_resolve_error(int err)
{
	switch (err) {
	case EAI_AGAIN:
		return -EAGAIN;
	case EAI_SYSTEM:
		return errno != 0 ? -errno : -EIO;
	case EAI_MEMORY:
		return -ENOMEM;
	default:
		return -ENOENT;
	}
}

/* The next target at or behind *at that is (or is not) of the first one's family; NULL at the end. */
static const struct sock_target *sock_next_of(
        const struct sock_target *all, size_t n, size_t *at, bool is_first_family)
{
	while (*at < n) {
		const struct sock_target *t = &all[(*at)++];
		if ((t->addr.family == all[0].addr.family) == is_first_family)
			return t;
	}
	return NULL;
}

/* First family, other family, first, ... (RFC 8305 section 4). */
static void sock_interleave(const struct sock_target *all, size_t n, struct sock_target *ret)
{
	size_t at[2] = {0, 0}, n_out = 0;
	for (size_t turn = 0; n_out < n; turn++) {
		const struct sock_target *t = sock_next_of(all, n, &at[turn % 2], turn % 2 == 0);
		if (t != NULL)
			ret[n_out++] = *t;
	}
}

int sock_resolve(const char *host, uint16_t port, struct sock_target ret[static SOCK_DIAL_MAX], size_t *ret_n)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
	struct sock_target all[SOCK_DIAL_MAX];
	struct ip_addr literal;
	size_t n = 0;
	if (addr_parse(span_str(host), &literal) == 0) {
		ret[0] = (struct sock_target){.addr = literal, .port = port};
		*ret_n = 1;
		return 0;
	}
	int r = getaddrinfo(host, NULL, &hints, &list);
	if (r != 0)
		return sock_resolve_error(r);
	for (const struct addrinfo *a = list; a != NULL && n < SOCK_DIAL_MAX; a = a->ai_next) {
		struct ip_addr addr = addr_from_sockaddr(a->ai_addr, NULL);
		if (addr_is_set(&addr))
			all[n++] = (struct sock_target){.addr = addr, .port = port};
	}
	freeaddrinfo(list);
	if (n == 0)
		return -ENOENT;
	sock_interleave(all, n, ret);
	*ret_n = n;
	return 0;
}

void sock_dial_init(struct sock_dial *d, const struct sock_target *targets, size_t n)
{
	memset(d, 0, sizeof(*d));
	d->n_targets = n < SOCK_DIAL_MAX ? n : SOCK_DIAL_MAX;
	memcpy(d->targets, targets, d->n_targets * sizeof(*targets));
	for (size_t i = 0; i < SOCK_DIAL_MAX; i++)
		d->fds[i] = -1;
	d->last_err = -ENOENT;
}

void sock_dial_done(struct sock_dial *d)
{
	for (size_t i = 0; i < SOCK_DIAL_MAX; i++) {
		if (d->fds[i] >= 0)
			close(d->fds[i]);
		d->fds[i] = -1;
	}
}

/* A smaller segment is a favour, not a need: refused, the connection works as well. */
static void sock_cap_mss(int fd, uint16_t mss_bytes)
{
	int mss = mss_bytes;
	if (mss > 0 && setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &mss, sizeof(mss)) < 0)
		errno = 0;
}

/* Begins the attempt; false when it failed at once. */
static bool sock_dial_begin(struct sock_dial *d, size_t i)
{
	struct sockaddr_storage sa;
	socklen_t len = addr_to_sockaddr(&d->targets[i].addr, d->targets[i].port, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	if (fd < 0) {
		d->last_err = -errno;
		return false;
	}
	sock_cap_mss(fd, d->targets[i].mss_bytes);
	if (connect(fd, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS) {
		d->last_err = -errno;
		close(fd);
		return false;
	}
	d->fds[i] = fd;
	return true;
}

/* 1: connected; 0: still on its way; -errno: failed and closed. */
static int sock_dial_check(struct sock_dial *d, size_t i)
{
	struct pollfd p = {.fd = d->fds[i], .events = POLLOUT};
	int err = 0;
	socklen_t len = sizeof(err);
	if (poll(&p, 1, 0) <= 0)
		return 0;
	if (getsockopt(p.fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0)
		err = errno;
	if (err == 0)
		return 1;
	close(p.fd);
	d->fds[i] = -1;
	d->last_err = -err;
	return -err;
}

int sock_dial_step(struct sock_dial *d, ms_t now_ms, int *ret_fd, size_t *ret_which)
{
	size_t n_open = 0;
	bool has_failed = false;
	for (size_t i = 0; i < d->n_tried; i++) {
		int r = d->fds[i] >= 0 ? sock_dial_check(d, i) : 0;
		if (r > 0) {
			*ret_fd = d->fds[i];
			*ret_which = i;
			d->fds[i] = -1;
			sock_dial_done(d);
			return 0;
		}
		has_failed |= r < 0;
		n_open += d->fds[i] >= 0;
	}
	/* the next one: when its time has come, or nothing is under way, or something just failed */
	bool is_due = now_ms >= d->next_at_ms || has_failed || n_open == 0;
	while (is_due && d->n_tried < d->n_targets) {
		if (sock_dial_begin(d, d->n_tried++)) {
			n_open++;
			d->next_at_ms = ms_add(now_ms, SOCK_DIAL_NEXT_MS);
			break;
		}
	}
	if (d->n_tried == d->n_targets)
		d->next_at_ms = MS_NEVER;
	return n_open > 0 ? ERR_MORE : d->last_err;
}

static int sock_dial_poll(const struct sock_dial *d, ms_t now_ms, ms_t until_ms)
{
	struct pollfd p[SOCK_DIAL_MAX];
	nfds_t n = 0;
	ms_t at_ms = ms_min(d->next_at_ms, until_ms);
	ms_t wait_ms = at_ms > now_ms ? at_ms - now_ms : 0;
	for (size_t i = 0; i < d->n_tried; i++)
		if (d->fds[i] >= 0)
			p[n++] = (struct pollfd){.fd = d->fds[i], .events = POLLOUT};
	if (poll(p, n, wait_ms < 60000 ? (int)wait_ms : 60000) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

int sock_dial_wait(
        const struct sock_target *targets, size_t n, unsigned timeout_ms, int *ret_fd, size_t *ret_which)
{
	struct sock_dial d;
	ms_t now_ms = loop_now(), until_ms = now_ms + timeout_ms;
	int r;
	sock_dial_init(&d, targets, n);
	while ((r = sock_dial_step(&d, now_ms, ret_fd, ret_which)) == ERR_MORE) {
		if (now_ms >= until_ms) {
			r = ERR_TIMEOUT;
			break;
		}
		if ((r = sock_dial_poll(&d, now_ms, until_ms)) < 0)
			break;
		now_ms = loop_now();
	}
	sock_dial_done(&d);
	return r;
}

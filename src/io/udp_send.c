/* A batch of datagrams on one path, with as few system calls as the kernel allows. */
#include "io/udp.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/udp.h>

#define UDP_SEND_MSGS     16 /* messages of one sendmmsg: about 3.5 KiB of headers on the stack */
#define UDP_CONTROL_BYTES (CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t)))

/* One sendmmsg call's worth. The control bytes for the source address are the same in all messages; a message
 * without segmentation only takes the first part of them, so each message needs its own. */
struct udp_tx {
	struct mmsghdr msgs[UDP_SEND_MSGS];
	struct iovec iovs[UDP_SEND_MSGS];
	uint16_t runs[UDP_SEND_MSGS]; /* pieces per message */
	unsigned n;
	union {
		struct cmsghdr align;
		uint8_t bytes[UDP_CONTROL_BYTES];
	} control[UDP_SEND_MSGS];
};

size_t udp_run_len(const struct udp_piece *pieces, size_t n)
{
	size_t bytes, i;
	if (n == 0)
		return 0;
	bytes = pieces[0].len;
	if (bytes == 0) /* an empty datagram has no segments */
		return 1;
	for (i = 1; i < n && i < UDP_GSO_SEGMENTS_MAX; i++) {
		const struct udp_piece *last = &pieces[i - 1], *p = &pieces[i];
		if (last->len != pieces[0].len || p->len == 0 || p->len > pieces[0].len ||
		        (uint64_t)last->offset + last->len != p->offset || bytes + p->len > UDP_GSO_BYTES_MAX)
			break;
		bytes += p->len;
	}
	return i;
}

static struct cmsghdr *udp_cmsg_put(struct cmsghdr *c, int level, int type, const void *value, size_t n)
{
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(n);
	memcpy(CMSG_DATA(c), value, n);
	return (struct cmsghdr *)((uint8_t *)c + CMSG_SPACE(n));
}

/* The source address of an IPv4 datagram is told by IP_PKTINFO also on a dual socket. */
static struct cmsghdr *udp_source_put(struct cmsghdr *c, const struct udp_path *path)
{
	if (path->local.family == 4) {
		struct in_pktinfo info = {.ipi_ifindex = (int)path->ifindex};
		memcpy(&info.ipi_spec_dst, path->local.b, 4);
		return udp_cmsg_put(c, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	}
	struct in6_pktinfo info = {.ipi6_ifindex = path->ifindex};
	memcpy(&info.ipi6_addr, path->local.b, 16);
	return udp_cmsg_put(c, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
}

/* Adds one message of n pieces that lie one behind the other. */
static void udp_tx_add(struct udp_tx *tx, const struct udp *u, struct udp_path *path, const uint8_t *buf,
        const struct udp_piece *pieces, size_t n)
{
	unsigned i = tx->n++;
	struct cmsghdr *begin = &tx->control[i].align, *c = begin;
	const struct udp_piece *last = &pieces[n - 1];
	struct msghdr *h = &tx->msgs[i].msg_hdr;
	tx->runs[i] = (uint16_t)n;
	memset(tx->control[i].bytes, 0, UDP_CONTROL_BYTES);
	tx->iovs[i].iov_base = (void *)(uintptr_t)(buf + pieces[0].offset); /* iovec has no const */
	tx->iovs[i].iov_len = last->offset + last->len - pieces[0].offset;
	if (!u->is_connected && addr_is_set(&path->local))
		c = udp_source_put(c, path);
	if (n > 1) {
		uint16_t segment = (uint16_t)pieces[0].len;
		c = udp_cmsg_put(c, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	}
	*h = (struct msghdr){.msg_iov = &tx->iovs[i], .msg_iovlen = 1};
	if (c != begin) {
		h->msg_control = begin;
		h->msg_controllen = (size_t)((uint8_t *)c - (uint8_t *)begin);
	}
	if (!u->is_connected) {
		h->msg_name = &path->peer;
		h->msg_namelen = u->family == 6 ? sizeof(path->peer.in6) : sizeof(path->peer.in4);
	}
}

/* Queues as many messages as fit; singles: no grouping for the first so many pieces. */
static void udp_tx_fill(struct udp_tx *tx, const struct udp *u, struct udp_path *path, const uint8_t *buf,
        const struct udp_piece *pieces, size_t n, size_t singles)
{
	tx->n = 0;
	for (size_t at = 0; at < n && tx->n < UDP_SEND_MSGS;) {
		bool is_single = u->has_no_gso || path->is_gso_refused || at < singles;
		size_t run = is_single ? 1 : udp_run_len(pieces + at, n - at);
		udp_tx_add(tx, u, path, buf, pieces + at, run);
		at += run;
	}
}

/* Refused for being segmented? EINVAL and EMSGSIZE: a segment larger than the link or route allows, EIO:
 * device or IPsec route that cannot, ENOPROTOOPT: kernel before 4.18. */
static bool udp_is_gso_refusal(int err)
{
	return err == EINVAL || err == EIO || err == EMSGSIZE || err == ENOPROTOOPT;
}

static bool udp_has_df(const struct udp *u)
{
	int rule = IP_PMTUDISC_DONT; /* IPv6's has the same number */
	socklen_t len = sizeof(rule);
	int r = u->family == 6 ? getsockopt(u->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &rule, &len)
	                       : getsockopt(u->fd, IPPROTO_IP, IP_MTU_DISCOVER, &rule, &len);
	return r == 0 && rule != IP_PMTUDISC_DONT;
}

/* The first piece was refused: how many from it on would be as well and may leave as fragments. */
static size_t udp_fragment_run(const struct udp_piece *pieces, size_t n)
{
	size_t i = 0;
	while (i < n && pieces[i].may_fragment && pieces[i].len >= pieces[0].len)
		i++;
	return i;
}

/* Without DF for once: the kernel cuts them to what the interface takes. How many were sent. */
static size_t udp_send_fragments(const struct udp *u, struct udp_path *path, const uint8_t *buf,
        const struct udp_piece *pieces, size_t n)
{
	struct udp_tx tx;
	size_t done = 0;
	int sent = 0;
	if (n == 0 || !udp_has_df(u) || udp_set_pmtu(u, UDP_PMTU_DONT) < 0)
		return 0;
	for (; done < n && sent >= 0; done += sent > 0 ? (size_t)sent : 0) {
		udp_tx_fill(&tx, u, path, buf, pieces + done, n - done, n - done);
		sent = sendmmsg(u->fd, tx.msgs, tx.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	int err = udp_set_pmtu(u, UDP_PMTU_PROBE);
	(void)err; /* the same call, with a value that was accepted before */
	return done;
}

/* The first piece is too big for the interface. How many are done with; *ret_lost grows by those not sent. */
static size_t udp_take_refusal(const struct udp *u, struct udp_path *path, const uint8_t *buf,
        const struct udp_piece *pieces, size_t n, unsigned *ret_lost)
{
	size_t sent = udp_send_fragments(u, path, buf, pieces, udp_fragment_run(pieces, n));
	if (path->too_big_bytes == 0 || pieces[0].len < path->too_big_bytes)
		path->too_big_bytes = pieces[0].len;
	path->is_gso_refused = false; /* kernels differ in whether EINVAL or EMSGSIZE says this of a run */
	*ret_lost += sent == 0;
	return sent > 0 ? sent : 1;
}

int udp_send_batch(const struct udp *u, struct udp_path *path, const uint8_t *buf,
        const struct udp_piece *pieces, size_t n, unsigned *ret_lost)
{
	struct udp_tx tx;
	size_t done = 0, singles_end = 0, repeated = SIZE_MAX;
	unsigned lost = 0;
	int err = 0;
	while (done < n) {
		udp_tx_fill(&tx, u, path, buf, pieces + done, n - done,
		        singles_end > done ? singles_end - done : 0);
		int sent = sendmmsg(u->fd, tx.msgs, tx.n, MSG_DONTWAIT | MSG_NOSIGNAL);
		for (int i = 0; i < sent; i++)
			done += tx.runs[i];
		if (sent >= 0 || errno == EINTR)
			continue;
		err = errno;
		if (tx.runs[0] > 1 && udp_is_gso_refusal(err)) {
			singles_end = done + tx.runs[0];
			path->is_gso_refused = err != EMSGSIZE;
		} else if (err == EMSGSIZE && repeated != done) {
			repeated = done; /* may have been news of an ICMP message, which is told once */
		} else if (err == EMSGSIZE) {
			done += udp_take_refusal(u, path, buf, pieces + done, n - done, &lost);
		} else {
			break;
		}
		err = 0;
	}
	if (done == 0 && err != 0)
		return -err;
	if (ret_lost != NULL)
		*ret_lost = lost;
	return (int)done;
}

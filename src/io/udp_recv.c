#include "io/udp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/udp.h>

/* pktinfo of either family and the GRO size; a dual socket may give both pktinfos for IPv4 */
#define UDP_CONTROL_BYTES                                                                                    \
	(CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct in_pktinfo)) +                    \
	        CMSG_SPACE(sizeof(int)))

/* While messages hold so many datagrams, few of them are enough for one turn: more would leave the cache, and
 * let everybody else wait. */
#define UDP_BULK_SEGMENTS 8
#define UDP_BULK_SLOTS    8

struct udp_slot {
	union udp_addr peer;
	struct ip_addr local;
	uint32_t ifindex;
	union {
		struct cmsghdr align;
		uint8_t bytes[UDP_CONTROL_BYTES];
	} control;
};

struct udp_rx {
	uint8_t *buf;
	unsigned slots;
	size_t slot_bytes;
	unsigned n_next; /* messages to ask for next time */
	struct mmsghdr msgs[UDP_RECV_SLOTS_MAX];
	struct iovec iovs[UDP_RECV_SLOTS_MAX];
	struct udp_slot slot[UDP_RECV_SLOTS_MAX];
	struct udp_datagram datagrams[UDP_RECV_SLOTS_MAX * UDP_GRO_SEGMENTS_MAX];
};

int udp_rx_new(uint8_t *buf, unsigned slots, size_t slot_bytes, struct udp_rx **ret)
{
	if (slots < 1 || slots > UDP_RECV_SLOTS_MAX || slot_bytes == 0)
		return -EINVAL;
	struct udp_rx *rx = calloc(1, sizeof(*rx));
	if (rx == NULL)
		return -ENOMEM;
	rx->buf = buf;
	rx->slots = rx->n_next = slots;
	rx->slot_bytes = slot_bytes;
	for (unsigned i = 0; i < slots; i++) {
		rx->iovs[i] = (struct iovec){.iov_base = buf + i * slot_bytes, .iov_len = slot_bytes};
		rx->msgs[i].msg_hdr = (struct msghdr){
		        .msg_iov = &rx->iovs[i],
		        .msg_iovlen = 1,
		        .msg_name = &rx->slot[i].peer,
		        .msg_control = rx->slot[i].control.bytes,
		};
	}
	*ret = rx;
	return 0;
}

void udp_rx_free(struct udp_rx *rx)
{
	free(rx);
}

static void udp_slots_rearm(struct udp_rx *rx)
{
	for (unsigned i = 0; i < rx->slots; i++) {
		struct msghdr *h = &rx->msgs[i].msg_hdr;
		h->msg_namelen = sizeof(union udp_addr);
		h->msg_controllen = UDP_CONTROL_BYTES;
		h->msg_flags = 0;
	}
}

/* Fills the slot's local side; returns the GRO segment size, 0 when it is one datagram. */
static size_t udp_control_read(struct msghdr *h, struct udp_slot *slot)
{
	size_t segment = 0;
	slot->local = (struct ip_addr){0};
	slot->ifindex = 0;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			slot->local = addr_from_v4(ntohl(info.ipi_addr.s_addr));
			slot->ifindex = (uint32_t)info.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			if (IN6_IS_ADDR_V4MAPPED(&info.ipi6_addr))
				slot->local = addr_from_bytes(4, &info.ipi6_addr.s6_addr[12]);
			else
				slot->local = addr_from_bytes(6, info.ipi6_addr.s6_addr);
			slot->ifindex = info.ipi6_ifindex;
		} else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
			int value;
			memcpy(&value, CMSG_DATA(c), sizeof(value));
			segment = value > 0 ? (size_t)value : 0;
		}
	}
	return segment;
}

/* Cuts one received message into its datagrams; returns how many were added. */
static size_t udp_slot_split(struct udp_rx *rx, unsigned i, struct udp_datagram *out)
{
	struct udp_slot *slot = &rx->slot[i];
	struct msghdr *h = &rx->msgs[i].msg_hdr;
	size_t left = rx->msgs[i].msg_len, segment = udp_control_read(h, slot), n = 0;
	uint8_t *p = rx->iovs[i].iov_base;
	if (h->msg_flags & MSG_TRUNC)
		return 0;
	if (segment == 0)
		segment = left;
	do {
		size_t len = left < segment ? left : segment;
		out[n++] = (struct udp_datagram){.p = p,
		        .n = (uint32_t)len,
		        .peer = &slot->peer,
		        .local = &slot->local,
		        .ifindex = slot->ifindex};
		p += len;
		left -= len;
	} while (left > 0 && n < UDP_GRO_SEGMENTS_MAX);
	return n;
}

int udp_recv_batch(const struct udp *u, struct udp_rx *rx, const struct udp_datagram **ret)
{
	int n_msgs;
	size_t n = 0;
	udp_slots_rearm(rx);
	do
		n_msgs = recvmmsg(u->fd, rx->msgs, rx->n_next, MSG_DONTWAIT, NULL);
	while (n_msgs < 0 && errno == EINTR);
	if (n_msgs < 0 && errno != EAGAIN)
		return -errno;
	for (int i = 0; i < n_msgs; i++)
		n += udp_slot_split(rx, (unsigned)i, rx->datagrams + n);
	rx->n_next = n_msgs > 0 && n / (size_t)n_msgs >= UDP_BULK_SEGMENTS && rx->slots > UDP_BULK_SLOTS
	                     ? UDP_BULK_SLOTS
	                     : rx->slots;
	*ret = rx->datagrams;
	return (int)n;
}

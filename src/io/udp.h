/* UDP for the tunnel: batches in, batches out, with the kernel's segmentation offload where it helps.
 *
 * Many datagrams per system call alone bring little; one UDP_SEGMENT send of 16 or more equal datagrams costs
 * a tenth per datagram (datapath.md section 3). Nothing here allocates per packet. */
#ifndef IO_UDP_H
#define IO_UDP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/util.h"

#define UDP_RECV_SLOTS_MAX 32    /* messages of one recvmmsg */
#define UDP_SLOT_BYTES     65536 /* what a slot must hold when GRO is on */
#define UDP_GRO_SEGMENTS_MAX                                                                                 \
	128 /* a GRO message holds at most this many datagrams (kernel: 64, since 6.9 128) */
#define UDP_GSO_SEGMENTS_MAX 64    /* UDP_MAX_SEGMENTS of kernels before 6.9 */
#define UDP_GSO_BYTES_MAX    65000 /* below 65535 minus IPv6 and UDP headers */

/* A peer as the kernel wants it. On a dual or IPv6 socket IPv4 peers are IPv4-mapped. */
union udp_addr {
	struct sockaddr sa;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

enum udp_pmtu {
	UDP_PMTU_PROBE, /* DF set, the kernel's path MTU cache ignored: our own search decides
	                   (IP_PMTUDISC_PROBE) */
	UDP_PMTU_DONT,  /* no DF, the network may fragment (IP_PMTUDISC_DONT) */
};

struct udp_config {
	struct ip_addr local; /* none: all addresses of both families (or IPv4 only where IPv6 is off) */
	uint16_t port;        /* 0: the kernel chooses */
	bool has_reuseport;
	bool wants_gro;
	enum udp_pmtu pmtu;
	int buffer_bytes; /* SO_RCVBUF and SO_SNDBUF, FORCE where allowed; 0: leave */
};

struct udp {
	int fd;
	uint8_t family; /* 4, or 6 also for dual */
	bool is_connected;
	bool has_gro;    /* the kernel accepted UDP_GRO */
	bool has_no_gso; /* set by the owner: never UDP_SEGMENT */
};

/* Bound, non-blocking, close-on-exec, with destination address on receive. -EADDRINUSE etc. */
MUST_USE int udp_listen(const struct udp_config *config, struct udp *ret);
/* A socket connected to one peer (the client, or a gateway's per-peer socket: config.local and port then are
 * the local side). A connected socket reports ICMP errors: receive and send may give -ECONNREFUSED once,
 * which is news about the path and not about the socket. */
MUST_USE int udp_connect(
        const struct udp_config *config, const struct ip_addr *peer, uint16_t port, struct udp *ret);
/* A socket that another process opened with udp_listen(). Takes fd on success. -errno. */
MUST_USE int udp_adopt(int fd, struct udp *ret);
void udp_close(struct udp *u);
MUST_USE int udp_local_port(const struct udp *u, uint16_t *ret);
/* What the kernel believes of the path of a connected socket, bytes of an IP packet; with UDP_PMTU_PROBE it
 * is told by ICMP and does not bind it. */
MUST_USE int udp_path_mtu(const struct udp *u, uint16_t *ret);
/* Change the fragmentation rule later. */
MUST_USE int udp_set_pmtu(const struct udp *u, enum udp_pmtu pmtu);

/* Between our addresses and the form for this socket. */
union udp_addr udp_addr_make(const struct udp *u, const struct ip_addr *addr, uint16_t port);
struct ip_addr udp_addr_ip(const union udp_addr *a, uint16_t *ret_port);
bool udp_addr_eq(const union udp_addr *a, const union udp_addr *b); /* address, port and scope */

/* One datagram received: bytes may be changed in place (decryption); valid until the next receive. */
struct udp_datagram {
	uint8_t *p;
	uint32_t n; /* bytes */
	const union udp_addr *peer;
	const struct ip_addr *local; /* the address it was sent to; of a connected socket too */
	uint32_t ifindex;            /* the link it came in by */
};

struct udp_rx; /* opaque: headers of one batch; one per thread */

/* buf has slots * slot_bytes bytes, stays the caller's and must outlive this. slots 1..UDP_RECV_SLOTS_MAX.
 * For sockets with GRO slot_bytes must be UDP_SLOT_BYTES; without, the largest datagram expected. */
MUST_USE int udp_rx_new(uint8_t *buf, unsigned slots, size_t slot_bytes, struct udp_rx **ret);
void udp_rx_free(struct udp_rx *rx);
/* Receives one batch: returns how many datagrams are at *ret (owned by rx), 0 when none waits, -errno.
 * Datagrams cut because a slot was too small are left out. Empty datagrams are given, n 0. */
MUST_USE int udp_recv_batch(const struct udp *u, struct udp_rx *rx, const struct udp_datagram **ret);

/* Where one datagram to send lies in the caller's buffer. */
struct udp_piece {
	uint32_t offset;
	uint32_t len;      /* bytes */
	bool may_fragment; /* refused for its size it leaves as IP fragments, once; never a probe of the path
	                    */
};

/* To whom, and what we learned about sending there. Belongs to the session. Zeroed rest is right. */
struct udp_path {
	union udp_addr peer;    /* ignored on a connected socket */
	struct ip_addr local;   /* source address (from the datagram received); none: the kernel's choice */
	uint32_t ifindex;       /* only for link-local peers; else 0 */
	uint32_t too_big_bytes; /* set here: the smallest datagram that EMSGSIZE came back for; clear to ask
	                           again; 0: none */
	bool is_gso_refused;    /* set here: EINVAL, EIO, ENOPROTOOPT came back, and not for the size of the
	                           datagrams; clear to try again */
};

/* Sends pieces in order. Neighbours that follow each other in memory and have one length (the last may be
 * shorter) go out as one UDP_SEGMENT message. A message refused for its segmentation is sent again one
 * datagram at a time. Returns how many pieces are done with (sent, or too big for the path), fewer than n
 * when the socket's buffer is full; -EAGAIN or another -errno when none. An ICMP message that has come in
 * shows as EMSGSIZE, once, at whatever is sent next: so each refused piece is tried a second time. What is
 * refused again leaves as fragments if it may; *ret_lost (may be NULL): how many of those done with did
 * not. */
MUST_USE int udp_send_batch(const struct udp *u, struct udp_path *path, const uint8_t *buf,
        const struct udp_piece *pieces, size_t n, unsigned *ret_lost);

/* The grouping rule alone, for tests: how many pieces from the first on make one message. 0 only for n 0. */
size_t udp_run_len(const struct udp_piece *pieces, size_t n);

#endif

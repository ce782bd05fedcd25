/* What the gateway has in the operating system: the TUN device with its addresses, the sockets, and
 * forwarding. The monitor opens it, the other processes use the descriptors. */
#ifndef GATEWAY_GATEWAY_IF_H
#define GATEWAY_GATEWAY_IF_H

#include "base/text.h"
#include "gateway/inner_net.h"
#include "io/netlink.h"
#include "io/steer.h"
#include "io/tun.h"
#include "io/udp.h"

#define GATEWAY_IF_UDP_BUFFER_BYTES                                                                          \
	(768 << 10) /* less loses trains of several streams, more makes others late: performance.md */
/* What may wait to be read of each queue of the TUN device: no single packet is lost while a worker waits 8
 * ms for a processor. Streams never fill it: they lose in the client's socket before. */
#define GATEWAY_IF_TUN_PACKETS 2000
/* Largest TCP segment of a client, header options included: packets of 1280 bytes by IPv4 and 1300 by IPv6.
 * So a path that shrinks in silence to 1300 does not stop the TLS tunnel, whose kernel would not find that
 * out for long. */
#define GATEWAY_IF_MSS_BYTES 1240

enum gateway_if_forward { GATEWAY_FORWARD_4, GATEWAY_FORWARD_6, GATEWAY_N_FORWARD };

/* Zero it and set the descriptors to -1 by gateway_if_init(). */
struct gateway_if {
	unsigned offloads_refused; /* OFFLOAD_* */
	struct netlink *nl;
	struct tun tun;
	uint32_t ifindex;
	struct inner_net net;                /* addresses that are set */
	bool has_forward[GATEWAY_N_FORWARD]; /* we switched it on: off again at the end */
	unsigned n_threads;                  /* of the worker: so many queues of tun, and of each of these */
	int tcp_fds[POLICY_MAX_THREADS];
	struct udp udps[POLICY_MAX_THREADS];
	int control_fd;
	int steer_fds[STEER_N_KEYS]; /* tables; -1: the kernel chooses */
	const char *control_path;    /* NULL: no control socket was made */
};

void gateway_if_init(struct gateway_if *g);
/* All of these: 0, or an error and one line for the operator in why. */
MUST_USE int gateway_if_open_tun(struct gateway_if *g, const struct config *c, struct text *why);
MUST_USE int gateway_if_open_sockets(
        struct gateway_if *g, const struct config *c, const char *control_path, struct text *why);
/* Packets to the thread of their session, where the kernel lets us; after the two above. */
void gateway_if_steer(struct gateway_if *g);
/* Addresses, MTU and forwarding as the configuration wants them now; at start and at reload. */
MUST_USE int gateway_if_apply(struct gateway_if *g, const struct config *c, struct text *why);
/* Copes with whatever is open. The device goes when its last descriptor does. */
void gateway_if_close(struct gateway_if *g);

#endif

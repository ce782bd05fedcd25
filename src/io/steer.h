/* Which queue of a TUN device, or which of several UDP sockets on one port, a packet comes to: that of the
 * thread which has its session. The kernel looks into a table of slots by a hash of the packet's address, the
 * threads write it as memory. Two sessions may share a slot; then, and where BPF is not allowed, packets come
 * to a wrong thread, which is slower and nothing else. */
#ifndef IO_STEER_H
#define IO_STEER_H

#include <stdatomic.h>

#include "base/addr.h"
#include "base/util.h"

#define STEER_SLOTS 65536u

enum steer_key {
	STEER_BY_DESTINATION, /* address: TUN */
	STEER_BY_SOURCE,      /* address and port: UDP sockets */
	STEER_N_KEYS,
};

/* 0: the kernel's own choice; else the thread's number and one. */
typedef _Atomic uint64_t steer_slot;

/* Table and program. -EPERM and others where BPF is not allowed. Both are descriptors of the caller. */
MUST_USE int steer_new(enum steer_key key, int *ret_table_fd, int *ret_program_fd);
/* The device that this queue belongs to; the sockets that share a port with this one. They keep the program.
 */
MUST_USE int steer_tun(int tun_fd, int program_fd);
MUST_USE int steer_udp(int udp_fd, int program_fd);

/* The table as memory, all empty. */
MUST_USE int steer_map(int table_fd, steer_slot **ret);
/* port 0 with STEER_BY_DESTINATION. slots may be NULL. */
void steer_set(steer_slot *slots, const struct ip_addr *a, uint16_t port, unsigned thread);
/* Unless the slot has become another thread's. */
void steer_clear(steer_slot *slots, const struct ip_addr *a, uint16_t port, unsigned thread);

#endif

/* TUN devices: IP packets of the tunnel in and out of the kernel (Documentation/networking/tuntap.rst).
 *
 * One device has one or several queues, each a non-blocking descriptor with IFF_TUN | IFF_NO_PI. With
 * wants_vnet_hdr each packet has TUN_VNET_HDR_BYTES of struct virtio_net_hdr in front, and the kernel may
 * hand over and accept TCP/UDP super-packets of up to 64 KiB, as far as `offloads` says (datapath.md 7). */
#ifndef IO_TUN_H
#define IO_TUN_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "base/util.h"

#define TUN_QUEUES_MAX     64
#define TUN_VNET_HDR_BYTES 10 /* struct virtio_net_hdr, virtio 1.1 section 5.1.6 without num_buffers */

/* The largest super-packet with its header: what a slot of tun_read_batch() needs with wants_vnet_hdr. The
 * kernel makes none above 65535 bytes for TUN devices, whatever gso_max_size says; one byte more, see there.
 */
#define TUN_SUPER_SLOT_BYTES (TUN_VNET_HDR_BYTES + 65535 + 1)

/* struct tun.offloads: TUN_F_* of linux/if_tun.h. What may arrive: */
#define TUN_OFFLOAD_CSUM 0x01 /* checksums to be completed */
#define TUN_OFFLOAD_TSO4 0x02 /* TCP super-packets */
#define TUN_OFFLOAD_TSO6 0x04
#define TUN_OFFLOAD_USO4 0x20 /* UDP super-packets, kernels since 6.2; those take them in writes, too */
#define TUN_OFFLOAD_USO6 0x40
#define TUN_OFFLOAD_USO  (TUN_OFFLOAD_USO4 | TUN_OFFLOAD_USO6)

struct tun_config {
	const char *name; /* "culvert0", or a pattern with one %d: "culvert%d" */
	unsigned queues;  /* 1..TUN_QUEUES_MAX */
	bool wants_vnet_hdr;
	unsigned offloads_refused; /* TUN_OFFLOAD_* not to ask for, as if the kernel had refused */
	unsigned queue_packets; /* how many wait to be read before more are dropped; 0: as the kernel says */
};

struct tun {
	char name[IFNAMSIZ]; /* what the kernel chose */
	int fds[TUN_QUEUES_MAX];
	unsigned queues;
	bool has_vnet_hdr;
	unsigned offloads; /* TUN_OFFLOAD_* that the kernel accepted; 0: only ordinary packets arrive */
};

/* Where one packet of a batch is. */
struct tun_packet {
	uint8_t *p; /* begins with the virtio_net_hdr when there is one */
	size_t n;   /* bytes */
};

/* Makes the device (or attaches to a persistent one of that name). -ENODEV: no /dev/net/tun; -EPERM: needs
 * CAP_NET_ADMIN; -EBUSY: the name belongs to a device in use or of another kind; -EINVAL: name or queues. */
MUST_USE int tun_open(const struct tun_config *config, struct tun *ret);
/* One queue that another process opened with tun_open(), with these offloads refused. A descriptor that is no
 * TUN device (tests) has no headers. */
void tun_adopt(int fd, unsigned offloads_refused, struct tun *ret);
/* Closes all queues; the kernel removes the device with the last one. Copes with a zeroed struct. */
void tun_close(struct tun *tun);
/* Whether there is any use in tun_open(): this process may make devices, or somebody has made this one for
 * it. */
bool tun_is_allowed(const char *name);
/* What to tell the operator about an error of tun_open(). */
const char *tun_error_text(int err);

/* Reads up to max packets into slots of stride bytes each (max * stride bytes at buf). Returns how many,
 * 0 when none waits, -errno when nothing could be read. A packet larger than a slot is cut by the kernel
 * and is left out here, and so is one that fills its slot exactly. -EBADFD: the device was removed. */
MUST_USE int tun_read_batch(int fd, uint8_t *buf, size_t stride, struct tun_packet *ret, size_t max);
/* Writes one packet or super-packet in pieces, its header first if the device has one. 0, -EAGAIN when the
 * queue is full, -EIO when the device is down, -EINVAL when the kernel does not like the packet. */
MUST_USE int tun_writev(int fd, const struct iovec *iov, unsigned n_iov);

#endif

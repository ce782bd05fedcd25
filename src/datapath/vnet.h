/* struct virtio_net_hdr as TUN devices use it: ten bytes in front of every packet, in the machine's byte
 * order (virtio 1.1 section 5.1.6; Documentation/networking/tuntap.rst). */
#ifndef DATAPATH_VNET_H
#define DATAPATH_VNET_H

#include <stdint.h>
#include <string.h>

#define VNET_HDR_BYTES 10

#define VNET_NEEDS_CSUM 1 /* flags: the checksum field holds the pseudo header's sum only */

enum vnet_gso {
	VNET_GSO_NONE = 0,
	VNET_GSO_TCPV4 = 1,
	VNET_GSO_UFO = 3, /* IP fragments of one datagram; never asked for */
	VNET_GSO_TCPV6 = 4,
	VNET_GSO_UDP_L4 = 5, /* many datagrams of one length */
};
#define VNET_GSO_ECN 0x80 /* or-ed to the above: TCP with CWR in the first segment */

struct vnet_hdr {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;     /* bytes of all headers; a hint */
	uint16_t gso_size;    /* payload bytes of each segment but the last */
	uint16_t csum_start;  /* where summing begins, bytes into the packet */
	uint16_t csum_offset; /* of the checksum field, from there */
};
_Static_assert(sizeof(struct vnet_hdr) == VNET_HDR_BYTES, "the kernel's layout");

static inline struct vnet_hdr vnet_read(const uint8_t *p)
{
	struct vnet_hdr h;

	memcpy(&h, p, sizeof(h));
	return h;
}

#endif

/* Packets of one turn of the loop on their way to a TUN device: those of one flow leave as super-packets
 * (coalesce.h). What the caller cannot keep until the end of the turn is copied here. */
#ifndef DATAPATH_OUTLET_H
#define DATAPATH_OUTLET_H

#include "base/err.h"
#include "base/span.h"
#include "base/util.h"
#include "datapath/super.h"
#include "datapath/coalesce.h"

#define OUTLET_KEPT_BYTES (128u << 10)

/* One write() to the device, of n_packets packets in one: 0 or an error, which is counted. */
typedef int outlet_write(void *ctx, const struct iovec *iov, unsigned n_iov);
/* The device did not take a packet, or several in one; the first begins with the headers at `head`. */
typedef void outlet_refused(void *ctx, struct span head, unsigned n_packets);

struct outlet_config {
	bool has_vnet_hdr; /* of the device; without it every packet goes by itself */
	unsigned kinds;    /* COALESCE_*: what the device takes as super-packets */
	outlet_write *write;
	outlet_refused *refused;
	void *ctx;
};

struct outlet {
	struct outlet_config config;
	struct coalesce *joining; /* NULL: nothing is joined */
	uint8_t *kept;            /* OUTLET_KEPT_BYTES, copies */
	size_t n_kept;
	uint8_t *
	        cut; /* SUPER_PACKET_MAX, a super-packet that the device does not take; NULL: none came yet */
};

MUST_USE int outlet_open(struct outlet *o, const struct outlet_config *config);
/* Forgets what waits. Copes with a zeroed struct. */
void outlet_close(struct outlet *o);
/* stays: the bytes stay as they are until outlet_flush(). */
void outlet_put(struct outlet *o, struct span packet, bool stays);
/* A super-packet from an own peer, behind what waits: written at once, whole, or cut when the device does not
 * take it. */
void outlet_put_super(struct outlet *o, const struct super *u);
/* At the end of the turn, before any buffer is used again. */
void outlet_flush(struct outlet *o);

#endif

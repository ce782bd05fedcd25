#include "datapath/outlet.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_PACKET 1 /* of the pieces: behind the vnet header */

static struct span piece_span(const struct iovec *iov)
{
	return span_of(iov->iov_base, iov->iov_len);
}

/* Each piece behind the header is a packet's payload; a packet by itself is one piece. */
static void emit(void *ctx, const struct iovec *iov, unsigned n_iov)
{
	const struct outlet *o = ctx;
	unsigned skip = o->config.has_vnet_hdr ? 0 : FIRST_PACKET;

	if (o->config.write(o->config.ctx, iov + skip, n_iov - skip) < 0)
		o->config.refused(o->config.ctx, piece_span(&iov[FIRST_PACKET]), n_iov > 2 ? n_iov - 2 : 1);
}

int outlet_open(struct outlet *o, const struct outlet_config *config)
{
	struct outlet new = {.config = *config};

	if (!config->has_vnet_hdr)
		new.config.kinds = 0;
	if (new.config.kinds != 0) {
		new.joining = malloc(sizeof(*new.joining));
		new.kept = malloc(OUTLET_KEPT_BYTES);
		if (new.joining == NULL || new.kept == NULL) {
			outlet_close(&new);
			return -ENOMEM;
		}
	}
	*o = new;
	if (o->joining != NULL)
		coalesce_init(o->joining, o->config.kinds, emit, o);
	return 0;
}

void outlet_close(struct outlet *o)
{
	free(o->joining);
	free(o->kept);
	free(o->cut);
	o->joining = NULL;
	o->cut = NULL;
	o->kept = NULL;
	o->n_kept = 0;
}

static void put_alone(struct outlet *o, struct span packet)
{
	static const struct vnet_hdr none;
	struct iovec iov[] = {{.iov_base = (void *)(uintptr_t)&none, .iov_len = sizeof(none)},
	        {.iov_base = (void *)(uintptr_t)packet.p, .iov_len = packet.n}};

	emit(o, iov, N_ELEM(iov));
}

void outlet_put(struct outlet *o, struct span packet, bool stays)
{
	if (o->joining == NULL) {
		put_alone(o, packet);
		return;
	}
	if (stays) {
		coalesce_add(o->joining, packet.p, packet.n);
		return;
	}
	if (packet.n > OUTLET_KEPT_BYTES - o->n_kept)
		outlet_flush(o);
	if (packet.n > OUTLET_KEPT_BYTES) { /* no packet of IP is */
		put_alone(o, packet);
		return;
	}
	memcpy(o->kept + o->n_kept, packet.p, packet.n);
	coalesce_add(o->joining, o->kept + o->n_kept, packet.n);
	o->n_kept += packet.n;
}

static unsigned kind_of(const struct super_form *f)
{
	if (!f->is_tcp)
		return COALESCE_UDP;
	return f->is_ip6 ? COALESCE_TCP6 : COALESCE_TCP4;
}

static void put_whole(struct outlet *o, const struct super *u)
{
	struct span rest = span_skip(u->packet, u->form.head_bytes);
	struct iovec iov[] = {{.iov_base = (void *)(uintptr_t)&u->vnet, .iov_len = sizeof(u->vnet)},
	        {.iov_base = (void *)(uintptr_t)u->head, .iov_len = u->form.head_bytes},
	        {.iov_base = (void *)(uintptr_t)rest.p, .iov_len = rest.n}};

	if (o->config.write(o->config.ctx, iov, N_ELEM(iov)) < 0)
		o->config.refused(o->config.ctx, piece_span(&iov[FIRST_PACKET]), u->form.n_packets);
}

static void put_cut(struct outlet *o, const struct super *u)
{
	struct split split;
	uint8_t *p;
	size_t n;

	if (o->cut == NULL)
		o->cut = malloc(SUPER_PACKET_MAX);
	if (o->cut != NULL) {
		/* with the headers of here: the sum that came with the packet means nothing */
		memcpy(o->cut, u->head, u->form.head_bytes);
		memcpy(o->cut + u->form.head_bytes, u->packet.p + u->form.head_bytes,
		        u->packet.n - u->form.head_bytes);
	}
	if (o->cut == NULL || split_open(&split, &u->vnet, o->cut, u->packet.n, 0) < 0) {
		o->config.refused(o->config.ctx, span_of(u->head, u->form.head_bytes), u->form.n_packets);
		return;
	}
	while (split_next(&split, &p, &n))
		outlet_put(o, span_of(p, n), false); /* the next one is written over its end */
}

void outlet_put_super(struct outlet *o, const struct super *u)
{
	outlet_flush(o);
	if (o->config.kinds & kind_of(&u->form))
		put_whole(o, u);
	else
		put_cut(o, u);
}

void outlet_flush(struct outlet *o)
{
	if (o->joining != NULL)
		coalesce_flush(o->joining);
	o->n_kept = 0;
}

#include <errno.h>
#include <stdlib.h>

#include "client/datapath_internal.h"
#include "datapath/super.h"

static int buffers_open(struct datapath *d, uint16_t mtu_max)
{
	d->spare_bytes =
	        ((size_t)mtu_max + 2 * DATAPATH_HEADROOM - 1) / DATAPATH_HEADROOM * DATAPATH_HEADROOM;
	d->slot_bytes = d->has_vnet_hdr ? TUN_SUPER_SLOT_BYTES : d->spare_bytes;
	d->buf = malloc(DATAPATH_ROUND_BYTES);
	d->spare = malloc(d->spare_bytes + DATAPATH_HEADROOM);
	d->joiner = joiner_new(mtu_max);
	d->tell_limit = malloc(sizeof(*d->tell_limit));
	if (d->buf == NULL || d->spare == NULL || d->joiner == NULL || d->tell_limit == NULL)
		return -ENOMEM;
	ratelimit_init(d->tell_limit, DATAPATH_TELL_BURST, DATAPATH_TELL_PERIOD_MS);
	return 0;
}

static int down_write(void *ctx, const struct iovec *iov, unsigned n_iov)
{
	const struct datapath *d = ctx;
	return tun_writev(d->tun_fd, iov, n_iov);
}

static void down_refused(void *ctx, struct span head, unsigned n_packets)
{
	struct datapath *d = ctx;
	(void)head;
	d->drops_down += n_packets;
}

static int down_open(struct datapath *d, const struct tun *tun)
{
	const struct outlet_config c = {
	        .has_vnet_hdr = tun->has_vnet_hdr,
	        .kinds = (tun->offloads & TUN_OFFLOAD_TSO4 ? COALESCE_TCP4 : 0) |
	                 (tun->offloads & TUN_OFFLOAD_TSO6 ? COALESCE_TCP6 : 0) |
	                 (tun->offloads & TUN_OFFLOAD_USO ? COALESCE_UDP : 0),
	        .write = down_write,
	        .refused = down_refused,
	        .ctx = d,
	};
	return outlet_open(&d->down, &c);
}

int datapath_open(struct datapath *d, uv_loop_t *loop, const struct tun *tun, uint16_t mtu_max)
{
	d->has_vnet_hdr = tun->has_vnet_hdr;
	d->is_tun_gone = false;
	int err = buffers_open(d, mtu_max);
	if (err == 0)
		err = down_open(d, tun);
	if (err == 0)
		d->watch = watch_new_copy(loop, tun->fds[0], datapath_ready, d);
	if (d->watch == NULL) {
		datapath_close(d);
		return -ENOMEM;
	}
	d->tun_fd = tun->fds[0];
	return 0;
}

void datapath_close(struct datapath *d)
{
	if (d->tun_fd >= 0)
		datapath_flush(d);
	watch_drop(d->watch);
	outlet_close(&d->down);
	free(d->buf);
	free(d->spare);
	joiner_free(d->joiner);
	free(d->tell_limit);
	d->watch = NULL;
	d->buf = d->spare = NULL;
	d->joiner = NULL;
	d->tell_limit = NULL;
	d->tun_fd = -1;
}

void datapath_update(struct datapath *d)
{
	if (d->watch == NULL)
		return;
	bool is_tls_needed = link_active(d->link) == LINK_TLS || d->link->choice.mode == CHOICE_BOTH;
	bool is_stuffed = is_tls_needed && tunnel_tls_is_stuffed(d->tls);
	watch_set(d->watch, is_stuffed || d->is_tun_gone ? 0 : UV_READABLE);
}

/* ---- to the adapter ---- */

void datapath_deliver(struct datapath *d, struct span packet)
{
	if (d->tun_fd < 0 || packet.n == 0) {
		d->drops_down++;
		return;
	}
	if (packet.n <= d->spare_bytes && link_mss_bytes(d->link, packet.p[0] >> 4) != 0 &&
	        tcp_is_syn(packet)) {
		memcpy(d->spare, packet.p, packet.n);
		datapath_clamp_mss(d, d->spare, packet.n);
		packet = span_of(d->spare, packet.n);
	}
	outlet_put(
	        &d->down, packet, tunnel_dtls_keeps(d->dtls, packet.p) || tunnel_tls_keeps(d->tls, packet.p));
}

void datapath_deliver_piece(struct datapath *d, struct span payload, ms_t now_ms)
{
	struct span packet;
	if (d->joiner == NULL)
		return;
	enum joiner_result r = joiner_put(d->joiner, payload, now_ms, &packet);
	if (r == JOINER_PACKET)
		datapath_deliver(d, packet);
	d->drops_down += r == JOINER_DROPPED;
}

size_t datapath_deliver_super(struct datapath *d, struct span payload)
{
	struct channel_counters *c = &d->tls->count;
	struct super u;
	if (d->tun_fd < 0 || super_parse(payload, d->super_max_bytes, &u) != 0) {
		d->drops_down++;
		return 0;
	}
	c->rx_packets += u.form.n_packets;
	c->rx_bytes += u.form.total_bytes;
	d->n_super_down++;
	outlet_put_super(&d->down, &u);
	return u.form.largest_bytes;
}

void datapath_flush(struct datapath *d)
{
	outlet_flush(&d->down);
}

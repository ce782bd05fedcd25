#include "client/datapath.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define HEADROOM 64 /* CSTP header or DTLS type byte in front, and slots on cache lines */

static void datapath_ready(void *ctx, int events);

int datapath_open(struct datapath *d, uv_loop_t *loop, int tun_fd, uint16_t mtu_max)
{
	d->stride = ((size_t)mtu_max + 2 * HEADROOM - 1) / HEADROOM * HEADROOM;
	d->buf = malloc(LOOP_BATCH * d->stride + HEADROOM);
	int fd = fcntl(tun_fd, F_DUPFD_CLOEXEC, 3);
	if (fd >= 0 && d->buf != NULL)
		d->watch = watch_new(loop, fd, datapath_ready, d);
	if (d->watch == NULL) {
		if (fd >= 0)
			close(fd);
		free(d->buf);
		d->buf = NULL;
		return -ENOMEM;
	}
	d->tun_fd = tun_fd;
	return 0;
}

void datapath_close(struct datapath *d)
{
	watch_drop(d->watch);
	free(d->buf);
	d->watch = NULL;
	d->buf = NULL;
	d->tun_fd = -1;
}

void datapath_update(struct datapath *d)
{
	if (d->watch == NULL)
		return;
	bool is_stuffed = link_active(d->link) == LINK_TLS && tunnel_tls_is_stuffed(d->tls);
	watch_set(d->watch, is_stuffed ? 0 : UV_READABLE);
}

static void count(struct channel_counters *c, size_t bytes)
{
	c->tx_packets++;
	c->tx_bytes += bytes;
}

static void send_tls(struct datapath *d, const struct tun_packet *packets, int n)
{
	for (int i = 0; i < n; i++) {
		uint8_t *head = packets[i].p - CSTP_HEADER_BYTES;
		cstp_put_header(head, CSTP_DATA, (uint16_t)packets[i].n);
		if (tunnel_tls_put(d->tls, span_of(head, CSTP_HEADER_BYTES + packets[i].n)) == 0)
			count(&d->tls->count, packets[i].n);
		else
			d->drops_up++;
	}
	tunnel_tls_flush(d->tls);
}

static void send_dtls(struct datapath *d, const struct tun_packet *packets, int n)
{
	for (int i = 0; i < n; i++) {
		uint8_t *head = packets[i].p - DTLS_CHANNEL_BYTES;
		struct span record = span_of(head, DTLS_CHANNEL_BYTES + packets[i].n);
		head[0] = CSTP_DATA;
		int err = tunnel_dtls_put(d->dtls, record);
		if (err == -ENOBUFS) {
			tunnel_dtls_flush(d->dtls);
			err = tunnel_dtls_put(d->dtls, record);
		}
		if (err == 0)
			count(&d->dtls->count, packets[i].n);
		else
			d->drops_up++;
	}
	tunnel_dtls_flush(d->dtls);
}

static void datapath_ready(void *ctx, int events)
{
	struct datapath *d = ctx;
	struct tun_packet packets[LOOP_BATCH];
	(void)events;
	int n = tun_read_batch(d->tun_fd, d->buf + HEADROOM, d->stride, packets, LOOP_BATCH);
	if (n <= 0)
		return;
	enum link_channel ch = link_active(d->link);
	if (ch == LINK_N_CHANNELS) {
		d->drops_up += (uint64_t)n; /* reconnecting: the flows repeat what matters */
		return;
	}
	link_on_tx(d->link, ch, true, packets[n - 1].n, loop_now());
	if (ch == LINK_DTLS)
		send_dtls(d, packets, n);
	else
		send_tls(d, packets, n);
	datapath_update(d);
}

void datapath_deliver(struct datapath *d, struct span packet)
{
	if (d->tun_fd < 0 || packet.n == 0 || tun_write(d->tun_fd, packet.p, packet.n) != 0)
		d->drops_down++;
}

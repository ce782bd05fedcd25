#include "client/conn.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/sock.h"

/* TCP's own probes, for connections that nothing else asks: the login's, and a tunnel without DPD. */
#define CONN_IDLE_S     60
#define CONN_INTERVAL_S 20

int conn_init(struct conn *c)
{
	*c = (struct conn){.fd = -1, .rx = malloc(CONN_RX_BYTES)};
	tls_out_init(&c->out, CONN_OUT_BYTES);
	return c->rx != NULL ? 0 : -ENOMEM;
}

void conn_done(struct conn *c)
{
	conn_close(c, false);
	tls_out_done(&c->out);
	free(c->rx);
	c->rx = NULL;
}

int conn_open(struct conn *c, struct tls_client_ctx *ctx, const char *host, int fd)
{
	conn_close(c, false);
	/* the first request must not wait for the acknowledgement of Finished */
	int err = sock_tune(fd, CONN_IDLE_S, CONN_INTERVAL_S);
	(void)err; /* slower or blinder, but it works */
	err = tls_client_new(ctx, host, &c->tls);
	if (err) {
		c->tls = NULL;
		close(fd);
		return err;
	}
	c->fd = fd;
	tls_set_output(c->tls, &c->out);
	return 0;
}

int conn_release_fd(struct conn *c)
{
	int fd = c->fd;
	tls_free(c->tls);
	c->tls = NULL;
	c->fd = -1;
	tls_out_consume(&c->out, c->out.n);
	return fd;
}

void conn_close(struct conn *c, bool is_polite)
{
	if (c->fd < 0)
		return;
	if (is_polite) {
		tls_close(c->tls);
		int err = conn_push(c);
		(void)err; /* goodbye is a courtesy */
	}
	close(conn_release_fd(c));
}

int conn_pull(struct conn *c)
{
	ssize_t n = recv(c->fd, c->rx, CONN_RX_BYTES, MSG_DONTWAIT);
	if (n == 0)
		return ERR_CLOSED;
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	c->rx_bytes += (uint64_t)n;
	return tls_feed_writable(c->tls, c->rx, (size_t)n);
}

int conn_push(struct conn *c)
{
	if (c->out.n == 0)
		return 0;
	ssize_t n = send(c->fd, c->out.p, c->out.n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	c->tx_bytes += (uint64_t)n;
	tls_out_consume(&c->out, (size_t)n);
	return c->out.n == 0 ? 0 : -EAGAIN;
}

int conn_handshake(struct conn *c)
{
	int err = tls_handshake(c->tls);
	int sent = conn_push(c);
	if (err == 0 || err == ERR_MORE)
		return sent != 0 && sent != -EAGAIN ? sent : err;
	return err;
}

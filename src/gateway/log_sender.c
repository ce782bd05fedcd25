#include "gateway/log_sender.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct frame {
	struct frame *next;
	size_t n;
	uint8_t bytes[];
};

/* Of a TCP connection. CLOSING: libuv's handle is on its way out, then the pause begins. */
enum state { IDLE, CONNECTING, UP, CLOSING, PAUSE };

struct log_sender {
	uv_loop_t *loop;
	struct log_host host;
	char interface[POLICY_NAME_MAX + 1];
	struct sockaddr_storage to;
	socklen_t to_len;
	int fd; /* -1: none */
	enum state state;
	struct loop_fd poll;
	struct loop_timer timer; /* limit of CONNECTING, end of PAUSE */
	bool has_poll, is_dying;
	bool was_told; /* that the host is down */
	uint32_t backoff_ms;
	struct frame *first, *last;
	size_t n_first_sent; /* bytes of first */
	struct log_sender_stats stats;
	log_sender_fn *on_change;
	void *ctx;
};

static void sockaddr_fill(struct log_sender *s)
{
	const struct ip_addr *a = &s->host.addr;
	if (a->family == 4) {
		struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(s->host.port)};
		memcpy(&in.sin_addr, a->b, 4);
		memcpy(&s->to, &in, s->to_len = sizeof(in));
	} else {
		struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons(s->host.port)};
		memcpy(&in.sin6_addr, a->b, 16);
		memcpy(&s->to, &in, s->to_len = sizeof(in));
	}
}

static int socket_open(struct log_sender *s)
{
	int type = s->host.is_tcp ? SOCK_STREAM : SOCK_DGRAM;
	s->fd = socket(s->to.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return s->fd < 0 ? -errno : 0;
}

/* ---- UDP ---- */

static void datagram_put(struct log_sender *s, struct span frame)
{
	ssize_t n = -1;
	if (s->fd >= 0 || socket_open(s) == 0)
		n = sendto(s->fd, frame.p, frame.n, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&s->to,
		        s->to_len);
	if (n >= 0) {
		s->stats.n_sent++;
		return;
	}
	s->stats.n_errors++;
	s->stats.n_dropped++;
}

/* ---- queue ---- */

static void queue_put(struct log_sender *s, struct span frame, uint32_t max_waiting)
{
	struct frame *f = s->stats.n_waiting < max_waiting ? malloc(sizeof(*f) + frame.n) : NULL;
	if (f == NULL) {
		s->stats.n_dropped++;
		return;
	}
	f->next = NULL;
	f->n = frame.n;
	memcpy(f->bytes, frame.p, frame.n);
	if (s->last)
		s->last->next = f;
	else
		s->first = f;
	s->last = f;
	s->stats.n_waiting++;
}

static void queue_drop(struct log_sender *s)
{
	struct frame *f = s->first;
	s->first = f->next;
	if (s->first == NULL)
		s->last = NULL;
	s->n_first_sent = 0;
	s->stats.n_waiting--;
	free(f);
}

/* ---- TCP ---- */

static void connect_begin(struct log_sender *s);

static void sender_closed(struct log_sender *s)
{
	if (s->has_poll || s->timer.ctx != NULL)
		return;
	if (s->fd >= 0)
		close(s->fd);
	while (s->first)
		queue_drop(s);
	free(s);
}

static void on_poll_closed(struct loop_fd *f)
{
	struct log_sender *s = f->ctx;
	s->has_poll = false;
	close(s->fd);
	s->fd = -1;
	if (s->is_dying) {
		sender_closed(s);
		return;
	}
	s->state = PAUSE;
	loop_timer_set(&s->timer, loop_now() + s->backoff_ms);
}

static void on_timer_closed(struct loop_timer *t)
{
	struct log_sender *s = t->ctx;
	t->ctx = NULL;
	sender_closed(s);
}

static void pause_lengthen(struct log_sender *s)
{
	s->backoff_ms = s->backoff_ms == 0 ? LOG_SENDER_BACKOFF_MIN_MS : s->backoff_ms * 2;
	if (s->backoff_ms > LOG_SENDER_BACKOFF_MAX_MS)
		s->backoff_ms = LOG_SENDER_BACKOFF_MAX_MS;
}

/* The connection failed or broke. A frame that was cut begins anew on the next one. */
static void fail(struct log_sender *s)
{
	s->stats.n_errors++;
	s->stats.is_up = false;
	s->n_first_sent = 0;
	pause_lengthen(s);
	if (s->has_poll) {
		s->state = CLOSING;
		loop_fd_close(&s->poll, on_poll_closed);
	} else {
		if (s->fd >= 0)
			close(s->fd);
		s->fd = -1;
		s->state = PAUSE;
		loop_timer_set(&s->timer, loop_now() + s->backoff_ms);
	}
	if (!s->was_told) {
		s->was_told = true; /* first: the line about it comes back as a message to send */
		s->on_change(s->ctx, &s->host, false);
	}
}

/* 0, or an error of the connection. */
static int flush(struct log_sender *s)
{
	while (s->first) {
		struct frame *f = s->first;
		ssize_t n = send(s->fd, f->bytes + s->n_first_sent, f->n - s->n_first_sent,
		        MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0)
			return -errno;
		s->n_first_sent += (size_t)n;
		if (s->n_first_sent == f->n) {
			queue_drop(s);
			s->stats.n_sent++;
		}
	}
	return loop_fd_watch(&s->poll, UV_READABLE | (s->first ? UV_WRITABLE : 0));
}

static int connect_end(struct log_sender *s)
{
	int err = 0;
	socklen_t n = sizeof(err);
	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0)
		return -errno;
	if (err != 0)
		return -err;
	s->state = UP;
	s->stats.is_up = true;
	s->backoff_ms = 0;
	loop_timer_set(&s->timer, MS_NEVER);
	if (s->was_told) {
		s->was_told = false;
		s->on_change(s->ctx, &s->host, true);
	}
	return 0;
}

/* A log host has nothing to say: forgotten. 0, or an error; its end is one. */
static int read_away(struct log_sender *s)
{
	char buf[512];
	ssize_t n = recv(s->fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n == 0)
		return -ECONNRESET;
	return n < 0 && errno != EAGAIN && errno != EINTR ? -errno : 0;
}

static void on_ready(struct loop_fd *f, int err, int events)
{
	struct log_sender *s = f->ctx;
	int r = err;
	if (s->state != CONNECTING && s->state != UP)
		return;
	if (r == 0 && s->state == CONNECTING)
		r = connect_end(s);
	if (r == 0 && events & UV_READABLE)
		r = read_away(s);
	if (r == 0)
		r = flush(s);
	if (r < 0)
		fail(s);
}

static void connect_begin(struct log_sender *s)
{
	const unsigned silent_ms = LOG_SENDER_SILENT_MS;
	const int on = 1;
	s->state = CONNECTING;
	int r = socket_open(s);
	if (r == 0) {
		(void)setsockopt(s->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent_ms, sizeof(silent_ms));
		(void)setsockopt(s->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
		if (connect(s->fd, (struct sockaddr *)&s->to, s->to_len) < 0 && errno != EINPROGRESS)
			r = -errno;
	}
	if (r == 0 && (r = loop_fd_open(&s->poll, s->loop, s->fd, on_ready, s)) == 0) {
		s->has_poll = true;
		r = loop_fd_watch(&s->poll, UV_WRITABLE);
	}
	if (r < 0)
		fail(s);
	else
		loop_timer_set(&s->timer, loop_now() + LOG_SENDER_CONNECT_MS);
}

static void on_timer(struct loop_timer *t, ms_t now_ms)
{
	struct log_sender *s = t->ctx;
	(void)now_ms;
	if (s->state == CONNECTING)
		fail(s);
	else if (s->state == PAUSE)
		connect_begin(s);
}

/* ---- all ---- */

int log_sender_new(uv_loop_t *loop, const struct log_host *host, log_sender_fn *on_change, void *ctx,
        struct log_sender **ret)
{
	struct log_sender *s = calloc(1, sizeof(*s));
	int r = -ENOMEM;
	if (s != NULL)
		r = loop_timer_open(&s->timer, loop, on_timer, s);
	if (r < 0) {
		free(s);
		return r;
	}
	s->loop = loop;
	s->host = *host;
	(void)strncpy(s->interface, host->interface, sizeof(s->interface) - 1);
	s->host.interface = s->interface;
	s->fd = -1;
	s->on_change = on_change;
	s->ctx = ctx;
	sockaddr_fill(s);
	*ret = s;
	return 0;
}

void log_sender_free(struct log_sender *s)
{
	if (s == NULL || s->is_dying)
		return;
	s->is_dying = true;
	if (s->has_poll && s->state != CLOSING)
		loop_fd_close(&s->poll, on_poll_closed);
	s->state = CLOSING;
	loop_timer_close(&s->timer, on_timer_closed);
}

bool log_sender_is_for(const struct log_sender *s, const struct log_host *host)
{
	return addr_eq(&s->host.addr, &host->addr) && s->host.port == host->port &&
	       s->host.is_tcp == host->is_tcp && strcmp(s->interface, host->interface) == 0;
}

void log_sender_put(struct log_sender *s, struct span frame, uint32_t max_waiting)
{
	if (!s->host.is_tcp) {
		datagram_put(s, frame);
		return;
	}
	queue_put(s, frame, max_waiting);
	if (s->state == IDLE)
		connect_begin(s);
	else if (s->state == UP && s->first == s->last && s->first && flush(s) < 0)
		fail(s);
}

struct log_sender_stats log_sender_stats(const struct log_sender *s)
{
	return s->stats;
}

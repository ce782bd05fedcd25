/* A paced UDP sender and its receiver: how many packets arrive, and how late. Both ends run on one machine,
 * because they compare CLOCK_MONOTONIC.
 *
 *	udpblast recv PORT SECONDS                  ends with the sender, or after SECONDS
 *	udpblast send ADDRESS PORT BYTES PPS MS
 *
 * BYTES is the UDP payload. Each prints one line of JSON; "late" are the packets that were 100 ms or more
 * on the way. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/parse.h"

#define SEND_BATCH     16
#define RECV_BATCH     64
#define PAYLOAD_MAX    2048
#define BUFFER_BYTES   (8 << 20)
#define DELAY_STEP_NS  10000u /* one-way delays are counted in steps of 10 us, up to 100 ms */
#define DELAY_STEPS    10000u
#define QUIET_NS       1000000000u /* the sender has ended when nothing came for so long */
#define LINGER_NS      200000000u  /* what is still on its way after the sender's last word */
#define LAST_WORDS     3
#define LAST_WORD_EACH 20000000 /* ns between them */
#define NS_PER_S       1000000000u
#define SLEEP_MIN_NS   50000.0
#define SLEEP_MAX_NS   5000000.0

/* At the head of each packet; sent_ns UINT64_MAX: the sender's last word, seq is how many it sent. */
struct stamp {
	uint64_t seq, sent_ns;
};

struct batch {
	struct mmsghdr msg[RECV_BATCH];
	struct iovec iov[RECV_BATCH];
	uint8_t buf[RECV_BATCH][PAYLOAD_MAX];
};

static struct batch batch;

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void batch_init(size_t bytes)
{
	for (size_t i = 0; i < RECV_BATCH; i++) {
		batch.iov[i] = (struct iovec){.iov_base = batch.buf[i], .iov_len = bytes};
		batch.msg[i].msg_hdr = (struct msghdr){.msg_iov = &batch.iov[i], .msg_iovlen = 1};
	}
}

/* Bound or connected; -errno. */
static int socket_make(const struct ip_addr *a, uint16_t port, bool is_sender)
{
	struct sockaddr_storage sa;
	socklen_t n = addr_to_sockaddr(a, port, &sa);
	int bytes = BUFFER_BYTES;
	int fd = socket(sa.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, is_sender ? SO_SNDBUFFORCE : SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	int r = is_sender ? connect(fd, (struct sockaddr *)&sa, n) : bind(fd, (struct sockaddr *)&sa, n);
	return r < 0 ? -errno : fd;
}

/* ---- sender ---- */

struct sender {
	int fd;
	size_t bytes;
	double pps;
	uint64_t begin_ns, end_ns;
	uint64_t n_sent, n_failed;
};

/* To the next packet's time. Not by spinning: that would take the core from what is measured. */
static void sleep_until_due(const struct sender *s, uint64_t at_ns)
{
	double wait_ns =
	        (double)(s->n_sent + s->n_failed + 1) * NS_PER_S / s->pps - (double)(at_ns - s->begin_ns);
	if (wait_ns < SLEEP_MIN_NS)
		wait_ns = SLEEP_MIN_NS;
	if (wait_ns > SLEEP_MAX_NS)
		wait_ns = SLEEP_MAX_NS;
	struct timespec t = {.tv_nsec = (long)wait_ns};
	nanosleep(&t, NULL);
}

static void send_some(struct sender *s, uint64_t n, uint64_t at_ns)
{
	if (n > SEND_BATCH)
		n = SEND_BATCH;
	for (uint64_t i = 0; i < n; i++) {
		struct stamp stamp = {.seq = s->n_sent + i, .sent_ns = at_ns};
		memcpy(batch.buf[i], &stamp, sizeof(stamp));
	}
	int r = sendmmsg(s->fd, batch.msg, (unsigned)n, 0);
	if (r < 0)
		s->n_failed++;
	else
		s->n_sent += (uint64_t)r;
}

/* The receiver must learn how many there were even when packets are lost. */
static void send_last_words(const struct sender *s)
{
	struct stamp stamp = {.seq = s->n_sent, .sent_ns = UINT64_MAX};
	struct timespec t = {.tv_nsec = LAST_WORD_EACH};
	memcpy(batch.buf[0], &stamp, sizeof(stamp));
	for (int i = 0; i < LAST_WORDS; i++) {
		nanosleep(&t, NULL);
		(void)!send(s->fd, batch.buf[0], s->bytes, 0);
	}
}

static void send_all(struct sender *s)
{
	uint64_t at_ns;
	while ((at_ns = now_ns()) < s->end_ns) {
		uint64_t due = (uint64_t)((double)(at_ns - s->begin_ns) * s->pps / NS_PER_S);
		uint64_t done = s->n_sent + s->n_failed;
		if (due > done)
			send_some(s, due - done, at_ns);
		else
			sleep_until_due(s, at_ns);
	}
	send_last_words(s);
}

static int run_send(char **argv)
{
	struct ip_addr a;
	uint32_t port, bytes, pps, ms;
	if (addr_parse(span_str(argv[0]), &a) < 0 || parse_u32(span_str(argv[1]), 1, UINT16_MAX, &port) < 0 ||
	        parse_u32(span_str(argv[2]), sizeof(struct stamp), PAYLOAD_MAX, &bytes) < 0 ||
	        parse_u32(span_str(argv[3]), 1, 100000000, &pps) < 0 ||
	        parse_u32(span_str(argv[4]), 1, 3600000, &ms) < 0)
		return 2;
	batch_init(bytes);
	struct sender s = {.fd = socket_make(&a, (uint16_t)port, true),
	        .bytes = bytes,
	        .pps = pps,
	        .begin_ns = now_ns()};
	if (s.fd < 0) {
		fprintf(stderr, "udpblast: %s\n", err_text(s.fd));
		return 1;
	}
	s.end_ns = s.begin_ns + (uint64_t)ms * 1000000u;
	send_all(&s);
	printf("{\"sent\": %llu, \"failed\": %llu, \"seconds\": %.3f}\n", (unsigned long long)s.n_sent,
	        (unsigned long long)s.n_failed, ms / 1000.0);
	return 0;
}

/* ---- receiver ---- */

struct receiver {
	int fd;
	uint64_t n_got, n_sent, n_reordered, next_seq;
	uint64_t last_ns; /* of any packet; 0: none yet */
	bool is_told;     /* n_sent is known */
	uint32_t delays[DELAY_STEPS];
};

static struct receiver receiver;

static void take(struct receiver *r, const uint8_t *p, size_t n, uint64_t at_ns)
{
	struct stamp stamp;
	if (n < sizeof(stamp))
		return;
	memcpy(&stamp, p, sizeof(stamp));
	if (stamp.sent_ns == UINT64_MAX) {
		r->n_sent = stamp.seq;
		r->is_told = true;
		return;
	}
	r->n_got++;
	r->last_ns = at_ns;
	r->n_reordered += stamp.seq < r->next_seq;
	if (stamp.seq >= r->next_seq)
		r->next_seq = stamp.seq + 1;
	uint64_t step = (at_ns - stamp.sent_ns) / DELAY_STEP_NS;
	r->delays[step < DELAY_STEPS ? step : DELAY_STEPS - 1]++;
}

static bool is_over(const struct receiver *r, uint64_t at_ns, uint64_t end_ns)
{
	if (at_ns > end_ns || (r->last_ns && at_ns > r->last_ns + QUIET_NS))
		return true;
	return r->is_told && at_ns > r->last_ns + LINGER_NS;
}

static void receive_all(struct receiver *r, uint64_t end_ns)
{
	for (uint64_t at_ns = now_ns(); !is_over(r, at_ns, end_ns); at_ns = now_ns()) {
		struct pollfd p = {.fd = r->fd, .events = POLLIN};
		if (poll(&p, 1, 50) <= 0)
			continue;
		int n = recvmmsg(r->fd, batch.msg, RECV_BATCH, MSG_DONTWAIT, NULL);
		at_ns = now_ns();
		for (int i = 0; i < n; i++)
			take(r, batch.buf[i], batch.msg[i].msg_len, at_ns);
	}
}

static unsigned delay_us(const struct receiver *r, unsigned percent)
{
	uint64_t want = r->n_got * percent / 100, seen = 0;
	for (unsigned i = 0; i < DELAY_STEPS; i++) {
		seen += r->delays[i];
		if (seen > want)
			return i * (DELAY_STEP_NS / 1000);
	}
	return DELAY_STEPS * (DELAY_STEP_NS / 1000);
}

static int run_recv(char **argv)
{
	struct receiver *r = &receiver;
	struct ip_addr any = addr_from_v4(0);
	uint32_t port, seconds;
	if (parse_u32(span_str(argv[0]), 1, UINT16_MAX, &port) < 0 ||
	        parse_u32(span_str(argv[1]), 1, 3600, &seconds) < 0)
		return 2;
	batch_init(PAYLOAD_MAX);
	r->fd = socket_make(&any, (uint16_t)port, false);
	if (r->fd < 0) {
		fprintf(stderr, "udpblast: %s\n", err_text(r->fd));
		return 1;
	}
	printf("ready\n");
	fflush(stdout);
	receive_all(r, now_ns() + (uint64_t)seconds * NS_PER_S);
	printf("{\"got\": %llu, \"sent\": %llu, \"late\": %u, \"reordered\": %llu, \"delay_p50_us\": %u, "
	       "\"delay_p99_us\": "
	       "%u}\n",
	        (unsigned long long)r->n_got, (unsigned long long)(r->is_told ? r->n_sent : r->next_seq),
	        r->delays[DELAY_STEPS - 1], (unsigned long long)r->n_reordered, delay_us(r, 50),
	        delay_us(r, 99));
	return 0;
}

int main(int argc, char **argv)
{
	int status = 2;
	if (argc == 4 && strcmp(argv[1], "recv") == 0)
		status = run_recv(argv + 2);
	else if (argc == 7 && strcmp(argv[1], "send") == 0)
		status = run_send(argv + 2);
	if (status == 2)
		fprintf(stderr,
		        "usage: udpblast recv PORT SECONDS | udpblast send ADDRESS PORT BYTES PPS MS\n");
	return status;
}

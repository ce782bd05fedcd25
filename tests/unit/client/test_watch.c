/* A watched descriptor with an error of its own: a connected UDP socket has one after every ICMP message. */
#include "../unit.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/watch.h"

static struct heard {
	uv_loop_t loop;
	int fd;
	unsigned n_errors, n_datagrams;
} h;

static void on_ready(void *ctx, int events)
{
	char buf[8];
	assert_ptr_equal(ctx, &h);
	assert_true(events & UV_READABLE);
	if (recv(h.fd, buf, sizeof(buf), MSG_DONTWAIT) < 0)
		h.n_errors += errno == ECONNREFUSED;
	else
		h.n_datagrams++;
	uv_stop(&h.loop);
}

static void on_deadline(uv_timer_t *t)
{
	(void)t;
	fail_msg("nothing was heard");
}

static void hear(void)
{
	uv_timer_t limit;
	uv_timer_init(&h.loop, &limit);
	uv_timer_start(&limit, on_deadline, 5000, 0);
	uv_run(&h.loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&limit, NULL);
	uv_run(&h.loop, UV_RUN_NOWAIT);
}

static int udp_bound(struct sockaddr_in *ret)
{
	socklen_t n = sizeof(*ret);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	*ret = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	assert_int_equal(bind(fd, (struct sockaddr *)ret, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)ret, &n), 0);
	return fd;
}

/* The peer is away for a moment; when it is there again it is heard, as often as that happens. */
TEST(an_icmp_message_does_not_make_deaf)
{
	struct sockaddr_in own, peer;
	int fd = udp_bound(&own), other = udp_bound(&peer);
	assert_int_equal(connect(fd, (struct sockaddr *)&peer, sizeof(peer)), 0);
	close(other);
	assert_int_equal(uv_loop_init(&h.loop), 0);
	h.fd = fd;
	struct watch *w = watch_new(&h.loop, fd, on_ready, &h);
	assert_non_null(w);
	watch_set(w, UV_READABLE);
	for (unsigned i = 1; i <= 3; i++) {
		assert_int_equal(send(fd, "?", 1, 0), 1);
		hear();
		assert_int_equal(h.n_errors, i);
	}
	other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(other, (struct sockaddr *)&peer, sizeof(peer)), 0);
	assert_int_equal(sendto(other, "!", 1, 0, (struct sockaddr *)&own, sizeof(own)), 1);
	hear();
	assert_int_equal(h.n_datagrams, 1);
	watch_drop(w);
	uv_run(&h.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&h.loop), 0);
	close(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_icmp_message_does_not_make_deaf),
	};
	return RUN(tests);
}

#include "../unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "io/msg.h"

static uint8_t buf[MSG_MAX_BYTES + 1];

static int fds_open(void)
{
	int n = 0;
	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

TEST(boundaries_and_order_are_kept)
{
	int pair[2];
	assert_int_equal(msg_pair(pair), 0);
	assert_int_equal(msg_send(pair[0], span_str("one"), NULL, 0), 0);
	assert_int_equal(msg_send(pair[0], span_str("second"), NULL, 0), 0);
	assert_int_equal(msg_recv(pair[1], buf, sizeof(buf), NULL, 0, NULL), 3);
	assert_int_equal(msg_recv(pair[1], buf, sizeof(buf), NULL, 0, NULL), 6);
	assert_memory_equal(buf, "second", 6);
	assert_int_equal(msg_recv(pair[1], buf, sizeof(buf), NULL, 0, NULL), -EAGAIN);
	close(pair[0]);
	assert_int_equal(msg_recv(pair[1], buf, sizeof(buf), NULL, 0, NULL), ERR_CLOSED);
	assert_int_equal(msg_send(pair[1], span_str("x"), NULL, 0), -EPIPE);
	close(pair[1]);
}

TEST(sizes_are_exact)
{
	int pair[2];
	static uint8_t big[MSG_MAX_BYTES + 1];
	assert_int_equal(msg_pair(pair), 0);
	big[MSG_MAX_BYTES - 1] = 0x5a;
	assert_int_equal(msg_send(pair[0], span_of(big, MSG_MAX_BYTES), NULL, 0), 0);
	assert_int_equal(msg_send(pair[0], span_of(big, MSG_MAX_BYTES), NULL, 0), 0);
	assert_int_equal(msg_send(pair[0], span_of(big, sizeof(big)), NULL, 0), -EMSGSIZE);
	assert_int_equal(msg_send(pair[0], span_of(big, 0), NULL, 0), -EMSGSIZE);
	assert_int_equal(msg_recv(pair[1], buf, MSG_MAX_BYTES, NULL, 0, NULL), MSG_MAX_BYTES);
	assert_int_equal(buf[MSG_MAX_BYTES - 1], 0x5a);
	assert_int_equal(msg_recv(pair[1], buf, MSG_MAX_BYTES - 1, NULL, 0, NULL), ERR_TOO_LARGE);
	assert_int_equal(msg_recv(pair[1], buf, sizeof(buf), NULL, 0, NULL), -EAGAIN);
	close(pair[0]);
	close(pair[1]);
}

TEST(descriptors_travel)
{
	int pair[2], sent[MSG_MAX_FDS + 1], got[MSG_MAX_FDS];
	size_t n = 0;
	struct stat a, b;
	assert_int_equal(msg_pair(pair), 0);
	for (int i = 0; i <= MSG_MAX_FDS; i++)
		sent[i] = open("/dev/null", O_RDONLY);
	assert_int_equal(msg_send(pair[0], span_str("m"), sent, MSG_MAX_FDS + 1), -E2BIG);
	assert_int_equal(msg_send(pair[0], span_str("m"), sent, MSG_MAX_FDS), 0);
	assert_int_equal(msg_recv(pair[1], buf, sizeof(buf), got, MSG_MAX_FDS, &n), 1);
	assert_int_equal(n, MSG_MAX_FDS);
	assert_int_equal(fstat(sent[0], &a), 0);
	assert_int_equal(fstat(got[MSG_MAX_FDS - 1], &b), 0);
	assert_int_equal(a.st_rdev, b.st_rdev);
	assert_int_equal(fcntl(got[0], F_GETFD), FD_CLOEXEC);
	for (int i = 0; i <= MSG_MAX_FDS; i++)
		close(sent[i]);
	for (size_t i = 0; i < n; i++)
		close(got[i]);
	close(pair[0]);
	close(pair[1]);
}

TEST(unexpected_descriptors_are_closed)
{
	int pair[2], fds[2], got[1] = {-7};
	size_t n = 77;
	assert_int_equal(msg_pair(pair), 0);
	fds[0] = open("/dev/null", O_RDONLY);
	fds[1] = open("/dev/null", O_RDONLY);
	int before = fds_open();
	assert_int_equal(msg_send(pair[0], span_str("m"), fds, 2), 0);
	assert_int_equal(msg_recv(pair[1], buf, sizeof(buf), got, 1, &n), ERR_MALFORMED);
	assert_int_equal(msg_send(pair[0], span_str("m"), fds, 1), 0);
	assert_int_equal(msg_recv(pair[1], buf, sizeof(buf), NULL, 0, NULL), ERR_MALFORMED);
	assert_int_equal(msg_send(pair[0], span_str("too long"), fds, 1), 0);
	assert_int_equal(msg_recv(pair[1], buf, 2, got, 1, &n), ERR_TOO_LARGE);
	assert_int_equal(fds_open(), before);
	assert_int_equal(got[0], -7);
	assert_int_equal(n, 77);
	close(fds[0]);
	close(fds[1]);
	close(pair[0]);
	close(pair[1]);
}

TEST(full_queue_says_so)
{
	int pair[2], r, sent = 0;
	assert_int_equal(msg_pair(pair), 0);
	while ((r = msg_send(pair[0], span_of(buf, MSG_MAX_BYTES), NULL, 0)) == 0 && sent < 10000)
		sent++;
	assert_int_equal(r, -EAGAIN);
	assert_true(sent >= 2);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(boundaries_and_order_are_kept),
	        cmocka_unit_test(sizes_are_exact),
	        cmocka_unit_test(descriptors_travel),
	        cmocka_unit_test(unexpected_descriptors_are_closed),
	        cmocka_unit_test(full_queue_says_so),
	};
	return RUN(tests);
}

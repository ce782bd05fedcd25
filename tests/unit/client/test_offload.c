/* Super-packets of the real kernel: what a TUN device hands over is cut, turned round (addresses and ports
 * exchanged, which changes no checksum), joined again and written back, so that a socket talks to itself. TCP
 * does so by a simultaneous open (RFC 9293 3.5). Exit status 77 (skipped) where a TUN device is not allowed.
 */
#include "../netns.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "datapath/coalesce.h"
#include "datapath/split.h"
#include "io/netlink.h"
#include "io/tun.h"

#define SLOTS       8
#define TOTAL_BYTES (2u << 20)
#define DATAGRAM    1000
#define PATIENCE_MS 5000

static struct netlink *nl;
static struct tun tun;
static struct coalesce co;
static uint8_t slots[SLOTS * TUN_SUPER_SLOT_BYTES];
static struct {
	unsigned n_read, n_cut, n_written;
} stats;

static void emit(void *ctx, const struct iovec *iov, unsigned n_iov)
{
	(void)ctx;
	assert_int_equal(tun_writev(tun.fds[0], iov, n_iov), 0);
	stats.n_written++;
}

/* Each device has a network of its own: the kernel may still be taking the last one down. */
static unsigned n_devices;

static struct ip_prefix address(bool is_ip6, const char *host)
{
	char text[64];
	struct ip_prefix p;

	snprintf(text, sizeof(text), is_ip6 ? "fd00:9:%u::%s/64" : "10.9.%u.%s/24", n_devices, host);
	assert_int_equal(prefix_parse(span_str(text), &p), 0);
	return p;
}

static void device_up(unsigned refused)
{
	struct tun_config config = {
	        .name = "offload%d", .queues = 1, .wants_vnet_hdr = true, .offloads_refused = refused};
	uint32_t index;

	n_devices++;
	struct ip_prefix a4 = address(false, "7"), a6 = address(true, "7");

	memset(&stats, 0, sizeof(stats));
	assert_int_equal(tun_open(&config, &tun), 0);
	assert_int_equal(tun.offloads & refused, 0);
	assert_int_equal(netlink_link_index(nl, tun.name, &index), 0);
	assert_int_equal(netlink_link_set_mtu(nl, index, 1400), 0);
	assert_int_equal(netlink_link_set_up(nl, index, true), 0);
	assert_int_equal(netlink_address_add(nl, index, &a4, NULL), 0);
	assert_int_equal(netlink_address_add(nl, index, &a6, NULL), 0);
	unsigned kinds = tun.offloads & TUN_OFFLOAD_TSO4 ? COALESCE_TCP4 | COALESCE_TCP6 : 0;
	coalesce_init(&co, kinds | (tun.offloads & TUN_OFFLOAD_USO4 ? COALESCE_UDP : 0), emit, NULL);
}

static void swap(uint8_t *a, uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t t = a[i];
		a[i] = b[i];
		b[i] = t;
	}
}

/* False: neither TCP nor UDP (the kernel's own neighbour and group messages). */
static bool turn_round(uint8_t *p, size_t n)
{
	bool is_ip6 = p[0] >> 4 == 6;
	size_t addr = is_ip6 ? 8 : 12, n_addr = is_ip6 ? 16 : 4, l4 = addr + 2 * n_addr;
	uint8_t proto = is_ip6 ? p[6] : p[9];

	if (n < l4 + 8 || (proto != IPPROTO_TCP && proto != IPPROTO_UDP))
		return false;
	swap(p + addr, p + addr + n_addr, n_addr);
	swap(p + l4, p + l4 + 2, 2);
	return true;
}

static void pump(void)
{
	struct tun_packet got[SLOTS];
	int n = tun_read_batch(tun.fds[0], slots, TUN_SUPER_SLOT_BYTES, got, SLOTS);

	assert_true(n >= 0);
	for (int i = 0; i < n; i++) {
		struct vnet_hdr h = vnet_read(got[i].p);
		struct split s;
		uint8_t *p;
		size_t n_p;
		stats.n_read++;
		assert_int_equal(
		        split_open(&s, &h, got[i].p + VNET_HDR_BYTES, got[i].n - VNET_HDR_BYTES, 0), 0);
		while (split_next(&s, &p, &n_p)) {
			assert_true(n_p <= 1400);
			stats.n_cut++;
			if (turn_round(p, n_p)) {
				/* the next header is written over the end of this segment: it needs a place
				 * of its own */
				static uint8_t copies[1024][1400];
				static unsigned n_copies;
				uint8_t *copy = copies[n_copies++ % 1024];
				memcpy(copy, p, n_p);
				coalesce_add(&co, copy, n_p);
			}
		}
	}
	coalesce_flush(&co);
}

/* False: nothing came in time. */
static bool wait_up_to(int fd, int ms)
{
	struct pollfd p[2] = {{.fd = tun.fds[0], .events = POLLIN}, {.fd = fd, .events = POLLIN}};
	int n = poll(p, 2, ms);

	assert_true(n >= 0);
	if (p[0].revents)
		pump();
	return n > 0;
}

static void wait_for(int fd)
{
	assert_true(wait_up_to(fd, PATIENCE_MS));
}

static int socket_to_self(bool is_ip6, int type)
{
	struct ip_addr here = address(is_ip6, "7").addr, there = address(is_ip6, "99").addr;
	struct sockaddr_storage sa;
	int size = 1 << 20;
	int fd = socket(is_ip6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	socklen_t n = addr_to_sockaddr(&here, 4000, &sa);
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, n), 0);
	n = addr_to_sockaddr(&there, 4001, &sa);
	assert_true(connect(fd, (struct sockaddr *)&sa, n) == 0 || errno == EINPROGRESS);
	return fd;
}

/* The kernel makes a new IPv6 address its own in the background, a moment after it was added; until then it
 * drops what comes for it. TCP repeats, UDP does not: one byte at a time until one comes back. */
static void warm_up(bool is_ip6)
{
	int fd = socket_to_self(is_ip6, SOCK_DGRAM);
	bool is_back = false;
	char one;

	for (int i = 0; !is_back && i < PATIENCE_MS / 10; i++) {
		assert_int_equal(send(fd, "?", 1, 0), 1);
		while (!is_back && wait_up_to(fd, 10))
			is_back = recv(fd, &one, 1, 0) == 1;
	}
	assert_true(is_back);
	close(fd);
	memset(&stats, 0, sizeof(stats));
}

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

static size_t tcp_send(int fd, size_t at)
{
	static uint8_t buf[60000];
	size_t want = TOTAL_BYTES - at < sizeof(buf) ? TOTAL_BYTES - at : sizeof(buf);

	for (size_t i = 0; i < want; i++)
		buf[i] = byte_at(at + i);
	ssize_t n = want > 0 ? send(fd, buf, want, MSG_NOSIGNAL) : 0;
	assert_true(n >= 0 || errno == EAGAIN || errno == ENOTCONN);
	return n > 0 ? (size_t)n : 0;
}

static void tcp_echo(bool is_ip6)
{
	static uint8_t buf[1 << 16];
	int fd = socket_to_self(is_ip6, SOCK_STREAM);
	size_t sent = 0, seen = 0;

	while (seen < TOTAL_BYTES) {
		sent += tcp_send(fd, sent);
		wait_for(fd);
		ssize_t n;
		while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
			for (ssize_t i = 0; i < n; i++)
				assert_int_equal(buf[i], byte_at(seen++));
		assert_true(n < 0 && errno == EAGAIN);
	}
	assert_int_equal(sent, TOTAL_BYTES);
	struct linger hard = {.l_onoff = 1};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	close(fd);
}

static ssize_t udp_recv(int fd, uint8_t *buf, size_t cap)
{
	ssize_t n;

	do {
		while ((n = recv(fd, buf, cap, 0)) < 0)
			wait_for(fd);
	} while (n == 1); /* of the warm-up */
	return n;
}

static void udp_echo(bool is_ip6)
{
	static uint8_t out[40 * DATAGRAM], in[2 * DATAGRAM];
	int fd = socket_to_self(is_ip6, SOCK_DGRAM), segment = DATAGRAM;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = byte_at(i);
	assert_int_equal(setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)), 0);
	assert_int_equal(send(fd, out, sizeof(out) - 1, 0), sizeof(out) - 1);
	for (size_t i = 0; i < sizeof(out) / DATAGRAM; i++) {
		ssize_t n = udp_recv(fd, in, sizeof(in));
		assert_int_equal(n, i == 39 ? DATAGRAM - 1 : DATAGRAM);
		assert_memory_equal(in, out + i * DATAGRAM, (size_t)n);
	}
	close(fd);
}

static void round_trip(unsigned refused, bool is_udp)
{
	for (int v6 = 0; v6 < 2; v6++) {
		device_up(refused);
		warm_up(v6);
		if (is_udp)
			udp_echo(v6);
		else
			tcp_echo(v6);
		print_message("%s over IPv%d, offloads 0x%x: %u read, %u cut, %u written\n",
		        is_udp ? "UDP" : "TCP", v6 ? 6 : 4, tun.offloads, stats.n_read, stats.n_cut,
		        stats.n_written);
		unsigned wants = is_udp ? TUN_OFFLOAD_USO4 : TUN_OFFLOAD_TSO4;
		if (tun.offloads & wants) {
			assert_true(stats.n_read * 4 < stats.n_cut);
			assert_true(stats.n_written * 4 < stats.n_cut);
		} else {
			assert_int_equal(stats.n_read, stats.n_cut);
		}
		tun_close(&tun);
	}
}

TEST(tcp_with_all_offloads)
{
	round_trip(0, false);
}

TEST(udp_with_all_offloads)
{
	round_trip(0, true);
}

TEST(kernel_without_uso)
{
	round_trip(TUN_OFFLOAD_USO, true);
	round_trip(TUN_OFFLOAD_USO, false);
}

TEST(only_checksums)
{
	round_trip(TUN_OFFLOAD_TSO4, false);
	round_trip(TUN_OFFLOAD_TSO4, true);
}

TEST(no_offloads)
{
	round_trip(TUN_OFFLOAD_CSUM, false);
	round_trip(TUN_OFFLOAD_CSUM, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(tcp_with_all_offloads),
	        cmocka_unit_test(udp_with_all_offloads),
	        cmocka_unit_test(kernel_without_uso),
	        cmocka_unit_test(only_checksums),
	        cmocka_unit_test(no_offloads),
	};
	int status = netns_enter(&nl);
	if (status != 0)
		return status;
	status = RUN(tests);
	netlink_close(nl);
	return status;
}

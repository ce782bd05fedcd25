/* TUN and netlink in a network namespace of our own. Exit status 77 (skipped) where that is not allowed. */
#include "../netns.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/rtnetlink.h>

#include "base/err.h"
#include "io/netlink.h"
#include "io/tun.h"

static struct netlink *nl;
static struct tun tun;
static uint32_t index_of_tun;

static struct ip_prefix net(const char *s)
{
	struct ip_prefix p;
	assert_int_equal(prefix_parse(span_str(s), &p), 0);
	return p;
}

static struct ip_addr ip(const char *s)
{
	return net(s).addr;
}

TEST(tun_opens_with_a_name_of_the_kernel)
{
	struct tun second;
	struct tun_config config = {.name = "culvert%d", .queues = 2};
	assert_int_equal(tun_open(&config, &tun), 0);
	assert_string_equal(tun.name, "culvert0");
	assert_int_equal(tun.queues, 2);
	config.name = "culvert0"; /* exists with other flags */
	config.queues = 1;
	assert_int_equal(tun_open(&config, &second), -EBUSY);
	config.name = "lo";
	assert_int_equal(tun_open(&config, &second), -EBUSY);
	config.name = "much-too-long-a-name";
	assert_int_equal(tun_open(&config, &second), -EINVAL);
	config.name = "%s%n";
	assert_int_equal(tun_open(&config, &second), -EINVAL);
	config = (struct tun_config){.name = "vnet%d", .queues = 1, .wants_vnet_hdr = true};
	assert_int_equal(tun_open(&config, &second), 0);
	assert_true(second.has_vnet_hdr && second.offloads != 0);
	tun_close(&second);
}

TEST(link_is_found_and_changed)
{
	struct netlink_link link;
	assert_int_equal(netlink_link_index(nl, "nothere", &index_of_tun), -ENODEV);
	assert_int_equal(netlink_link_index(nl, tun.name, &index_of_tun), 0);
	assert_int_equal(netlink_link_set_mtu(nl, index_of_tun, 1387), 0);
	assert_int_equal(netlink_link_set_up(nl, index_of_tun, true), 0);
	assert_int_equal(netlink_link_get(nl, index_of_tun, &link), 0);
	assert_int_equal(link.mtu, 1387);
	assert_true(link.is_up);
	assert_string_equal(link.name, "culvert0");
	assert_true(netlink_link_set_mtu(nl, index_of_tun, 10000000) < 0);
}

static bool has_address(const char *s, const struct ip_addr *peer)
{
	struct netlink_address list[16];
	struct ip_prefix want = net(s);
	size_t n;
	assert_int_equal(netlink_address_list(nl, index_of_tun, list, N_ELEM(list), &n), 0);
	for (size_t i = 0; i < n; i++)
		if (addr_eq(&list[i].local.addr, &want.addr) && list[i].local.len == want.len &&
		        (peer == NULL || addr_eq(&list[i].peer, peer)))
			return (list[i].flags & IFA_F_TENTATIVE) == 0;
	return false;
}

TEST(addresses_come_and_go)
{
	struct ip_prefix a4 = net("10.9.8.7/24"), a6 = net("fd00:9::7/64"), p2p = net("10.1.1.1/32");
	struct ip_addr peer = ip("10.1.1.2");
	struct netlink_address one[1];
	size_t n;
	assert_int_equal(netlink_address_add(nl, index_of_tun, &a4, NULL), 0);
	assert_int_equal(netlink_address_add(nl, index_of_tun, &a4, NULL), -EEXIST);
	assert_int_equal(netlink_address_add(nl, index_of_tun, &a6, NULL), 0);
	assert_int_equal(netlink_address_add(nl, index_of_tun, &p2p, &peer), 0);
	assert_true(has_address("10.9.8.7/24", NULL));
	assert_true(has_address("fd00:9::7/64", NULL)); /* and usable at once */
	assert_true(has_address("10.1.1.1/32", &peer));
	assert_int_equal(netlink_address_list(nl, index_of_tun, one, 1, &n), ERR_TOO_LARGE);
	assert_int_equal(netlink_address_del(nl, index_of_tun, &p2p, &peer), 0);
	assert_int_equal(netlink_address_del(nl, index_of_tun, &p2p, &peer), -EADDRNOTAVAIL);
	assert_false(has_address("10.1.1.1/32", NULL));
}

static size_t count_routes(const char *dst, uint32_t table)
{
	struct netlink_route list[64];
	struct ip_prefix want = net(dst);
	size_t n, found = 0;
	assert_int_equal(netlink_route_list(nl, index_of_tun, list, N_ELEM(list), &n), 0);
	for (size_t i = 0; i < n; i++)
		found += addr_eq(&list[i].dst.addr, &want.addr) && list[i].dst.len == want.len &&
		         list[i].table == table;
	return found;
}

TEST(routes_come_and_go)
{
	struct netlink_route got;
	struct netlink_route r4 = {.dst = net("192.0.2.77/24"), .index = index_of_tun, .mtu = 1300};
	struct netlink_route r6 = {
	        .dst = net("2001:db8::/32"), .gateway = ip("fd00:9::1"), .index = index_of_tun};
	struct netlink_route all = {
	        .dst = net("0.0.0.0/0"), .gateway = ip("10.9.8.1"), .metric = 50, .table = 1234};
	struct ip_addr dst4 = ip("192.0.2.5"), dst6 = ip("2001:db8::5"), nowhere = ip("203.0.113.1");
	assert_int_equal(netlink_route_set(nl, NETLINK_ROUTE_ADD, &r4), 0);
	assert_int_equal(netlink_route_set(nl, NETLINK_ROUTE_ADD, &r4), -EEXIST);
	assert_int_equal(netlink_route_set(nl, NETLINK_ROUTE_ADD, &r6), 0);
	assert_int_equal(netlink_route_set(nl, NETLINK_ROUTE_ADD, &all), 0);
	assert_int_equal(netlink_route_lookup(nl, &dst4, &got), 0);
	assert_int_equal(got.index, index_of_tun);
	assert_int_equal(got.mtu, 1300);
	assert_false(addr_is_set(&got.gateway));
	struct ip_addr src = ip("10.9.8.7");
	assert_true(addr_eq(&got.prefsrc, &src));
	assert_int_equal(netlink_route_lookup(nl, &dst6, &got), 0);
	assert_true(addr_eq(&got.gateway, &r6.gateway));
	assert_int_equal(got.mtu, 1387); /* the link's */
	assert_int_equal(netlink_route_lookup(nl, &nowhere, &got), -ENETUNREACH);
	assert_int_equal(count_routes("192.0.2.0/24", RT_TABLE_MAIN), 1);
	assert_int_equal(count_routes("0.0.0.0/0", 1234), 1);
	assert_int_equal(count_routes("2001:db8::/32", RT_TABLE_MAIN), 1);
	r4.mtu = 1200;
	assert_int_equal(netlink_route_set(nl, NETLINK_ROUTE_REPLACE, &r4), 0);
	assert_int_equal(netlink_route_lookup(nl, &dst4, &got), 0);
	assert_int_equal(got.mtu, 1200);
	assert_int_equal(netlink_route_del(nl, &r4), 0);
	assert_int_equal(netlink_route_del(nl, &r4), -ESRCH);
	assert_int_equal(netlink_route_del(nl, &r6), 0);
	assert_int_equal(netlink_route_del(nl, &all), 0);
	r4.gateway = ip("fd00::1");
	assert_int_equal(netlink_route_set(nl, NETLINK_ROUTE_ADD, &r4), -EINVAL);
}

TEST(packets_leave_and_enter_by_the_queues)
{
	static uint8_t buf[8 * 2048];
	struct tun_packet got[8];
	struct sockaddr_storage sa;
	struct ip_addr to = ip("10.9.8.99");
	socklen_t len = addr_to_sockaddr(&to, 9, &sa);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), found = 0;
	for (int i = 0; i < 3; i++)
		assert_int_equal(sendto(fd, "hello", 5, 0, (struct sockaddr *)&sa, len), 5);
	close(fd);
	for (unsigned q = 0; q < tun.queues; q++) {
		int n = tun_read_batch(tun.fds[q], buf, 2048, got, 8);
		assert_true(n >= 0);
		for (int i = 0; i < n; i++)
			found += got[i].n == 33 && got[i].p[0] == 0x45 &&
			         memcmp(got[i].p + 28, "hello", 5) == 0;
	}
	assert_int_equal(found, 3);
	assert_int_equal(tun_writev(tun.fds[0], &(struct iovec){got[0].p, 33}, 1), 0);
	assert_int_equal(tun_writev(tun.fds[0], &(struct iovec){(char[]){"\xff"}, 1}, 1), -EINVAL);
}

static unsigned seen;

static void on_event(void *ctx, const struct netlink_event *e)
{
	(void)ctx;
	seen |= 1u << e->kind;
	if (e->kind == NETLINK_ROUTE_NEW && e->route.table == RT_TABLE_MAIN)
		assert_int_equal(e->route.index, index_of_tun);
}

TEST(monitor_tells_changes)
{
	struct netlink_monitor *m;
	struct ip_prefix a = net("10.77.0.1/24");
	assert_int_equal(netlink_monitor_open(&m), 0);
	assert_int_equal(netlink_monitor_read(m, on_event, NULL), 0);
	assert_int_equal(seen, 0);
	assert_int_equal(netlink_address_add(nl, index_of_tun, &a, NULL), 0);
	assert_int_equal(netlink_address_del(nl, index_of_tun, &a, NULL), 0);
	assert_int_equal(netlink_link_set_mtu(nl, index_of_tun, 1400), 0);
	tun_close(&tun);
	struct pollfd p = {.fd = netlink_monitor_fd(m), .events = POLLIN};
	unsigned want = 1u << NETLINK_LINK_NEW | 1u << NETLINK_LINK_GONE | 1u << NETLINK_ADDRESS_NEW |
	                1u << NETLINK_ADDRESS_GONE | 1u << NETLINK_ROUTE_NEW | 1u << NETLINK_ROUTE_GONE;
	while ((seen & want) != want && poll(&p, 1, 2000) > 0)
		assert_int_equal(netlink_monitor_read(m, on_event, NULL), 0);
	assert_int_equal(seen & want, want);
	netlink_monitor_close(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(tun_opens_with_a_name_of_the_kernel),
	        cmocka_unit_test(link_is_found_and_changed),
	        cmocka_unit_test(addresses_come_and_go),
	        cmocka_unit_test(routes_come_and_go),
	        cmocka_unit_test(packets_leave_and_enter_by_the_queues),
	        cmocka_unit_test(monitor_tells_changes),
	};
	int status = netns_enter(&nl);
	if (status != 0)
		return status;
	status = RUN(tests);
	netlink_close(nl);
	return status;
}

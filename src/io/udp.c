#include "io/udp.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/udp.h>

static int udp_opt(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int udp_buffers_set(int fd, int bytes)
{
	static const int names[][2] = {{SO_RCVBUFFORCE, SO_RCVBUF}, {SO_SNDBUFFORCE, SO_SNDBUF}};
	int r = 0;
	for (size_t i = 0; bytes > 0 && r == 0 && i < N_ELEM(names); i++)
		if (udp_opt(fd, SOL_SOCKET, names[i][0], bytes) < 0)
			r = udp_opt(fd, SOL_SOCKET, names[i][1], bytes);
	return r;
}

int udp_set_pmtu(const struct udp *u, enum udp_pmtu pmtu)
{
	int r = 0;
	if (u->family == 6)
		r = udp_opt(u->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
		        pmtu == UDP_PMTU_PROBE ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT);
	/* a dual socket sends IPv4 by this one */
	int r4 = udp_opt(u->fd, IPPROTO_IP, IP_MTU_DISCOVER,
	        pmtu == UDP_PMTU_PROBE ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT);
	return r < 0 || u->family == 6 ? r : r4;
}

/* A socket with all options, not yet bound. */
static int udp_make(const struct udp_config *config, uint8_t family, bool is_dual, struct udp *ret)
{
	struct udp u = {.family = family};
	int r;
	u.fd = socket(
	        family == 6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
	if (u.fd < 0)
		return -errno;
	if (family == 6) {
		if ((r = udp_opt(u.fd, IPPROTO_IPV6, IPV6_V6ONLY, !is_dual)) < 0 ||
		        (r = udp_opt(u.fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)) < 0)
			goto fail;
	} else if ((r = udp_opt(u.fd, IPPROTO_IP, IP_PKTINFO, 1)) < 0) {
		goto fail;
	}
	if (config->has_reuseport && (r = udp_opt(u.fd, SOL_SOCKET, SO_REUSEPORT, 1)) < 0)
		goto fail;
	if ((r = udp_buffers_set(u.fd, config->buffer_bytes)) < 0 || (r = udp_set_pmtu(&u, config->pmtu)) < 0)
		goto fail;
	u.has_gro = config->wants_gro && udp_opt(u.fd, IPPROTO_UDP, UDP_GRO, 1) == 0;
	*ret = u;
	return 0;
fail:
	close(u.fd);
	return r;
}

static int udp_bind(const struct udp *u, const struct ip_addr *local, uint16_t port)
{
	union udp_addr a = udp_addr_make(u, local, port);
	return bind(u->fd, &a.sa, u->family == 6 ? sizeof(a.in6) : sizeof(a.in4)) < 0 ? -errno : 0;
}

int udp_listen(const struct udp_config *config, struct udp *ret)
{
	bool is_dual = !addr_is_set(&config->local);
	struct udp u;
	int r = udp_make(config, is_dual ? 6 : config->local.family, is_dual, &u);
	if (r == -EAFNOSUPPORT && is_dual)
		r = udp_make(config, 4, false, &u);
	if (r < 0)
		return r;
	r = udp_bind(&u, &config->local, config->port);
	if (r == -EADDRNOTAVAIL && is_dual && u.family == 6) { /* IPv6 is built in but switched off */
		close(u.fd);
		if ((r = udp_make(config, 4, false, &u)) < 0)
			return r;
		r = udp_bind(&u, &config->local, config->port);
	}
	if (r < 0) {
		close(u.fd);
		return r;
	}
	*ret = u;
	return 0;
}

int udp_connect(const struct udp_config *config, const struct ip_addr *peer, uint16_t port, struct udp *ret)
{
	struct udp u;
	int r = udp_make(config, peer->family, false, &u);
	if (r < 0)
		return r;
	if (addr_is_set(&config->local) || config->port != 0)
		r = udp_bind(&u, &config->local, config->port);
	union udp_addr a = udp_addr_make(&u, peer, port);
	if (r == 0 && connect(u.fd, &a.sa, u.family == 6 ? sizeof(a.in6) : sizeof(a.in4)) < 0)
		r = -errno;
	if (r < 0) {
		close(u.fd);
		return r;
	}
	u.is_connected = true;
	*ret = u;
	return 0;
}

int udp_adopt(int fd, struct udp *ret)
{
	int family, has_gro = 0;
	socklen_t len = sizeof(family);
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len) < 0)
		return -errno;
	len = sizeof(has_gro);
	if (getsockopt(fd, IPPROTO_UDP, UDP_GRO, &has_gro, &len) < 0)
		has_gro = 0;
	*ret = (struct udp){.fd = fd, .family = family == AF_INET6 ? 6 : 4, .has_gro = has_gro != 0};
	return 0;
}

void udp_close(struct udp *u)
{
	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
}

int udp_local_port(const struct udp *u, uint16_t *ret)
{
	union udp_addr a;
	socklen_t len = sizeof(a);
	if (getsockname(u->fd, &a.sa, &len) < 0)
		return -errno;
	udp_addr_ip(&a, ret);
	return 0;
}

int udp_path_mtu(const struct udp *u, uint16_t *ret)
{
	int mtu = 0;
	socklen_t len = sizeof(mtu);
	int r = u->family == 6 ? getsockopt(u->fd, IPPROTO_IPV6, IPV6_MTU, &mtu, &len)
	                       : getsockopt(u->fd, IPPROTO_IP, IP_MTU, &mtu, &len);
	if (r < 0)
		return -errno;
	*ret = mtu < 0 ? 0 : mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)mtu;
	return 0;
}

union udp_addr udp_addr_make(const struct udp *u, const struct ip_addr *addr, uint16_t port)
{
	union udp_addr a;
	memset(&a, 0, sizeof(a)); /* all of it: udp_addr_eq() and hashes of the bytes rely on that */
	if (u->family == 4) {
		a.in4.sin_family = AF_INET;
		a.in4.sin_port = htons(port);
		memcpy(&a.in4.sin_addr, addr->b, 4);
		return a;
	}
	a.in6.sin6_family = AF_INET6;
	a.in6.sin6_port = htons(port);
	if (addr->family == 4) {
		a.in6.sin6_addr.s6_addr[10] = a.in6.sin6_addr.s6_addr[11] = 0xff;
		memcpy(&a.in6.sin6_addr.s6_addr[12], addr->b, 4);
	} else {
		memcpy(&a.in6.sin6_addr, addr->b, 16);
	}
	return a;
}

struct ip_addr udp_addr_ip(const union udp_addr *a, uint16_t *ret_port)
{
	return addr_from_sockaddr(&a->sa, ret_port);
}

bool udp_addr_eq(const union udp_addr *a, const union udp_addr *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in4.sin_port == b->in4.sin_port && a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
	return a->in6.sin6_port == b->in6.sin6_port && a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
	       memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16) == 0;
}

#include "gateway/gateway_if.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/err.h"
#include "io/cpus.h"
#include "io/log.h"
#include "io/offload.h"
#include "io/sock.h"

static const char *const forward_paths[GATEWAY_N_FORWARD] = {
        [GATEWAY_FORWARD_4] = "/proc/sys/net/ipv4/ip_forward",
        [GATEWAY_FORWARD_6] = "/proc/sys/net/ipv6/conf/all/forwarding",
};

void gateway_if_init(struct gateway_if *g)
{
	*g = (struct gateway_if){.control_fd = -1, .n_threads = 1};
	for (size_t i = 0; i < POLICY_MAX_THREADS; i++)
		g->tcp_fds[i] = g->udps[i].fd = -1;
	for (size_t i = 0; i < STEER_N_KEYS; i++)
		g->steer_fds[i] = -1;
}

/* ---- threads ---- */

/* As the configuration says, or one for every processor that the gateway may use. */
static unsigned n_threads_of(const struct config *c)
{
	if (c->worker_threads > 0)
		return c->worker_threads;
	unsigned n = cpus_usable();
	return n < POLICY_MAX_THREADS ? n : POLICY_MAX_THREADS;
}

static void fd_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Keeps the sockets of the first n. One that nobody serves would swallow its share of the clients. */
static void threads_close(struct gateway_if *g, unsigned n)
{
	for (; g->n_threads > n; g->n_threads--) {
		struct udp *u = &g->udps[g->n_threads - 1];
		fd_close(&g->tcp_fds[g->n_threads - 1]);
		if (u->fd >= 0)
			udp_close(u);
		u->fd = -1;
	}
}

/* ---- TUN ---- */

int gateway_if_open_tun(struct gateway_if *g, const struct config *c, struct text *why)
{
	struct tun_config want = {.name = c->tunnel_interface,
	        .queues = g->n_threads,
	        .wants_vnet_hdr = !(g->offloads_refused & OFFLOAD_TUN),
	        .offloads_refused = offload_tun_refused(g->offloads_refused),
	        .queue_packets = GATEWAY_IF_TUN_PACKETS};
	int r = netlink_open(&g->nl);
	if (r < 0) {
		text_fmt(why, "cannot talk to the kernel's network configuration: %s", err_text(r));
		return r;
	}
	r = g->offloads_refused & OFFLOAD_QUEUES && want.queues > 1 ? -EOPNOTSUPP : tun_open(&want, &g->tun);
	if (r < 0 && want.queues > 1) {
		log_line(LOG_NOTICE, "no tunnel device with %u queues (%s): one worker thread", want.queues,
		        err_text(r));
		threads_close(g, 1);
		want.queues = 1;
		r = tun_open(&want, &g->tun);
	}
	if (r < 0) {
		text_fmt(why, "cannot make the tunnel device %s: %s%s", c->tunnel_interface,
		        tun_error_text(r), r == -EBUSY ? " (\"tunnel-interface NAME\")" : "");
		return r;
	}
	if ((r = netlink_link_index(g->nl, g->tun.name, &g->ifindex)) < 0)
		text_fmt(why, "cannot find the tunnel device %s: %s", g->tun.name, err_text(r));
	return r;
}

static int steer_open(struct gateway_if *g, enum steer_key key)
{
	int program_fd, r = g->offloads_refused & OFFLOAD_STEER ? -EOPNOTSUPP : 0;
	if (r == 0)
		r = steer_new(key, &g->steer_fds[key], &program_fd);
	if (r < 0)
		return r;
	r = key == STEER_BY_SOURCE ? steer_udp(g->udps[0].fd, program_fd)
	                           : steer_tun(g->tun.fds[0], program_fd);
	close(program_fd);
	if (r < 0)
		fd_close(&g->steer_fds[key]);
	return r;
}

void gateway_if_steer(struct gateway_if *g)
{
	int r = 0;
	for (enum steer_key key = 0; r == 0 && g->n_threads > 1 && key < STEER_N_KEYS; key++)
		r = steer_open(g, key);
	if (r < 0)
		log_line(LOG_NOTICE, "packets cannot be steered to their thread (%s): threads hand them over",
		        err_text(r));
}

static int address_change(struct gateway_if *g, const struct ip_prefix *p, bool is_wanted, struct text *why)
{
	char buf[PREFIX_TEXT_MAX];
	int r = is_wanted ? netlink_address_add(g->nl, g->ifindex, p, NULL)
	                  : netlink_address_del(g->nl, g->ifindex, p, NULL);
	if (r == 0 || (is_wanted && r == -EEXIST) || (!is_wanted && r == -EADDRNOTAVAIL))
		return 0;
	text_fmt(why, "cannot %s %s on %s: %s", is_wanted ? "set" : "remove", prefix_format(p, buf),
	        g->tun.name, err_text(r));
	return r;
}

static int addresses_apply(struct gateway_if *g, const struct inner_net *want, struct text *why)
{
	for (size_t i = 0; i < want->n; i++)
		if (!inner_net_has(&g->net, &want->v[i])) {
			int r = address_change(g, &want->v[i], true, why);
			if (r < 0)
				return r;
		}
	/* last: a session of the old pool keeps its route as long as nothing failed */
	for (size_t i = 0; i < g->net.n; i++)
		if (!inner_net_has(want, &g->net.v[i])) {
			int r = address_change(g, &g->net.v[i], false, why);
			if (r < 0)
				return r;
		}
	g->net = *want;
	return 0;
}

/* ---- forwarding: a gateway that does not forward is useless ---- */

static bool sysctl_is_on(const char *path)
{
	char c = '0';
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	bool is_on = read(fd, &c, 1) == 1 && c != '0';
	close(fd);
	return is_on;
}

static int sysctl_put(const char *path, bool is_on)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = write(fd, is_on ? "1" : "0", 1) == 1 ? 0 : -errno;
	close(fd);
	return r;
}

static void forward_on(struct gateway_if *g, enum gateway_if_forward which)
{
	const char *path = forward_paths[which];
	if (g->has_forward[which] || sysctl_is_on(path))
		return;
	int r = sysctl_put(path, true);
	if (r < 0) {
		log_line(LOG_WARNING, "forwarding is off, clients will reach nothing but the gateway: %s: %s",
		        path, err_text(r));
		return;
	}
	g->has_forward[which] = true;
	log_line(LOG_NOTICE, "forwarding was off: set %s to 1 until the end", path);
}

/* The ICMP errors of the worker come out of the TUN device with the gateway's own address as their source,
 * which Linux takes for a forgery otherwise. What a client sends with that address the worker drops. The
 * setting goes with the device. */
static void accept_own_answers(const struct gateway_if *g)
{
	char path[sizeof("/proc/sys/net/ipv4/conf//accept_local") + IFNAMSIZ];
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/accept_local", g->tun.name);
	int r = sysctl_put(path, true);
	if (r < 0)
		log_line(LOG_WARNING,
		        "servers inside will not learn that their packets are too big: "
		        "%s: %s",
		        path, err_text(r));
}

int gateway_if_apply(struct gateway_if *g, const struct config *c, struct text *why)
{
	struct inner_net want;
	int r = inner_net_plan(c, &want);
	if (r < 0) {
		text_fmt(why, "more than %d different networks in address pools", INNER_NET_MAX);
		return r;
	}
	const uint32_t mtu = inner_net_mtu(c, &want);
	if ((r = netlink_link_set_mtu(g->nl, g->ifindex, mtu)) < 0) {
		text_fmt(why, "cannot set the MTU of %s to %u: %s", g->tun.name, mtu, err_text(r));
		return r;
	}
	if ((r = netlink_link_set_up(g->nl, g->ifindex, true)) < 0) {
		text_fmt(why, "cannot set %s up: %s", g->tun.name, err_text(r));
		return r;
	}
	if ((r = addresses_apply(g, &want, why)) < 0)
		return r;
	if (want.has_ip4) {
		accept_own_answers(g);
		forward_on(g, GATEWAY_FORWARD_4);
	}
	if (want.has_ip6)
		forward_on(g, GATEWAY_FORWARD_6);
	return 0;
}

/* ---- sockets ---- */

static void where_put(struct text *t, const char *what, const struct ip_addr *a, uint32_t port)
{
	char buf[ADDR_TEXT_MAX];
	text_fmt(t, "cannot listen on %s port %u", what, port);
	if (addr_is_set(a))
		text_fmt(t, " of %s", addr_format(a, buf));
}

/* n listeners and n UDP sockets. */
static int ports_open(struct gateway_if *g, const struct sock_listen *tcp, const struct udp_config *udp,
        unsigned n, struct text *why)
{
	int r = 0;
	for (unsigned i = 0; r == 0 && i < n; i++) {
		if ((r = sock_listen_tcp(tcp, &g->tcp_fds[i])) < 0)
			where_put(why, "TCP", &tcp->addr, tcp->port);
		else if ((r = udp_listen(udp, &g->udps[i])) < 0)
			where_put(why, "UDP", &udp->local, udp->port);
	}
	if (r < 0)
		text_fmt(why, ": %s", sock_listen_hint(r));
	return r;
}

int gateway_if_open_sockets(
        struct gateway_if *g, const struct config *c, const char *control_path, struct text *why)
{
	const struct webvpn_settings *web = &c->webvpn;
	struct sock_listen tcp = {
	        .addr = web->listen, .port = (uint16_t)web->tls_port, .mss_bytes = GATEWAY_IF_MSS_BYTES};
	struct udp_config udp = {
	        .local = web->listen,
	        .port = (uint16_t)web->dtls_port,
	        .wants_gro = !(g->offloads_refused & OFFLOAD_GRO),
	        /* for classic sessions as well: what they announce fits the base MTU in one datagram */
	        .pmtu = UDP_PMTU_PROBE,
	        .buffer_bytes = GATEWAY_IF_UDP_BUFFER_BYTES,
	};
	g->n_threads = n_threads_of(c);
	int r = ports_open(g, &tcp, &udp, 1, why);
	if (r == 0 && g->n_threads > 1) {
		/* sockets that share a port would share it with another gateway as well: the first pair has
		 * shown that there is none */
		fd_close(&g->tcp_fds[0]);
		udp_close(&g->udps[0]);
		g->udps[0].fd = -1;
		tcp.has_reuseport = udp.has_reuseport = true;
		r = ports_open(g, &tcp, &udp, g->n_threads, why);
	}
	if (r < 0)
		return r;
	if ((r = sock_listen_unix(control_path, 0660, 0, 0, &g->control_fd)) < 0) {
		text_fmt(why, "cannot make the control socket %s: %s", control_path,
		        r == -EADDRINUSE ? "another culvertd answers on it" : err_text(r));
		return r;
	}
	g->control_path = control_path;
	return 0;
}

void gateway_if_close(struct gateway_if *g)
{
	if (g->control_path != NULL)
		unlink(g->control_path);
	g->control_path = NULL;
	fd_close(&g->control_fd);
	threads_close(g, 0);
	for (size_t i = 0; i < STEER_N_KEYS; i++)
		fd_close(&g->steer_fds[i]);
	for (int i = 0; i < GATEWAY_N_FORWARD; i++)
		if (g->has_forward[i]) {
			int r = sysctl_put(forward_paths[i], false);
			if (r < 0)
				log_line(LOG_WARNING, "cannot set %s back to 0: %s", forward_paths[i],
				        err_text(r));
			g->has_forward[i] = false;
		}
	tun_close(&g->tun);
	netlink_close(g->nl);
	g->nl = NULL;
}

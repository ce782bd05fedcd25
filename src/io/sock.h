/* Stream sockets: TCP to listen, accept and dial, and the UNIX listening socket of the console.
 * All descriptors are non-blocking and close-on-exec. */
#ifndef IO_SOCK_H
#define IO_SOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/util.h"

/* ---- listen and accept ---- */

struct sock_listen {
	struct ip_addr addr; /* none: all addresses of both families, one dual socket; IPv6 ones are V6ONLY */
	uint16_t port;       /* 0: the kernel chooses */
	int backlog;         /* 0: SOMAXCONN */
	bool has_reuseport;  /* several sockets share the port, one per thread */
	uint16_t mss_bytes;  /* largest segment of the connections, both directions; 0: as the path allows */
};

MUST_USE int sock_listen_tcp(const struct sock_listen *l, int *ret_fd);
/* What to tell the operator about a failed bind, TCP or UDP. */
const char *sock_listen_hint(int err);
/* The new descriptor, or -EAGAIN when nobody waits, or -errno. Connections that died in the queue are
 * skipped. On -EMFILE and -ENFILE the caller should pause: the connection stays in the queue. */
MUST_USE int sock_accept(int listen_fd, struct ip_addr *ret_peer, uint16_t *ret_port);

MUST_USE int sock_local(int fd, struct ip_addr *ret, uint16_t *ret_port);

/* ---- TCP options and facts ---- */

/* TCP_NODELAY on; keepalive after idle_s, then 3 probes interval_s apart (0: no keepalive). */
MUST_USE int sock_tune(int fd, unsigned idle_s, unsigned interval_s);

/* How much may wait in the kernel unsent: send() takes no more, and what is sent later is decided later
 * (TCP_NOTSENT_LOWAT). Packets that wait here cannot be dropped or overtaken. */
MUST_USE int sock_limit_unsent(int fd, unsigned bytes);

struct sock_tcp_facts {
	uint32_t rtt_us;
	uint32_t pmtu_bytes;
	uint32_t snd_mss_bytes; /* as sent, with options taken off */
	uint32_t rcv_mss_bytes;
	uint32_t adv_mss_bytes;
	uint32_t retransmits; /* in all */
	uint32_t unacked;     /* segments on the way */
	uint32_t notsent_bytes;
	uint64_t delivered_bytes_per_s; /* as last measured by what was acknowledged; 0: not known */
};
MUST_USE int sock_tcp_facts(int fd, struct sock_tcp_facts *ret); /* TCP_INFO */

/* ---- dial: one of several addresses, the next one is tried while the former still hangs ---- */

#define SOCK_DIAL_MAX     16   /* addresses; further ones are not tried */
#define SOCK_DIAL_NEXT_MS 2000 /* after this long the next one is tried as well (RFC 8305, leisurely) */

struct sock_target {
	struct ip_addr addr;
	uint16_t port;
	uint16_t mss_bytes; /* largest segment, both directions; 0: as the path allows */
};

/* A name (or literal) and port to targets, families interleaved, first family as the resolver says. Blocks as
 * getaddrinfo(3) does: client start only. -ENOENT: no such name; -EAGAIN: the name server does not answer. */
MUST_USE int sock_resolve(
        const char *host, uint16_t port, struct sock_target ret[static SOCK_DIAL_MAX], size_t *ret_n);

struct sock_dial {
	struct sock_target targets[SOCK_DIAL_MAX];
	int fds[SOCK_DIAL_MAX]; /* -1: not tried or failed; the caller may poll these for writing */
	size_t n_targets;
	size_t n_tried;
	ms_t next_at_ms; /* when to step even if no descriptor became ready; MS_NEVER */
	int last_err;
};

/* Nothing is sent before the first step. */
void sock_dial_init(struct sock_dial *d, const struct sock_target *targets, size_t n);
/* 0: connected, *ret_fd is the caller's and *ret_which the target's number, all others are closed; ERR_MORE:
 * wait for a descriptor or next_at_ms; -errno of the last attempt when all failed. */
MUST_USE int sock_dial_step(struct sock_dial *d, ms_t now_ms, int *ret_fd, size_t *ret_which);
void sock_dial_done(struct sock_dial *d);
/* The same, blocking, for a program that has nothing else to do. ERR_TIMEOUT. */
MUST_USE int sock_dial_wait(
        const struct sock_target *targets, size_t n, unsigned timeout_ms, int *ret_fd, size_t *ret_which);

/* ---- UNIX listening socket ---- */

/* SOCK_SEQPACKET at path with exactly this mode and owner (-1: unchanged). A dead socket left there is
 * removed, one that answers gives -EADDRINUSE, anything that is no socket -EEXIST. */
MUST_USE int sock_listen_unix(const char *path, mode_t mode, uid_t uid, gid_t gid, int *ret_fd);
MUST_USE int sock_connect_unix(const char *path, int *ret_fd); /* SOCK_SEQPACKET */
/* Who is at the other end (SO_PEERCRED: as of its connect). */
MUST_USE int sock_peer_cred(int fd, uid_t *ret_uid, gid_t *ret_gid, pid_t *ret_pid);

#endif

/* Which session a datagram belongs to: by the id in a ClientHello, by peer, by host. Tables of this thread,
 * and of the process (session_key.c); the kernel is told as well (io/steer.h). */
#include <sys/random.h>

#include "gateway/dtls_int.h"
#include "gateway/process.h"
#include "io/log.h"

uint64_t dtls_peer_hash(struct worker *w, const union udp_addr *peer, struct dtls_peer_key *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->addr = udp_addr_ip(peer, &ret->port);
	return htab_hash(w->tables.hash_key, span_of(ret, sizeof(*ret)));
}

uint64_t dtls_host_hash(struct worker *w, const struct ip_addr *host)
{
	return htab_hash(w->tables.hash_key, span_of(host, sizeof(*host)));
}

uint64_t dtls_id_hash(struct worker *w, struct span id)
{
	return htab_hash(w->tables.hash_key, id);
}

struct session *dtls_find_next(struct worker *w, const union udp_addr *peer)
{
	struct dtls_peer_key key;
	struct session *s = session_key_find(w, SESSION_BY_NEXT, dtls_peer_hash(w, peer, &key));
	while (s && !udp_addr_eq(&s->dtls.next.path.peer, peer))
		s = session_key_next(s, SESSION_BY_NEXT);
	return s;
}

struct session *dtls_find_by_id(struct worker *w, struct span id)
{
	struct session *s = session_key_find(w, SESSION_BY_DTLS_ID, dtls_id_hash(w, id));
	while (s && (id.n != sizeof(s->dtls.id) || memcmp(id.p, s->dtls.id, sizeof(s->dtls.id)) != 0))
		s = session_key_next(s, SESSION_BY_DTLS_ID);
	return s;
}

/* ---- what a session is found by ---- */

static void log_no_memory(const struct session *s)
{
	log_line(LOG_ERR, "session %u: out of memory, DTLS not usable", s->id.index);
}

void dtls_set_active_peer(struct session *s, const struct udp_path *path)
{
	struct dtls_peer_key key;
	s->dtls.active.path = *path;
	if (session_key_set(s, SESSION_BY_PEER, dtls_peer_hash(s->w, &path->peer, &key)) < 0)
		log_no_memory(s);
	steer_set(s->w->process->steer[STEER_BY_SOURCE], &key.addr, key.port, s->w->index);
	dtls_expect_from(s, &key.addr);
}

void dtls_expect_from(struct session *s, const struct ip_addr *host)
{
	if (session_key_set(s, SESSION_BY_HOST, dtls_host_hash(s->w, host)) < 0)
		log_no_memory(s);
}

void dtls_set_next_peer(struct session *s, const struct udp_path *path)
{
	struct dtls_peer_key key;
	s->dtls.next.path = *path;
	if (session_key_set(s, SESSION_BY_NEXT, dtls_peer_hash(s->w, &path->peer, &key)) < 0)
		log_no_memory(s);
	steer_set(s->w->process->steer[STEER_BY_SOURCE], &key.addr, key.port, s->w->index);
}

void dtls_id_new(struct session *s)
{
	session_key_drop(s, SESSION_BY_DTLS_ID);
	if (getrandom(s->dtls.id, sizeof(s->dtls.id), 0) != (ssize_t)sizeof(s->dtls.id) ||
	        session_key_set(s, SESSION_BY_DTLS_ID,
	                dtls_id_hash(s->w, span_of(s->dtls.id, sizeof(s->dtls.id)))) < 0)
		s->dtls.suite = DTLS_NONE;
}

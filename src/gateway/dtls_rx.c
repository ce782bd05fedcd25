/* Datagrams: which session and which of its associations they belong to, and their records. */
#include "gateway/dtls_int.h"
#include "gateway/process.h"

#define REBIND_TRIES_MAX 8 /* sessions behind one public address tried for a datagram from a new port */

size_t dtls_read_records(struct session *s, struct session_assoc *a)
{
	uint8_t *plain;
	size_t n_records = 0;
	s->w->turn.dtls_pending = s; /* for what it answers */
	while (a->dtls && !s->is_closing) {
		int n = dtls_read_view(a->dtls, s->w->scratch.plain, CSTP_RECORD_MAX, &plain);
		if (n == 0)
			break;
		if (n < 0 && a == &s->dtls.old)
			dtls_old_done(s);
		else if (n < 0)
			session_on_dtls_lost(s, "Transport closing");
		if (n < 0)
			break;
		n_records++;
		session_on_dtls_record(s, span_of(plain, (size_t)n));
	}
	return n_records;
}

/* Reads what the datagram holds; how many records were authentic. */
static size_t read_assoc(
        struct session *s, struct session_assoc *a, const struct udp_datagram *in, bool is_alone)
{
	/* what OpenSSL itself answers (a repeated Finished, an alert) must not go out with another's batch */
	if (s->w->turn.dtls_pending != s)
		dtls_tx_flush(s->w);
	if (is_alone)
		dtls_feed_writable(a->dtls, in->p, in->n);
	else
		dtls_feed(a->dtls, span_of(in->p, in->n));
	return dtls_read_records(s, a);
}

/* What was sent before the client knew of the new keys. */
static size_t read_old(struct session *s, const struct udp_datagram *in)
{
	return s->is_closing || s->dtls.old.dtls == NULL ? 0 : read_assoc(s, &s->dtls.old, in, false);
}

/* Associations in use with this very peer: one, but a client that starts anew on its old port has two for a
 * while, and only the keys tell which one is meant. *ret_any: there was one at all. */
static size_t read_active(struct worker *w, const struct udp_datagram *in, bool may_spoil, bool *ret_any)
{
	struct dtls_peer_key key;
	struct session *s = session_key_find(w, SESSION_BY_PEER, dtls_peer_hash(w, in->peer, &key)), *next;
	size_t n_records = 0;
	for (int i = 0; s && n_records == 0 && i < REBIND_TRIES_MAX; s = next, i++) {
		next = session_key_next(s, SESSION_BY_PEER);
		if (s->dtls.active.dtls == NULL || !udp_addr_eq(&s->dtls.active.path.peer, in->peer))
			continue;
		*ret_any = true;
		bool is_alone = may_spoil && next == NULL && i == 0 && s->dtls.old.dtls == NULL;
		n_records = read_assoc(s, &s->dtls.active, in, is_alone);
		w->turn.dtls_same = is_alone && n_records > 0 ? s : NULL;
		if (n_records == 0)
			n_records = read_old(s, in);
	}
	return n_records;
}

/* The client's address or port changed on the way (NAT): whoever can decrypt it, it is. The new address
 * counts only because a record proved it, one that is newer than all before: else it is where the client was,
 * or somebody has held it back. */
static bool try_rebind(struct worker *w, const struct udp_datagram *in)
{
	uint16_t port;
	struct ip_addr host = udp_addr_ip(in->peer, &port);
	struct session *s = session_key_find(w, SESSION_BY_HOST, dtls_host_hash(w, &host)), *next;
	for (int i = 0; s && i < REBIND_TRIES_MAX; s = next, i++) {
		next = session_key_next(s, SESSION_BY_HOST);
		if (s->dtls.active.dtls == NULL)
			continue;
		if (read_assoc(s, &s->dtls.active, in, false) == 0) {
			if (read_old(s, in) > 0)
				return true;
			continue;
		}
		if (s->is_closing || s->dtls.active.dtls == NULL || !dtls_read_latest(s->dtls.active.dtls))
			return true;
		dtls_set_active_peer(s, &(struct udp_path){.peer = *in->peer, .local = *in->local});
		link_on_peer_address_change(&s->link, worker_now(w));
		session_touch(s);
		return true;
	}
	return false;
}

/* To a thread that may have the session and has not tried it: whatever the order, each tries once. */
static void pass_on(struct worker *w, const struct udp_datagram *in, uint64_t tried, uint64_t threads)
{
	struct handover_head head = {.is_datagram = true,
	        .ifindex = in->ifindex,
	        .tried = tried | (uint64_t)1 << w->index,
	        .peer = *in->peer,
	        .local = *in->local};
	if ((threads & ~head.tried) != 0)
		process_hand_over(w, threads & ~head.tried, &head, span_of(in->p, in->n));
}

/* A record of this peer may be decrypted where it lies, unless somebody else has to try it as well. */
static bool is_peer_ours_alone(struct worker *w, const union udp_addr *peer)
{
	struct dtls_peer_key key;
	return w->process->n_threads == 1 || !owners_are_shared(&w->process->owners, OWNER_PEER) ||
	       session_key_elsewhere(w, SESSION_BY_PEER, dtls_peer_hash(w, peer, &key)) == 0;
}

/* False: it is none of ours; *ret_is_known: its peer is. */
static bool place(struct worker *w, const struct udp_datagram *in, bool *ret_is_known)
{
	/* on a shared 4-tuple the old association may still carry data while the new one shakes hands */
	struct session *next = dtls_find_next(w, in->peer);
	if ((next == NULL || in->p[0] == DTLS_APPDATA) &&
	        read_active(w, in, next == NULL && is_peer_ours_alone(w, in->peer), ret_is_known) > 0)
		return true;
	if (next) {
		if (next->dtls.next.dtls)
			dtls_handshake_step(next, span_of(in->p, in->n));
		return true;
	}
	return !*ret_is_known && in->p[0] == DTLS_APPDATA && try_rebind(w, in);
}

static void on_datagram(struct worker *w, const struct udp_datagram *in, uint64_t tried)
{
	struct dtls_hello hello;
	struct dtls_peer_key key;
	bool is_known = false;
	if (in->n < DTLS_RECORD_HEADER_BYTES)
		return;
	if (in->p[0] == DTLS_HANDSHAKE && dtls_hello_parse(span_of(in->p, in->n), &hello) == 0) {
		struct session *s = dtls_find_by_id(w, hello.id);
		if (s)
			dtls_on_hello(s, in, &hello);
		else
			pass_on(w, in, tried,
			        session_key_elsewhere(w, SESSION_BY_DTLS_ID, dtls_id_hash(w, hello.id)));
		return;
	}
	if (place(w, in, &is_known) || w->process->n_threads == 1)
		return;
	uint64_t threads = session_key_elsewhere(w, SESSION_BY_PEER, dtls_peer_hash(w, in->peer, &key));
	if ((threads & ~tried) == 0 && !is_known && in->p[0] == DTLS_APPDATA)
		threads = session_key_elsewhere(w, SESSION_BY_HOST, dtls_host_hash(w, &key.addr));
	pass_on(w, in, tried, threads);
}

void dtls_rx_handed_over(struct worker *w, const struct udp_datagram *in, uint64_t tried)
{
	on_datagram(w, in, tried);
}

/* Data of the session that the last datagram was for: a train has dozens, and two questions to the tables for
 * each were a tenth of the gateway's time. Sessions that end live until the end of the turn. */
static bool read_same(struct worker *w, const struct udp_datagram *in)
{
	struct session *s = w->turn.dtls_same;
	if (s == NULL || in->n < DTLS_RECORD_HEADER_BYTES || in->p[0] != DTLS_APPDATA || s->is_closing ||
	        s->dtls.active.dtls == NULL || s->dtls.old.dtls != NULL ||
	        !udp_addr_eq(&s->dtls.active.path.peer, in->peer))
		return false;
	(void)read_assoc(s, &s->dtls.active, in, true);
	return true;
}

void dtls_rx_ready(struct worker *w)
{
	const struct udp_datagram *batch;
	int n = udp_recv_batch(&w->udp, w->scratch.udp_rx, &batch);
	for (int i = 0; i < n; i++) {
		if (read_same(w, &batch[i]))
			continue;
		w->turn.dtls_same = NULL; /* whatever comes may change who is meant */
		on_datagram(w, &batch[i], 0);
	}
	w->turn.dtls_same = NULL;
	worker_flush(w);
}

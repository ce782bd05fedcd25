/* Datagrams: which session they belong to, its handshake, its records; and the way back.
 * Source: wire-protocol.md 4.3 - 4.6. A stranger gets no answer, and no state is kept for one. */
#include <errno.h>
#include <sys/random.h>

#include "gateway/conn.h"
#include "gateway/offer.h"
#include "gateway/process.h"
#include "gateway/session.h"
#include "gateway/tls_log.h"
#include "io/log.h"
#include "wire/dtls_hello.h"
#include "wire/pieces.h"

#define HELLO_WINDOW_MS       1000
#define HELLOS_PER_WINDOW     4 /* ClientHellos of one session that make us work, per window */
#define REBIND_TRIES_MAX      8 /* sessions behind one public address tried for a datagram from a new port */
#define HANDSHAKE_GRACE_MS    2000 /* a handshake this young is not given up for a hello from elsewhere */
#define DTLS_FIRST_TIMEOUT_MS 400
#define OLD_GRACE_MS          3000 /* a replaced association is still read for so long */
#define IP4_UDP_BYTES         28
#define IP6_UDP_BYTES         48

/* ---- tables ---- */

struct peer_key {
	struct ip_addr addr;
	uint16_t port;
};

static uint64_t peer_hash(struct worker *w, const union udp_addr *peer, struct peer_key *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->addr = udp_addr_ip(peer, &ret->port);
	return htab_hash(w->tables.hash_key, span_of(ret, sizeof(*ret)));
}

static uint64_t host_hash(struct worker *w, const struct ip_addr *host)
{
	return htab_hash(w->tables.hash_key, span_of(host, sizeof(*host)));
}

static uint64_t id_hash(struct worker *w, struct span id)
{
	return htab_hash(w->tables.hash_key, id);
}

static struct session *find_next(struct worker *w, const union udp_addr *peer)
{
	struct peer_key key;
	struct session *s = session_key_find(w, SESSION_BY_NEXT, peer_hash(w, peer, &key));
	while (s && !udp_addr_eq(&s->dtls.next.path.peer, peer))
		s = session_key_next(s, SESSION_BY_NEXT);
	return s;
}

static struct session *find_by_id(struct worker *w, struct span id)
{
	struct session *s = session_key_find(w, SESSION_BY_DTLS_ID, id_hash(w, id));
	while (s && (id.n != sizeof(s->dtls.id) || memcmp(id.p, s->dtls.id, sizeof(s->dtls.id)) != 0))
		s = session_key_next(s, SESSION_BY_DTLS_ID);
	return s;
}

static void log_no_memory(const struct session *s)
{
	log_line(LOG_ERR, "session %u: out of memory, DTLS not usable", s->id.index);
}

/* From now on this peer's datagrams belong to the association in use. Only a record that was authentic, or a
 * finished handshake, may lead here: whoever has seen the id could send ClientHellos. */
static void set_active_peer(struct session *s, const struct udp_path *path)
{
	struct peer_key key;
	s->dtls.active.path = *path;
	if (session_key_set(s, SESSION_BY_PEER, peer_hash(s->w, &path->peer, &key)) < 0)
		log_no_memory(s);
	steer_set(s->w->process->steer[STEER_BY_SOURCE], &key.addr, key.port, s->w->index);
	dtls_expect_from(s, &key.addr);
}

void dtls_expect_from(struct session *s, const struct ip_addr *host)
{
	if (session_key_set(s, SESSION_BY_HOST, host_hash(s->w, host)) < 0)
		log_no_memory(s);
}

static void set_next_peer(struct session *s, const struct udp_path *path)
{
	struct peer_key key;
	s->dtls.next.path = *path;
	if (session_key_set(s, SESSION_BY_NEXT, peer_hash(s->w, &path->peer, &key)) < 0)
		log_no_memory(s);
	steer_set(s->w->process->steer[STEER_BY_SOURCE], &key.addr, key.port, s->w->index);
}

void dtls_id_new(struct session *s)
{
	session_key_drop(s, SESSION_BY_DTLS_ID);
	if (getrandom(s->dtls.id, sizeof(s->dtls.id), 0) != (ssize_t)sizeof(s->dtls.id) ||
	        session_key_set(
	                s, SESSION_BY_DTLS_ID, id_hash(s->w, span_of(s->dtls.id, sizeof(s->dtls.id)))) < 0)
		s->dtls.suite = DTLS_NONE;
}

/* ---- sending ---- */

/* The inner packet that a datagram of this size carries, bytes: the limit of the base MTU less the same
 * difference. */
static size_t inner_bytes(const struct session *s, size_t datagram_bytes)
{
	size_t headers = s->id.peer.family == 6 ? IP6_UDP_BYTES : IP4_UDP_BYTES;
	size_t largest = s->mtu.base - headers, less = largest - datagram_bytes;
	if (datagram_bytes >= largest)
		return s->dtls.limit_bytes;
	return less < s->dtls.limit_bytes ? s->dtls.limit_bytes - less : 0;
}

static void send_out(struct session *s, struct session_assoc *a)
{
	struct worker *w = s->w;
	struct dtls_out *o = &w->scratch.dtls_out;
	unsigned n_lost = 0;
	size_t done = 0;
	if (o->n_dgram > 0) {
		int r = udp_send_batch(&w->udp, &a->path, o->p, o->dgram, o->n_dgram, &n_lost);
		done = r < 0 ? 0 : (size_t)r;
	}
	s->traffic[LINK_DTLS].tx_drops += o->n_dgram - done + n_lost;
	dtls_out_reset(o);
	if (a->path.too_big_bytes != 0 && a == &s->dtls.active) {
		link_on_too_big(&s->link, inner_bytes(s, a->path.too_big_bytes), worker_now(w));
		session_touch(s);
	}
	a->path.too_big_bytes = 0;
}

void dtls_tx_flush(struct worker *w)
{
	struct session *s = w->dtls_pending;
	w->dtls_pending = NULL;
	if (s)
		send_out(s, &s->dtls.active);
}

void dtls_assoc_flush(struct session *s, struct session_assoc *a)
{
	send_out(s, a);
}

int dtls_tx_in_place(struct session *s, uint8_t type, uint8_t *payload, size_t n)
{
	struct worker *w = s->w;
	struct span plain = span_of(payload - DTLS_CHANNEL_BYTES, DTLS_CHANNEL_BYTES + n);
	if (s->dtls.active.dtls == NULL)
		return ERR_CLOSED;
	if (w->dtls_pending != s)
		dtls_tx_flush(w);
	w->dtls_pending = s;
	*(payload - DTLS_CHANNEL_BYTES) = type;
	int r = dtls_write(s->dtls.active.dtls, plain);
	if (r == -ENOBUFS) { /* the batch is full: send it, go on with an empty one */
		send_out(s, &s->dtls.active);
		r = dtls_write(s->dtls.active.dtls, plain);
	}
	if (r == 0 && (type == CSTP_DATA || type == DTLS_PIECE)) /* control packets measure the path */
		dtls_out_may_fragment(&w->scratch.dtls_out);
	return r;
}

int dtls_tx(struct session *s, uint8_t type, struct span payload)
{
	uint8_t *copy = s->w->scratch.record + DTLS_CHANNEL_BYTES;
	if (payload.n > CSTP_PAYLOAD_MAX)
		return ERR_TOO_LARGE;
	if (payload.n > 0)
		memcpy(copy, payload.p, payload.n);
	return dtls_tx_in_place(s, type, copy, payload.n);
}

/* ---- associations ---- */

static void assoc_done(struct session_assoc *a)
{
	dtls_free(a->dtls);
	*a = (struct session_assoc){0};
}

static struct tls_log_ends ends_of(const struct session *s, const struct udp_path *path)
{
	struct tls_log_ends e = {.local = path->local,
	        .local_port = (uint16_t)s->w->config->webvpn.dtls_port,
	        .session = s->id.index};
	e.peer = udp_addr_ip(&path->peer, &e.peer_port);
	return e;
}

void dtls_active_done(struct session *s)
{
	if (s->w->dtls_pending == s) /* its path dies with it */
		dtls_tx_flush(s->w);
	if (s->dtls.active.dtls) {
		const struct tls_log_ends ends = ends_of(s, &s->dtls.active.path);
		steer_clear(s->w->process->steer[STEER_BY_SOURCE], &ends.peer, ends.peer_port, s->w->index);
		tls_log_end(s->w, &ends);
	}
	assoc_done(&s->dtls.active);
	session_key_drop(s, SESSION_BY_PEER);
	session_key_drop(s, SESSION_BY_HOST);
}

void dtls_old_done(struct session *s)
{
	assoc_done(&s->dtls.old);
}

/* The next association takes the place of the one in use, which is still read for a while: the client goes on
 * with it until it has our Finished. */
static void retire_active(struct session *s)
{
	struct session_dtls *d = &s->dtls;
	if (s->w->dtls_pending == s)
		dtls_tx_flush(s->w);
	dtls_old_done(s);
	if (d->active.dtls == NULL)
		return;
	const struct tls_log_ends ends = ends_of(s, &d->active.path);
	tls_log_end(s->w, &ends);
	d->old = d->active;
	d->active = (struct session_assoc){0};
	d->old_until_ms = ms_add(loop_now(), OLD_GRACE_MS);
}

void dtls_next_done(struct session *s)
{
	assoc_done(&s->dtls.next);
	session_key_drop(s, SESSION_BY_NEXT);
}

void dtls_forget(struct session *s)
{
	dtls_active_done(s);
	dtls_next_done(s);
	dtls_old_done(s);
	session_key_drop(s, SESSION_BY_DTLS_ID);
	explicit_bzero(s->dtls.master_secret, sizeof(s->dtls.master_secret));
	s->dtls.suite = DTLS_NONE;
}

static int assoc_new_injected(struct session *s, const struct dtls_suite_info *suite, struct dtls **ret)
{
	struct dtls *d;
	int r = dtls_server_new_resume(s->w->dtls_ctx, span_of(s->dtls.id, sizeof(s->dtls.id)),
	        s->dtls.master_secret, suite->openssl_name, &d);
	if (r == 0 && suite->is_dtls10 && (r = dtls_use_v1_0(d)) < 0)
		dtls_free(d);
	if (r == 0)
		*ret = d;
	return r;
}

static int assoc_new(struct session *s, struct dtls **ret)
{
	struct worker *w = s->w;
	const struct dtls_suite_info *suite = dtls_suite_info(s->dtls.suite);
	char ciphers[OFFER_PSK_LIST_MAX];
	if (suite == NULL)
		return ERR_UNSUPPORTED;
	if (s->dtls.suite != DTLS_PSK_NEGOTIATE)
		return assoc_new_injected(s, suite, ret);
	offer_psk_list(&s->config->ssl, ciphers);
	/* taken now and from the connection in use: a reconnect changes it (wire-protocol.md 4.3) */
	uint8_t psk[TLS_PSK_BYTES];
	int r = s->conn ? tls_export_psk(s->conn->tls, psk) : ERR_CLOSED;
	if (r == 0)
		r = dtls_server_new_psk(w->dtls_ctx, psk, ciphers, ret);
	explicit_bzero(psk, sizeof(psk));
	return r;
}

/* The records at hand; how many were authentic. */
static size_t read_records(struct session *s, struct session_assoc *a)
{
	uint8_t *plain;
	size_t n_records = 0;
	s->w->dtls_pending = s; /* for what it answers */
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

static void assoc_up(struct session *s)
{
	struct session_dtls *d = &s->dtls;
	struct dtls_info info;
	struct link_timers t = {.dpd_ms = (ms_t)s->policy.dpd_gateway_s * 1000};
	struct udp_path path = d->next.path;
	const struct tls_log_ends ends = ends_of(s, &path);
	const bool had_one = d->active.dtls != NULL;
	retire_active(s);
	d->active.dtls = d->next.dtls;
	d->next.dtls = NULL;
	dtls_next_done(s);
	set_active_peer(s, &path);
	dtls_info(d->active.dtls, &info);
	snprintf(d->protocol, sizeof(d->protocol), "%s", info.protocol);
	snprintf(d->cipher, sizeof(d->cipher), "%s", info.cipher);
	if (link_is_up(&s->link, LINK_DTLS))
		worker_drop(s->w, DROP_REPLACED);
	link_up(&s->link, LINK_DTLS, &t, loop_now());
	session_tunnel_up(s, TUNNEL_DTLS, loop_now());
	tls_log_done(s->w, &ends, NULL, info.protocol, info.cipher);
	if (++d->n_established == 1)
		session_log(s, LOG_NOTICE, 722033, "First UDP SVC connection established for SVC session.");
	else if (had_one)
		session_log(s, LOG_NOTICE, 722032, "New UDP SVC connection replacing old connection.");
	else
		session_log(s, LOG_NOTICE, 722034, "New UDP SVC connection, no existing connection.");
	session_log(s, LOG_INFO, 722022, "UDP SVC connection established without compression");
	session_rearm(s);
}

static void assoc_handshake(struct session *s, struct span datagram)
{
	struct session_assoc *a = &s->dtls.next;
	dtls_tx_flush(s->w);
	dtls_feed(a->dtls, datagram);
	int r = dtls_handshake(a->dtls);
	dtls_assoc_flush(s, a);
	if (r == 0) {
		assoc_up(s);
		(void)read_records(s, &s->dtls.active); /* data that has overtaken the Finished */
	} else if (r != ERR_MORE) {
		const struct tls_log_ends ends = ends_of(s, &a->path);
		tls_log_failed(s->w, &ends, dtls_error(a->dtls));
		dtls_next_done(s);
	}
	if (!s->is_closing)
		session_rearm(s);
}

/* May this ClientHello begin a handshake? Whoever has seen the id on the wire can send one as well, so hellos
 * from elsewhere than the TLS connection have a budget of their own and do not push aside a handshake that
 * has only begun. */
static bool hello_allowed(struct session *s, const union udp_addr *peer, ms_t now_ms)
{
	struct session_dtls *d = &s->dtls;
	struct ip_addr host = udp_addr_ip(peer, &(uint16_t){0});
	bool is_home = addr_eq(&host, &s->conn->peer);
	if (!is_home && d->next.dtls && now_ms - d->next_since_ms < HANDSHAKE_GRACE_MS)
		return false;
	if (now_ms - d->hello_window_ms >= HELLO_WINDOW_MS) {
		d->hello_window_ms = now_ms;
		d->n_hellos[0] = d->n_hellos[1] = 0;
	}
	if (d->n_hellos[is_home] >= HELLOS_PER_WINDOW)
		return false;
	d->n_hellos[is_home]++;
	return true;
}

/* A ClientHello whose id we gave out: a handshake begins beside the association in use, which keeps its peer
 * and its keys until the new one is up. A repeated one from the same peer belongs to the handshake under way.
 */
static void on_hello(
        struct worker *w, struct session *s, const struct udp_datagram *in, const struct dtls_hello *hello)
{
	struct session_assoc *a;
	if (hello->is_zero_random || s->dtls.suite == DTLS_NONE || s->conn == NULL)
		return;
	if (hello->version == DTLS_VERSION_ANYCONNECT) {
		if (worker_may_log(w, WORKER_LOG_DTLS_OLD, s->id.index))
			log_line(LOG_INFO,
			        "session %u: the client speaks the DTLS of before RFC 4347 (\"DTLS 0.9\"), "
			        "which the gateway does not: it stays on TLS",
			        s->id.index);
		return;
	}
	a = &s->dtls.next;
	bool is_repeat = a->dtls && udp_addr_eq(&a->path.peer, in->peer);
	if (!is_repeat) {
		if (!hello_allowed(s, in->peer, worker_now(w)))
			return;
		dtls_next_done(s);
		if (assoc_new(s, &a->dtls) < 0)
			return;
		s->dtls.next_since_ms = worker_now(w);
		set_next_peer(s, &(struct udp_path){.peer = *in->peer, .local = *in->local});
		dtls_set_output(a->dtls, &w->scratch.dtls_out);
		dtls_set_first_timeout_ms(a->dtls, DTLS_FIRST_TIMEOUT_MS);
		const struct tls_log_ends ends = ends_of(s, &a->path);
		tls_log_start(w, &ends, true);
		if (s->dtls.suite != DTLS_PSK_NEGOTIATE)
			tls_log_resume(w, &ends);
	}
	worker_drop(w, DROP_DTLS_HELLO);
	assoc_handshake(s, span_of(in->p, in->n));
}

/* ---- receiving ---- */

/* Reads what the datagram holds; how many records were authentic. */
static size_t read_assoc(
        struct session *s, struct session_assoc *a, const struct udp_datagram *in, bool is_alone)
{
	/* what OpenSSL itself answers (a repeated Finished, an alert) must not go out with another's batch */
	if (s->w->dtls_pending != s)
		dtls_tx_flush(s->w);
	if (is_alone)
		dtls_feed_writable(a->dtls, in->p, in->n);
	else
		dtls_feed(a->dtls, span_of(in->p, in->n));
	return read_records(s, a);
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
	struct peer_key key;
	struct session *s = session_key_find(w, SESSION_BY_PEER, peer_hash(w, in->peer, &key)), *next;
	size_t n_records = 0;
	for (int i = 0; s && n_records == 0 && i < REBIND_TRIES_MAX; s = next, i++) {
		next = session_key_next(s, SESSION_BY_PEER);
		if (s->dtls.active.dtls == NULL || !udp_addr_eq(&s->dtls.active.path.peer, in->peer))
			continue;
		*ret_any = true;
		bool is_alone = may_spoil && next == NULL && i == 0 && s->dtls.old.dtls == NULL;
		n_records = read_assoc(s, &s->dtls.active, in, is_alone);
		w->dtls_same = is_alone && n_records > 0 ? s : NULL;
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
	struct session *s = session_key_find(w, SESSION_BY_HOST, host_hash(w, &host)), *next;
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
		set_active_peer(s, &(struct udp_path){.peer = *in->peer, .local = *in->local});
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
	struct peer_key key;
	return w->process->n_threads == 1 || !owners_are_shared(&w->process->owners, OWNER_PEER) ||
	       session_key_elsewhere(w, SESSION_BY_PEER, peer_hash(w, peer, &key)) == 0;
}

/* False: it is none of ours; *ret_is_known: its peer is. */
static bool place(struct worker *w, const struct udp_datagram *in, bool *ret_is_known)
{
	/* on a shared 4-tuple the old association may still carry data while the new one shakes hands */
	struct session *next = find_next(w, in->peer);
	if ((next == NULL || in->p[0] == DTLS_APPDATA) &&
	        read_active(w, in, next == NULL && is_peer_ours_alone(w, in->peer), ret_is_known) > 0)
		return true;
	if (next) {
		if (next->dtls.next.dtls)
			assoc_handshake(next, span_of(in->p, in->n));
		return true;
	}
	return !*ret_is_known && in->p[0] == DTLS_APPDATA && try_rebind(w, in);
}

static void on_datagram(struct worker *w, const struct udp_datagram *in, uint64_t tried)
{
	struct dtls_hello hello;
	struct peer_key key;
	bool is_known = false;
	if (in->n < DTLS_RECORD_HEADER_BYTES)
		return;
	if (in->p[0] == DTLS_HANDSHAKE && dtls_hello_parse(span_of(in->p, in->n), &hello) == 0) {
		struct session *s = find_by_id(w, hello.id);
		if (s)
			on_hello(w, s, in, &hello);
		else
			pass_on(w, in, tried,
			        session_key_elsewhere(w, SESSION_BY_DTLS_ID, id_hash(w, hello.id)));
		return;
	}
	if (place(w, in, &is_known) || w->process->n_threads == 1)
		return;
	uint64_t threads = session_key_elsewhere(w, SESSION_BY_PEER, peer_hash(w, in->peer, &key));
	if ((threads & ~tried) == 0 && !is_known && in->p[0] == DTLS_APPDATA)
		threads = session_key_elsewhere(w, SESSION_BY_HOST, host_hash(w, &key.addr));
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
	struct session *s = w->dtls_same;
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
		w->dtls_same = NULL; /* whatever comes may change who is meant */
		on_datagram(w, &batch[i], 0);
	}
	w->dtls_same = NULL;
	worker_flush(w);
}

/* Datagrams: which session they belong to, its handshake, its records; and the way back.
 * Source: wire-protocol.md 4.3 - 4.6. A stranger gets no answer, and no state is kept for one. */
#include <errno.h>
#include <sys/random.h>

#include "gateway/conn.h"
#include "gateway/session.h"
#include "io/log.h"
#include "wire/dtls_hello.h"

#define HELLO_WINDOW_MS       1000
#define HELLOS_PER_WINDOW     4 /* ClientHellos of one session that make us work, per window */
#define REBIND_TRIES_MAX      8 /* sessions behind one public address tried for a datagram from a new port */
#define DTLS_FIRST_TIMEOUT_MS 400

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

static uint64_t id_hash(struct worker *w, struct span id)
{
	return htab_hash(w->tables.hash_key, id);
}

static struct session *find_by_peer(struct worker *w, const union udp_addr *peer)
{
	struct peer_key key;
	struct htab_node *n = htab_find(&w->tables.by_peer, peer_hash(w, peer, &key));
	for (; n; n = htab_next(n)) {
		struct session *s = CONTAINER_OF(n, struct session, by_peer);
		if (udp_addr_eq(&s->dtls.active.path.peer, peer) ||
		        udp_addr_eq(&s->dtls.next.path.peer, peer))
			return s;
	}
	return NULL;
}

static struct session *find_by_id(struct worker *w, struct span id)
{
	struct htab_node *n = htab_find(&w->tables.by_dtls_id, id_hash(w, id));
	for (; n; n = htab_next(n)) {
		struct session *s = CONTAINER_OF(n, struct session, by_dtls_id);
		if (id.n == sizeof(s->dtls.id) && memcmp(id.p, s->dtls.id, sizeof(s->dtls.id)) == 0)
			return s;
	}
	return NULL;
}

/* From now on datagrams of this peer are this session's. */
static void set_peer(struct session *s, const union udp_addr *peer)
{
	struct worker_tables *t = &s->w->tables;
	struct peer_key key;
	htab_remove(&t->by_peer, &s->by_peer);
	htab_remove(&t->by_host, &s->by_host);
	if (htab_insert(&t->by_peer, &s->by_peer, peer_hash(s->w, peer, &key)) < 0 ||
	        htab_insert(&t->by_host, &s->by_host,
	                htab_hash(t->hash_key, span_of(&key.addr, sizeof(key.addr)))) < 0)
		log_line(LOG_ERR, "session %u: out of memory, DTLS not usable", s->id.index);
}

void dtls_id_new(struct session *s)
{
	struct worker_tables *t = &s->w->tables;
	htab_remove(&t->by_dtls_id, &s->by_dtls_id);
	if (getrandom(s->dtls.id, sizeof(s->dtls.id), 0) != (ssize_t)sizeof(s->dtls.id) ||
	        htab_insert(&t->by_dtls_id, &s->by_dtls_id,
	                id_hash(s->w, span_of(s->dtls.id, sizeof(s->dtls.id)))) < 0)
		s->dtls.suite = DTLS_NONE;
}

/* ---- sending ---- */

static void send_out(struct session *s, struct session_assoc *a)
{
	struct worker *w = s->w;
	struct dtls_out *o = &w->scratch.dtls_out;
	unsigned n_too_big = 0;
	size_t done = 0;
	if (o->n_dgram > 0) {
		int r = udp_send_batch(&w->udp, &a->path, o->p, o->dgram, o->n_dgram, &n_too_big);
		done = r < 0 ? 0 : (size_t)r;
	}
	s->traffic[LINK_DTLS].tx_drops += o->n_dgram - done + n_too_big;
	dtls_out_reset(o);
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

int dtls_tx(struct session *s, uint8_t type, struct span payload)
{
	struct worker *w = s->w;
	uint8_t *record = w->scratch.record;
	if (s->dtls.active.dtls == NULL)
		return ERR_CLOSED;
	if (payload.n > CSTP_PAYLOAD_MAX)
		return ERR_TOO_LARGE;
	if (w->dtls_pending != s)
		dtls_tx_flush(w);
	w->dtls_pending = s;
	record[0] = type;
	if (payload.n > 0)
		memcpy(record + DTLS_CHANNEL_BYTES, payload.p, payload.n);
	struct span plain = span_of(record, DTLS_CHANNEL_BYTES + payload.n);
	int r = dtls_write(s->dtls.active.dtls, plain);
	if (r == -ENOBUFS) { /* the batch is full: send it, go on with an empty one */
		send_out(s, &s->dtls.active);
		r = dtls_write(s->dtls.active.dtls, plain);
	}
	return r;
}

/* ---- associations ---- */

void dtls_assoc_done(struct session_assoc *a)
{
	dtls_free(a->dtls);
	*a = (struct session_assoc){0};
}

void dtls_forget(struct session *s)
{
	struct worker_tables *t = &s->w->tables;
	if (s->w->dtls_pending == s)
		dtls_tx_flush(s->w);
	dtls_assoc_done(&s->dtls.active);
	dtls_assoc_done(&s->dtls.next);
	htab_remove(&t->by_dtls_id, &s->by_dtls_id);
	htab_remove(&t->by_peer, &s->by_peer);
	htab_remove(&t->by_host, &s->by_host);
	explicit_bzero(s->dtls.master_secret, sizeof(s->dtls.master_secret));
	s->dtls.suite = DTLS_NONE;
}

static int assoc_new(struct session *s, struct dtls **ret)
{
	struct worker *w = s->w;
	const struct dtls_suite_info *suite = dtls_suite_info(s->dtls.suite);
	if (suite == NULL)
		return ERR_UNSUPPORTED;
	if (s->dtls.suite != DTLS_PSK_NEGOTIATE)
		return dtls_server_new_resume(w->dtls_ctx, span_of(s->dtls.id, sizeof(s->dtls.id)),
		        s->dtls.master_secret, suite->openssl_name, ret);
	/* taken now and from the connection in use: a reconnect changes it (wire-protocol.md 4.3) */
	uint8_t psk[TLS_PSK_BYTES];
	int r = s->conn ? tls_export_psk(s->conn->tls, psk) : ERR_CLOSED;
	if (r == 0)
		r = dtls_server_new_psk(w->dtls_ctx, psk, NULL, ret);
	explicit_bzero(psk, sizeof(psk));
	return r;
}

static void assoc_up(struct session *s)
{
	struct session_dtls *d = &s->dtls;
	struct dtls_info info;
	struct link_timers t = {.dpd_ms = (ms_t)s->policy.dpd_gateway_s * 1000};
	char addr[ADDR_TEXT_MAX], user[4 * IPC_USER_MAX];
	dtls_assoc_done(&d->active);
	d->active = d->next;
	d->next = (struct session_assoc){0};
	dtls_info(d->active.dtls, &info);
	snprintf(d->cipher, sizeof(d->cipher), "%s", info.cipher);
	link_up(&s->link, LINK_DTLS, &t, loop_now());
	struct text u = {0};
	text_escaped(&u, span_str(s->id.username), IPC_USER_MAX);
	snprintf(user, sizeof(user), "%s", text_cstr(&u));
	text_done(&u);
	d->n_established++;
	log_msg(LOG_NOTICE, "ASA", d->n_established == 1 ? 722033 : 722032, "Group <%s> User <%s> IP <%s> %s",
	        s->policy.policy_name, user, addr_format(&s->id.peer, addr),
	        d->n_established == 1 ? "First UDP SVC connection established for SVC session."
	                              : "New UDP SVC connection replacing old connection.");
	log_msg(LOG_INFO, "ASA", 722022,
	        "Group <%s> User <%s> IP <%s> UDP SVC connection established without compression",
	        s->policy.policy_name, user, addr);
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
	} else if (r != ERR_MORE) {
		log_line(LOG_INFO, "session %u: DTLS handshake failed: %s", s->id.index, dtls_error(a->dtls));
		dtls_assoc_done(a);
	}
	session_rearm(s);
}

static bool hello_allowed(struct session_dtls *d, ms_t now_ms)
{
	if (now_ms - d->hello_window_ms >= HELLO_WINDOW_MS) {
		d->hello_window_ms = now_ms;
		d->n_hellos = 0;
	}
	return d->n_hellos++ < HELLOS_PER_WINDOW;
}

/* A ClientHello whose id we gave out: a handshake begins beside the association in use. A repeated one from
 * the same peer belongs to the handshake under way. */
static void on_hello(struct worker *w, const struct udp_datagram *in, const struct dtls_hello *hello)
{
	struct session *s = find_by_id(w, hello->id);
	struct session_assoc *a;
	if (s == NULL || hello->is_zero_random || s->dtls.suite == DTLS_NONE || s->conn == NULL)
		return;
	a = &s->dtls.next;
	bool is_repeat = a->dtls && udp_addr_eq(&a->path.peer, in->peer);
	if (!is_repeat) {
		if (!hello_allowed(&s->dtls, worker_now(w)))
			return;
		dtls_assoc_done(a);
		if (assoc_new(s, &a->dtls) < 0)
			return;
		a->path = (struct udp_path){.peer = *in->peer, .local = *in->local};
		dtls_set_output(a->dtls, &w->scratch.dtls_out);
		dtls_set_first_timeout_ms(a->dtls, DTLS_FIRST_TIMEOUT_MS);
		set_peer(s, in->peer);
	}
	assoc_handshake(s, span_of(in->p, in->n));
}

/* ---- receiving ---- */

/* Reads what the datagram holds; how many records were authentic. */
static size_t read_assoc(struct session *s, const struct udp_datagram *in)
{
	struct session_assoc *a = &s->dtls.active;
	uint8_t *plain = s->w->scratch.plain;
	size_t n_records = 0;
	dtls_feed(a->dtls, span_of(in->p, in->n));
	while (a->dtls && !s->is_closing) {
		int n = dtls_read(a->dtls, plain, CSTP_RECORD_MAX);
		if (n == 0)
			break;
		if (n < 0) {
			session_on_dtls_lost(s, "Transport closing");
			break;
		}
		n_records++;
		session_on_dtls_record(s, span_of(plain, (size_t)n));
	}
	return n_records;
}

/* The client's address or port changed on the way (NAT): whoever can decrypt it, it is. The new address
 * counts only because a record proved it. */
static void try_rebind(struct worker *w, const struct udp_datagram *in)
{
	uint16_t port;
	struct ip_addr host = udp_addr_ip(in->peer, &port);
	struct htab_node *n = htab_find(&w->tables.by_host,
	                         htab_hash(w->tables.hash_key, span_of(&host, sizeof(host)))),
	                 *next;
	for (int i = 0; n && i < REBIND_TRIES_MAX; n = next, i++) {
		struct session *s = CONTAINER_OF(n, struct session, by_host);
		next = htab_next(n);
		if (s->dtls.active.dtls == NULL || read_assoc(s, in) == 0)
			continue;
		if (s->is_closing || s->dtls.active.dtls == NULL)
			return;
		s->dtls.active.path.peer = *in->peer;
		s->dtls.active.path.local = *in->local;
		set_peer(s, in->peer);
		return;
	}
}

static void on_datagram(struct worker *w, const struct udp_datagram *in)
{
	struct dtls_hello hello;
	struct session *s;
	if (in->n < DTLS_RECORD_HEADER_BYTES)
		return;
	if (in->p[0] == DTLS_HANDSHAKE && dtls_hello_parse(span_of(in->p, in->n), &hello) == 0) {
		on_hello(w, in, &hello);
		return;
	}
	s = find_by_peer(w, in->peer);
	if (s == NULL) {
		try_rebind(w, in);
		return;
	}
	if (s->dtls.next.dtls && udp_addr_eq(&s->dtls.next.path.peer, in->peer)) {
		bool is_same_peer = s->dtls.active.dtls && udp_addr_eq(&s->dtls.active.path.peer, in->peer);
		/* on a shared 4-tuple the old association may still carry data while the new one shakes hands
		 */
		if (is_same_peer && in->p[0] == DTLS_APPDATA && read_assoc(s, in) > 0)
			return;
		if (!s->is_closing && s->dtls.next.dtls)
			assoc_handshake(s, span_of(in->p, in->n));
		return;
	}
	if (s->dtls.active.dtls)
		read_assoc(s, in);
}

void dtls_rx_ready(struct worker *w)
{
	const struct udp_datagram *batch;
	int n = udp_recv_batch(&w->udp, w->scratch.udp_rx, &batch);
	for (int i = 0; i < n; i++)
		on_datagram(w, &batch[i]);
	dtls_tx_flush(w);
	conn_flush_dirty(w);
}

/* From a ClientHello to an association that is up. Source: wire-protocol.md 4.3 - 4.5. */
#include "gateway/conn.h"
#include "gateway/dtls_int.h"
#include "gateway/offer.h"
#include "io/log.h"

#define HELLO_WINDOW_MS       1000
#define HELLOS_PER_WINDOW     4    /* ClientHellos of one session that make us work, per window */
#define HANDSHAKE_GRACE_MS    2000 /* a handshake this young is not given up for a hello from elsewhere */
#define DTLS_FIRST_TIMEOUT_MS 400

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

void dtls_handshake_step(struct session *s, struct span datagram)
{
	struct session_assoc *a = &s->dtls.next;
	dtls_tx_flush(s->w);
	dtls_feed(a->dtls, datagram);
	int r = dtls_handshake(a->dtls);
	dtls_assoc_flush(s, a);
	if (r == 0) {
		dtls_assoc_up(s);
		(void)dtls_read_records(s, &s->dtls.active); /* data that has overtaken the Finished */
	} else if (r != ERR_MORE) {
		const struct tls_log_ends ends = dtls_log_ends(s, &a->path);
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

static bool is_too_old(struct session *s, const struct dtls_hello *hello)
{
	if (hello->version != DTLS_VERSION_ANYCONNECT)
		return false;
	if (worker_may_log(s->w, WORKER_LOG_DTLS_OLD, s->id.index))
		log_line(LOG_INFO,
		        "session %u: the client speaks the DTLS of before RFC 4347 (\"DTLS 0.9\"), which the "
		        "gateway does not: it stays on TLS",
		        s->id.index);
	return true;
}

/* False: not now, or memory is short. */
static bool handshake_begin(struct session *s, const struct udp_datagram *in)
{
	struct session_assoc *a = &s->dtls.next;
	struct worker *w = s->w;
	if (!hello_allowed(s, in->peer, worker_now(w)))
		return false;
	dtls_next_done(s);
	if (assoc_new(s, &a->dtls) < 0)
		return false;
	s->dtls.next_since_ms = worker_now(w);
	dtls_set_next_peer(s, &(struct udp_path){.peer = *in->peer, .local = *in->local});
	dtls_set_output(a->dtls, &w->scratch.dtls_out);
	dtls_set_first_timeout_ms(a->dtls, DTLS_FIRST_TIMEOUT_MS);
	const struct tls_log_ends ends = dtls_log_ends(s, &a->path);
	tls_log_start(w, &ends, true);
	if (s->dtls.suite != DTLS_PSK_NEGOTIATE)
		tls_log_resume(w, &ends);
	return true;
}

void dtls_on_hello(struct session *s, const struct udp_datagram *in, const struct dtls_hello *hello)
{
	const struct session_assoc *a = &s->dtls.next;
	if (hello->is_zero_random || s->dtls.suite == DTLS_NONE || s->conn == NULL || is_too_old(s, hello))
		return;
	bool is_repeat = a->dtls && udp_addr_eq(&a->path.peer, in->peer);
	if (!is_repeat && !handshake_begin(s, in))
		return;
	worker_drop(s->w, DROP_DTLS_HELLO);
	dtls_handshake_step(s, span_of(in->p, in->n));
}

/* The DTLS associations of a session: how each of the three comes and goes (struct session_dtls). */
#include "gateway/dtls_int.h"
#include "gateway/process.h"
#include "gateway/session_log.h"

#define OLD_GRACE_MS 3000 /* a replaced association is still read for so long */

struct tls_log_ends dtls_log_ends(const struct session *s, const struct udp_path *path)
{
	struct tls_log_ends e = {.local = path->local,
	        .local_port = (uint16_t)s->w->config->webvpn.dtls_port,
	        .session = s->id.index};
	e.peer = udp_addr_ip(&path->peer, &e.peer_port);
	return e;
}

static void assoc_done(struct session_assoc *a)
{
	dtls_free(a->dtls);
	*a = (struct session_assoc){0};
}

void dtls_active_done(struct session *s)
{
	if (s->w->turn.dtls_pending == s) /* its path dies with it */
		dtls_tx_flush(s->w);
	if (s->dtls.active.dtls) {
		const struct tls_log_ends ends = dtls_log_ends(s, &s->dtls.active.path);
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
	if (s->w->turn.dtls_pending == s)
		dtls_tx_flush(s->w);
	dtls_old_done(s);
	if (d->active.dtls == NULL)
		return;
	const struct tls_log_ends ends = dtls_log_ends(s, &d->active.path);
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

void dtls_assoc_up(struct session *s)
{
	struct session_dtls *d = &s->dtls;
	struct dtls_info info;
	struct link_timers t = {.dpd_ms = (ms_t)s->policy.dpd_gateway_s * 1000};
	struct udp_path path = d->next.path;
	const struct tls_log_ends ends = dtls_log_ends(s, &path);
	const bool had_one = d->active.dtls != NULL;
	retire_active(s);
	d->active.dtls = d->next.dtls;
	d->next.dtls = NULL;
	dtls_next_done(s);
	dtls_set_active_peer(s, &path);
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

void dtls_forget(struct session *s)
{
	dtls_active_done(s);
	dtls_next_done(s);
	dtls_old_done(s);
	session_key_drop(s, SESSION_BY_DTLS_ID);
	explicit_bzero(s->dtls.master_secret, sizeof(s->dtls.master_secret));
	s->dtls.suite = DTLS_NONE;
}

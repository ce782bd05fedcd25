#include "gateway/tls_log.h"
#include "io/log.h"

#include <stdio.h>

#define ENDS_TEXT_MAX  (2 * ADDR_TEXT_MAX + 32)
#define PROPOSALS_MAX  64u /* suites of one client that are listed */
#define NO_TRUST_POINT "self-signed"

/* "outside:198.51.100.7/50123 to 203.0.113.1/443" */
static const char *ends_format(const struct tls_log_ends *e, char buf[static ENDS_TEXT_MAX])
{
	char peer[ADDR_TEXT_MAX], local[ADDR_TEXT_MAX];
	snprintf(buf, ENDS_TEXT_MAX, "outside:%s/%u to %s/%u", addr_format(&e->peer, peer), e->peer_port,
	        addr_format(&e->local, local), e->local_port);
	return buf;
}

static bool may_log(struct worker *w, const struct tls_log_ends *e, unsigned severity, unsigned id)
{
	return log_wants_msg(severity, id) && worker_may_log(w, id, e->session);
}

void tls_log_start(struct worker *w, const struct tls_log_ends *e, bool is_dtls)
{
	char ends[ENDS_TEXT_MAX];
	const char *tp = w->config->ssl.trustpoint;
	ends_format(e, ends);
	if (!is_dtls && may_log(w, e, 6, 725016))
		log_msg(6, "ASA", 725016, "Device selects trust-point %s for client %s",
		        tp[0] ? tp : NO_TRUST_POINT, ends);
	if (may_log(w, e, 6, 725001))
		log_msg(6, "ASA", 725001, "Starting SSL handshake with client %s for %s session", ends,
		        is_dtls ? "DTLSv1" : "TLS");
}

void tls_log_resume(struct worker *w, const struct tls_log_ends *e)
{
	char ends[ENDS_TEXT_MAX];
	if (may_log(w, e, 6, 725003))
		log_msg(6, "ASA", 725003, "SSL client %s request to resume previous session",
		        ends_format(e, ends));
}

static void proposals_log(
        struct worker *w, const struct tls_log_ends *e, const struct tls *tls, const char *ends)
{
	size_t n = tls_n_proposed(tls);
	if (n == 0 || !may_log(w, e, 7, 725008))
		return;
	log_msg(7, "ASA", 725008, "SSL client %s proposes the following %zu cipher(s)", ends, n);
	for (size_t i = 0; i < n && i < PROPOSALS_MAX; i++)
		log_msg(7, "ASA", 725011, "Cipher[%zu] : %s", i + 1, tls_proposed(tls, i));
}

void tls_log_done(struct worker *w, const struct tls_log_ends *e, const struct tls *tls, const char *protocol,
        const char *cipher)
{
	char ends[ENDS_TEXT_MAX];
	ends_format(e, ends);
	if (tls != NULL)
		proposals_log(w, e, tls, ends);
	if (may_log(w, e, 7, 725012))
		log_msg(7, "ASA", 725012, "Device chooses cipher %s for the SSL session with client %s",
		        cipher, ends);
	if (may_log(w, e, 6, 725002))
		log_msg(6, "ASA", 725002, "Device completed SSL handshake with client %s for %s session",
		        ends, protocol);
}

void tls_log_failed(struct worker *w, const struct tls_log_ends *e, const char *why)
{
	char ends[ENDS_TEXT_MAX];
	if (!may_log(w, e, 6, 725006))
		return;
	log_msg(6, "ASA", 725006, "Device failed SSL handshake with client %s", ends_format(e, ends));
	log_msg(7, "ASA", 725014, "SSL lib error. Function: handshake Reason: %s", why);
}

void tls_log_end(struct worker *w, const struct tls_log_ends *e)
{
	char ends[ENDS_TEXT_MAX];
	if (may_log(w, e, 6, 725007))
		log_msg(6, "ASA", 725007, "SSL session with client %s terminated", ends_format(e, ends));
}

/* connect-failed and session-not-resumed: no tunnel at all, for reasons that lie before the tunnel. */
#include "diagnose/cure.h"
#include "diagnose/pattern.h"

#define PROVED     5
#define MAX_FILES  64     /* clients' logs in which failures are counted */
#define AGAIN_MS   600000 /* a connect that succeeds so soon after: somebody tried again */
#define TRIES_MIN  3      /* so many failures are told even then */
#define NEAR_LINES 20     /* another refusal within these explains the failure */
#define NEAR_MS    5000

/* ---- connect-failed ---- */

/* Kinds of reasons, by the words of openconnect, of Cisco's client and of ours. */
enum why { WHY_CERTIFICATE, WHY_NAME, WHY_UNREACHABLE, WHY_PORTAL, WHY_OTHER, WHY_N };

static const struct {
	const char *words;
	uint8_t why;
} why_words[] = {
        {"certificate", WHY_CERTIFICATE},
        {"fingerprint", WHY_CERTIFICATE},
        {"untrusted", WHY_CERTIFICATE},
        {"trusted", WHY_CERTIFICATE},
        {"getaddrinfo", WHY_NAME},
        {"resolve", WHY_NAME},
        {"name or service", WHY_NAME},
        {"is not known", WHY_NAME},
        {"looked up", WHY_NAME},
        {"restricting access", WHY_PORTAL},
        {"refused", WHY_UNREACHABLE},
        {"cannot reach", WHY_UNREACHABLE},
        {"timed out", WHY_UNREACHABLE},
        {"unreachable", WHY_UNREACHABLE},
        {"no route", WHY_UNREACHABLE},
        {"failed to connect", WHY_UNREACHABLE},
};

static const struct {
	const char *verdict, *cause;
} why_says[WHY_N] = {
        [WHY_CERTIFICATE] = {"the gateway's certificate is not accepted",
                "The certificate of the gateway is not one that the client trusts: self-signed, expired, of "
                "another name, with an issuer missing in the chain - or it is not the gateway's, but that of "
                "somebody in between who reads TLS."},
        [WHY_NAME] = {"the gateway's name is not resolved",
                "The gateway's name has no address in the DNS that the client asks: a typing error, or a "
                "network without a working DNS."},
        [WHY_UNREACHABLE] = {"the gateway does not answer on its TCP port",
                "The TCP connection is not accepted: the gateway is down or listens elsewhere, or a firewall "
                "on the way refuses it."},
        [WHY_PORTAL] = {"the network lets nobody out before a login of its own",
                "The network (hotel, train) answers in place of the gateway until somebody logs in to it."},
        [WHY_OTHER] = {"no session came about",
                "What stood in the way only the gateway's own log may tell: a limit of sessions, a session "
                "that it refused, a handshake that broke off."},
};

static const struct cure certificate_cures[] = {
        {PRODUCTS_COMMANDS, PASTE_GLOBAL, "A certificate that clients trust",
                "ssl trust-point TRUSTPOINT outside",
                "With a certificate of a known authority for the name that users type, its whole chain "
                "imported, nobody is asked.",
                "Must be renewed in time."},
        {PRODUCTS_OCSERV, PASTE_GLOBAL, "A certificate that clients trust",
                "server-cert = /etc/ocserv/fullchain.pem\nserver-key = /etc/ocserv/key.pem",
                "With a certificate of a known authority for the name that users type, its whole chain in "
                "the file, nobody is asked.",
                "Must be renewed in time."},
};

/* Failures of one client's log. */
struct failures {
	uint32_t file, first, last; /* places of the first and the last */
	uint32_t n;
	bool is_in_later;
};

struct failed {
	struct failures v[MAX_FILES];
	size_t n;
};

static int64_t gap_ms(const struct record *from, const struct record *to)
{
	return from->at_ms == TIME_NONE || to->at_ms == TIME_NONE ? 0 : to->at_ms - from->at_ms;
}

static struct failures *failures_of(struct failed *f, uint32_t file, bool may_add)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->v[i].file == file)
			return &f->v[i];
	if (!may_add || f->n == MAX_FILES)
		return NULL;
	f->v[f->n] = (struct failures){.file = file, .first = CASE_NONE};
	return &f->v[f->n++];
}

static bool is_refusal(const struct record *r)
{
	return r->kind == EVENT_AUTH_REJECTED || r->kind == EVENT_POOL_EXHAUSTED ||
	       r->kind == EVENT_CIPHER_MISMATCH;
}

static bool explains(const struct record *r, const struct record *failure)
{
	int64_t lines = (int64_t)r->line - failure->line, ms = gap_ms(r, failure);
	return is_refusal(r) && r->file == failure->file && lines >= -NEAR_LINES && lines <= NEAR_LINES &&
	       ms >= -NEAR_MS && ms <= NEAR_MS;
}

/* Another finding tells of it. */
static bool is_explained(const struct find *x, uint32_t place)
{
	const struct record *failure = store_at(x->s, place);
	uint32_t from = place > NEAR_LINES ? place - NEAR_LINES : 0;
	for (uint32_t i = from; i < store_n(x->s) && i <= place + NEAR_LINES; i++)
		if (explains(store_at(x->s, i), failure))
			return true;
	return false;
}

static void take_failure(struct find *x, struct failed *f, uint32_t place)
{
	const struct record *r = store_at(x->s, place);
	struct failures *of = is_explained(x, place) ? NULL : failures_of(f, r->file, true);
	if (of == NULL)
		return;
	of->first = of->first == CASE_NONE ? place : of->first;
	of->last = place;
	of->n += r->count;
	of->is_in_later = false;
}

static void take_connect(const struct find *x, struct failed *f, const struct record *r)
{
	struct failures *of = failures_of(f, r->file, false);
	if (of != NULL && gap_ms(store_at(x->s, of->last), r) <= AGAIN_MS)
		of->is_in_later = true;
}

/* The gateway's log is here, and has refused somebody: that finding comes first. */
static bool is_told_by_gateway(const struct find *x)
{
	for (uint32_t i = 0; i < store_n(x->s); i++) {
		const struct record *r = store_at(x->s, i);
		if (is_refusal(r) && record_side(r) == SIDE_GATEWAY && find_wants_record(x, r))
			return true;
	}
	return false;
}

static enum why why_of(const struct find *x, const struct record *r)
{
	struct span cause = store_word(x->s, r->cause);
	for (size_t i = 0; i < N_ELEM(why_words); i++)
		if (span_has_nocase(cause, why_words[i].words))
			return (enum why)why_words[i].why;
	return WHY_OTHER;
}

static void say_failed(struct find *x, const struct record *last, enum why why, bool is_told)
{
	struct finding *f = x->f;
	text_str(&f->cause, "The client came to no session. The reason it gave: \"");
	find_say_word(x, &f->cause, last->cause);
	text_fmt(&f->cause, "\". %s Neither tunnels nor MTUs have to do with it.",
	        is_told ? "The gateway's log says why: see what it refused." : why_says[why].cause);
	text_fmt(&f->verdict, "The client could not connect: %s.", why_says[why].verdict);
}

void find_connect_failed(struct find *x)
{
	struct failed failed = {.n = 0};
	const struct record *last = NULL;
	for (uint32_t i = 0; i < store_n(x->s); i++) {
		const struct record *r = store_at(x->s, i);
		if (r->kind == EVENT_CONNECT_FAILED && find_wants_record(x, r))
			take_failure(x, &failed, i);
		else if (r->kind == EVENT_CONNECTED && record_side(r) == SIDE_CLIENT)
			take_connect(x, &failed, r);
	}
	for (size_t i = 0; i < failed.n; i++) {
		const struct failures *of = &failed.v[i];
		if (of->is_in_later && of->n < TRIES_MIN)
			continue;
		last = store_at(x->s, of->last);
		find_hit_record(x, store_at(x->s, of->first));
		find_hit_record(x, last);
		find_prove(x, of->first);
		find_prove(x, of->last);
	}
	if (last == NULL)
		return;
	enum why why = why_of(x, last);
	x->f->confidence = CONFIDENCE_CERTAIN;
	bool is_told = why == WHY_OTHER && is_told_by_gateway(x);
	if (is_told)
		x->f->severity = SEVERITY_INFO;
	say_failed(x, last, why, is_told);
	if (why == WHY_CERTIFICATE)
		cure_add_here(x, certificate_cures, N_ELEM(certificate_cures));
}

/* ---- session-not-resumed ---- */

static const struct cure resume_cures[] = {
        {PRODUCTS_COMMANDS, PASTE_POLICY, "Let sessions wait longer for their clients", "vpn-idle-timeout 60",
                "A client that was away for less than an hour gets its session back without a login.",
                "Addresses and licences stay in use longer. No help when the gateway was restarted."},
        {PRODUCTS_OCSERV, PASTE_GLOBAL, "Let sessions wait longer for their clients", "cookie-timeout = 3600",
                "A client that was away for less than an hour gets its session back without a login.",
                "Addresses stay in use longer. No help when ocserv was restarted: it forgets all sessions."},
};

void find_not_resumed(struct find *x)
{
	bool is_clients = false;
	size_t n_proved = 0;
	for (uint32_t i = 0; i < store_n(x->s); i++) {
		const struct record *r = store_at(x->s, i);
		bool is_kind = r->kind == EVENT_SESSION_END || r->kind == EVENT_AUTH_REJECTED;
		if (r->reason != REASON_FORGOTTEN || !is_kind || !find_wants_record(x, r))
			continue;
		uint32_t at = x->c->case_of[i];
		if (at != CASE_NONE)
			find_hit(x, &x->c->v[at], r->at_ms, r->last_at_ms);
		else
			find_hit_record(x, r);
		is_clients |= record_side(r) == SIDE_CLIENT;
		if (n_proved++ < PROVED)
			find_prove(x, i);
	}
	if (x->n_hits == 0)
		return;
	x->f->severity = is_clients ? SEVERITY_WARNING : SEVERITY_INFO;
	x->f->confidence = CONFIDENCE_CERTAIN;
	text_str(&x->f->cause,
	        "The connection was interrupted, the client came back with its session, and the gateway did "
	        "not know it any more: the gateway was restarted, or the session had ended meanwhile, by a "
	        "timeout, an administrator or another login. The user had to log in again. MTUs have nothing "
	        "to do with it.");
	find_say_users(x, &x->f->verdict);
	text_str(&x->f->verdict, ": the gateway did not take the session back after an interruption.");
	cure_add_here(x, resume_cures, N_ELEM(resume_cures));
}

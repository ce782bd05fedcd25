/* cipher-mismatch: handshakes that fail because both sides have nothing in common. */
#include "diagnose/cure.h"
#include "diagnose/people.h"

#define PROVED       6
#define KNOWN_MIN    3     /* of an address that has sessions: which machine it was is not known */
#define STRANGER_MIN 5     /* of an address that never had a session */
#define TRY_MS       60000 /* a scanner makes many handshakes in no time: they are one try */

static const struct cure tls_cures[] = {
        {PRODUCTS_ASA, PASTE_GLOBAL, "Offer what both have",
                "ssl server-version tlsv1.2\nssl cipher tlsv1.2 medium",
                "`show ssl ciphers` shows what the gateway offers; 725011 in the log what the client "
                "proposes.",
                "None if the client is updated instead, which is better."},
        {PRODUCTS_CULVERT, PASTE_GLOBAL, "Offer what both have",
                "ssl server-version tlsv1.2\nssl cipher tlsv1.2 medium",
                "Every suite of TLS 1.2 that is spoken.",
                "None if the client is updated instead, which is better."},
        {PRODUCTS_OCSERV, PASTE_GLOBAL, "Offer what both have",
                "tls-priorities = \"NORMAL:%SERVER_PRECEDENCE:%COMPAT\"",
                "All versions and suites that GnuTLS holds for good; `gnutls-cli -p 443 GATEWAY` shows them.",
                "None if the client is updated instead, which is better."},
};

static const struct cure dtls_cures[] = {
        {PRODUCTS_ASA, PASTE_GLOBAL, "Offer what both have",
                "ssl cipher dtlsv1.2 medium\nssl cipher dtlsv1 custom \"AES256-SHA:AES128-SHA\"",
                "`show ssl ciphers` shows what the gateway offers; 725011 in the log what the client "
                "proposes.",
                "AES-SHA of DTLS 1.0 is old: only as long as clients need it."},
        {PRODUCTS_CULVERT, PASTE_GLOBAL, "Offer what both have",
                "ssl server-version tlsv1.2 dtlsv1\nssl cipher dtlsv1.2 medium\nssl cipher dtlsv1 medium",
                "DTLS 1.0 for clients that have nothing newer.",
                "It is old: only as long as clients need it."},
        {PRODUCTS_OCSERV, PASTE_GLOBAL, "Offer what both have",
                "dtls-legacy = true\ncisco-client-compat = true",
                "DTLS as Cisco's clients negotiate it, beside that of openconnect.",
                "Old suites: only as long as clients need them."},
};

static void say_cipher(struct find *x, bool is_dtls, bool is_stranger)
{
	struct finding *f = x->f;
	text_str(&f->cause,
	        is_dtls ? "Client and gateway have no cipher or version in common for DTLS: the tunnel over "
	                  "UDP is given up, and everything goes by TLS. "
	                : "Client and gateway have no cipher or version in common: the handshake fails. ");
	text_str(&f->cause,
	        is_stranger ? "The address never had a session: an old client, or somebody who scans the "
	                      "Internet."
	                    : "Usually an old client against a gateway that was hardened, or the reverse.");
	if (f->n_all_users > 0)
		find_say_users(x, &f->verdict);
	else
		text_str(&f->verdict, "A client");
	text_fmt(&f->verdict, ": no common cipher for %s.", is_dtls ? "DTLS; it stays on TLS" : "TLS");
}

/* The log of a client that came to no session is here: the handshake that a gateway tells of without an
 * address is its. */
static bool has_failed_client(const struct find *x)
{
	for (uint32_t i = 0; i < store_n(x->s); i++)
		if (store_at(x->s, i)->kind == EVENT_CONNECT_FAILED)
			return true;
	return false;
}

/* Somebody who has, or wants, a session. */
static bool is_known_person(const struct find *x, const struct person *who, const struct record *r)
{
	return r->user != 0 || who->is_known || who->is_client || (r->public_ip == 0 && has_failed_client(x));
}

void find_cipher(struct find *x)
{
	struct people p;
	bool is_dtls = false, is_known = false;
	size_t n_proved = 0;
	bool is_good = people_collect(x, &p, EVENT_CIPHER_MISMATCH, TRY_MS);
	for (size_t i = 0; is_good && i < p.n; i++) {
		const struct person *who = &p.v[i];
		const struct record *r = store_at(x->s, who->last);
		/* without any session in the files, this is what keeps it from coming about */
		bool is_person = is_known_person(x, who, r) || !p.has_sessions;
		bool is_nameless = who->name == 0 && !who->is_client;
		bool is_alone = !p.has_sessions || (is_nameless && is_person);
		uint32_t min = r->user != 0 || is_alone ? 1 : who->is_known ? KNOWN_MIN : STRANGER_MIN;
		if ((is_nameless && !is_person) || !person_is_told(x, who, min, min))
			continue;
		is_known |= is_person;
		is_dtls |= r->tunnel == TUNNEL_DTLS;
		find_hit_record(x, store_at(x->s, who->first));
		find_hit_record(x, r);
		if (n_proved++ < PROVED)
			find_prove(x, who->first);
	}
	people_done(&p);
	if (x->n_hits == 0)
		return;
	x->f->severity = is_known ? SEVERITY_WARNING : SEVERITY_INFO;
	say_cipher(x, is_dtls, !is_known);
	if (is_dtls)
		cure_add_here(x, dtls_cures, N_ELEM(dtls_cures));
	else
		cure_add_here(x, tls_cures, N_ELEM(tls_cures));
}

/* What keeps users from having a session at all. These events belong to no session: they are counted over all
 * records, by user, else by address. */
#include <stdlib.h>

#include "diagnose/find.h"

#define PROVED       6
#define AGAIN_MS     600000 /* a login that succeeds this soon after makes a refusal a slip of the fingers */
#define TRY_MS       2000   /* several lines of one try come within this */
#define TRIES_MIN    3      /* so many refusals are told even when a login succeeded in the end */
#define STRANGER_MIN 3      /* handshakes that fail, of an address that never had a session */
#define MAX_PEOPLE   20000  /* users and addresses that are told apart */

struct person {
	word_t name; /* user, or address when there is none */
	uint32_t tries;
	uint32_t first, last; /* places */
	bool is_in_later;     /* has logged in within AGAIN_MS after the last refusal */
};

struct people {
	struct person *v;
	size_t n;
	uint32_t *of_word; /* index + 1 */
};

static bool people_init(struct find *x, struct people *p)
{
	*p = (struct people){.v = calloc(MAX_PEOPLE, sizeof(*p->v)),
	        .of_word = calloc(store_n_words(x->s) + 1, sizeof(*p->of_word))};
	x->is_bad |= p->v == NULL || p->of_word == NULL;
	return !x->is_bad;
}

static void people_done(struct people *p)
{
	free(p->v);
	free(p->of_word);
}

/* Gateways mask the names of failed logins: "*****" is nobody. */
static word_t name_of(const struct find *x, const struct record *r)
{
	struct span u = store_word(x->s, r->user);
	bool is_masked = u.n > 0;
	for (size_t i = 0; i < u.n; i++)
		is_masked &= u.p[i] == '*';
	return r->user != 0 && !is_masked ? r->user : r->public_ip ? r->public_ip : r->user;
}

static struct person *person_at(struct people *p, word_t name, bool may_add)
{
	uint32_t at = p->of_word[name];
	if (at != 0)
		return &p->v[at - 1];
	if (!may_add || p->n == MAX_PEOPLE)
		return NULL;
	p->v[p->n] = (struct person){.name = name, .first = CASE_NONE};
	p->of_word[name] = (uint32_t)++p->n;
	return &p->v[p->n - 1];
}

static int64_t gap_ms(const struct find *x, uint32_t from, const struct record *to)
{
	const struct record *r = store_at(x->s, from);
	return r->last_at_ms == TIME_NONE || to->at_ms == TIME_NONE ? 0 : to->at_ms - r->last_at_ms;
}

static void take_refusal(const struct find *x, struct people *p, uint32_t place)
{
	const struct record *r = store_at(x->s, place);
	struct person *who = person_at(p, name_of(x, r), true);
	if (who == NULL)
		return;
	bool is_same_try =
	        who->first != CASE_NONE && r->at_ms != TIME_NONE && gap_ms(x, who->last, r) <= TRY_MS;
	if (!is_same_try || r->count > 1)
		who->tries += r->count;
	who->first = who->first == CASE_NONE ? place : who->first;
	who->last = place;
	who->is_in_later = false;
}

static bool is_login(const struct record *r)
{
	return r->kind == EVENT_CONNECTED || (r->kind == EVENT_TUNNEL_UP && r->tunnel == TUNNEL_TLS);
}

static void take_login(const struct find *x, struct people *p, const struct record *r)
{
	const word_t names[] = {r->user, r->public_ip};
	for (size_t i = 0; i < N_ELEM(names); i++) {
		struct person *who = names[i] ? person_at(p, names[i], false) : NULL;
		if (who != NULL && gap_ms(x, who->last, r) <= AGAIN_MS)
			who->is_in_later = true;
	}
}

/* ---- auth-rejected ---- */

static void say_rejected(struct find *x, uint32_t tries, uint32_t last)
{
	struct finding *f = x->f;
	text_fmt(&f->cause, "%u logins were refused. ", tries);
	if (store_at(x->s, last)->cause) {
		text_str(&f->cause, "The last reason given: \"");
		find_say_word(x, &f->cause, store_at(x->s, last)->cause);
		text_str(&f->cause, "\". ");
	}
	text_str(&f->cause, "There was no tunnel yet: this is between the user, the gateway and its AAA "
	                    "server. Many names from "
	                    "few addresses are somebody who guesses passwords.");
	if (f->n_all_users == 0)
		text_str(&f->verdict, "Logins are refused");
	else
		find_say_users(x, &f->verdict);
	text_fmt(&f->verdict, f->n_all_users == 0 ? " (%u times)." : ": login refused (%u times).", tries);
	struct remedy *r = find_remedy(x, "Try the AAA server by hand");
	text_str(&r->config,
	        "test aaa-server authentication AAA_GROUP host ADDRESS username USER password PASSWORD\n");
	text_str(&r->effect, "Tells whether the server or the gateway refuses. `no logging hide username` "
	                     "shows the names that "
	                     "failed.");
	text_str(&r->side_effects, "Counts as a failed login when the password is wrong.");
}

void find_rejected(struct find *x)
{
	struct people p;
	uint32_t tries = 0, last = CASE_NONE;
	size_t n_proved = 0;
	bool is_often = false;
	if (people_init(x, &p))
		for (uint32_t i = 0; i < store_n(x->s); i++) {
			const struct record *r = store_at(x->s, i);
			if (r->kind == EVENT_AUTH_REJECTED && find_wants_record(x, r))
				take_refusal(x, &p, i);
			else if (is_login(r))
				take_login(x, &p, r);
		}
	for (size_t i = 0; !x->is_bad && i < p.n; i++) {
		const struct person *who = &p.v[i];
		if (who->is_in_later && who->tries < TRIES_MIN)
			continue;
		const struct record *r = store_at(x->s, who->last);
		find_hit_record(x, store_at(x->s, who->first));
		find_hit_record(x, r);
		tries += who->tries;
		is_often |= who->tries >= TRIES_MIN;
		last = who->last;
		if (n_proved++ >= PROVED)
			continue;
		find_prove(x, who->first);
		find_prove(x, who->last);
	}
	people_done(&p);
	if (x->n_hits == 0)
		return;
	x->f->severity = is_often ? SEVERITY_WARNING : SEVERITY_INFO;
	x->f->confidence = CONFIDENCE_CERTAIN;
	say_rejected(x, tries, last);
}

/* ---- pool-exhausted ---- */

static const struct fact_record *pool_of(const struct find *x)
{
	for (size_t i = 0; i < store_n_facts(x->s); i++)
		if (store_fact(x->s, i)->kind == FACT_POOL_SIZE)
			return store_fact(x->s, i);
	return NULL;
}

void find_pool(struct find *x)
{
	uint32_t n = 0;
	const struct fact_record *pool = pool_of(x);
	for (uint32_t i = 0; i < store_n(x->s); i++) {
		const struct record *r = store_at(x->s, i);
		if (r->kind != EVENT_POOL_EXHAUSTED || !find_wants_record(x, r))
			continue;
		find_hit_record(x, r);
		find_prove(x, i);
		n += r->count;
	}
	if (x->n_hits == 0)
		return;
	find_prove_fact(x, pool);
	x->f->confidence = CONFIDENCE_CERTAIN;
	text_fmt(&x->f->cause, "A client was accepted, and no inner address was left for it (%u messages).",
	        n);
	if (pool != NULL) {
		text_fmt(&x->f->cause, " The pool ");
		find_say_word(x, &x->f->cause, pool->scope);
		text_fmt(&x->f->cause, " has %u addresses.", pool->number);
	}
	text_str(&x->f->cause, " Sessions that wait to be resumed keep theirs until the idle timeout.");
	text_fmt(&x->f->verdict, "No inner address is left; connects fail (%u messages).", n);
	struct remedy *r = find_remedy(x, "A larger pool");
	text_str(&r->config, "show ip local pool ");
	if (pool != NULL)
		find_say_word(x, &r->config, pool->scope);
	else
		text_str(&r->config, "POOL");
	text_str(&r->config, "\nip local pool VPNPOOL2 FIRST-LAST mask MASK\n");
	find_say_policy(x, &r->config);
	text_str(&r->config, " address-pools value ");
	if (pool != NULL) {
		find_say_word(x, &r->config, pool->scope);
		text_str(&r->config, " ");
	}
	text_str(&r->config, "VPNPOOL2\n");
	text_str(&r->effect, "Addresses of the second pool are given when the first is used up.");
	text_str(&r->side_effects, "The new range must be routed to the gateway and permitted in filters.");
	r = find_remedy(x, "Free addresses of forgotten sessions sooner");
	find_say_policy(x, &r->config);
	text_str(&r->config, " vpn-idle-timeout 15\n");
	text_str(&r->effect, "Sessions without a client end after a quarter of an hour.");
	text_str(&r->side_effects, "Users who are away for longer must log in again.");
}

/* ---- cipher-mismatch ---- */

static void say_cipher(struct find *x, bool is_dtls, bool is_stranger)
{
	struct finding *f = x->f;
	text_str(&f->cause,
	        is_dtls ? "Client and gateway have no cipher or version in common for DTLS: the tunnel over "
	                  "UDP is given "
	                  "up, and everything goes by TLS. "
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
	struct remedy *r = find_remedy(x, "Offer what both have");
	text_str(&r->config,
	        is_dtls ? "ssl cipher dtlsv1.2 medium\nssl cipher dtlsv1 custom \"AES256-SHA:AES128-SHA\"\n"
	                : "ssl server-version tlsv1.2\nssl cipher tlsv1.2 medium\n");
	text_str(&r->effect, "`show ssl ciphers` shows what the gateway offers; 725011 in the log what the "
	                     "client proposes.");
	text_str(&r->side_effects, is_dtls ? "AES-SHA of DTLS 1.0 is old: only as long as clients need it."
	                                   : "None if the client is updated instead, which is better.");
}

void find_cipher(struct find *x)
{
	struct people p;
	bool is_dtls = false, is_known = false;
	size_t n_proved = 0;
	if (people_init(x, &p))
		for (uint32_t i = 0; i < store_n(x->s); i++) {
			const struct record *r = store_at(x->s, i);
			if (r->kind == EVENT_CIPHER_MISMATCH && find_wants_record(x, r))
				take_refusal(x, &p, i);
			else if (is_login(r))
				take_login(x, &p, r);
		}
	for (size_t i = 0; !x->is_bad && i < p.n; i++) {
		const struct person *who = &p.v[i];
		const struct record *r = store_at(x->s, who->last);
		bool is_person = r->user != 0 || who->is_in_later || r->source == SOURCE_OPENCONNECT ||
		                 r->source == SOURCE_DART || r->source == SOURCE_CLIENT_SYSLOG ||
		                 r->source == SOURCE_WINDOWS_EVENTS || r->source == SOURCE_CULVERT_CLIENT;
		if (!is_person && who->tries < STRANGER_MIN)
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
}

/* auth-rejected and pool-exhausted: what keeps users from having a session at all. */
#include "diagnose/cure.h"
#include "diagnose/pattern.h"
#include "diagnose/people.h"

#define PROVED    6
#define KNOWN_MIN 3    /* tries one after the other of somebody who has sessions */
#define TRIES_MIN 4    /* of a stranger, or of anybody who got in in the end */
#define TRY_MS    2000 /* several lines of one try come within this */

/* ---- auth-rejected ---- */

struct rejected {
	uint32_t tries, last; /* place */
	bool is_often;
};

/* ocserv's words when max-same-clients is reached. */
static bool is_limit(const struct find *x, const struct rejected *t)
{
	return span_has(store_word(x->s, store_at(x->s, t->last)->cause), "tried to connect more than");
}

static void say_rejected(struct find *x, const struct rejected *t)
{
	struct finding *f = x->f;
	text_fmt(&f->cause, "%u %s refused. ", t->tries, t->tries == 1 ? "login was" : "logins were");
	if (store_at(x->s, t->last)->cause) {
		text_str(&f->cause, "The last reason given: \"");
		find_say_word(x, &f->cause, store_at(x->s, t->last)->cause);
		text_str(&f->cause, "\". ");
	}
	if (is_limit(x, t))
		text_str(&f->cause, "The password was right: the user has as many sessions as the gateway "
		                    "permits already.");
	else
		text_str(&f->cause,
		        "There was no tunnel yet: this is between the user, the gateway and its AAA server. "
		        "Many names from few addresses are somebody who guesses passwords.");
	if (f->n_all_users == 0)
		text_str(&f->verdict, "Logins are refused");
	else
		find_say_users(x, &f->verdict);
	text_fmt(&f->verdict, "%s (%u %s).", f->n_all_users == 0 ? "" : ": login refused", t->tries,
	        t->tries == 1 ? "time" : "times");
}

static const struct cure rejected_cures[] = {
        {PRODUCTS_ASA, PASTE_GLOBAL, "Try the AAA server by hand",
                "test aaa-server authentication AAA_GROUP host ADDRESS username USER password PASSWORD",
                "Tells whether the server or the gateway refuses. `no logging hide username` shows the names "
                "that failed.",
                "Counts as a failed login when the password is wrong."},
        {PRODUCTS_CULVERT, PASTE_GLOBAL, "See the names that failed", "no logging hide username",
                "The log then shows whom it refuses, and not \"*****\".",
                "Passwords that were typed in place of a name are in the log, too."},
        {PRODUCTS_OCSERV, PASTE_GLOBAL, "Try the login by hand, and set the password anew",
                "openconnect --authenticate --user=USER GATEWAY\nocpasswd -c /etc/ocserv/ocpasswd USER",
                "The first tells whether it is the password or the user's machine; the second is for "
                "ocserv's own file of passwords (auth = plain).",
                "Counts as a failed login when the password is wrong."},
};

static const struct cure limit_cures[] = {
        {PRODUCTS_OCSERV, PASTE_GLOBAL, "Permit as many logins as the user has machines",
                "max-same-clients = 3", "A second machine gets its session beside the first one.",
                "More addresses in use; shared accounts are noticed less."},
};

/* Those who did not get in, or not at once. */
static void take_rejected(struct find *x, const struct people *p, struct rejected *t)
{
	size_t n_proved = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct person *who = &p->v[i];
		bool is_alone = who->is_named && !who->is_in_later && people_are_few(p);
		if (!person_is_told(x, who, is_alone ? 1 : KNOWN_MIN, is_alone ? 1 : TRIES_MIN))
			continue;
		find_hit_record(x, store_at(x->s, who->first));
		find_hit_record(x, store_at(x->s, who->last));
		t->tries += who->total;
		t->is_often |= who->tries >= KNOWN_MIN;
		t->last = who->last;
		if (n_proved++ >= PROVED)
			continue;
		find_prove(x, who->first);
		find_prove(x, who->last);
	}
}

void find_rejected(struct find *x)
{
	struct people p;
	struct rejected t = {.last = CASE_NONE};
	if (people_collect(x, &p, EVENT_AUTH_REJECTED, TRY_MS))
		take_rejected(x, &p, &t);
	if (x->n_hits > 0) {
		x->f->severity = t.is_often ? SEVERITY_WARNING : SEVERITY_INFO;
		x->f->confidence = CONFIDENCE_CERTAIN;
		say_rejected(x, &t);
		if (is_limit(x, &t))
			cure_add_here(x, limit_cures, N_ELEM(limit_cures));
		else
			cure_add_here(x, rejected_cures, N_ELEM(rejected_cures));
	} else if (!x->is_bad) {
		find_guessing(x, &p, KNOWN_MIN, TRIES_MIN);
	}
	people_done(&p);
}

/* ---- pool-exhausted ---- */

static const struct fact_record *pool_of(const struct find *x)
{
	for (size_t i = 0; i < store_n_facts(x->s); i++)
		if (store_fact(x->s, i)->kind == FACT_POOL_SIZE)
			return store_fact(x->s, i);
	return NULL;
}

static void put_pool_name(struct find *x, struct text *t, const struct fact_record *pool)
{
	if (pool != NULL)
		find_say_word(x, t, pool->scope);
	else
		text_str(t, "POOL");
}

/* The lines have the name of the pool that is full. */
static void remedy_pool(struct find *x, const struct fact_record *pool)
{
	struct remedy *r = find_remedy(x, "A larger pool");
	remedy_name_product(x, r, PRODUCTS_COMMANDS);
	text_str(&r->config, "show ip local pool ");
	put_pool_name(x, &r->config, pool);
	text_str(&r->config, "\nip local pool VPNPOOL2 FIRST-LAST mask MASK\n");
	paste_group(x, &r->config, x->f->group, 0);
	text_str(&r->config, " address-pools value ");
	put_pool_name(x, &r->config, pool);
	text_str(&r->config, " VPNPOOL2\n");
	text_str(&r->effect, "Addresses of the second pool are given when the first is used up.");
	text_str(&r->side_effects, "The new range must be routed to the gateway and permitted in filters.");
}

static const struct cure pool_cures[] = {
        {PRODUCTS_COMMANDS, PASTE_POLICY, "Free addresses of forgotten sessions sooner",
                "vpn-idle-timeout 15", "Sessions without a client end after a quarter of an hour.",
                "Users who are away for longer must log in again."},
        {PRODUCTS_OCSERV, PASTE_GLOBAL, "A larger pool", "ipv4-network = NETWORK/22",
                "A shorter prefix: 1021 addresses instead of 253 with /24.",
                "The new range must be routed to the gateway and permitted in filters."},
        {PRODUCTS_OCSERV, PASTE_GLOBAL, "Free addresses of forgotten sessions sooner",
                "idle-timeout = 900\ncookie-timeout = 300",
                "Silent sessions end after a quarter of an hour, lost ones after five minutes.",
                "Users who are away for longer must log in again."},
};

static void say_pool(struct find *x, const struct fact_record *pool, uint32_t n)
{
	struct finding *f = x->f;
	text_fmt(&f->cause, "A client was accepted, and no inner address was left for it (%u messages).", n);
	if (pool != NULL) {
		text_str(&f->cause, " The pool ");
		find_say_word(x, &f->cause, pool->scope);
		text_fmt(&f->cause, " has %u addresses.", pool->number);
	}
	text_str(&f->cause, " Sessions that wait to be resumed keep theirs until the idle timeout.");
	text_fmt(&f->verdict, "No inner address is left; connects fail (%u messages).", n);
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
	say_pool(x, pool, n);
	if ((find_products(x) & PRODUCTS_COMMANDS) != 0)
		remedy_pool(x, pool);
	cure_add_here(x, pool_cures, N_ELEM(pool_cures));
}

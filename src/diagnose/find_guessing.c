/* auth-rejected, its other form: strangers who guess passwords, a few tries from each of many addresses. Some
 * come to every gateway on the Internet every day and are not worth a word; a wave of them is. */
#include <stdlib.h>

#include "diagnose/cure.h"
#include "diagnose/people.h"

#define WAVE_MIN 100 /* tries */
#define WAVE_MS  3600000
#define PROVED   4

struct wave {
	int64_t times[WAVE_MIN]; /* of the last tries */
	uint64_t tries, n_in_ring;
	uint32_t first, last; /* places */
	size_t n_addrs;
	uint8_t *addrs; /* set of words */
	bool is_high;   /* so many within so long */
};

static void take_try(struct wave *w, int64_t at_ms)
{
	int64_t *slot = &w->times[w->n_in_ring++ % WAVE_MIN];
	*slot = at_ms;
	if (w->n_in_ring < WAVE_MIN)
		return;
	int64_t oldest = w->times[w->n_in_ring % WAVE_MIN];
	w->is_high |= at_ms == TIME_NONE || oldest == TIME_NONE || at_ms - oldest <= WAVE_MS;
}

static void take_record(struct wave *w, const struct record *r, uint32_t place)
{
	for (uint32_t i = 0; i < r->count && i < WAVE_MIN; i++)
		take_try(w, r->last_at_ms);
	w->tries += r->count;
	w->first = w->first == CASE_NONE ? place : w->first;
	w->last = place;
	if (r->public_ip == 0 || word_set_has(w->addrs, r->public_ip))
		return;
	word_set_add(w->addrs, r->public_ip);
	w->n_addrs++;
}

static const struct cure cures[] = {
        {PRODUCTS_ASA, PASTE_GLOBAL, "Shut out who guesses (releases from 9.20 on)",
                "threat-detection service remote-access-authentication hold-down 10 threshold 20\n"
                "threat-detection service remote-access-client-initiations hold-down 10 threshold 20\n"
                "threat-detection service invalid-vpn-access",
                "Addresses with too many failed logins are shunned.",
                "Users behind the same address are shunned with them; `no shun ADDRESS` lets them in again."},
        {PRODUCTS_ASA, PASTE_GLOBAL, "Ask for more than a password",
                "tunnel-group TG webvpn-attributes\n authentication aaa certificate",
                "A guessed password alone opens nothing.", "Each client needs a certificate."},
};

static void say(struct find *x, const struct wave *w)
{
	struct finding *f = x->f;
	f->severity = SEVERITY_INFO;
	f->confidence = CONFIDENCE_CERTAIN;
	f->title = "Strangers guess passwords";
	text_fmt(&f->cause, "%llu logins were refused", (unsigned long long)w->tries);
	if (w->n_addrs > 0)
		text_fmt(&f->cause, " from %zu %s", w->n_addrs, w->n_addrs == 1 ? "address" : "addresses");
	text_fmt(&f->cause,
	        " that have no session in these files, a few from each, and at times %d or more within an "
	        "hour: somebody tries names and passwords. None of them was let in. Accounts that exist may "
	        "be locked by it.",
	        WAVE_MIN);
	text_fmt(&f->verdict, "Somebody guesses passwords: %llu refused logins of strangers.",
	        (unsigned long long)w->tries);
}

void find_guessing(struct find *x, const struct people *p, uint32_t known_min, uint32_t stranger_min)
{
	struct wave w = {.first = CASE_NONE, .addrs = calloc(store_n_words(x->s) / 8 + 1, 1)};
	x->is_bad |= w.addrs == NULL;
	for (uint32_t i = 0; w.addrs != NULL && i < store_n(x->s); i++) {
		const struct record *r = store_at(x->s, i);
		if (r->kind != EVENT_AUTH_REJECTED || !find_wants_record(x, r))
			continue;
		const struct person *who = people_who(x, p, r);
		bool is_stranger =
		        who == NULL || (!who->is_known && !person_is_told(x, who, known_min, stranger_min));
		if (is_stranger)
			take_record(&w, r, i);
	}
	if (w.is_high && store_focus(x->s)->user == NULL && !addr_is_set(&store_focus(x->s)->ip)) {
		find_hit_record(x, store_at(x->s, w.first));
		find_hit_record(x, store_at(x->s, w.last));
		x->f->n_users = x->f->n_all_users = 0; /* names that were tried are nobody's */
		for (uint32_t i = w.first, n = 0; i <= w.last && n < PROVED; i++)
			if (store_at(x->s, i)->kind == EVENT_AUTH_REJECTED) {
				find_prove(x, i);
				n++;
			}
		say(x, &w);
		cure_add_here(x, cures, N_ELEM(cures));
	}
	free(w.addrs);
}

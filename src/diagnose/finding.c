/* The table of findings, and the run over it. */
#include "diagnose/finding.h"

#include <errno.h>
#include <stdlib.h>

#include "diagnose/find.h"

/* In the order in which they are told when they are equally bad. Later rules may ask what earlier ones found.
 */
static const struct {
	const char *id, *title;
	enum severity severity; /* unless the rule says otherwise */
	void (*find)(struct find *x);
} rows[] = {
        {"dtls-blocked-mtu-reconnect", "UDP is blocked, and the client reconnects to lower its MTU",
                SEVERITY_ERROR, find_mtu_reconnect},
        {"icmp-filtered-black-hole", "Large packets vanish: the sender does not hear that they are too large",
                SEVERITY_ERROR, find_black_hole},
        {"dtls-blocked", "The DTLS tunnel never comes up", SEVERITY_WARNING, find_dtls_blocked},
        {"dtls-flapping", "The DTLS tunnel comes and goes", SEVERITY_WARNING, find_dtls_flapping},
        {"ocserv-udp-silent", "UDP died, and was noticed late", SEVERITY_WARNING, find_udp_silent},
        {"dtls-lost", "The DTLS tunnel was lost and did not come back", SEVERITY_WARNING, find_dtls_lost},
        {"tls-mtu-too-small-for-ipv6", "The TLS MTU is too small for the IPv6 inside", SEVERITY_ERROR,
                find_tls_too_small},
        {"mtu-below-1280", "An MTU below 1280, the least that IPv6 needs", SEVERITY_WARNING, find_below_1280},
        {"remedy-ineffective", "A remedy is configured that cannot work", SEVERITY_WARNING, find_ineffective},
        {"tcpmss-mismatch", "tcpmss makes the MTUs of TLS and DTLS differ", SEVERITY_INFO, find_tcpmss},
        {"pool-exhausted", "No inner address is left", SEVERITY_ERROR, find_pool},
        {"cipher-mismatch", "No cipher or version in common", SEVERITY_WARNING, find_cipher},
        {"auth-rejected", "Logins are refused", SEVERITY_WARNING, find_rejected},
        {"connect-failed", "The client could not connect", SEVERITY_ERROR, find_connect_failed},
        {"dpd-timeout", "The peer did not answer any more", SEVERITY_WARNING, find_dpd},
        {"session-not-resumed", "The gateway did not take the session back", SEVERITY_WARNING,
                find_not_resumed},
        {"port-preempted", "A newer login of the same user replaced the session", SEVERITY_INFO,
                find_preempted},
        {"suspend", "The client's machine went to sleep", SEVERITY_INFO, find_suspend},
        {"idle-or-session-timeout", "A timeout ended the session, as configured", SEVERITY_INFO,
                find_timeouts},
};

struct findings {
	struct cases cases;
	struct finding *v;
	size_t n;
};

const char *severity_name(enum severity s)
{
	static const char *const names[SEVERITY_N] = {"info", "warning", "error"};
	return names[s];
}

const char *confidence_name(enum confidence c)
{
	static const char *const names[CONFIDENCE_N] = {"possible", "probable", "certain"};
	return names[c];
}

static void finding_done(struct finding *f)
{
	text_done(&f->cause);
	text_done(&f->verdict);
	for (size_t i = 0; i < FINDING_MAX_REMEDIES; i++) {
		text_done(&f->remedies[i].title);
		text_done(&f->remedies[i].config);
		text_done(&f->remedies[i].effect);
		text_done(&f->remedies[i].side_effects);
	}
	free(f->users);
	*f = (struct finding){.n_users = 0};
}

static void run_row(struct find *x, struct findings *all, size_t i)
{
	struct finding *f = &all->v[all->n];
	*f = (struct finding){
	        .id = rows[i].id,
	        .title = rows[i].title,
	        .severity = rows[i].severity,
	        .confidence = CONFIDENCE_PROBABLE,
	        .first_at_ms = TIME_NONE,
	        .last_at_ms = TIME_NONE,
	        .example = CASE_NONE,
	        .rank = i,
	};
	f->users = malloc(FINDING_MAX_USERS * sizeof(*f->users));
	if (f->users == NULL) {
		x->is_bad = true;
		return;
	}
	memset(x->seen_users, 0, store_n_words(x->s) / 8 + 1);
	x->f = f;
	x->n_hits = 0;
	x->products = 0;
	x->own_user = 0;
	rows[i].find(x);
	if (x->n_hits > 0)
		all->n++;
	else
		finding_done(f);
}

static int compare(const void *va, const void *vb)
{
	const struct finding *a = va, *b = vb;
	if (a->severity != b->severity)
		return a->severity > b->severity ? -1 : 1;
	return a->rank < b->rank ? -1 : a->rank > b->rank;
}

static void find_policies(struct find *x)
{
	for (size_t i = 0; i < x->c->n; i++) {
		const struct one_case *k = &x->c->v[i];
		x->policies[i] = setup_policy_of(x->u, k->device, k->group, k->user, k->profile);
	}
}

static void run_rows(struct find *x, struct findings *all)
{
	for (size_t i = 0; i < N_ELEM(rows) && !x->is_bad; i++)
		run_row(x, all, i);
	qsort(all->v, all->n, sizeof(*all->v), compare);
}

int findings_find(const struct store *s, struct findings **ret)
{
	struct setup u = {.n_policies = 0};
	struct findings *all = calloc(1, sizeof(*all));
	struct find x = {.s = s, .u = &u, .is_bad = true};
	if (all == NULL)
		return -ENOMEM;
	x.c = &all->cases;
	all->v = calloc(N_ELEM(rows), sizeof(*all->v));
	if (all->v == NULL || cases_init(&all->cases, s) < 0 || setup_init(&u, s) < 0)
		goto out;
	x.marks = calloc(x.c->n + 1, sizeof(*x.marks));
	x.seen_users = calloc(store_n_words(s) / 8 + 1, 1);
	x.mtu_users = calloc(store_n_words(s) / 8 + 1, 1);
	x.policies = calloc(x.c->n + 1, sizeof(*x.policies));
	x.is_bad = x.marks == NULL || x.seen_users == NULL || x.mtu_users == NULL || x.policies == NULL;
	if (!x.is_bad) {
		x.all_products = products_of(x.c);
		find_policies(&x);
		run_rows(&x, all);
	}
	free(x.policies);
	free(x.mtu_users);
	free(x.marks);
	free(x.seen_users);
out:
	setup_done(&u);
	if (x.is_bad) {
		findings_free(all);
		return -ENOMEM;
	}
	*ret = all;
	return 0;
}

void findings_free(struct findings *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++)
		finding_done(&f->v[i]);
	free(f->v);
	cases_done(&f->cases);
	free(f);
}

size_t findings_n(const struct findings *f)
{
	return f->n;
}

const struct finding *findings_at(const struct findings *f, size_t i)
{
	return &f->v[i];
}

const struct cases *findings_cases(const struct findings *f)
{
	return &f->cases;
}

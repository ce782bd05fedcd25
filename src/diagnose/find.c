#include "diagnose/find.h"

#include "diagnose/escape.h"

#define MAX_NAME    64 /* of a name in a sentence, bytes */
#define NAMED_USERS 3  /* in a sentence */

/* ---- asking ---- */

static bool is_focus_user(const struct find *x, word_t user)
{
	const struct store_focus *focus = store_focus(x->s);
	return focus->user == NULL || user == 0 || span_is_nocase(store_word(x->s, user), focus->user);
}

static bool is_addr(const struct find *x, word_t w)
{
	struct ip_addr a = store_addr(x->s, w);
	return w != 0 && addr_eq(&a, &store_focus(x->s)->ip);
}

static bool is_late_enough(const struct find *x, int64_t at_ms)
{
	int64_t since = store_focus(x->s)->since_ms;
	return since == TIME_NONE || at_ms == TIME_NONE || at_ms >= since;
}

bool find_wants(const struct find *x, const struct one_case *k)
{
	bool is_ip = !addr_is_set(&store_focus(x->s)->ip) || is_addr(x, k->inner) || is_addr(x, k->inner6);
	for (size_t i = 0; i < CASE_MAX_ADDRS && !is_ip; i++)
		is_ip = is_addr(x, k->addrs[i]);
	is_ip |= k->side == SIDE_CLIENT && k->inner == 0;
	return is_ip && is_focus_user(x, k->user) && is_late_enough(x, case_until(k));
}

bool find_wants_record(const struct find *x, const struct record *r)
{
	bool is_ip = !addr_is_set(&store_focus(x->s)->ip) || is_addr(x, r->public_ip) ||
	             is_addr(x, r->inner) || (r->public_ip == 0 && r->inner == 0);
	return is_ip && is_focus_user(x, r->user) && is_late_enough(x, r->last_at_ms);
}

bool find_is_session(const struct find *x, const struct one_case *k)
{
	return (k->side == SIDE_CLIENT || k->user != 0) && find_wants(x, k);
}

/* What is only configured has no session that says more. */
unsigned find_products(const struct find *x)
{
	unsigned seen = x->products ? x->products : x->all_products;
	return seen ? seen : PRODUCTS_ASA;
}

const struct policy_setup *find_policy_of(const struct find *x, const struct one_case *k)
{
	return x->policies[k - x->c->v];
}

bool find_is_dtls_off(const struct find *x, const struct one_case *k)
{
	const struct policy_setup *p = find_policy_of(x, k);
	const struct device_setup *d = setup_device(x->u, k->device);
	return (p != NULL && p->dtls.value == 0) || d->tls_only.value != 0;
}

bool find_has_ip6(const struct find *x, const struct one_case *k)
{
	const struct policy_setup *p = find_policy_of(x, k);
	return k->inner6 != 0 || (p != NULL && p->pool6.value != 0);
}

bool find_is_mtu_user(const struct find *x, word_t user)
{
	return user != 0 && word_set_has(x->mtu_users, user);
}

bool find_has_sessions(const struct find *x)
{
	for (size_t i = 0; i < x->c->n; i++)
		if (x->c->v[i].source != SOURCE_ASA_DEBUG)
			return true;
	return false;
}

/* ---- telling ---- */

static void widen(struct finding *f, int64_t first_ms, int64_t last_ms)
{
	if (first_ms != TIME_NONE && (f->first_at_ms == TIME_NONE || first_ms < f->first_at_ms))
		f->first_at_ms = first_ms;
	if (last_ms != TIME_NONE && (f->last_at_ms == TIME_NONE || last_ms > f->last_at_ms))
		f->last_at_ms = last_ms;
}

static void add_user(struct find *x, word_t user)
{
	struct finding *f = x->f;
	if (user == 0 || word_set_has(x->seen_users, user))
		return;
	word_set_add(x->seen_users, user);
	f->n_all_users++;
	if (f->n_users < FINDING_MAX_USERS)
		f->users[f->n_users++] = user;
}

void find_hit(struct find *x, const struct one_case *k, int64_t first_ms, int64_t last_ms)
{
	const struct one_case *other = k->partner != CASE_NONE ? &x->c->v[k->partner] : NULL;
	int64_t shift = k->side == SIDE_CLIENT && other != NULL ? k->shift_ms : 0;
	bool is_timed = k->has_times && first_ms != TIME_NONE && last_ms != TIME_NONE;
	x->n_hits++;
	if (x->f->example == CASE_NONE || (x->c->v[x->f->example].partner == CASE_NONE && other != NULL))
		x->f->example = (uint32_t)(k - x->c->v);
	add_user(x, k->user);
	if (other != NULL)
		add_user(x, other->user);
	widen(x->f, is_timed ? first_ms + shift : TIME_NONE, is_timed ? last_ms + shift : TIME_NONE);
	x->f->sources |= 1u << k->source;
	x->products |= PRODUCT_BIT(product_of(x->c, k, x->all_products));
	if (x->f->group == 0)
		x->f->group = k->group;
}

void find_hit_record(struct find *x, const struct record *r)
{
	x->n_hits++;
	add_user(x, r->user);
	widen(x->f, r->at_ms, r->last_at_ms);
	x->f->sources |= 1u << r->source;
	x->products |= PRODUCT_BIT(product_of_record(x->s, r, x->all_products));
	if (x->f->group == 0)
		x->f->group = r->group;
}

/* A line may hold many events (XML and JSON without newlines): then their texts differ. */
static bool has_evidence(const struct find *x, const struct evidence *e)
{
	for (size_t i = 0; i < x->f->n_evidence; i++) {
		const struct evidence *old = &x->f->evidence[i];
		if (old->file == e->file && old->line == e->line &&
		        span_eq(store_text(x->s, old->text), store_text(x->s, e->text)))
			return true;
	}
	return false;
}

static void add_evidence(struct find *x, const struct evidence *e)
{
	struct finding *f = x->f;
	if (has_evidence(x, e))
		return;
	if (f->n_evidence == FINDING_MAX_EVIDENCE)
		f->n_more_evidence++;
	else
		f->evidence[f->n_evidence++] = *e;
}

void find_prove(struct find *x, uint32_t place)
{
	if (place == CASE_NONE)
		return;
	const struct record *r = store_at(x->s, place);
	struct evidence e = {.file = r->file,
	        .line = r->line,
	        .text = r->text,
	        .count = r->count,
	        .at_ms = r->is_untimed ? TIME_NONE : r->at_ms,
	        .has_zone = r->has_zone};
	x->f->sources |= 1u << r->source;
	add_evidence(x, &e);
}

void find_prove_fact(struct find *x, const struct fact_record *f)
{
	if (f == NULL)
		return;
	struct evidence e = {
	        .file = f->file, .line = f->line, .text = f->text, .count = 1, .at_ms = TIME_NONE};
	x->f->sources |= 1u << f->source;
	add_evidence(x, &e);
}

void find_prove_device(struct find *x, word_t device)
{
	const struct device_setup *d = setup_device(x->u, device);
	find_prove_fact(x, d->tcpmss.fact);
	find_prove_fact(x, d->tls_ciphers);
}

struct remedy *find_remedy(struct find *x, const char *title)
{
	struct finding *f = x->f;
	if (f->n_remedies < FINDING_MAX_REMEDIES)
		f->n_remedies++;
	struct remedy *r = &f->remedies[f->n_remedies - 1];
	text_done(&r->title);
	text_done(&r->config);
	text_done(&r->effect);
	text_done(&r->side_effects);
	text_str(&r->title, title);
	return r;
}

/* ---- words ---- */

void find_say_word(const struct find *x, struct text *t, word_t w)
{
	escape_put(t, store_word(x->s, w), MAX_NAME);
}

void find_say_addr(const struct find *x, struct text *t, word_t w)
{
	char buf[ADDR_TEXT_MAX];
	struct ip_addr a = store_addr(x->s, w);
	text_str(t, addr_format(&a, buf));
}

void find_say_users(const struct find *x, struct text *t)
{
	const struct finding *f = x->f;
	size_t n = f->n_all_users, named = n <= NAMED_USERS ? n : NAMED_USERS - 1;
	if (n == 0)
		text_str(t, "the client");
	for (size_t i = 0; i < named; i++) {
		text_str(t, i == 0 ? "" : i + 1 == n ? " and " : ", ");
		find_say_word(x, t, f->users[i]);
	}
	if (named < n)
		text_fmt(t, " and %zu others", n - named);
}

#include "diagnose/setup.h"

#include <errno.h>
#include <stdlib.h>

#define DEFAULT_POLICY "DfltGrpPolicy"
#define N_SLOTS        8192 /* 2^13, more than twice SETUP_MAX_POLICIES */

static const struct device_setup no_device = {
        .tcpmss = {SETUP_DEFAULT_TCPMSS, NULL},
        .base_mtu = {SETUP_DEFAULT_BASE_MTU, NULL},
        .dtls_port = {443, NULL},
        .tls_port = {443, NULL},
};

static const struct policy_setup no_policy = {
        .mtu = {SETUP_DEFAULT_MTU, NULL},
        .dtls = {1, NULL},
        .idle_min = {SETUP_DEFAULT_IDLE_MIN, NULL},
        .dpd_client_s = {SETUP_DEFAULT_DPD_S, NULL},
        .dpd_gateway_s = {SETUP_DEFAULT_DPD_S, NULL},
        .logins = {SETUP_DEFAULT_LOGINS, NULL},
        .ssl_client = {1, NULL},
};

/* Facts of a group-policy, or of a user, that are one number. */
static const struct {
	uint8_t fact;
	size_t at;
} policy_numbers[] = {
        {FACT_GROUP_MTU, offsetof(struct policy_setup, mtu)},
        {FACT_DF_IGNORE, offsetof(struct policy_setup, df_ignore)},
        {FACT_DTLS_ENABLE, offsetof(struct policy_setup, dtls)},
        {FACT_IDLE_TIMEOUT, offsetof(struct policy_setup, idle_min)},
        {FACT_SESSION_TIMEOUT, offsetof(struct policy_setup, session_min)},
        {FACT_DPD_CLIENT, offsetof(struct policy_setup, dpd_client_s)},
        {FACT_DPD_GATEWAY, offsetof(struct policy_setup, dpd_gateway_s)},
        {FACT_LOGINS, offsetof(struct policy_setup, logins)},
        {FACT_SSL_CLIENT, offsetof(struct policy_setup, ssl_client)},
};

static const struct {
	uint8_t fact;
	size_t at;
} device_numbers[] = {
        {FACT_TCPMSS, offsetof(struct device_setup, tcpmss)},
        {FACT_DTLS_PORT, offsetof(struct device_setup, dtls_port)},
        {FACT_TLS_PORT, offsetof(struct device_setup, tls_port)},
};

static struct setting *setting_at(void *base, size_t at)
{
	return (struct setting *)((char *)base + at);
}

static struct setting setting_of(const struct fact_record *f)
{
	return (struct setting){f->number, f};
}

/* ---- devices ---- */

/* A file that names no device (`show run all sysopt`, a part of a configuration) is of the only one that
 * another file names. */
static word_t device_of_fact(const struct setup *u, const struct fact_record *f)
{
	return f->device ? f->device : u->only_device;
}

static void find_only_device(struct setup *u)
{
	word_t only = 0;
	for (size_t i = 0; i < store_n_facts(u->store); i++) {
		const struct fact_record *f = store_fact(u->store, i);
		if (f->source != SOURCE_ASA_CONFIG || f->device == 0 || f->device == only)
			continue;
		if (only != 0)
			return;
		only = f->device;
	}
	u->only_device = only;
}

static struct device_setup *device_of(struct setup *u, word_t name)
{
	for (size_t i = 0; i < u->n_devices; i++)
		if (u->devices[i].name == name)
			return &u->devices[i];
	if (u->n_devices == SETUP_MAX_DEVICES)
		return NULL;
	u->devices[u->n_devices] = no_device;
	u->devices[u->n_devices].name = name;
	return &u->devices[u->n_devices++];
}

/* `mtu IF n` counts where the clients come in; without `enable IF` that is an interface called outside. */
static bool is_outside(const struct setup *u, const struct fact_record *f)
{
	const struct store *s = u->store;
	for (size_t i = 0; i < store_n_facts(s); i++) {
		const struct fact_record *w = store_fact(s, i);
		if (w->kind == FACT_WEBVPN && device_of_fact(u, w) == device_of_fact(u, f) && w->scope != 0)
			return w->scope == f->scope;
	}
	return span_is_nocase(store_word(s, f->scope), "outside");
}

/* What nearly all clients negotiate; the lines for other versions count only without it. */
static bool is_for_tls_1_2(const struct setup *u, const struct fact_record *f)
{
	struct span raw = store_text(u->store, f->text);
	return raw.n > 0 && memmem(raw.p, raw.n, "tlsv1.2", 7) != NULL;
}

static void read_device_fact(struct setup *u, const struct fact_record *f)
{
	struct device_setup *d = device_of(u, device_of_fact(u, f));
	if (d == NULL)
		return;
	for (size_t i = 0; i < N_ELEM(device_numbers); i++)
		if (device_numbers[i].fact == f->kind)
			*setting_at(d, device_numbers[i].at) = setting_of(f);
	if (f->kind == FACT_BASE_MTU && f->number > 0 && is_outside(u, f))
		d->base_mtu = setting_of(f);
	if (f->kind == FACT_TLS_CIPHERS && (d->tls_ciphers == NULL || is_for_tls_1_2(u, f)))
		d->tls_ciphers = f;
	if (f->kind == FACT_TLS_VERSION)
		d->tls_version = f;
	if (f->kind == FACT_DTLS_CIPHERS)
		d->dtls_ciphers = f;
	if (f->kind == FACT_L2L)
		d->l2l = (struct setting){1, f};
	if (f->kind == FACT_WEBVPN || f->kind == FACT_GROUP_POLICY)
		d->has_config = true;
}

const struct device_setup *setup_device(const struct setup *u, word_t name)
{
	for (size_t i = 0; i < u->n_devices; i++)
		if (name != 0 && u->devices[i].name == name)
			return &u->devices[i];
	return u->n_devices == 1 ? &u->devices[0] : &no_device;
}

/* ---- group-policies ---- */

static uint16_t *policy_slot(const struct setup *u, word_t device, word_t name)
{
	uint32_t h = (device * 2654435761u ^ name) * 2654435761u;
	for (size_t i = h >> 19;; i = (i + 1) % N_SLOTS) {
		uint16_t at = u->policy_slots[i];
		if (at == 0 || (u->policies[at - 1].name == name && u->policies[at - 1].device == device))
			return &u->policy_slots[i];
	}
}

static struct policy_setup *find_policy(const struct setup *u, word_t device, word_t name)
{
	uint16_t at = *policy_slot(u, device, name);
	return at != 0 ? &u->policies[at - 1] : NULL;
}

static struct policy_setup *policy_of(struct setup *u, word_t device, word_t name)
{
	struct policy_setup *p = find_policy(u, device, name);
	if (p != NULL || name == 0 || u->n_policies == SETUP_MAX_POLICIES)
		return p;
	uint16_t *slot = policy_slot(u, device, name);
	p = &u->policies[u->n_policies++];
	*slot = (uint16_t)u->n_policies;
	*p = no_policy;
	p->name = name;
	p->device = device;
	return p;
}

static struct policy_setup *find_user(const struct setup *u, word_t device, word_t user)
{
	for (size_t i = 0; i < u->n_users; i++)
		if (u->users[i].user == user && u->users[i].device == device)
			return &u->users[i];
	return NULL;
}

static struct policy_setup *user_of(struct setup *u, word_t device, word_t user)
{
	struct policy_setup *p = find_user(u, device, user);
	if (p != NULL || user == 0 || u->n_users == SETUP_MAX_USERS)
		return p;
	p = &u->users[u->n_users++];
	*p = no_policy;
	p->user = user;
	p->device = device;
	return p;
}

/* The scope of `anyconnect ssl dtls enable` is a policy; that of `enable X tls-only` an interface. */
static bool is_interface_fact(const struct setup *u, const struct fact_record *f)
{
	struct span raw = span_trim(store_text(u->store, f->text));
	return f->kind == FACT_DTLS_ENABLE && span_starts(raw, "enable ");
}

static void read_policy_fact(struct setup *u, const struct fact_record *f)
{
	bool is_number = false;
	for (size_t i = 0; i < N_ELEM(policy_numbers); i++)
		is_number |= policy_numbers[i].fact == f->kind;
	if (!is_number && f->kind != FACT_GROUP_POLICY)
		return;
	if (is_interface_fact(u, f)) {
		struct device_setup *d = device_of(u, device_of_fact(u, f));
		if (d != NULL && f->number == 0)
			d->tls_only = (struct setting){1, f};
		return;
	}
	word_t device = device_of_fact(u, f);
	struct policy_setup *p = f->is_user ? user_of(u, device, f->scope) : policy_of(u, device, f->scope);
	if (p == NULL)
		return;
	if (f->kind == FACT_GROUP_POLICY)
		p->exists = f;
	for (size_t i = 0; i < N_ELEM(policy_numbers); i++)
		if (policy_numbers[i].fact == f->kind)
			*setting_at(p, policy_numbers[i].at) = setting_of(f);
}

/* Another device's may stand in when it is the only one, and this device's own configuration is not there: a
 * log may have an address where the configuration has a name. */
static const struct policy_setup *stand_in(const struct policy_setup *v, size_t n, word_t name, word_t user)
{
	const struct policy_setup *found = NULL;
	for (size_t i = 0; i < n; i++) {
		if (v[i].name != name || v[i].user != user)
			continue;
		if (found != NULL)
			return NULL;
		found = &v[i];
	}
	return found;
}

static bool has_config(const struct setup *u, word_t device)
{
	for (size_t i = 0; i < u->n_devices; i++)
		if (device != 0 && u->devices[i].name == device)
			return u->devices[i].has_config;
	return false;
}

const struct policy_setup *setup_policy(const struct setup *u, word_t device, word_t name)
{
	const struct policy_setup *found = name != 0 ? find_policy(u, device, name) : NULL;
	if (found != NULL || name == 0 || has_config(u, device))
		return found;
	return stand_in(u->policies, u->n_policies, name, 0);
}

static const struct policy_setup *own_of(const struct setup *u, word_t device, word_t user)
{
	const struct policy_setup *found = user != 0 ? find_user(u, device, user) : NULL;
	if (found != NULL || user == 0 || has_config(u, device))
		return found;
	return stand_in(u->users, u->n_users, 0, user);
}

static int compare_links(const void *va, const void *vb)
{
	const struct policy_link *a = va, *b = vb;
	if (a->fact != b->fact)
		return a->fact < b->fact ? -1 : 1;
	if (a->scope != b->scope)
		return a->scope < b->scope ? -1 : 1;
	return a->device < b->device ? -1 : a->device > b->device;
}

static word_t value_of(const struct setup *u, enum fact_kind kind, word_t device, word_t scope)
{
	word_t devices[] = {device, u->only_device, 0};
	for (size_t i = 0; scope != 0 && u->n_links > 0 && i < N_ELEM(devices); i++) {
		struct policy_link key = {.fact = (uint8_t)kind, .device = devices[i], .scope = scope};
		const struct policy_link *l = bsearch(&key, u->links, u->n_links, sizeof(key), compare_links);
		if (l != NULL)
			return l->value;
	}
	return 0;
}

static void read_link_fact(struct setup *u, const struct fact_record *f)
{
	if (f->kind == FACT_POLICY_OF_USER || f->kind == FACT_POLICY_OF_PROFILE)
		u->links[u->n_links++] =
		        (struct policy_link){f->kind, device_of_fact(u, f), f->scope, f->value};
}

/* ---- a user's own settings, laid over the policy's ---- */

bool policy_is_for_clients(const struct policy_setup *p)
{
	return p->ssl_client.value != 0;
}

bool policy_has_own_tunnel(const struct policy_setup *p)
{
	const struct policy_setup *base = p->base != NULL ? p->base : &no_policy;
	return p->user != 0 && (p->mtu.fact != base->mtu.fact || p->dtls.fact != base->dtls.fact ||
	                               p->df_ignore.fact != base->df_ignore.fact);
}

static const struct policy_setup *merge(struct setup *u, const struct policy_setup *own,
        const struct policy_setup *base, word_t device, word_t group)
{
	for (size_t i = 0; i < u->n_merged; i++) {
		const struct policy_setup *m = &u->merged[i];
		if (m->user == own->user && m->base == base && m->device == device &&
		        (base != NULL || m->name == group))
			return m;
	}
	if (u->n_merged == SETUP_MAX_USERS)
		return base;
	struct policy_setup *m = &u->merged[u->n_merged++];
	*m = base != NULL ? *base : no_policy;
	m->name = base != NULL ? base->name : group;
	m->device = device;
	m->user = own->user;
	m->base = base;
	for (size_t k = 0; k < N_ELEM(policy_numbers); k++) {
		const struct setting *s = setting_at((void *)own, policy_numbers[k].at);
		if (s->fact != NULL)
			*setting_at(m, policy_numbers[k].at) = *s;
	}
	return m;
}

const struct policy_setup *setup_policy_of(
        struct setup *u, word_t device, word_t group, word_t user, word_t profile)
{
	const struct policy_setup *p = setup_policy(u, device, group);
	const struct policy_setup *own = own_of(u, device, user);
	if (p == NULL)
		p = setup_policy(u, device, value_of(u, FACT_POLICY_OF_USER, device, user));
	if (p == NULL)
		p = setup_policy(u, device, value_of(u, FACT_POLICY_OF_PROFILE, device, profile));
	return own != NULL ? merge(u, own, p, p != NULL ? p->device : device, group) : p;
}

size_t setup_index(const struct setup *u, const struct policy_setup *p)
{
	bool is_merged = p >= u->merged && p < u->merged + SETUP_MAX_USERS;
	return is_merged ? u->n_policies + (size_t)(p - u->merged) : (size_t)(p - u->policies);
}

size_t setup_n_all(const struct setup *u)
{
	return u->n_policies + u->n_merged;
}

const struct policy_setup *setup_at(const struct setup *u, size_t i)
{
	if (i < u->n_policies)
		return &u->policies[i];
	const struct policy_setup *m = &u->merged[i - u->n_policies];
	/* of a user whose sessions tell of his policy, only the pairs with that */
	for (size_t k = 0; m->base == NULL && k < u->n_merged; k++)
		if (u->merged[k].user == m->user && u->merged[k].base != NULL)
			return NULL;
	return policy_has_own_tunnel(m) ? m : NULL;
}

/* Pools may be those of a policy or of a tunnel-group, whose policy then has them. */
static void read_pool_fact(struct setup *u, const struct fact_record *f)
{
	if (f->kind != FACT_POOL4_OF_POLICY && f->kind != FACT_POOL6_OF_POLICY)
		return;
	word_t device = device_of_fact(u, f);
	struct policy_setup *p = find_policy(u, device, f->scope);
	if (p == NULL)
		p = find_policy(u, device, value_of(u, FACT_POLICY_OF_PROFILE, device, f->scope));
	if (p == NULL)
		p = find_policy(u, device, store_find_word(u->store, span_str(DEFAULT_POLICY)));
	if (p == NULL)
		return;
	struct setting *pool = f->kind == FACT_POOL6_OF_POLICY ? &p->pool6 : &p->pool4;
	/* a policy's own pools come before those of its tunnel-groups */
	if (pool->fact == NULL || pool->fact->scope != p->name || f->scope == p->name)
		*pool = setting_of(f);
}

/* Pools of the default policy itself; those of a tunnel-group are for its own logins. */
static void inherit_pool(struct setting *own, const struct setting *base, word_t base_name)
{
	if (own->fact == NULL && base->fact != NULL && base->fact->scope == base_name)
		*own = *base;
}

static void inherit(struct setup *u)
{
	word_t name = store_find_word(u->store, span_str(DEFAULT_POLICY));
	for (size_t i = 0; i < u->n_policies; i++) {
		struct policy_setup *p = &u->policies[i];
		const struct policy_setup *from = find_policy(u, p->device, name);
		for (size_t k = 0; from != NULL && from != p && k < N_ELEM(policy_numbers); k++) {
			struct setting *own = setting_at(p, policy_numbers[k].at);
			const struct setting *base = setting_at((void *)from, policy_numbers[k].at);
			if (own->fact == NULL)
				*own = *base;
		}
		if (from == NULL || from == p)
			continue;
		inherit_pool(&p->pool4, &from->pool4, name);
		inherit_pool(&p->pool6, &from->pool6, name);
	}
}

/* What a gateway told an openconnect counts for that one whatever ocserv.conf says. DTLS is told last. */
static void read_told_fact(struct setup *u, const struct fact_record *f)
{
	if (f->kind == FACT_OCSERV_DPD || f->kind == FACT_DPD_CLIENT)
		u->told_dpd = setting_of(f);
}

static void read_ocserv_fact(struct setup *u, const struct fact_record *f)
{
	if (f->kind == FACT_OCSERV_DPD)
		u->ocserv_dpd = setting_of(f);
	if (f->kind == FACT_TIMEOUT_DTLS_TO_TLS)
		u->ocserv_switch = setting_of(f);
	if (f->kind == FACT_DTLS_PORT && f->number > 0 && f->number <= UINT16_MAX)
		u->ocserv_udp_port = setting_of(f);
}

/* ---- life ---- */

int setup_init(struct setup *u, const struct store *s)
{
	*u = (struct setup){.store = s};
	u->policies = calloc(SETUP_MAX_POLICIES, sizeof(*u->policies));
	u->links = calloc(store_n_facts(s) + 1, sizeof(*u->links));
	u->policy_slots = calloc(N_SLOTS, sizeof(*u->policy_slots));
	u->users = calloc(SETUP_MAX_USERS, sizeof(*u->users));
	u->merged = calloc(SETUP_MAX_USERS, sizeof(*u->merged));
	if (u->policies == NULL || u->links == NULL || u->policy_slots == NULL || u->users == NULL ||
	        u->merged == NULL) {
		setup_done(u);
		return -ENOMEM;
	}
	find_only_device(u);
	for (size_t i = 0; i < store_n_facts(s); i++) {
		const struct fact_record *f = store_fact(s, i);
		if (f->source == SOURCE_OCSERV)
			read_ocserv_fact(u, f);
		if (f->source == SOURCE_OPENCONNECT)
			read_told_fact(u, f);
		if (f->source == SOURCE_ASA_CONFIG) {
			read_device_fact(u, f);
			read_policy_fact(u, f);
			read_link_fact(u, f);
		}
	}
	qsort(u->links, u->n_links, sizeof(*u->links), compare_links);
	for (size_t i = 0; i < store_n_facts(s); i++)
		read_pool_fact(u, store_fact(s, i));
	inherit(u);
	for (size_t i = 0; i < u->n_users; i++)
		(void)setup_policy_of(u, u->users[i].device, 0, u->users[i].user, 0);
	return 0;
}

void setup_done(struct setup *u)
{
	free(u->policies);
	free(u->links);
	free(u->policy_slots);
	free(u->users);
	free(u->merged);
	u->users = u->merged = NULL;
	u->policy_slots = NULL;
	u->policies = NULL;
	u->links = NULL;
}

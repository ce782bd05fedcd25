#include "diagnose/setup.h"

#include <errno.h>
#include <stdlib.h>

#define DEFAULT_POLICY "DfltGrpPolicy"

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
};

/* Facts of a group-policy that are one number. */
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
		if (w->kind == FACT_WEBVPN && w->device == f->device && w->scope != 0)
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
	struct device_setup *d = device_of(u, f->device);
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

static struct policy_setup *find_policy(const struct setup *u, word_t device, word_t name)
{
	for (size_t i = 0; i < u->n_policies; i++)
		if (u->policies[i].name == name && u->policies[i].device == device)
			return &u->policies[i];
	return NULL;
}

static struct policy_setup *policy_of(struct setup *u, word_t device, word_t name)
{
	struct policy_setup *p = find_policy(u, device, name);
	if (p != NULL || name == 0 || u->n_policies == SETUP_MAX_POLICIES)
		return p;
	p = &u->policies[u->n_policies++];
	*p = no_policy;
	p->name = name;
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
		struct device_setup *d = device_of(u, f->device);
		if (d != NULL && f->number == 0)
			d->tls_only = (struct setting){1, f};
		return;
	}
	struct policy_setup *p = policy_of(u, f->device, f->scope);
	if (p == NULL)
		return;
	if (f->kind == FACT_GROUP_POLICY)
		p->exists = f;
	for (size_t i = 0; i < N_ELEM(policy_numbers); i++)
		if (policy_numbers[i].fact == f->kind)
			*setting_at(p, policy_numbers[i].at) = setting_of(f);
}

const struct policy_setup *setup_policy(const struct setup *u, word_t device, word_t name)
{
	const struct policy_setup *found = find_policy(u, device, name);
	for (size_t i = 0; found == NULL && name != 0 && i < u->n_policies; i++)
		if (u->policies[i].name == name)
			found = &u->policies[i];
	return found;
}

static int compare_links(const void *va, const void *vb)
{
	const struct policy_link *a = va, *b = vb;
	if (a->fact != b->fact)
		return a->fact < b->fact ? -1 : 1;
	return a->scope < b->scope ? -1 : a->scope > b->scope;
}

static word_t value_of(const struct setup *u, enum fact_kind kind, word_t scope)
{
	struct policy_link key = {.fact = (uint8_t)kind, .scope = scope};
	const struct policy_link *l = NULL;
	if (scope != 0 && u->n_links > 0)
		l = bsearch(&key, u->links, u->n_links, sizeof(key), compare_links);
	return l ? l->value : 0;
}

static void read_link_fact(struct setup *u, const struct fact_record *f)
{
	if (f->kind == FACT_POLICY_OF_USER || f->kind == FACT_POLICY_OF_PROFILE)
		u->links[u->n_links++] = (struct policy_link){f->kind, f->scope, f->value};
}

const struct policy_setup *setup_policy_of(
        const struct setup *u, word_t device, word_t group, word_t user, word_t profile)
{
	const struct policy_setup *p = setup_policy(u, device, group);
	if (p == NULL)
		p = setup_policy(u, device, value_of(u, FACT_POLICY_OF_USER, user));
	if (p == NULL)
		p = setup_policy(u, device, value_of(u, FACT_POLICY_OF_PROFILE, profile));
	return p;
}

/* Pools may be those of a policy or of a tunnel-group, whose policy then has them. */
static void read_pool_fact(struct setup *u, const struct fact_record *f)
{
	if (f->kind != FACT_POOL4_OF_POLICY && f->kind != FACT_POOL6_OF_POLICY)
		return;
	struct policy_setup *p = find_policy(u, f->device, f->scope);
	if (p == NULL)
		p = find_policy(u, f->device, value_of(u, FACT_POLICY_OF_PROFILE, f->scope));
	if (p == NULL)
		p = find_policy(u, f->device, store_find_word(u->store, span_str(DEFAULT_POLICY)));
	if (p == NULL)
		return;
	*(f->kind == FACT_POOL6_OF_POLICY ? &p->pool6 : &p->pool4) = (struct setting){1, f};
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
	if (u->policies == NULL || u->links == NULL) {
		setup_done(u);
		return -ENOMEM;
	}
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
	return 0;
}

void setup_done(struct setup *u)
{
	free(u->policies);
	free(u->links);
	u->policies = NULL;
	u->links = NULL;
}

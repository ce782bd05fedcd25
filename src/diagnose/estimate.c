#include "diagnose/estimate.h"

/* Which suites and versions are tried, in this order, to explain a threshold that was seen. The first is the
 * arithmetic that the tech note prints: no padding, 20 bytes of HASH (cisco-facts.md 1.1). */
static const struct {
	const char *suite;
	uint8_t version;
} tls_guesses[] =
        {
                {"RC4-SHA", MTU_TLS_1_2},
                {"ECDHE-RSA-AES256-GCM-SHA384", MTU_TLS_1_2},
                {"AES256-SHA", MTU_TLS_1_2},
                {"AES256-SHA256", MTU_TLS_1_2},
                {"ECDHE-RSA-AES128-GCM-SHA256", MTU_TLS_1_2},
                {"AES256-SHA", MTU_TLS_1_0},
                {"TLS_AES_256_GCM_SHA384", MTU_TLS_1_3},
},
  dtls_guesses[] = {
          {"AES256-SHA", MTU_DTLS_1_0},
          {"ECDHE-RSA-AES256-GCM-SHA384", MTU_DTLS_1_2},
          {"AES256-SHA256", MTU_DTLS_1_2},
};

/* MSS values from which thresholds come: the default of tcpmss; what a link of 1500 leaves over IPv4 and
 * IPv6. */
static const uint16_t mss_guesses[] = {1380, 1460, 1440};

/* ---- suites of a configuration ---- */

/* The first name of a cipher string that this version has: `custom "A:B"`, or names with blanks between. */
static const struct mtu_suite *first_suite(struct span list, enum mtu_version v)
{
	while (list.n > 0) {
		size_t n = 0;
		while (n < list.n && strchr(" \t:,\"'", list.p[n]) == NULL)
			n++;
		const struct mtu_suite *s = n > 0 ? mtu_suite_find(span_of(list.p, n)) : NULL;
		if (s != NULL && mtu_suite_has_version(s, v))
			return s;
		list = span_skip(list, n + 1);
	}
	return NULL;
}

static struct span words_of(const struct find *x, const struct fact_record *f)
{
	return f != NULL ? store_word(x->s, f->value) : span_of(NULL, 0);
}

static void take_config(const struct find *x, const struct device_setup *d, struct estimate *e)
{
	const struct mtu_suite *tls = first_suite(words_of(x, d->tls_ciphers), MTU_TLS_1_2);
	const struct mtu_suite *dtls = first_suite(words_of(x, d->dtls_ciphers), MTU_DTLS_1_2);
	if (tls != NULL) {
		e->in.tls_suite = tls;
		e->is_suite_known = true;
	}
	if (dtls != NULL) {
		e->in.dtls_suite = dtls;
		e->in.dtls_version = mtu_suite_has_version(dtls, MTU_DTLS_1_0) ? MTU_DTLS_1_0 : MTU_DTLS_1_2;
	}
}

/* ---- what was seen ---- */

static bool gives_tls(const struct mtu_input *in, uint32_t want)
{
	struct mtu_derivation d;
	return mtu_derive(in, &d) == 0 && d.tls_limit == want;
}

static bool gives_dtls(const struct mtu_input *in, uint32_t want)
{
	struct mtu_derivation d;
	return mtu_derive(in, &d) == 0 && d.dtls_limit == want;
}

static bool try_tls(struct mtu_input *in, uint32_t mss, uint32_t want)
{
	struct mtu_input try = *in;
	try.tcpmss = mss;
	if (gives_tls(&try, want)) {
		*in = try;
		return true;
	}
	for (size_t i = 0; i < N_ELEM(tls_guesses); i++) {
		try.tls_suite = mtu_suite_find(span_str(tls_guesses[i].suite));
		try.tls_version = tls_guesses[i].version;
		if (gives_tls(&try, want)) {
			*in = try;
			return true;
		}
	}
	return false;
}

/* A configured tcpmss is taken as it is; else what it usually is. */
static void explain_tls(struct estimate *e, uint32_t want)
{
	e->is_tls_seen = true;
	e->is_exact = try_tls(&e->in, e->in.tcpmss, want);
	for (size_t i = 0; !e->is_exact && !e->is_tcpmss_known && i < N_ELEM(mss_guesses); i++)
		e->is_exact = try_tls(&e->in, mss_guesses[i], want);
	if (e->is_exact)
		return;
	/* stands in for a suite that we cannot name: 33 bytes less than its MSS */
	e->in.tls_suite = mtu_suite_find(span_str("RC4-SHA"));
	e->in.tls_version = MTU_TLS_1_2;
	e->in.tcpmss = want + 33;
}

static void explain_dtls(struct estimate *e, uint32_t want)
{
	struct mtu_input try = e->in;
	for (size_t i = 0; !gives_dtls(&e->in, want) && i < N_ELEM(dtls_guesses); i++) {
		try.dtls_suite = mtu_suite_find(span_str(dtls_guesses[i].suite));
		try.dtls_version = dtls_guesses[i].version;
		if (gives_dtls(&try, want))
			e->in = try;
	}
}

/* ---- all together ---- */

static bool derive(struct estimate *e)
{
	return mtu_derive(&e->in, &e->d) == 0;
}

static struct estimate begin(const struct find *x, const struct device_setup *d, bool has_ip6)
{
	struct estimate e = {
	        .in = {.formula = MTU_CISCO,
	                .base_mtu = d->base_mtu.value,
	                .tcpmss = d->tcpmss.value,
	                .outer_family = 4,
	                .has_ip6 = has_ip6,
	                .tls_version = MTU_TLS_1_2,
	                .tls_suite = mtu_suite_find(span_str(tls_guesses[0].suite)),
	                .dtls_version = MTU_DTLS_1_0,
	                .dtls_suite = mtu_suite_find(span_str(dtls_guesses[0].suite))},
	        .is_tcpmss_known = d->tcpmss.fact != NULL,
	};
	take_config(x, d, &e);
	return e;
}

static void explain(struct estimate *e, const struct seen_mtu *seen)
{
	e->is_dtls_seen = seen->dtls != 0;
	if (seen->dtls != 0 || seen->dtls_at_least != 0)
		explain_dtls(e, seen->dtls ? seen->dtls : seen->dtls_at_least);
	if (seen->tls != 0)
		explain_tls(e, seen->tls);
}

/* By the ASA's arithmetic; a gateway that is none counts what records really add, which is believed where
 * both MTUs fit. */
static void explain_seen(struct estimate *e, const struct seen_mtu *seen)
{
	struct estimate other = *e;
	bool has_both = seen->tls != 0 && seen->dtls != 0;
	explain(e, seen);
	if (!has_both || (e->is_exact && gives_dtls(&e->in, seen->dtls)))
		return;
	other.in.formula = MTU_EXACT;
	explain(&other, seen);
	if (other.is_exact && gives_dtls(&other.in, seen->dtls))
		*e = other;
}

bool estimate_make(const struct find *x, const struct device_setup *d, const struct policy_setup *p,
        bool has_ip6, const struct seen_mtu *seen, struct estimate *ret)
{
	uint32_t mtu = p != NULL ? p->mtu.value : SETUP_DEFAULT_MTU;
	*ret = begin(x, d, has_ip6);
	explain_seen(ret, seen);
	/* the default caps nothing (cisco-facts.md 1.5); what was seen is already capped, or from before it
	 * was */
	bool is_seen_above = seen->dtls > mtu || seen->dtls_at_least > mtu;
	if (mtu != SETUP_DEFAULT_MTU && (seen->tls == 0 || (mtu > seen->tls && !is_seen_above)))
		ret->in.configured = mtu;
	return derive(ret);
}

void estimate_say_steps(struct text *t, const struct mtu_steps *s)
{
	for (size_t i = 0; i + 1 < s->n; i++) {
		int32_t n = s->v[i].value;
		if (i == 0)
			text_fmt(t, "%d (%s)", n, s->v[i].label);
		else if (n != 0)
			text_fmt(t, " %c %d (%s)", n < 0 ? '-' : '+', n < 0 ? -n : n, s->v[i].label);
	}
	if (s->n > 0)
		text_fmt(t, " = %d", s->v[s->n - 1].value);
}

#include "mtu/advice.h"

#include <stdio.h>

#define NOTE_MTU     1300 /* the note's value for its first remedy */
#define COMMAND_MAX  1462 /* range of `anyconnect mtu`: cisco-facts.md 1.5 */
#define IP4_HEADER   20
#define MODE_GLOBAL  "global"
#define MODE_WEBVPN  "group-policy NAME attributes, webvpn"
#define MODE_CULVERT MODE_WEBVPN " (a Culvert gateway)"

struct situation {
	const struct mtu_input *in;
	const struct mtu_derivation *d;
};

/* Each fills *a and returns true if the remedy helps here. */
typedef bool remedy_f(const struct situation *s, struct mtu_advice *a);

static void set_cost(struct mtu_advice *a, const char *text)
{
	snprintf(a->side_effects, sizeof(a->side_effects), "%s", text);
}

static bool is_cured(const struct mtu_input *changed, struct mtu_derivation *ret)
{
	return mtu_derive(changed, ret) == 0 && !ret->is_reconnect_expected;
}

/* A round number below the TLS MTU. */
static uint32_t lower_mtu(const struct situation *s)
{
	uint32_t floor = s->in->has_ip6 ? MTU_MIN_IP6 : MTU_MIN, n = (s->d->tls - 1u) / 10 * 10;
	if (s->in->formula == MTU_CISCO && s->d->tls > NOTE_MTU)
		return NOTE_MTU;
	return n < floor ? floor : n > COMMAND_MAX ? COMMAND_MAX : n;
}

/* "anyconnect mtu N": both tunnels announce N when it is below both. */
static bool lower_both(const struct situation *s, struct mtu_advice *a)
{
	struct mtu_input in = *s->in;
	struct mtu_derivation d;
	in.configured = lower_mtu(s);
	if (!is_cured(&in, &d) || d.tls != in.configured)
		return false;
	snprintf(a->line, sizeof(a->line), "anyconnect mtu %u", in.configured);
	a->where = MODE_WEBVPN;
	snprintf(a->effect, sizeof(a->effect), "Both MTUs become %u: the adapter can stay as it is.", d.tls);
	set_cost(a, "Packets are smaller all the time, with DTLS as well.");
	return true;
}

/* Cures the drops, not the reconnect; inner IPv4 only. */
static bool fragment(const struct situation *s, struct mtu_advice *a)
{
	unsigned whole = s->d->adapter - IP4_HEADER, piece = (s->d->tls - IP4_HEADER) / 8u * 8u;
	unsigned n = (whole + piece - 1) / piece;
	if (n < 2)
		return false;
	snprintf(a->line, sizeof(a->line), "anyconnect ssl df-bit-ignore enable");
	a->where = MODE_WEBVPN;
	snprintf(a->effect, sizeof(a->effect),
	        "A packet of %u bytes goes over TLS in %u fragments instead of being dropped.", s->d->adapter,
	        n);
	set_cost(a, s->in->has_ip6 ? "The reconnect remains. IPv6 packets are dropped as before."
	                           : "The reconnect remains.");
	return true;
}

/* The largest MSS that the path has room for. */
static bool raise_mss(const struct situation *s, struct mtu_advice *a)
{
	struct mtu_input in = *s->in;
	struct mtu_derivation d;
	in.tcpmss = s->d->base_mtu - (s->in->outer_family == 6 ? 60u : 40u);
	if (in.tcpmss <= s->d->mss || !is_cured(&in, &d))
		return false;
	snprintf(a->line, sizeof(a->line), "sysopt connection tcpmss %u", in.tcpmss);
	a->where = MODE_GLOBAL;
	snprintf(a->effect, sizeof(a->effect), "TLS MTU %u, not below the adapter's %u.", d.tls, d.adapter);
	set_cost(a, "Leaves no room for IPsec: LAN-to-LAN tunnels fragment.");
	return true;
}

static bool tls_only(const struct situation *s, struct mtu_advice *a)
{
	struct mtu_input in = *s->in;
	struct mtu_derivation d;
	in.dtls_suite = NULL;
	if (!is_cured(&in, &d))
		return false;
	snprintf(a->line, sizeof(a->line), "anyconnect ssl dtls none");
	a->where = MODE_WEBVPN;
	snprintf(a->effect, sizeof(a->effect),
	        "For a group of those users who have no UDP: the adapter has the TLS MTU, %u, from the "
	        "start.",
	        d.adapter);
	set_cost(a, "Those users never get DTLS, even where UDP passes.");
	return true;
}

/* One value for both tunnels: offer.c of the gateway does the same. */
static bool seamless(const struct situation *s, struct mtu_advice *a)
{
	const struct mtu_input *in = s->in;
	uint16_t limit = mtu_exact_dtls(in->base_mtu, in->outer_family, in->dtls_version, in->dtls_suite);
	uint16_t mtu = mtu_announce(limit, in->configured, in->has_ip6);
	snprintf(a->line, sizeof(a->line), "anyconnect mtu-policy seamless");
	a->where = MODE_CULVERT;
	snprintf(a->effect, sizeof(a->effect),
	        "Both tunnels announce %u, and TLS carries every packet that DTLS would: nothing to change, "
	        "nothing dropped.",
	        mtu);
	set_cost(a, "");
	return true;
}

size_t mtu_advise(const struct mtu_input *in, const struct mtu_derivation *d,
        struct mtu_advice ret[static MTU_MAX_ADVICE])
{
	static remedy_f *const remedies[MTU_MAX_ADVICE] = {
	        [ADVICE_LOWER] = lower_both,
	        [ADVICE_FRAGMENT] = fragment,
	        [ADVICE_RAISE_MSS] = raise_mss,
	        [ADVICE_TLS_ONLY] = tls_only,
	        [ADVICE_SEAMLESS] = seamless,
	};
	struct situation s = {in, d};
	size_t n = 0;
	if (!d->is_reconnect_expected)
		return 0;
	for (size_t i = 0; i < MTU_MAX_ADVICE; i++)
		if (remedies[i](&s, &ret[n]))
			ret[n++].remedy = (enum mtu_remedy)i;
	return n;
}

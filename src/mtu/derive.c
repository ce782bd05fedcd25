#include "mtu/derive.h"

#include <errno.h>

#include "mtu/terms.h"

static uint16_t clamp(uint32_t value, uint16_t min, uint16_t max)
{
	return value < min ? min : value > max ? max : (uint16_t)value;
}

uint16_t mtu_base_clamp(uint32_t base_mtu)
{
	return clamp(base_mtu, MTU_BASE_MIN, MTU_MAX);
}

/* ---- arithmetic of one tunnel ---- */

/* What is left before rounding; cannot be negative: at most 13 + 16 + 48 of at least MTU_MSS_MIN. */
static uint16_t encrypted_room(const struct mtu_terms *t, uint16_t payload)
{
	return (uint16_t)(payload - t->header - t->iv - (t->is_mac_last ? t->mac : 0));
}

uint16_t mtu_terms_rounding(const struct mtu_terms *t, uint16_t payload)
{
	return t->block ? encrypted_room(t, payload) % t->block : 0;
}

uint16_t mtu_terms_inner(const struct mtu_terms *t, uint16_t payload)
{
	unsigned room = encrypted_room(t, payload) - mtu_terms_rounding(t, payload);
	unsigned mac_inside = t->is_mac_last ? 0 : t->mac, pad_length = t->block ? 1 : 0;
	return (uint16_t)(room - t->framing - mac_inside - pad_length - t->inner_type);
}

struct mtu_terms mtu_input_terms(
        const struct mtu_input *in, enum mtu_version v, const struct mtu_suite *s, uint16_t payload)
{
	if (in->formula == MTU_CISCO)
		return mtu_cisco_terms(v, s);
	struct mtu_terms first = mtu_exact_terms(v, s, MTU_MAC_FIRST);
	struct mtu_terms last = mtu_exact_terms(v, s, MTU_MAC_LAST);
	if (in->mac_order == MTU_MAC_ANY)
		return mtu_terms_inner(&last, payload) < mtu_terms_inner(&first, payload) ? last : first;
	return in->mac_order == MTU_MAC_LAST ? last : first;
}

/* ---- steps ---- */

static void step(struct mtu_steps *s, const char *label, int32_t value)
{
	if (s->n < MTU_MAX_STEPS)
		s->v[s->n++] = (struct mtu_step){label, value};
}

static void step_if(struct mtu_steps *s, const char *label, int32_t value)
{
	if (value != 0)
		step(s, label, value);
}

static void record_steps(struct mtu_steps *s, const struct mtu_terms *t, bool is_dtls, uint16_t payload)
{
	const char *mac = t->is_aead ? "authentication tag" : "MAC (hash)";
	step(s, is_dtls ? "DTLS record header" : "TLS record header", -t->header);
	step_if(s, t->is_aead ? "nonce" : "IV", -t->iv);
	if (t->is_mac_last)
		step(s, mac, -t->mac);
	step_if(s, "rounding down to whole blocks", -mtu_terms_rounding(t, payload));
	step(s, is_dtls ? "channel type byte" : "CSTP header", -t->framing);
	step(s, t->block ? "padding length byte" : "padding", t->block ? -1 : 0);
	if (!t->is_mac_last)
		step(s, mac, -t->mac);
	step_if(s, "inner content type", -t->inner_type);
}

uint16_t mtu_announce(uint16_t exact, uint32_t configured, bool has_ip6)
{
	uint16_t floor = has_ip6 ? MTU_MIN_IP6 : MTU_MIN;
	uint32_t mtu = configured != 0 && configured < exact ? configured : exact;
	return (uint16_t)(mtu < floor ? floor : mtu);
}

static uint16_t announce_steps(
        struct mtu_steps *s, const struct mtu_input *in, uint16_t limit, const char *result)
{
	uint16_t mtu = mtu_announce(limit, in->configured, in->has_ip6);
	uint32_t capped = in->configured != 0 && in->configured < limit ? in->configured : limit;
	step_if(s, "anyconnect mtu is lower", (int32_t)capped - limit);
	step_if(s, "raised to the minimum", mtu - (int32_t)capped);
	step(s, result, mtu);
	return mtu;
}

/* ---- the two tunnels ---- */

static void derive_tls(const struct mtu_input *in, struct mtu_derivation *d)
{
	struct mtu_steps *s = &d->tls_steps;
	uint8_t ip = mtu_ip_header_bytes(in->outer_family);
	uint16_t most = (uint16_t)(d->base_mtu - ip - MTU_TCP_HEADER_BYTES);
	d->mss = most;
	if (in->tcpmss == 0) {
		step(s, "base MTU", d->base_mtu);
		step(s, "outer IP header", -ip);
		step(s, "TCP header", -MTU_TCP_HEADER_BYTES);
	} else {
		d->mss = clamp(in->tcpmss, MTU_MSS_MIN, MTU_MAX);
		step(s, "TCP MSS (sysopt connection tcpmss)", d->mss);
		if (in->formula != MTU_CISCO && d->mss > most) {
			step(s, "the outer path allows less", most - d->mss);
			d->mss = most;
		}
	}
	struct mtu_terms t = mtu_input_terms(in, in->tls_version, in->tls_suite, d->mss);
	record_steps(s, &t, false, d->mss);
	d->tls_limit = mtu_terms_inner(&t, d->mss);
	d->tls = announce_steps(s, in, d->tls_limit, "TLS MTU");
}

static void derive_dtls(const struct mtu_input *in, struct mtu_derivation *d)
{
	struct mtu_steps *s = &d->dtls_steps;
	uint8_t ip = mtu_ip_header_bytes(in->outer_family);
	uint16_t payload = (uint16_t)(d->base_mtu - ip - MTU_UDP_HEADER_BYTES);
	step(s, "base MTU", d->base_mtu);
	step(s, "outer IP header", -ip);
	step(s, "UDP header", -MTU_UDP_HEADER_BYTES);
	struct mtu_terms t = mtu_input_terms(in, in->dtls_version, in->dtls_suite, payload);
	record_steps(s, &t, true, payload);
	d->dtls_limit = mtu_terms_inner(&t, payload);
	d->dtls = announce_steps(s, in, d->dtls_limit, "DTLS MTU");
}

int mtu_derive(const struct mtu_input *in, struct mtu_derivation *ret)
{
	struct mtu_derivation d = {.base_mtu = mtu_base_clamp(in->base_mtu)};
	if (in->tls_suite == NULL || mtu_is_dtls(in->tls_version) ||
	        !mtu_suite_has_version(in->tls_suite, in->tls_version))
		return -EINVAL;
	if (in->dtls_suite != NULL &&
	        (!mtu_is_dtls(in->dtls_version) || !mtu_suite_has_version(in->dtls_suite, in->dtls_version)))
		return -EINVAL;
	derive_tls(in, &d);
	if (in->dtls_suite != NULL)
		derive_dtls(in, &d);
	d.adapter = in->dtls_suite != NULL ? d.dtls : d.tls;
	d.is_reconnect_expected = d.tls < d.adapter;
	*ret = d;
	return 0;
}

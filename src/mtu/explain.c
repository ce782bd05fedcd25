/* The derivation in the words of `debug webvpn anyconnect` (cisco-facts.md 1.2, a reconstruction). The exact
 * set is written in the same shape, with the terms that are true. */
#include <stdarg.h>
#include <stdio.h>

#include "mtu/terms.h"

#define LINE_BYTES         160  /* the longest has about 90 */
#define DEFAULT_MTU        1500 /* def-mtu: of an Ethernet interface */
#define DEFAULT_CONFIGURED 1406 /* `anyconnect mtu` of an ASA that says nothing; not a cap (1.5) */

struct line {
	char text[LINE_BYTES];
	size_t n;
};

static void PRINTF_LIKE(2, 3) put(struct line *l, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(l->text + l->n, sizeof(l->text) - l->n, fmt, ap);
	va_end(ap);
	if (n > 0)
		l->n += (size_t)n < sizeof(l->text) - l->n ? (size_t)n : sizeof(l->text) - l->n - 1;
}

static void put_term(struct line *l, unsigned bytes, const char *name)
{
	if (bytes != 0)
		put(l, " - %u(%s)", bytes, name);
}

struct out {
	mtu_line_f *f;
	void *ctx;
};

static void emit(const struct out *o, struct line *l)
{
	o->f(o->ctx, l->text);
	*l = (struct line){0};
}

/* One tunnel, from the bytes that the path offers to the inner packet. */
struct tunnel {
	const struct mtu_terms *t;
	const char *result, *header, *iv, *framing; /* names */
	uint16_t payload;
};

static void explain_blocks(const struct out *o, struct line *l, const struct tunnel *u, unsigned room)
{
	const struct mtu_terms *t = u->t;
	unsigned rounded = room - mtu_terms_rounding(t, u->payload);
	put(l, " = %u", room);
	emit(o, l);
	put(l, "mod-mtu = %u(mtu) & 0x%x(complement) = %u", room, 0xffffu & ~(t->block - 1u), rounded);
	emit(o, l);
	put(l, "%s-mtu = %u(mod-mtu) - %u(%s)", u->result, rounded, t->framing, u->framing);
	put_term(l, t->is_mac_last ? 0 : t->mac, "mac");
	put(l, " - 1(pad) = %u", mtu_terms_inner(t, u->payload));
	emit(o, l);
}

static void explain_plain(const struct out *o, struct line *l, const struct tunnel *u, unsigned room)
{
	const struct mtu_terms *t = u->t;
	put(l, " - %u(%s) = %u", t->framing, u->framing, room - t->framing);
	emit(o, l);
	put(l, "%s-mtu = %u(mtu)", u->result, room - t->framing);
	put_term(l, t->mac, t->is_aead ? "tag" : "mac");
	put_term(l, t->inner_type, "type");
	put(l, " = %u", mtu_terms_inner(t, u->payload));
	emit(o, l);
}

/* l holds the beginning of the sum, down to the payload. */
static void explain_record(const struct out *o, struct line *l, const struct tunnel *u)
{
	const struct mtu_terms *t = u->t;
	unsigned room = (unsigned)u->payload - t->header - t->iv - (t->is_mac_last ? t->mac : 0);
	put_term(l, t->header, u->header);
	put_term(l, t->iv, t->is_aead ? "nonce" : u->iv);
	if (t->is_mac_last)
		put_term(l, t->mac, "mac");
	(t->block ? explain_blocks : explain_plain)(o, l, u, room);
}

static void explain_tls(const struct mtu_input *in, const struct mtu_derivation *d, const struct out *o)
{
	struct line l = {0};
	struct mtu_terms t = mtu_input_terms(in, in->tls_version, in->tls_suite, d->mss);
	struct tunnel u = {&t, "tls", "ssl", "iv", "cstp", d->mss};
	put(&l, "tcp-mss = %d", in->tcpmss == 0 ? d->mss : d->tls_steps.v[0].value);
	emit(o, &l);
	put(&l, "path-mtu = %u(mss)", d->mss);
	emit(o, &l);
	if (t.block) {
		put(&l, "TLS Block size = %u, version = 0x%x", t.block, 0x301 + (unsigned)in->tls_version);
		emit(o, &l);
	}
	put(&l, "mtu = %u(path-mtu) - 0(opts)", d->mss);
	explain_record(o, &l, &u);
}

static void explain_dtls(const struct mtu_input *in, const struct mtu_derivation *d, const struct out *o)
{
	struct line l = {0};
	uint8_t ip = mtu_ip_header_bytes(in->outer_family);
	uint16_t payload = (uint16_t)(d->base_mtu - ip - MTU_UDP_HEADER_BYTES);
	struct mtu_terms t = mtu_input_terms(in, in->dtls_version, in->dtls_suite, payload);
	struct tunnel u = {&t, "dtls", "dtlshdr", "dtlsiv", "cdtp", payload};
	if (t.block) {
		put(&l, "DTLS Block size = %u", t.block);
		emit(o, &l);
	}
	put(&l, "mtu = %u(base-mtu) - %u(ip) - %d(udp)", d->base_mtu, ip, MTU_UDP_HEADER_BYTES);
	explain_record(o, &l, &u);
}

/* How the announced value came from the computed one; nothing when they are the same. */
static void explain_change(const struct out *o, const char *name, unsigned computed, unsigned mtu)
{
	struct line l = {0};
	if (mtu == computed)
		return;
	put(&l, "override computed %s-mtu=%u: %s, %s-mtu=%u", name, computed,
	        mtu < computed ? "configured is lower" : "raised to the minimum", name, mtu);
	emit(o, &l);
}

void mtu_explain(const struct mtu_input *in, const struct mtu_derivation *d, mtu_line_f *f, void *ctx)
{
	struct out o = {f, ctx};
	struct line l = {0};
	unsigned conf = in->configured != 0 ? in->configured : DEFAULT_CONFIGURED;
	put(&l, "Iphdr=%u base-mtu=%u def-mtu=%u conf-mtu=%u", mtu_ip_header_bytes(in->outer_family),
	        d->base_mtu, DEFAULT_MTU, conf);
	emit(&o, &l);
	explain_tls(in, d, &o);
	if (in->dtls_suite != NULL)
		explain_dtls(in, d, &o);
	put(&l, "computed tls-mtu=%u dtls-mtu=%u conf-mtu=%u", d->tls_limit, d->dtls_limit, conf);
	emit(&o, &l);
	explain_change(&o, "tls", d->tls_limit, d->tls);
	if (in->dtls_suite != NULL) {
		explain_change(&o, "dtls", d->dtls_limit, d->dtls);
		put(&l, "DTLS enabled for intf=2 (outside)");
		emit(&o, &l);
	}
	put(&l, "tls-mtu=%u dtls-mtu=%u", d->tls, d->dtls);
	emit(&o, &l);
}

#include "diagnose/product.h"

#include "diagnose/pattern.h"

const char *product_name(enum product p)
{
	static const char *const names[PRODUCT_N] = {"ASA", "Culvert", "ocserv.conf"};
	return names[p];
}

/* culvertd writes the ASA's messages, under its own name: as a tag of syslog, or as a member of JSON. */
static bool is_culvertd(const struct store *s, const struct record *r)
{
	struct span line = store_text(s, r->text);
	return r->source == SOURCE_CULVERT_EVENTS || span_has(line, " culvertd") ||
	       span_has(line, "\"culvertd\"");
}

static bool is_gateways(uint8_t source)
{
	return source >= SOURCE_ASA_CONFIG && source <= SOURCE_ASA_DROPS;
}

static enum product of_gateway(const struct store *s, const struct record *r)
{
	if (r->source == SOURCE_OCSERV)
		return PRODUCT_OCSERV;
	return is_culvertd(s, r) ? PRODUCT_CULVERT : PRODUCT_ASA;
}

/* A client's log does not name the product: the only gateway there is; else what such clients mostly have. */
static enum product of_client(uint8_t source, unsigned all)
{
	for (unsigned p = 0; p < PRODUCT_N; p++)
		if (all == PRODUCT_BIT(p))
			return (enum product)p;
	bool may_be_ocserv = all == 0 || (all & PRODUCTS_OCSERV) != 0;
	if (source == SOURCE_OPENCONNECT && may_be_ocserv)
		return PRODUCT_OCSERV;
	return (all & PRODUCTS_CULVERT) != 0 && (all & PRODUCTS_ASA) == 0 ? PRODUCT_CULVERT : PRODUCT_ASA;
}

unsigned products_of(const struct cases *c)
{
	unsigned all = 0;
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].side == SIDE_GATEWAY)
			all |= PRODUCT_BIT(of_gateway(c->store, store_at(c->store, c->v[i].first)));
	for (size_t i = 0; i < store_n_facts(c->store); i++) {
		uint8_t source = store_fact(c->store, i)->source;
		if (source == SOURCE_OCSERV)
			all |= PRODUCTS_OCSERV;
		else if (is_gateways(source) && (all & PRODUCTS_CULVERT) == 0)
			all |= PRODUCTS_ASA;
	}
	return all;
}

enum product product_of(const struct cases *c, const struct one_case *k, unsigned all)
{
	if (k->side == SIDE_CLIENT && k->partner != CASE_NONE)
		k = &c->v[k->partner];
	if (k->side == SIDE_CLIENT)
		return of_client(k->source, all);
	return of_gateway(c->store, store_at(c->store, k->first));
}

enum product product_of_record(const struct store *s, const struct record *r, unsigned all)
{
	return record_side(r) == SIDE_GATEWAY ? of_gateway(s, r) : of_client(r->source, all);
}

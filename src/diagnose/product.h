/* Whose gateway a session was at: cures are lines of that product's configuration. */
#ifndef DIAGNOSE_PRODUCT_H
#define DIAGNOSE_PRODUCT_H

#include "diagnose/cases.h"

enum product {
	PRODUCT_ASA, /* and FTD */
	PRODUCT_CULVERT,
	PRODUCT_OCSERV,
	PRODUCT_N,
};

/* Sets of products. */
#define PRODUCT_BIT(p)    (1u << (p))
#define PRODUCTS_ASA      PRODUCT_BIT(PRODUCT_ASA)
#define PRODUCTS_OCSERV   PRODUCT_BIT(PRODUCT_OCSERV)
#define PRODUCTS_CULVERT  PRODUCT_BIT(PRODUCT_CULVERT)
#define PRODUCTS_COMMANDS (PRODUCTS_ASA | PRODUCTS_CULVERT) /* culvert.conf has the ASA's commands */
#define PRODUCTS_ALL      (PRODUCTS_COMMANDS | PRODUCTS_OCSERV)

const char *product_name(enum product p);
/* All gateways that the logs and configurations are of. */
unsigned products_of(const struct cases *c);
/* Of one session, and of an event; all: products_of(), which tells where a client's log does not. */
enum product product_of(const struct cases *c, const struct one_case *k, unsigned all);
enum product product_of_record(const struct store *s, const struct record *r, unsigned all);

#endif

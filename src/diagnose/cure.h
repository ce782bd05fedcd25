/* Cures that need no arithmetic: a table beside each rule, a row for each product that is told it in lines of
 * its own. */
#ifndef DIAGNOSE_CURE_H
#define DIAGNOSE_CURE_H

#include "diagnose/paste.h"

struct cure {
	uint8_t products; /* bits */
	uint8_t place;    /* enum paste_place */
	const char *title;
	const char *lines; /* with '\n' between, none at the end; "": nothing to configure */
	const char *effect, *side_effects;
};

/* Those rows that are for the gateways of the finding's hits. */
void cure_add(struct find *x, const struct hit_groups *g, const struct cure *rows, size_t n);
/* The same for the one group-policy that the finding knows of. */
void cure_add_here(struct find *x, const struct cure *rows, size_t n);

#endif

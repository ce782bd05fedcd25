/* The argument types of the command table: what a word must look like. */
#ifndef POLICY_ARGS_H
#define POLICY_ARGS_H

#include "base/addr.h"
#include "policy/line.h"
#include "policy/table.h"

struct arg_type {
	const char *name;            /* as in the syntax column */
	const char *help;            /* English: "IPv4 address" */
	const char *sample;          /* a value that fits; NULL for N */
	bool is_secret;              /* printed as ***** */
	int (*check)(struct span s); /* 0, -EINVAL or -ERANGE; NULL: any word */
};

/* NULL when there is no such type. */
const struct arg_type *arg_find(struct span elem);
/* 0; -EINVAL: the word is not of this type; -ERANGE: a number outside row->min..max. */
MUST_USE int arg_check(const struct command *row, struct span elem, const struct word *w);

/* "a.b.c.d-e.f.g.h", first not above last. -EINVAL. */
MUST_USE int arg_parse_range4(struct span s, struct ip_addr *ret_first, struct ip_addr *ret_last);
/* "udp/514", "tcp/1470", or with the protocol's number as an ASA prints it: "17/514", "6/1470". -EINVAL. */
MUST_USE int arg_parse_service(struct span s, bool *ret_is_tcp, uint16_t *ret_port);

#endif

/* Cures of what is wrong with MTUs, computed for the policies of those whom it hit. */
#ifndef DIAGNOSE_REMEDY_H
#define DIAGNOSE_REMEDY_H

#include "diagnose/estimate.h"

#define REMEDY_MAX_GROUPS 16

/* A group-policy whose users are hit, or one user with settings of his own. */
struct hit_group {
	word_t device, group; /* group 0: not known */
	word_t user;          /* whose own settings hide those of the policy; 0: nobody's */
	const struct policy_setup *policy;
	bool has_ip6;
	struct seen_mtu seen;
};

struct hit_groups {
	struct hit_group v[REMEDY_MAX_GROUPS];
	size_t n;
	bool is_cut; /* there are more */
};

/* Adds the case's policy, or what was seen of it to the one that is there. */
void remedy_collect(const struct find *x, struct hit_groups *g, const struct one_case *k);
/* Adds what a session showed of its MTUs. */
void remedy_see(struct seen_mtu *m, const struct one_case *k);
/* The estimate for one of them. */
bool remedy_estimate(const struct find *x, const struct hit_group *g, struct estimate *ret);

/* The note's remedies that really cure it with these numbers, each for all groups. */
void remedy_mtu(struct find *x, const struct hit_groups *g);
/* Says so in the cause when the configuration has the cure, and the log is from before. */
void remedy_say_newer(struct find *x, const struct hit_groups *g);
/* "Let UDP port 443 through" */
void remedy_open_udp(struct find *x, word_t device);
/* UDP port of the gateways of the finding's hits. */
uint32_t remedy_udp_port(const struct find *x, word_t device);
/* Adds to the title for whose configuration it is, unless that is clear: the finding's gateways are all of
 * these. */
void remedy_name_product(const struct find *x, struct remedy *r, unsigned products);

#endif

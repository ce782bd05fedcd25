/* Lines of configuration as they are pasted: below the group-policies of those whom a finding hit, or below
 * the user where the user's own settings hide those of the policy. */
#ifndef DIAGNOSE_PASTE_H
#define DIAGNOSE_PASTE_H

#include "diagnose/remedy.h"

#define PASTE_NO_GROUP "GROUP_POLICY" /* in place of a name that no file tells */

enum paste_place {
	PASTE_GLOBAL, /* as they stand */
	PASTE_POLICY, /* in each group-policy */
	PASTE_WEBVPN, /* there, in webvpn */
};

/* lines: with '\n' between, none at the end. Those for one device together, under its name in a comment when
 * there are several. */
void paste_lines(const struct find *x, struct text *t, const struct hit_groups *g, enum paste_place place,
        const char *lines);
/* "group-policy NAME attributes\n", or "username NAME attributes\n" of a user */
void paste_group(const struct find *x, struct text *t, word_t group, word_t user);
/* Where a setting stands, in words: "group-policy NAME", "the attributes of user NAME". */
void paste_say_owner(
        const struct find *x, struct text *t, const struct policy_setup *p, const struct setting *s);

#endif

/* Lines of configuration as they are pasted: below the group-policies of those whom a finding hit. */
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
/* "group-policy NAME attributes\n" */
void paste_group(const struct find *x, struct text *t, word_t name);

#endif

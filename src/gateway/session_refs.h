/* The sessions of a list before they are looked at again to be shown: what each is sorted by, and where it
 * is. Few bytes each, and no step takes longer when there are many: a heap, and a set of known indexes. */
#ifndef GATEWAY_SESSION_REFS_H
#define GATEWAY_SESSION_REFS_H

#include "base/addr.h"
#include "base/util.h"

#define SESSION_REF_AUTH UINT8_MAX /* no thread has it: it waits, and only auth knows it */

enum session_ref_kind { SESSION_REF_PLAIN, SESSION_REF_NUMBER, SESSION_REF_NAME, SESSION_REF_ADDR };

struct session_ref {
	union {
		uint64_t number; /* largest first */
		char *name;      /* owned */
		struct ip_addr addr;
	} by;
	uint32_t index; /* 1.. */
	uint8_t thread; /* or SESSION_REF_AUTH */
};

/* Zero it, and set kind: the same for all in it, and so for what is added. */
struct session_refs {
	uint8_t kind; /* enum session_ref_kind: of .by, PLAIN: by index alone */
	struct session_ref *v;
	size_t n, cap;
	uint32_t *seen; /* indexes of all that ever were inside; 0: free place */
	size_t n_seen, seen_cap;
};

/* Takes ref, or frees it when its index was inside before. -ENOMEM: the caller still has it. */
MUST_USE int session_refs_add(struct session_refs *r, struct session_ref *ref);
/* The first in order, the caller's then. False: there is none. */
bool session_refs_take(struct session_refs *r, struct session_ref *ret);
void session_ref_done(const struct session_refs *r, struct session_ref *ref);
void session_refs_done(struct session_refs *r);

#endif

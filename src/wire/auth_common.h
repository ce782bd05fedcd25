/* What both directions of the aggregate-auth dialogue share; private to wire/auth_*.c. */
#ifndef WIRE_AUTH_COMMON_H
#define WIRE_AUTH_COMMON_H

#include "wire/auth_xml.h"
#include "wire/xml.h"

enum field_kind {
	FIELD_LINE,  /* trimmed, no control characters */
	FIELD_PROSE, /* trimmed, may have line ends */
	FIELD_RAW,   /* as it came: passwords */
};

/* Where the text of a node goes: a char array inside the document's struct. */
struct field_target {
	uint8_t node;
	enum field_kind kind;
	size_t at, cap;
};
#define FIELD_TARGET(node_, kind_, type, member)                                                             \
	{                                                                                                    \
		.node = (node_), .kind = (kind_), .at = offsetof(struct type, member),                       \
		.cap = sizeof(((struct type *)NULL)->member)                                                 \
	}

/* ERR_MALFORMED (control characters in a line), ERR_TOO_LARGE (does not fit). ret is untouched then. */
MUST_USE int field_set(enum field_kind kind, struct span text, char *ret, size_t cap);

/* As field_set(), and a node that comes twice: of prose the first counts, a line must say the same twice
 * (ERR_MALFORMED otherwise). */
MUST_USE int field_target_set(void *doc, const struct field_target *t, struct span text);
const struct field_target *field_target_find(const struct field_target *t, size_t n, uint8_t node);

#endif

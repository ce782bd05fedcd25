/* Objects of one line without objects in them, as our logs have them: cheap, because a gigabyte of them may
 * come. */
#ifndef DIAGNOSE_FLAT_JSON_H
#define DIAGNOSE_FLAT_JSON_H

#include "base/span.h"

struct flat_field {
	struct span key,
	        value; /* as they stand there: escapes are not undone; strings without their quotes */
};

/* The next member; *s begins behind the '{' or where the last call left it. False: no more, or not of this
 * kind. */
bool flat_json_next(struct span *s, struct flat_field *ret);
/* Undoes the escapes of a string into at most cap bytes; returns how many. Characters beyond ASCII that are
 * written as \u become '?'. */
size_t flat_json_decode(struct span value, char *ret, size_t cap);

#endif

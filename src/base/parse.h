/* Text from outside to numbers and bytes. No function here skips blanks, accepts signs or stops early:
 * the whole span must be the value. */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include "base/span.h"
#include "base/util.h"

/* Decimal digits only. 0; -EINVAL: not a number; -ERANGE: outside min..max. *ret is written on success only.
 */
MUST_USE int parse_u32(struct span in, uint32_t min, uint32_t max, uint32_t *ret);
MUST_USE int parse_u64(struct span in, uint64_t min, uint64_t max, uint64_t *ret);

/* Hexadecimal digits of either case into at most cap bytes; *ret_n is how many.
 * -EINVAL: odd count or a foreign character; -ENOBUFS: more than cap bytes. */
MUST_USE int parse_hex(struct span in, uint8_t *ret, size_t cap, size_t *ret_n);

/* Copies text into a fixed field of cap bytes, NUL-terminated.
 * -ENAMETOOLONG: does not fit; -EINVAL: contains NUL or a control character. */
MUST_USE int parse_name(struct span in, char *ret, size_t cap);

#endif

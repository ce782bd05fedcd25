/* Small things every file may use: attributes, array length, container lookup. */
#ifndef BASE_UTIL_H
#define BASE_UTIL_H

#include <stddef.h>
#include <stdint.h>

#define MUST_USE                        __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args)          __attribute__((format(printf, fmt, args)))
#define N_ELEM(a)                       (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

/* Milliseconds on a monotonic clock whose start does not matter. Time is always an argument of the pure
 * folders; "never" is the largest value, so that the earliest of several deadlines is their minimum. */
typedef uint64_t ms_t;
#define MS_NEVER UINT64_MAX

static inline ms_t ms_min(ms_t a, ms_t b)
{
	return a < b ? a : b;
}

/* a + b, but never wraps: MS_NEVER stays MS_NEVER. */
static inline ms_t ms_add(ms_t a, ms_t b)
{
	return a > MS_NEVER - b ? MS_NEVER : a + b;
}

#endif

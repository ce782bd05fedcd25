/* Lines by their words. A pattern is what a line always says, with places for what differs:
 *   %n  decimal digits, at most 32 bits       %w  a word: no blank, and not the byte that follows in the
 * pattern %a  a literal IP address                  %t  any text up to what follows in the pattern, else to
 * the end It matches from the line's start; what is behind it is the rest. Nothing is tried twice: %t ends
 * where the words behind it first occur, so matching takes time in proportion to the line. */
#ifndef DIAGNOSE_PATTERN_H
#define DIAGNOSE_PATTERN_H

#include "base/addr.h"

#define PATTERN_MAX_PLACES 6

struct pattern_match {
	struct span s[PATTERN_MAX_PLACES];
	uint32_t n[PATTERN_MAX_PLACES];       /* of %n, else 0 */
	struct ip_addr a[PATTERN_MAX_PLACES]; /* of %a, else unset */
	size_t count;
	struct span rest;
};

bool pattern_match(const char *pattern, struct span in, struct pattern_match *ret);

/* The place of word in s; NULL: none. The second takes no account of ASCII case. */
const uint8_t *span_find(struct span s, const char *word);
const uint8_t *span_find_nocase(struct span s, const char *word);

static inline bool span_has(struct span s, const char *word)
{
	return span_find(s, word) != NULL;
}

static inline bool span_has_nocase(struct span s, const char *word)
{
	return span_find_nocase(s, word) != NULL;
}

/* What follows the first occurrence of word; empty when there is none. */
struct span span_behind(struct span s, const char *word);
/* Without the bytes of set at the end. */
struct span span_trim_end(struct span s, const char *set);

#endif

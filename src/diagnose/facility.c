#include "diagnose/facility.h"

#include "base/util.h"

bool facility_is(struct span word)
{
	static const char *const levels[] = {"emerg", "alert", "crit", "critical", "err", "error", "warning",
	        "warn", "notice", "info", "debug"};
	const uint8_t *dot = word.n > 0 ? memchr(word.p, '.', word.n) : NULL;
	if (dot == NULL && word.n > 0)
		dot = memchr(word.p, '/', word.n);
	if (dot == NULL)
		return false;
	struct span level = span_skip(word, (size_t)(dot - word.p) + 1);
	for (size_t i = 0; i < N_ELEM(levels); i++)
		if (span_is_nocase(level, levels[i]))
			return true;
	return false;
}

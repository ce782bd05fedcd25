#include "diagnose/duration.h"

#include "base/parse.h"
#include "base/util.h"

#define PART_MAX 100000

uint32_t duration_s(struct span text)
{
	static const struct {
		char unit;
		uint32_t s;
	} units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
	uint64_t sum = 0;
	for (size_t i = 0; i < N_ELEM(units); i++) {
		uint32_t n;
		struct span rest = text, number = span_cut(&rest, units[i].unit);
		if (number.n == text.n || parse_u32(span_trim(number), 0, PART_MAX, &n) < 0)
			continue;
		sum += (uint64_t)n * units[i].s;
		text = rest.n > 0 && (rest.p[0] == ':' || rest.p[0] == ' ') ? span_skip(rest, 1) : rest;
	}
	return sum < UINT32_MAX ? (uint32_t)sum : UINT32_MAX;
}

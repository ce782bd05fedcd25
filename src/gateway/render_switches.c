/* show switches: how often data changed its tunnel, why, and what it cost. */
#include <stdio.h>

#include "gateway/render.h"

static unsigned long long ull(uint64_t v)
{
	return v;
}

static const char *gap_name(unsigned bucket, char buf[static 24])
{
	if (bucket == CHOICE_GAP_BUCKETS - 1)
		snprintf(buf, 24, "over %u ms", choice_gap_limit_ms(bucket - 1));
	else
		snprintf(buf, 24, "up to %u ms", choice_gap_limit_ms(bucket));
	return buf;
}

void render_switches(const struct switches *s, struct text *out)
{
	char name[24];
	text_str(out, "Data to clients changed its tunnel, by cause:\n");
	for (enum choice_cause c = 0; c < CAUSE_N; c++)
		text_fmt(out, "  %-18s%12llu\n", choice_cause_name(c), ull(s->n_by_cause[c]));
	text_str(out, "\nTime until the other tunnel took over:\n");
	for (unsigned i = 0; i < CHOICE_GAP_BUCKETS; i++)
		text_fmt(out, "  %-18s%12llu\n", gap_name(i, name), ull(s->n_by_gap[i]));
	text_str(out, "\nPath limit changed, by cause:\n");
	for (enum pmtu_cause c = 0; c < SWITCHES_N_LIMIT_CAUSES; c++)
		text_fmt(out, "  %-18s%12llu\n", pmtu_cause_name(c), ull(s->n_limits[c]));
	text_fmt(out, "\nTCP closed so that a client comes back: %llu\n", ull(s->n_nudges));
}

static json_t *gaps_json(const struct switches *s)
{
	json_t *a = json_array();
	for (unsigned i = 0; a && i < CHOICE_GAP_BUCKETS; i++) {
		bool is_last = i == CHOICE_GAP_BUCKETS - 1;
		json_array_append_new(a, json_pack("{s:o, s:I}", "up_to_ms",
		                                 is_last ? json_null() : json_integer(choice_gap_limit_ms(i)),
		                                 "count", (json_int_t)s->n_by_gap[i]));
	}
	return a;
}

json_t *render_switches_json(const struct switches *s)
{
	json_t *causes = json_object(), *limits = json_object();
	for (enum choice_cause c = 0; causes && c < CAUSE_N; c++)
		json_object_set_new(causes, choice_cause_name(c), json_integer((json_int_t)s->n_by_cause[c]));
	for (enum pmtu_cause c = 0; limits && c < SWITCHES_N_LIMIT_CAUSES; c++)
		json_object_set_new(limits, pmtu_cause_name(c), json_integer((json_int_t)s->n_limits[c]));
	return json_pack("{s:o, s:o, s:o, s:I}", "causes", causes, "gaps", gaps_json(s), "path_limit", limits,
	        "nudges", (json_int_t)s->n_nudges);
}

/* Properties that every row of the command table must have. */
#include "policy_unit.h"

#include <stdio.h>

#include "policy/args.h"
#include "policy/syntax.h"

/* N stands between p and the next closing bracket. */
static bool has_number(const char *p)
{
	for (const char *end = p + strcspn(p, "}]"); p < end; p++) {
		if (*p == 'N' && strchr(" {[|", p[-1]) && strchr(" }]|", p[1]))
			return true;
	}
	return false;
}

/* A line for a row: n where it has N, otherwise the first alternative; optional parts only when N is inside.
 */
static void sample_line(const struct command *row, const char *n, struct text *out)
{
	const char *s = row->syntax, *end = s + strlen(s);
	bool is_taken[8] = {true};
	size_t depth = 0;
	for (const char *p = s; p < end;) {
		size_t len = strcspn(p, " []{}|");
		struct span elem = syntax_elem(s, (size_t)(p - s));
		if (len > 0 && is_taken[depth]) {
			const struct arg_type *t = arg_find(elem);
			text_str(out, out->n ? " " : "");
			if (syntax_is_keyword(elem))
				text_put(out, elem);
			else
				text_str(out, span_is(elem, "N") ? n : t->sample);
		}
		if (*p == '{' || *p == '[') {
			bool is_outer = is_taken[depth++];
			bool has_n = has_number(p + 1);
			is_taken[depth] = is_outer && (*p == '[' ? has_n : !has_n || p[1] == 'N');
		} else if (*p == '|') {
			is_taken[depth] = is_taken[depth - 1] && p[1] == 'N' && (p[2] == '}' || p[2] == '|');
		} else if (*p == '}' || *p == ']') {
			depth--;
			p += strncmp(p + 1, "...", 3) == 0 ? 3 : 0;
		}
		p += len ? len : 1;
	}
}

static void match_text(const struct command *row, const char *text, struct match *m)
{
	struct line l;
	uint32_t col;
	assert_int_equal(line_split(span_str(text), &l, &col), 0);
	syntax_match((enum mode)(row->modes & -row->modes), &l, 0, false, m);
}

TEST(syntax_is_within_its_limits)
{
	size_t n;
	const struct command *rows = command_table(&n);
	for (size_t i = 0; i < n; i++) {
		uint8_t pos[SYNTAX_MAX_NEXT];
		assert_in_range(strlen(rows[i].syntax), 1, UINT8_MAX - 1);
		assert_in_range(syntax_next(rows[i].syntax, SYNTAX_START, pos), 1, SYNTAX_MAX_NEXT - 1);
		assert_true(rows[i].modes != 0);
		assert_true(
		        syntax_is_keyword(syntax_elem(rows[i].syntax, 0))); /* cand_collect() relies on it */
		assert_true(rows[i].flags & CMD_IGNORED || rows[i].help != NULL);
		for (const char *p = rows[i].syntax; *p != '\0'; p += strcspn(p, " []{}|"), p += *p != '\0') {
			struct span elem = syntax_elem(rows[i].syntax, (size_t)(p - rows[i].syntax));
			if (elem.n > 0 && !span_is(elem, "...") && !syntax_is_keyword(elem) &&
			        arg_find(elem) == NULL)
				fail_msg("no argument type %.*s in %s", (int)elem.n, elem.p, rows[i].syntax);
		}
	}
}

TEST(every_row_can_be_said)
{
	size_t n;
	const struct command *rows = command_table(&n);
	struct match m;
	for (size_t i = 0; i < n; i++) {
		struct text t = {0};
		char number[16];
		snprintf(number, sizeof(number), "%u", rows[i].min);
		sample_line(&rows[i], number, &t);
		match_text(&rows[i], text_cstr(&t), &m);
		if (m.result != MATCH_OK || m.row != &rows[i])
			fail_msg("\"%s\" does not lead to \"%s\" (result %d)", text_cstr(&t), rows[i].syntax,
			        m.result);
		text_done(&t);
	}
}

TEST(every_default_leads_to_its_row)
{
	size_t n;
	const struct command *rows = command_table(&n);
	struct match m;
	for (size_t i = 0; i < n; i++) {
		if (rows[i].def == NULL)
			continue;
		match_text(&rows[i], rows[i].def, &m);
		if (m.result != MATCH_OK || m.row != &rows[i])
			fail_msg("default \"%s\" does not lead to \"%s\"", rows[i].def, rows[i].syntax);
	}
}

static void check_number(const struct command *row, uint64_t v, enum match_result want)
{
	struct match m;
	struct text t = {0};
	char number[24];
	snprintf(number, sizeof(number), "%llu", (unsigned long long)v);
	sample_line(row, number, &t);
	if (strstr(text_cstr(&t), number) == NULL)
		fail_msg("no number in \"%s\" of \"%s\"", text_cstr(&t), row->syntax);
	match_text(row, text_cstr(&t), &m);
	if (m.result != want || m.row != row)
		fail_msg("\"%s\": result %d, not %d", text_cstr(&t), m.result, want);
	text_done(&t);
}

TEST(ranges_hold_at_their_ends)
{
	size_t n, n_ranges = 0;
	const struct command *rows = command_table(&n);
	for (size_t i = 0; i < n; i++) {
		if (rows[i].unit == NULL)
			continue;
		n_ranges++;
		check_number(&rows[i], rows[i].min, MATCH_OK);
		check_number(&rows[i], rows[i].max, MATCH_OK);
		check_number(&rows[i], (uint64_t)rows[i].max + 1, MATCH_RANGE);
		if (rows[i].min > 0)
			check_number(&rows[i], rows[i].min - 1, MATCH_RANGE);
	}
	assert_in_range(n_ranges, 30, 100);
}

TEST(manual_names_every_command)
{
	struct text t = {0};
	policy_manual(&t);
	assert_true(text_ok(&t));
	assert_non_null(strstr(text_cstr(&t), "\\fBvpn\\-idle\\-timeout\\fR {\\fBnone\\fR|\\fIN\\fR}"));
	assert_non_null(strstr(text_cstr(&t), "Range: 576\\-1462 bytes."));
	size_t n, n_rows = 0, n_items = 0;
	const struct command *rows = command_table(&n);
	for (size_t i = 0; i < n; i++)
		n_rows += rows[i].flags & CMD_IGNORED ? 0 : (size_t)__builtin_popcount(rows[i].modes);
	for (const char *p = text_cstr(&t); (p = strstr(p, ".TP\n")) != NULL; p++)
		n_items++;
	assert_int_equal(n_items, n_rows);
	text_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(syntax_is_within_its_limits),
	        cmocka_unit_test(every_row_can_be_said),
	        cmocka_unit_test(every_default_leads_to_its_row),
	        cmocka_unit_test(ranges_hold_at_their_ends),
	        cmocka_unit_test(manual_names_every_command),
	};
	return RUN(tests);
}

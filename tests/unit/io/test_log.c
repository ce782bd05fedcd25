#include "../unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "io/log.h"
#include "io/ratelimit.h"

struct caught {
	int level;
	unsigned n;
	char line[3 * LOG_LINE_MAX];
};

static void catch_line(void *ctx, int level, const char *line)
{
	struct caught *c = ctx;
	c->level = level;
	c->n++;
	snprintf(c->line, sizeof(c->line), "%s", line);
}

static void open_sink(struct caught *c, bool is_json)
{
	struct log_config config = {.target = LOG_TO_SINK,
	        .sink = catch_line,
	        .ctx = c,
	        .program = "culvertd",
	        .max_level = LOG_INFO,
	        .is_json = is_json};
	memset(c, 0, sizeof(*c));
	assert_int_equal(log_open(&config), 0);
}

TEST(message_has_the_ASA_form)
{
	struct caught c;
	open_sink(&c, false);
	log_msg(6, "ASA", 722022, "Group <%s> User <%s> connected", "G", "joe");
	assert_string_equal(c.line, "%ASA-6-722022: Group <G> User <joe> connected");
	assert_int_equal(c.level, LOG_INFO);
	log_msg(4, "CULVERT", 1001, "x");
	assert_string_equal(c.line, "%CULVERT-4-001001: x");
	log_line(LOG_ERR, "plain %d", 7);
	assert_string_equal(c.line, "plain 7");
	assert_int_equal(c.n, 3);
	log_close();
}

TEST(level_filters_and_errno_stays)
{
	struct caught c;
	open_sink(&c, false);
	errno = EAGAIN;
	log_msg(7, "ASA", 722029, "debug");
	assert_int_equal(c.n, 0);
	assert_false(log_wants(LOG_DEBUG));
	log_set_level(LOG_DEBUG);
	log_msg(7, "ASA", 722029, "debug");
	log_msg(8, "ASA", 722029, "no such severity");
	assert_int_equal(c.n, 1);
	assert_int_equal(errno, EAGAIN);
	log_close();
}

TEST(one_call_is_one_line)
{
	struct caught c;
	char big[2 * LOG_LINE_MAX];
	open_sink(&c, false);
	log_line(LOG_ERR, "a%sb", "\r\n%ASA-1-105003: forged\x1b[2J");
	assert_string_equal(c.line, "a??%ASA-1-105003: forged?[2Jb");
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_line(LOG_ERR, "%s", big);
	assert_int_equal(strlen(c.line), LOG_LINE_MAX - 1);
	log_close();
}

TEST(json_has_the_same_id)
{
	struct caught c;
	open_sink(&c, true);
	log_msg(5, "ASA", 722033, "say \"hi\" \xff");
	json_t *o = json_loads(c.line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "id")), "%ASA-5-722033");
	assert_string_equal(json_string_value(json_object_get(o, "text")), "say \"hi\" ?");
	assert_string_equal(json_string_value(json_object_get(o, "program")), "culvertd");
	assert_int_equal(json_integer_value(json_object_get(o, "severity")), 5);
	assert_int_equal(
	        strlen(json_string_value(json_object_get(o, "t"))), strlen("2026-11-24T00:46:48.123Z"));
	json_decref(o);
	log_line(LOG_ERR, "no id");
	assert_null(strstr(c.line, "\"id\""));
	log_close();
}

TEST(file_is_appended_and_reopened)
{
	char dir[] = "/tmp/culvert-log-XXXXXX", path[64], moved[64], line[256];
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	snprintf(moved, sizeof(moved), "%s/log.1", dir);
	struct log_config config = {
	        .target = LOG_TO_FILE, .file = path, .program = "culvertd", .max_level = LOG_INFO};
	assert_int_equal(log_open(&config), 0);
	log_line(LOG_INFO, "one");
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(log_reopen(), 0);
	log_line(LOG_INFO, "two");
	log_close();
	FILE *f = fopen(path, "r");
	assert_non_null(fgets(line, sizeof(line), f));
	assert_non_null(strstr(line, "]: two\n"));
	assert_null(fgets(line, sizeof(line), f));
	fclose(f);
	f = fopen(moved, "r");
	assert_non_null(fgets(line, sizeof(line), f));
	assert_non_null(strstr(line, "Z culvertd["));
	fclose(f);
	unlink(path);
	unlink(moved);
	rmdir(dir);
	config.file = "/proc/nonexistent/log"; /* where nobody can make it */
	assert_int_equal(log_open(&config), -ENOENT);
}

struct relayed {
	unsigned n;
	struct log_record last;
	char text[LOG_LINE_MAX];
};

static void keep_record(void *ctx, const struct log_record *r)
{
	struct relayed *k = ctx;
	k->n++;
	k->last = *r;
	snprintf(k->text, sizeof(k->text), "%s", r->text);
	log_line(LOG_ERR, "about the relay"); /* to the own target only */
}

TEST(relay_has_its_own_level)
{
	struct caught c;
	struct relayed k = {0};
	open_sink(&c, false);
	log_set_level(LOG_WARNING);
	log_set_relay(LOG_DEBUG, keep_record, &k);
	assert_true(log_wants(LOG_DEBUG));
	log_msg(7, "ASA", 722029, "totals %d\n", 3);
	assert_int_equal(k.n, 1);
	assert_int_equal(c.n, 1); /* the relay's own line */
	assert_int_equal(k.last.severity, 7);
	assert_int_equal(k.last.id, 722029);
	assert_true(k.last.is_asa);
	assert_string_equal(k.text, "totals 3?");
	log_line(LOG_ERR, "no id");
	assert_int_equal(k.n, 2);
	assert_int_equal(k.last.id, 0);
	assert_false(k.last.is_asa);
	log_set_relay(LOG_ERR, keep_record, &k);
	log_msg(4, "ASA", 113019, "x");
	assert_int_equal(k.n, 2);
	log_set_relay(-1, NULL, NULL);
	assert_false(log_wants(LOG_DEBUG));
	log_msg(0, "ASA", 1, "x");
	assert_int_equal(k.n, 2);
	log_close();
}

TEST(rules_change_severity_or_silence)
{
	static const struct log_rule rules[] = {{113019, LOG_RULE_KEEP, true}, {722029, 4, false},
	        {722051, LOG_RULE_KEEP, false}, {722055, 7, false}};
	struct caught c;
	open_sink(&c, false);
	assert_false(log_wants_msg(7, 722029));
	log_set_rules(rules, N_ELEM(rules));
	assert_true(log_wants_msg(7, 722029));
	log_msg(7, "ASA", 722029, "raised");
	assert_string_equal(c.line, "%ASA-4-722029: raised");
	assert_int_equal(c.level, 4);
	log_msg(4, "ASA", 113019, "off");
	log_msg(6, "ASA", 722055, "lowered below the level");
	assert_int_equal(c.n, 1);
	assert_false(log_wants_msg(4, 113019));
	log_msg(6, "ASA", 722051, "its own");
	assert_string_equal(c.line, "%ASA-6-722051: its own");
	log_set_rules(NULL, 0);
	log_msg(4, "ASA", 113019, "on again");
	assert_int_equal(c.n, 3);
	log_close();
}

TEST(rate_is_limited_per_key)
{
	static struct ratelimit r;
	uint32_t suppressed = 99;
	uint64_t a = ratelimit_key(span_str("192.0.2.1"), 1), b = ratelimit_key(span_str("192.0.2.2"), 1);
	ratelimit_init(&r, 2, 1000);
	assert_true(ratelimit_allows(&r, a, 5000, &suppressed));
	assert_int_equal(suppressed, 0);
	assert_true(ratelimit_allows(&r, a, 5000, NULL));
	assert_false(ratelimit_allows(&r, a, 5000, NULL));
	assert_false(ratelimit_allows(&r, a, 5999, NULL));
	assert_true(ratelimit_allows(&r, b, 5999, NULL));
	assert_true(ratelimit_allows(&r, a, 6000, &suppressed));
	assert_int_equal(suppressed, 2);
	assert_false(ratelimit_allows(&r, a, 6001, NULL));
	assert_true(ratelimit_allows(&r, a, 60000, NULL)); /* full again, but no fuller */
	assert_true(ratelimit_allows(&r, a, 60000, NULL));
	assert_false(ratelimit_allows(&r, a, 60000, NULL));
}

TEST(rate_table_survives_a_flood_of_keys)
{
	static struct ratelimit r;
	ratelimit_init(&r, 1, 1000);
	for (uint32_t i = 0; i < 100000; i++)
		assert_true(ratelimit_allows(&r, ratelimit_key(span_of(&i, sizeof(i)), 0), i, NULL) ||
		            true); /* a collision may be refused; memory stays as it is */
	assert_true(ratelimit_allows(&r, 1, 200000, NULL));
	assert_false(ratelimit_allows(&r, 1, 200000, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(message_has_the_ASA_form),
	        cmocka_unit_test(level_filters_and_errno_stays),
	        cmocka_unit_test(one_call_is_one_line),
	        cmocka_unit_test(json_has_the_same_id),
	        cmocka_unit_test(file_is_appended_and_reopened),
	        cmocka_unit_test(relay_has_its_own_level),
	        cmocka_unit_test(rules_change_severity_or_silence),
	        cmocka_unit_test(rate_is_limited_per_key),
	        cmocka_unit_test(rate_table_survives_a_flood_of_keys),
	};
	return RUN(tests);
}

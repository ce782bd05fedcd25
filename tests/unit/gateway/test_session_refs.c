/* The order of a list, and that nobody is in it twice. */
#include "../unit.h"

#include <stdio.h>

#include "gateway/session_refs.h"

#define MANY 20000u

/* All numbers below MANY, each once. */
static uint32_t shuffled(uint32_t i)
{
	return (i * 7919u + 13) % MANY;
}

static void add(struct session_refs *r, struct session_ref ref)
{
	assert_int_equal(session_refs_add(r, &ref), 0);
}

TEST(by_index)
{
	struct session_refs r = {0};
	struct session_ref ref;
	for (uint32_t i = 0; i < MANY; i++)
		add(&r, (struct session_ref){.index = 1 + shuffled(i)});
	for (uint32_t i = 1; i <= MANY; i++) {
		assert_true(session_refs_take(&r, &ref));
		assert_int_equal(ref.index, i);
	}
	assert_false(session_refs_take(&r, &ref));
	session_refs_done(&r);
}

TEST(large_numbers_first_and_equal_ones_by_index)
{
	struct session_refs r = {.kind = SESSION_REF_NUMBER};
	struct session_ref ref, last = {.by.number = UINT64_MAX};
	for (uint32_t i = 0; i < MANY; i++)
		add(&r, (struct session_ref){.index = 1 + shuffled(i), .by.number = shuffled(i) / 100});
	for (uint32_t i = 0; i < MANY; i++, last = ref) {
		assert_true(session_refs_take(&r, &ref));
		assert_true(ref.by.number < last.by.number ||
		            (ref.by.number == last.by.number && ref.index > last.index));
	}
	session_refs_done(&r);
}

TEST(names)
{
	struct session_refs r = {.kind = SESSION_REF_NAME};
	struct session_ref ref, last;
	for (uint32_t i = 0; i < 1000; i++) {
		char name[16];
		snprintf(name, sizeof(name), "u%u", shuffled(i));
		add(&r, (struct session_ref){.index = 1 + i, .by.name = strdup(name)});
	}
	assert_true(session_refs_take(&r, &last));
	for (uint32_t i = 1; i < 900; i++, last = ref) {
		assert_true(session_refs_take(&r, &ref));
		assert_true(strcmp(last.by.name, ref.by.name) < 0);
		session_ref_done(&r, &last);
	}
	session_ref_done(&r, &last);
	session_refs_done(&r); /* the others: a leak would be reported */
}

/* A session that went from one thread to another during the walk is met in both. */
TEST(nobody_is_twice_inside)
{
	struct session_refs r = {.kind = SESSION_REF_NAME};
	struct session_ref ref;
	unsigned n = 0;
	for (uint32_t i = 0; i < 2 * MANY; i++) {
		add(&r, (struct session_ref){.index = 1 + shuffled(i),
		                .thread = (uint8_t)(i / MANY),
		                .by.name = strdup("x")});
		if (i % 5 == 4 && session_refs_take(&r, &ref)) { /* nor is who has been taken before */
			session_ref_done(&r, &ref);
			n++;
		}
	}
	for (; session_refs_take(&r, &ref); n++)
		session_ref_done(&r, &ref);
	assert_int_equal(n, MANY);
	session_refs_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(by_index),
	        cmocka_unit_test(large_numbers_first_and_equal_ones_by_index),
	        cmocka_unit_test(names),
	        cmocka_unit_test(nobody_is_twice_inside),
	};
	return RUN(tests);
}

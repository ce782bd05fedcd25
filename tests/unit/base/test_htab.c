#include "../unit.h"

#include "base/htab.h"

struct item {
	struct htab_node node;
	uint32_t key;
};

/* Vectors of the SipHash paper's reference: key 00..0f, input 00..0e (15 bytes). */
TEST(siphash_matches_its_paper)
{
	uint8_t key[16], in[15];
	for (uint8_t i = 0; i < 16; i++)
		key[i] = i;
	for (uint8_t i = 0; i < 15; i++)
		in[i] = i;
	assert_true(htab_hash(key, span_of(in, sizeof(in))) == 0xa129ca6149be45e5);
}

TEST(grows_and_finds_everything)
{
	static struct item items[1000];
	static const uint8_t key[16];
	struct htab t = {0};
	for (uint32_t i = 0; i < N_ELEM(items); i++) {
		items[i].key = i;
		assert_int_equal(htab_insert(&t, &items[i].node, htab_hash(key, span_of(&i, sizeof(i)))), 0);
	}
	for (uint32_t i = 0; i < N_ELEM(items); i += 2)
		htab_remove(&t, &items[i].node);
	for (uint32_t i = 0; i < N_ELEM(items); i++) {
		bool is_found = false;
		struct htab_node *n = htab_find(&t, htab_hash(key, span_of(&i, sizeof(i))));
		for (; n; n = htab_next(n))
			is_found |= CONTAINER_OF(n, struct item, node)->key == i;
		assert_int_equal(is_found, i % 2 == 1);
	}
	assert_int_equal(t.n, 500);
	htab_done(&t);
}

TEST(same_hash_makes_a_chain)
{
	struct item a = {.key = 1}, b = {.key = 2};
	struct htab t = {0};
	assert_null(htab_find(&t, 7));
	assert_int_equal(htab_insert(&t, &a.node, 7), 0);
	assert_int_equal(htab_insert(&t, &b.node, 7), 0);
	struct htab_node *first = htab_find(&t, 7);
	assert_non_null(first);
	assert_non_null(htab_next(first));
	assert_null(htab_next(htab_next(first)));
	htab_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(siphash_matches_its_paper),
	        cmocka_unit_test(grows_and_finds_everything),
	        cmocka_unit_test(same_hash_makes_a_chain),
	};
	return RUN(tests);
}

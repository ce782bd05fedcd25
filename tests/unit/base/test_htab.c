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

/* ---- a walk in steps ---- */

#define STAYS 500

static uint8_t n_seen[4 * STAYS];

static void see(struct htab_node *node, void *arg)
{
	(void)arg;
	n_seen[CONTAINER_OF(node, struct item, node)->key]++;
}

static void put(struct htab *t, struct item *all, uint32_t i)
{
	static const uint8_t key[16] = {1};
	all[i].key = i;
	assert_int_equal(htab_insert(t, &all[i].node, htab_hash(key, span_of(&i, sizeof(i)))), 0);
}

/* n_before are inside from beginning to end; at one step many more come, so that the table grows twice. */
static void walk(unsigned n_before, unsigned grow_at_step)
{
	static struct item items[4 * STAYS];
	struct htab t = {0};
	uint32_t next = n_before;
	uint64_t cursor = 0;
	unsigned n_steps = 0;
	memset(n_seen, 0, sizeof(n_seen));
	for (uint32_t i = 0; i < n_before; i++)
		put(&t, items, i);
	do {
		cursor = htab_scan(&t, cursor, see, NULL);
		if (++n_steps == grow_at_step) {
			for (unsigned k = 0; k < 2 * STAYS; k++)
				put(&t, items, next++);
		}
	} while (cursor != 0);
	unsigned n_twice = 0;
	for (uint32_t i = 0; i < n_before; i++) {
		assert_in_range(n_seen[i], 1, 2);
		n_twice += n_seen[i] == 2;
	}
	assert_true(grow_at_step ? n_twice < 10 : n_twice == 0);
	htab_done(&t);
}

TEST(a_walk_sees_what_stays)
{
	walk(0, 0);
	walk(1, 0);
	walk(STAYS, 0);
	for (unsigned at = 1; at < STAYS; at += 7)
		walk(STAYS, at);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_walk_sees_what_stays),
	        cmocka_unit_test(siphash_matches_its_paper),
	        cmocka_unit_test(grows_and_finds_everything),
	        cmocka_unit_test(same_hash_makes_a_chain),
	};
	return RUN(tests);
}

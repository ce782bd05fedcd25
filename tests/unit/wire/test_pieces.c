#include "../unit.h"

#include <stdlib.h>

#include "wire/pieces.h"

#define MAX_PACKET 2000

static uint8_t packet[PIECE_PACKET_MAX];
static uint8_t pieces[4096][1500];
static size_t lengths[4096];
static struct joiner *j;

static void fill(void)
{
	for (size_t i = 0; i < sizeof(packet); i++)
		packet[i] = (uint8_t)(i * 7 + i / 251);
}

static size_t cut(size_t n, uint16_t id, size_t max_payload)
{
	struct cutter c = cutter_open(span_of(packet, n), id, max_payload);
	size_t i = 0;
	while ((lengths[i] = cutter_next(&c, pieces[i])) > 0) {
		assert_true(lengths[i] <= max_payload);
		i++;
	}
	return i;
}

static enum joiner_result put(size_t i, ms_t now_ms, struct span *ret)
{
	return joiner_put(j, span_of(pieces[i], lengths[i]), now_ms, ret);
}

TEST(every_size_comes_back)
{
	fill();
	j = joiner_new(PIECE_PACKET_MAX);
	for (size_t n = 1; n <= 3000; n += 13) {
		for (size_t max = PIECE_HEADER_BYTES + PIECE_UNIT_BYTES; max < 1500; max += 97) {
			struct span got = {0};
			size_t n_pieces = cut(n, (uint16_t)n, max);
			assert_true(n_pieces > 0);
			for (size_t i = 0; i + 1 < n_pieces; i++)
				assert_int_equal(put(i, 0, &got), JOINER_MORE);
			assert_int_equal(put(n_pieces - 1, 0, &got), JOINER_PACKET);
			assert_int_equal(got.n, n);
			assert_memory_equal(got.p, packet, n);
		}
	}
	assert_int_equal(joiner_n_lost(j), 0);
	joiner_free(j);
}

TEST(largest_packet)
{
	struct span got = {0};
	fill();
	j = joiner_new(PIECE_PACKET_MAX);
	size_t n = cut(PIECE_PACKET_MAX, 1, 440);
	for (size_t i = n; i-- > 1;)
		assert_int_equal(put(i, 0, &got), JOINER_MORE);
	assert_int_equal(put(0, 0, &got), JOINER_PACKET);
	assert_int_equal(got.n, PIECE_PACKET_MAX);
	assert_memory_equal(got.p, packet, PIECE_PACKET_MAX);
	joiner_free(j);
}

TEST(nothing_to_cut)
{
	assert_int_equal(cut(0, 1, 440), 0);
	assert_int_equal(cut(100, 1, PIECE_HEADER_BYTES + PIECE_UNIT_BYTES - 1), 0);
}

TEST(order_and_repeats_do_not_matter)
{
	struct span got = {0};
	fill();
	j = joiner_new(MAX_PACKET);
	size_t n = cut(1400, 7, 200);
	for (size_t i = n - 1; i > 0; i--) {
		assert_int_equal(put(i, 0, &got), JOINER_MORE);
		assert_int_equal(put(i, 0, &got), JOINER_MORE);
	}
	assert_int_equal(put(0, 0, &got), JOINER_PACKET);
	assert_memory_equal(got.p, packet, 1400);
	assert_int_equal(put(0, 0, &got), JOINER_MORE); /* a late repeat begins a packet that never ends */
	joiner_free(j);
}

TEST(a_missing_piece_times_out)
{
	struct span got = {0};
	fill();
	j = joiner_new(MAX_PACKET);
	size_t n = cut(1400, 7, 500);
	assert_int_equal(put(0, 0, &got), JOINER_MORE);
	assert_int_equal(put(1, PIECE_TIMEOUT_MS, &got), JOINER_MORE);
	for (size_t i = 2; i < n; i++)
		assert_int_equal(put(i, PIECE_TIMEOUT_MS, &got), JOINER_MORE);
	assert_int_equal(joiner_n_lost(j), 1);
	assert_int_equal(put(0, PIECE_TIMEOUT_MS + 1, &got), JOINER_PACKET);
	joiner_free(j);
}

TEST(the_oldest_makes_room)
{
	struct span got = {0};
	fill();
	j = joiner_new(MAX_PACKET);
	for (uint16_t id = 0; id <= PIECE_SLOTS; id++) {
		cut(1000, id, 600);
		assert_int_equal(put(0, id, &got), JOINER_MORE);
	}
	assert_int_equal(joiner_n_lost(j), 1);
	cut(1000, 1, 600);
	assert_int_equal(put(1, 20, &got), JOINER_PACKET);
	cut(1000, 0, 600);
	assert_int_equal(put(1, 20, &got), JOINER_MORE); /* its first half is gone */
	joiner_free(j);
}

TEST(what_is_refused)
{
	static const struct {
		uint8_t bytes[16];
		size_t n;
	} rows[] = {
	        {{0}, 0}, {{0, 1, 0}, 3}, {{0, 1, 0, 0}, 4}, /* no bytes */
	        {{0, 1, 0, 4, 1, 2, 3, 4, 5, 6, 7, 8}, 12},  /* offset between units */
	        {{0, 1, 0, 0, 1, 2, 3}, 7},                  /* not the last, and not whole units */
	        {{0, 1, 0xc0, 0, 1}, 5},                     /* beyond the largest packet */
	        {{0, 1, 0x88, 0, 1}, 5},                     /* beyond what this joiner takes */
	};
	struct span got = {0};
	j = joiner_new(MAX_PACKET);
	for (size_t i = 0; i < N_ELEM(rows); i++)
		assert_int_equal(joiner_put(j, span_of(rows[i].bytes, rows[i].n), 0, &got), JOINER_DROPPED);
	joiner_free(j);
}

TEST(two_ends_are_at_odds)
{
	const uint8_t end16[] = {0, 1, 0x80, 8, 1, 2, 3, 4, 5, 6, 7, 8};
	const uint8_t end17[] = {0, 1, 0x80, 16, 1};
	const uint8_t beyond[] = {0, 1, 0, 16, 1, 2, 3, 4, 5, 6, 7, 8};
	struct span got = {0};
	j = joiner_new(MAX_PACKET);
	assert_int_equal(joiner_put(j, span_of(end16, sizeof(end16)), 0, &got), JOINER_MORE);
	assert_int_equal(joiner_put(j, span_of(end17, sizeof(end17)), 0, &got), JOINER_DROPPED);
	assert_int_equal(joiner_put(j, span_of(end16, sizeof(end16)), 0, &got), JOINER_MORE);
	assert_int_equal(joiner_put(j, span_of(beyond, sizeof(beyond)), 0, &got), JOINER_DROPPED);
	assert_int_equal(joiner_put(j, span_of(beyond, sizeof(beyond)), 0, &got), JOINER_MORE);
	assert_int_equal(joiner_put(j, span_of(end16, sizeof(end16)), 0, &got), JOINER_DROPPED);
	joiner_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_size_comes_back),
	        cmocka_unit_test(largest_packet),
	        cmocka_unit_test(nothing_to_cut),
	        cmocka_unit_test(order_and_repeats_do_not_matter),
	        cmocka_unit_test(a_missing_piece_times_out),
	        cmocka_unit_test(the_oldest_makes_room),
	        cmocka_unit_test(what_is_refused),
	        cmocka_unit_test(two_ends_are_at_odds),
	};
	return RUN(tests);
}

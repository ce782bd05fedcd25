#include "../unit.h"

#include "wire/cstp_long.h"

#define PART_MAX 16384 /* content of a TLS record */

static uint8_t wire[CSTP_HEADER_BYTES + CSTP_LONG_PAYLOAD_MAX + 100];
static uint8_t memory[CSTP_LONG_BYTES];
static struct cstp_long l;

static size_t make(size_t payload_bytes)
{
	cstp_put_header(wire, CSTP_SUPER, (uint16_t)payload_bytes);
	for (size_t i = 0; i < payload_bytes + 100 && CSTP_HEADER_BYTES + i < sizeof(wire); i++)
		wire[CSTP_HEADER_BYTES + i] = (uint8_t)(i * 7 + i / 251);
	return CSTP_HEADER_BYTES + payload_bytes;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* In parts of that size; every second one at its place, as the record layer does it. */
static void give(size_t n, size_t part_bytes)
{
	size_t at = least(n, part_bytes), room;
	int r = ERR_MORE;
	assert_true(cstp_long_begins(span_of(wire, at), CSTP_SUPER));
	memset(memory, 0xee, sizeof(memory));
	cstp_long_begin(&l, memory, span_of(wire, at));
	for (unsigned i = 0; at < n; i++) {
		size_t m = least(n - at, part_bytes);
		assert_int_equal(r, ERR_MORE);
		assert_true(cstp_long_waits(&l));
		uint8_t *to = cstp_long_room(&l, &room);
		assert_int_equal(room, n - at + 1);
		assert_true(to >= memory && to + room <= memory + sizeof(memory));
		if (i % 2)
			memcpy(to, wire + at, m);
		r = cstp_long_put(&l, span_of(i % 2 ? to : wire + at, m));
		at += m;
	}
	assert_int_equal(r, 0);
}

static void expect_whole(size_t payload_bytes)
{
	struct cstp_packet p = cstp_long_packet(&l);
	assert_int_equal(p.type, CSTP_SUPER);
	assert_int_equal(p.payload.n, payload_bytes);
	assert_memory_equal(p.payload.p, wire + CSTP_HEADER_BYTES, payload_bytes);
	assert_ptr_equal(cstp_long_end(&l), memory);
	assert_false(cstp_long_waits(&l));
	assert_null(cstp_long_end(&l));
}

TEST(comes_back_whole)
{
	static const size_t parts[] = {8, 9, 100, 1400, 16000, PART_MAX};
	static const size_t sizes[] = {1, 2, 1000, 16376, 16377, 32768, 65534, CSTP_LONG_PAYLOAD_MAX};
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
			size_t n = make(sizes[s]);
			if (n <= parts[i]) { /* one record holds it: nothing for us */
				assert_false(cstp_long_begins(span_of(wire, n), CSTP_SUPER));
				continue;
			}
			give(n, parts[i]);
			expect_whole(sizes[s]);
		}
	}
}

TEST(only_a_first_part_begins_one)
{
	size_t n = make(40000);
	for (size_t at = 0; at < CSTP_HEADER_BYTES; at++) /* not even its header */
		assert_false(cstp_long_begins(span_of(wire, at), CSTP_SUPER));
	for (size_t at = CSTP_HEADER_BYTES; at < n; at++)
		assert_true(cstp_long_begins(span_of(wire, at), CSTP_SUPER));
	assert_false(cstp_long_begins(span_of(wire, n), CSTP_SUPER));
	assert_false(
	        cstp_long_begins(span_of(wire, n + 50), CSTP_SUPER)); /* whole, and something behind it */
	assert_false(cstp_long_begins(span_of(wire, 1000), CSTP_DATA));
	for (size_t i = 0; i < CSTP_HEADER_BYTES; i++) {
		if (i == 4 || i == 5)
			continue; /* the length */
		wire[i] ^= 1;
		assert_false(cstp_long_begins(span_of(wire, 1000), CSTP_SUPER));
		wire[i] ^= 1;
	}
}

TEST(too_much_is_refused)
{
	for (size_t over = 1; over < 50; over += 7) {
		size_t n = make(20000);
		cstp_long_begin(&l, memory, span_of(wire, PART_MAX));
		assert_int_equal(
		        cstp_long_put(&l, span_of(wire + PART_MAX, n - PART_MAX + over)), ERR_MALFORMED);
		assert_true(l.n == PART_MAX && l.want == n); /* nothing was taken */
		assert_ptr_equal(cstp_long_end(&l), memory);
	}
}

TEST(an_empty_record_changes_nothing)
{
	size_t n = make(20000);
	cstp_long_begin(&l, memory, span_of(wire, PART_MAX));
	assert_int_equal(cstp_long_put(&l, span_of(NULL, 0)), ERR_MORE);
	assert_int_equal(cstp_long_put(&l, span_of(wire + PART_MAX, n - PART_MAX)), 0);
	expect_whole(20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(comes_back_whole),
	        cmocka_unit_test(only_a_first_part_begins_one),
	        cmocka_unit_test(too_much_is_refused),
	        cmocka_unit_test(an_empty_record_changes_nothing),
	};
	return RUN(tests);
}

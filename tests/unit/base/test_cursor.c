#include "../unit.h"

#include <errno.h>

#include "base/rd.h"
#include "base/wr.h"

TEST(reads_big_endian_fields)
{
	static const uint8_t b[] = {
	        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24};
	struct rd r = rd_open(span_of(b, sizeof(b)));
	assert_int_equal(rd_u8(&r), 1);
	assert_int_equal(rd_u16(&r), 0x0203);
	assert_int_equal(rd_u24(&r), 0x040506);
	assert_int_equal(rd_u32(&r), 0x0708090a);
	assert_true(rd_u48(&r) == 0x0b0c0d0e0f10);
	assert_true(rd_u64(&r) == 0x1112131415161718);
	assert_true(rd_end(&r));
}

TEST(every_truncation_is_bad_and_stays_bad)
{
	static const uint8_t b[7] = {0, 1, 2, 3, 4, 5, 6};
	for (size_t n = 0; n < sizeof(b); n++) {
		struct rd r = rd_open(span_of(b, n));
		rd_u24(&r);
		rd_u32(&r);
		assert_false(rd_ok(&r));
		assert_int_equal(rd_u8(&r), 0);
		assert_false(rd_end(&r));
	}
}

TEST(expect_and_copy)
{
	struct rd r = rd_open(span_str("STF\x01x"));
	uint8_t copy[2] = {9, 9};
	rd_expect(&r, "STF\x01", 4);
	assert_true(rd_ok(&r));
	rd_copy(&r, copy, 2);
	assert_false(rd_ok(&r));
	assert_int_equal(copy[0], 0);
	r = rd_open(span_str("STG"));
	rd_expect(&r, "STF", 3);
	assert_false(rd_ok(&r));
}

TEST(writer_never_passes_its_capacity)
{
	uint8_t buf[8] = {0};
	struct wr w = wr_open(buf, 4);
	wr_u24(&w, 0xabcdef);
	wr_u16(&w, 0x1234);
	assert_int_equal(wr_done(&w), -ENOBUFS);
	assert_int_equal(buf[3], 0);
	wr_u8(&w, 1); /* sticky */
	assert_int_equal(w.n, 3);
	w = wr_open(buf, 8);
	wr_hex(&w, span_of("\x0a\xff", 2));
	assert_memory_equal(buf, "0aff", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(reads_big_endian_fields),
	        cmocka_unit_test(every_truncation_is_bad_and_stays_bad),
	        cmocka_unit_test(expect_and_copy),
	        cmocka_unit_test(writer_never_passes_its_capacity),
	};
	return RUN(tests);
}

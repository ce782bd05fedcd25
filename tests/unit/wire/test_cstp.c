#include "../unit.h"

#include "wire/cstp.h"

static const uint8_t DPD[] = {'S', 'T', 'F', 1, 0, 3, CSTP_DPD_REQUEST, 0, 'a', 'b', 'c'};

TEST(one_packet_is_taken)
{
	struct span rest = span_of(DPD, sizeof(DPD));
	struct cstp_packet p;
	enum cstp_fault fault = CSTP_FINE;
	assert_int_equal(cstp_take(&rest, &p, &fault), 0);
	assert_int_equal(p.type, CSTP_DPD_REQUEST);
	assert_true(span_is(p.payload, "abc"));
	assert_int_equal(rest.n, 0);
	assert_int_equal(fault, CSTP_FINE);
}

TEST(every_truncation_is_refused)
{
	for (size_t n = 0; n < sizeof(DPD); n++) {
		struct span rest = span_of(DPD, n);
		struct cstp_packet p;
		enum cstp_fault fault = CSTP_FINE;
		assert_int_equal(cstp_take(&rest, &p, &fault), ERR_MALFORMED);
		assert_int_equal(fault, n < CSTP_HEADER_BYTES ? CSTP_SHORT : CSTP_BAD_LENGTH);
	}
}

TEST(each_header_byte_has_its_fault)
{
	static const struct {
		size_t at;
		uint8_t value;
		enum cstp_fault want;
	} rows[] = {
	        {0, 's', CSTP_BAD_MAGIC},
	        {1, 0, CSTP_BAD_MAGIC},
	        {2, 'f', CSTP_BAD_MAGIC},
	        {3, 2, CSTP_BAD_VERSION},
	        {7, 1, CSTP_BAD_RESERVED},
	        {4, 255, CSTP_BAD_LENGTH},
	        {5, 4, CSTP_BAD_LENGTH},
	        {6, 0x77, CSTP_FINE},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		uint8_t bytes[sizeof(DPD)];
		memcpy(bytes, DPD, sizeof(DPD));
		bytes[rows[i].at] = rows[i].value;
		struct span rest = span_of(bytes, sizeof(bytes));
		struct cstp_packet p;
		enum cstp_fault fault = CSTP_FINE;
		int r = cstp_take(&rest, &p, &fault);
		assert_int_equal(fault, rows[i].want);
		assert_int_equal(r, rows[i].want == CSTP_FINE ? 0 : ERR_MALFORMED);
	}
}

TEST(whole_packets_may_follow_each_other)
{
	uint8_t two[2 * sizeof(DPD) + 1];
	memcpy(two, DPD, sizeof(DPD));
	memcpy(two + sizeof(DPD), DPD, sizeof(DPD));
	two[2 * sizeof(DPD)] = 'S';
	struct span rest = span_of(two, sizeof(two));
	struct cstp_packet p;
	enum cstp_fault fault;
	assert_int_equal(cstp_take(&rest, &p, &fault), 0);
	assert_int_equal(cstp_take(&rest, &p, &fault), 0);
	assert_int_equal(rest.n, 1);
	assert_int_equal(cstp_take(&rest, &p, &fault), ERR_MALFORMED);
	assert_int_equal(fault, CSTP_SHORT);
}

TEST(the_largest_packet_fills_a_record)
{
	static uint8_t record[CSTP_RECORD_MAX + 1];
	struct cstp_packet p;
	enum cstp_fault fault;
	cstp_put_header(record, CSTP_DATA, CSTP_PAYLOAD_MAX);
	struct span rest = span_of(record, CSTP_RECORD_MAX);
	assert_int_equal(cstp_take(&rest, &p, &fault), 0);
	assert_int_equal(p.payload.n, CSTP_PAYLOAD_MAX);
	cstp_put_header(record, CSTP_DATA, CSTP_PAYLOAD_MAX + 1);
	rest = span_of(record, sizeof(record));
	assert_int_equal(cstp_take(&rest, &p, &fault), ERR_MALFORMED);
	assert_int_equal(fault, CSTP_BAD_LENGTH);
}

TEST(the_header_is_the_one_of_the_reference)
{
	uint8_t hdr[CSTP_HEADER_BYTES];
	cstp_put_header(hdr, CSTP_DISCONNECT, 0);
	assert_memory_equal(hdr, "\x53\x54\x46\x01\x00\x00\x05\x00", sizeof(hdr));
	cstp_put_header(hdr, CSTP_DATA, 0x1234);
	assert_memory_equal(hdr, "\x53\x54\x46\x01\x12\x34\x00\x00", sizeof(hdr));
}

TEST(a_dtls_payload_has_a_type_byte)
{
	struct cstp_packet p = {.type = 99};
	assert_int_equal(dtls_channel_parse(span_str(""), &p), ERR_MALFORMED);
	assert_int_equal(p.type, 99);
	assert_int_equal(dtls_channel_parse(span_of("\x07", 1), &p), 0);
	assert_int_equal(p.type, CSTP_KEEPALIVE);
	assert_int_equal(p.payload.n, 0);
	assert_int_equal(dtls_channel_parse(span_of("\x00xy", 3), &p), 0);
	assert_true(span_is(p.payload, "xy"));
}

TEST(only_logout_and_local_error_end_the_session)
{
	static const struct {
		const char *payload;
		bool ends;
	} rows[] = {
	        {"", false},
	        {"\xb0", true},
	        {"\xb0"
	         "Aborted by caller",
	                true},
	        {"\xb0"
	         "Client PC is going into suspend mode (Sleep, Hibernate, etc).",
	                false},
	        {"\xb0"
	         "SUSPEND",
	                false},
	        {"\xb0"
	         "suspen",
	                true},
	        {"\x70", true},
	        {"\x91"
	         "Reconnecting the VPN tunnel.",
	                false},
	        {"\xd1", false},
	        {"\xb2", false},
	};
	for (size_t i = 0; i < N_ELEM(rows); i++) {
		struct disconnect d = disconnect_parse(span_str(rows[i].payload));
		assert_int_equal(d.has_code, rows[i].payload[0] != '\0');
		assert_int_equal(disconnect_ends_session(&d), rows[i].ends);
	}
	struct disconnect d = disconnect_parse(span_str("\xb0"
	                                                "bye"));
	assert_int_equal(d.code, DISCONNECT_USER);
	assert_true(span_is(d.text, "bye"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(one_packet_is_taken),
	        cmocka_unit_test(every_truncation_is_refused),
	        cmocka_unit_test(each_header_byte_has_its_fault),
	        cmocka_unit_test(whole_packets_may_follow_each_other),
	        cmocka_unit_test(the_largest_packet_fills_a_record),
	        cmocka_unit_test(the_header_is_the_one_of_the_reference),
	        cmocka_unit_test(a_dtls_payload_has_a_type_byte),
	        cmocka_unit_test(only_logout_and_local_error_end_the_session),
	};
	return RUN(tests);
}

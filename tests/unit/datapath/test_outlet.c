#include "../unit.h"

#include "datapath/outlet.h"
#include "packets.h"
#include "replay_check.h"

#define MTU     1500
#define PAYLOAD 1000

static struct {
	unsigned n_writes, n_pieces, n_refused;
	size_t first_bytes, total_bytes, head_bytes;
	bool fails;
	uint8_t last[8 * MTU];
} seen;
static struct outlet out;

static int take(void *ctx, const struct iovec *iov, unsigned n_iov)
{
	(void)ctx;
	seen.n_writes++;
	seen.n_pieces = n_iov;
	seen.first_bytes = iov[0].iov_len;
	seen.total_bytes = 0;
	for (unsigned i = 0; i < n_iov; i++) {
		if (seen.total_bytes + iov[i].iov_len <= sizeof(seen.last))
			memcpy(seen.last + seen.total_bytes, iov[i].iov_base, iov[i].iov_len);
		seen.total_bytes += iov[i].iov_len;
	}
	return seen.fails ? -5 : 0;
}

static void refused(void *ctx, struct span head, unsigned n_packets)
{
	(void)ctx;
	seen.n_refused += n_packets;
	seen.head_bytes = head.n;
}

static void begin(bool has_vnet_hdr, unsigned kinds)
{
	const struct outlet_config c = {
	        .has_vnet_hdr = has_vnet_hdr, .kinds = kinds, .write = take, .refused = refused};

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(outlet_open(&out, &c), 0);
}

static struct packet_form form(void)
{
	return (struct packet_form){
	        .ttl = 64, .flags = 0x10, .port = 40000, .window = 501, .seq = 1000, .ack = 7};
}

/* n packets of one flow, all made in the same place: only what the outlet keeps survives. */
static size_t put_same_place(unsigned n)
{
	static uint8_t slot[MTU];
	struct packet_form f = form();
	size_t n_bytes = 0;

	for (unsigned i = 0; i < n; i++) {
		n_bytes = packet_make(slot, &f, PAYLOAD, (uint8_t)i);
		f.seq += PAYLOAD;
		f.id++;
		outlet_put(&out, span_of(slot, n_bytes), false);
	}
	memset(slot, 0xee, sizeof(slot));
	return n_bytes;
}

TEST(what_does_not_stay_is_kept)
{
	begin(true, COALESCE_TCP4);
	size_t n = put_same_place(3);
	assert_int_equal(seen.n_writes, 0);
	outlet_flush(&out);
	assert_int_equal(seen.n_writes, 1);
	assert_int_equal(seen.n_pieces, 5);
	assert_int_equal(seen.first_bytes, VNET_HDR_BYTES);
	assert_int_equal(seen.total_bytes, VNET_HDR_BYTES + n + 2 * PAYLOAD);
	assert_null(memchr(seen.last, 0xee, 60)); /* the bytes of then, not those of now */
	outlet_flush(&out);
	assert_int_equal(seen.n_writes, 1);
	outlet_close(&out);
}

TEST(more_than_can_be_kept_goes_in_between)
{
	begin(true, COALESCE_TCP4);
	put_same_place(2 * OUTLET_KEPT_BYTES / PAYLOAD);
	assert_true(seen.n_writes > 1);
	outlet_flush(&out);
	assert_int_equal(out.n_kept, 0);
	outlet_close(&out);
}

TEST(a_device_without_headers_gets_packets)
{
	begin(false, COALESCE_TCP4);
	size_t n = put_same_place(3);
	assert_int_equal(seen.n_writes, 3);
	assert_int_equal(seen.n_pieces, 1);
	assert_int_equal(seen.total_bytes, n);
	outlet_close(&out);
	begin(true, 0); /* headers, but nothing large */
	n = put_same_place(3);
	assert_int_equal(seen.n_writes, 3);
	assert_int_equal(seen.total_bytes, VNET_HDR_BYTES + n);
	outlet_close(&out);
}

TEST(refused_packets_are_counted_one_by_one)
{
	begin(true, COALESCE_TCP4);
	seen.fails = true;
	put_same_place(3);
	outlet_flush(&out);
	assert_int_equal(seen.n_writes, 1);
	assert_int_equal(seen.n_refused, 3);
	assert_int_equal(seen.head_bytes, 40); /* of the flow: addresses are in it */
	put_same_place(1);
	outlet_flush(&out);
	assert_int_equal(seen.n_refused, 4);
	outlet_close(&out);
}

static struct super super_of(unsigned n_packets)
{
	static uint8_t payload[SUPER_HEADER_BYTES + 20 * PAYLOAD];
	struct packet_form f = form();
	struct super u;

	set16(payload, PAYLOAD);
	size_t n = packet_make(payload + SUPER_HEADER_BYTES, &f, n_packets * PAYLOAD, 1);
	assert_int_equal(super_parse(span_of(payload, SUPER_HEADER_BYTES + n), MTU, &u), 0);
	assert_int_equal(u.form.n_packets, n_packets);
	return u;
}

TEST(a_super_packet_leaves_at_once_and_in_its_turn)
{
	struct super u = super_of(7);

	begin(true, COALESCE_TCP4);
	put_same_place(2);
	assert_int_equal(seen.n_writes, 0);
	outlet_put_super(&out, &u);
	assert_int_equal(seen.n_writes, 2); /* what waited went first */
	assert_int_equal(seen.total_bytes, VNET_HDR_BYTES + 40 + 7 * PAYLOAD);
	assert_int_equal(vnet_read(seen.last).gso_size, PAYLOAD);
	assert_int_equal(vnet_read(seen.last).gso_type, VNET_GSO_TCPV4);
	seen.fails = true;
	outlet_put_super(&out, &u);
	assert_int_equal(seen.n_refused, 7);
	assert_int_equal(seen.head_bytes, 40);
	outlet_close(&out);
}

TEST(a_device_that_takes_none_gets_its_packets)
{
	struct super u = super_of(7);

	begin(false, 0);
	outlet_put_super(&out, &u);
	assert_int_equal(seen.n_writes, 7);
	assert_int_equal(seen.total_bytes, 40 + PAYLOAD);
	assert_true(packet_is_sound(seen.last, seen.total_bytes));
	outlet_close(&out);
	begin(true, COALESCE_TCP6 | COALESCE_UDP);
	outlet_put_super(&out, &u);
	outlet_put_super(&out, &u); /* the packet in hand is not what was cut */
	assert_int_equal(seen.n_writes, 14);
	assert_int_equal(seen.total_bytes, VNET_HDR_BYTES + 40 + PAYLOAD);
	assert_true(packet_is_sound(seen.last + VNET_HDR_BYTES, 40 + PAYLOAD));
	outlet_close(&out);
}

TEST(close_copes_with_nothing_and_forgets)
{
	struct outlet none = {0};
	outlet_flush(&none);
	outlet_close(&none);
	begin(true, COALESCE_TCP4);
	put_same_place(2);
	outlet_close(&out);
	assert_int_equal(seen.n_writes, 0);
	outlet_flush(&out);
	assert_int_equal(seen.n_writes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_does_not_stay_is_kept),
	        cmocka_unit_test(more_than_can_be_kept_goes_in_between),
	        cmocka_unit_test(a_device_without_headers_gets_packets),
	        cmocka_unit_test(refused_packets_are_counted_one_by_one),
	        cmocka_unit_test(a_super_packet_leaves_at_once_and_in_its_turn),
	        cmocka_unit_test(a_device_that_takes_none_gets_its_packets),
	        cmocka_unit_test(close_copes_with_nothing_and_forgets),
	};
	return RUN(tests);
}

#include "../unit.h"

#include "replay_check.h"

#define ALL (COALESCE_TCP4 | COALESCE_TCP6 | COALESCE_UDP)
#define MTU 1500

static uint8_t slot[CHECK_PACKETS_MAX][MTU];
static struct replay_check check;
static struct coalesce co;

static void begin(unsigned kinds)
{
	memset(&check, 0, sizeof(check));
	coalesce_init(&co, kinds, check_emit, &check);
}

static struct packet_form form(bool is_v6, bool is_udp)
{
	return (struct packet_form){.is_ip6 = is_v6,
	        .is_udp = is_udp,
	        .ttl = 64,
	        .flags = 0x10,
	        .id = 65530,
	        .port = 40000,
	        .window = 501,
	        .seq = 0xffffff00,
	        .ack = 12345,
	        .tcp_options = 12};
}

/* One packet with f, which moves on as its sender would. */
static uint8_t *add(struct packet_form *f, size_t payload)
{
	uint8_t *p = slot[check.n_in];
	size_t n = packet_make(p, f, payload, (uint8_t)check.n_in);

	f->seq += (uint32_t)payload;
	f->id++;
	check_add(&check, &co, p, n);
	return p;
}

static void end(size_t want_writes)
{
	check_end(&check, &co);
	assert_int_equal(check.n_writes, want_writes);
}

TEST(trains_become_one_write)
{
	for (int v = 0; v < 4; v++) {
		struct packet_form f = form(v & 1, v & 2);
		begin(ALL);
		for (int i = 0; i < 40; i++)
			add(&f, 1000);
		end(1);
		assert_int_equal(check.n_largest, 40);
		begin(ALL);
		for (int i = 0; i < 200; i++) /* 64 KiB at 1388 each: 47; or 64 */
			add(&f, 1388);
		end(5);
		begin(ALL);
		for (int i = 0; i < 128; i++)
			add(&f, 100);
		end(2);
		assert_int_equal(check.n_largest, COALESCE_SEGMENTS_MAX);
	}
}

TEST(short_ones_and_pushes_end_a_train)
{
	struct packet_form f = form(false, false);

	begin(ALL);
	for (int i = 0; i < 3; i++)
		add(&f, 1000);
	add(&f, 400);
	for (int i = 0; i < 2; i++)
		add(&f, 1000);
	f.flags = 0x18;
	add(&f, 1000);
	f.flags = 0x10;
	add(&f, 1000);
	end(3);
	begin(ALL);
	add(&f, 1000);
	add(&f, 1001); /* larger: a train of its own */
	add(&f, 1001);
	end(2);
	begin(ALL);
	f.flags = 0x18;
	add(&f, 1000); /* a push in front of a train */
	f.flags = 0x10;
	add(&f, 1000);
	add(&f, 1000);
	end(2);
}

/* One packet among others of its flow that differs in one thing: never joined with what stands before it. */
static void odd_one(int v, void (*change)(uint8_t *p, size_t n), bool is_sum_kept)
{
	struct packet_form f = form(v & 1, v & 2);

	begin(ALL);
	for (int i = 0; i < 3; i++)
		add(&f, 1000);
	uint8_t *p = slot[check.n_in];
	size_t n = packet_make(p, &f, 1000, 99);
	uint16_t old = (uint16_t)at16(p + l4_sum_at(p));
	change(p, n);
	if (!is_sum_kept)
		sums_set(p, n);
	else if (at16(p + l4_sum_at(p)) == old)
		assert_false(packet_is_sound(p, n));
	check_add(&check, &co, p, n);
	f.seq += 1000;
	f.id++;
	for (int i = 0; i < 3; i++)
		add(&f, 1000);
	check_end(&check, &co);
	assert_true(check.n_writes >= 2 && check.n_largest <= 4);
}

#define CHANGE(name, code)                                                                                   \
	static void name(uint8_t *p, size_t n)                                                               \
	{                                                                                                    \
		uint8_t *t = p + ip_bytes(p);                                                                \
		(void)p, (void)n, (void)t;                                                                   \
		code;                                                                                        \
	}
CHANGE(ttl, p[is_ip6(p) ? 7 : 8]--)
CHANGE(ecn, p[1] ^= is_ip6(p) ? 0x30 : 3)
CHANGE(no_df, p[6] ^= is_ip6(p) ? 0 : 0x40; p[is_ip6(p) ? 3 : 6] ^= is_ip6(p))
CHANGE(evil_bit, p[is_ip6(p) ? 2 : 6] ^= 0x80)
CHANGE(id, if (is_ip6(p)) p[3] ^= 1; else p[5] ^= 1)
CHANGE(gap, t[7]++)
CHANGE(ack, t[11]++)
CHANGE(window, t[15]++)
CHANGE(urgent, t[19]++)
CHANGE(option, t[22] ^= 3)
CHANGE(reserved, t[12] |= 1)
CHANGE(fin, t[13] |= 1)
CHANGE(syn, t[13] |= 2)
CHANGE(rst, t[13] |= 4)
CHANGE(urg, t[13] |= 0x20)
CHANGE(ece, t[13] |= 0x40)
CHANGE(cwr, t[13] |= 0x80)
CHANGE(no_ack, t[13] = 0)
CHANGE(short_header, t[12] = 0x20)
CHANGE(long_header, t[12] = 0xf0; p[is_ip6(p) ? 7 : 8] = 9)
CHANGE(bad_payload, p[n - 1] ^= 1)
CHANGE(bad_sum, p[l4_sum_at(p)] ^= 0x40)
CHANGE(zero_sum, set16(p + l4_sum_at(p), 0))
CHANGE(bad_ip_sum, p[is_ip6(p) ? 4 : 10] ^= 1)

TEST(what_differs_is_not_joined)
{
	static const struct {
		void (*change)(uint8_t *p, size_t n);
		bool is_tcp_only, is_sum_kept;
	} rows[] = {
	        {ttl},
	        {ecn},
	        {no_df},
	        {evil_bit},
	        {id},
	        {gap, true},
	        {ack, true},
	        {window, true},
	        {urgent, true},
	        {option, true},
	        {reserved, true},
	        {fin, true},
	        {syn, true},
	        {rst, true},
	        {urg, true},
	        {ece, true},
	        {cwr, true},
	        {no_ack, true},
	        {short_header, true},
	        {long_header, true},
	        {bad_payload, false, true},
	        {bad_sum, false, true},
	        {zero_sum, false, true},
	        {bad_ip_sum, false, true},
	};

	for (int v = 0; v < 4; v++)
		for (size_t i = 0; i < N_ELEM(rows); i++)
			if (!(v & 2) || !rows[i].is_tcp_only)
				odd_one(v, rows[i].change, rows[i].is_sum_kept);
}

/* Pure acknowledgements and other traffic between the same hosts pass; packets with IP options, fragments and
 * others without a visible flow stay behind what waits. */
TEST(order_within_a_flow_is_kept)
{
	struct packet_form f = form(false, false), options = f;

	begin(ALL);
	add(&f, 1000);
	add(&f, 1000);
	add(&f, 0);
	add(&f, 1000);
	options.seq = f.seq;
	options.has_ip_options = true;
	add(&options, 1000);
	f.seq += 1000;
	add(&f, 1000);
	uint8_t *fragment = slot[check.n_in];
	size_t n = packet_make(fragment, &f, 500, 1);
	fragment[6] = 0x20;
	sums_set(fragment, n);
	check_add(&check, &co, fragment, n);
	end(6);
}

TEST(many_flows_at_once)
{
	struct packet_form f[12];

	for (int n_flows = 1; n_flows <= 12; n_flows++) {
		begin(ALL);
		for (int i = 0; i < n_flows; i++) {
			f[i] = form(i % 2, i % 3 == 2);
			f[i].port = (uint16_t)(1000 + i);
		}
		for (int k = 0; k < 30; k++)
			for (int i = 0; i < n_flows; i++)
				add(&f[i], 900);
		check_end(&check, &co);
		if (n_flows <= COALESCE_FLOWS)
			assert_int_equal(check.n_writes, n_flows);
	}
}

TEST(only_what_the_device_takes)
{
	for (int v = 0; v < 4; v++) {
		static const unsigned kind[] = {COALESCE_TCP4, COALESCE_TCP6, COALESCE_UDP, COALESCE_UDP};
		struct packet_form f = form(v & 1, v & 2);
		begin(ALL & ~kind[v]);
		for (int i = 0; i < 5; i++)
			add(&f, 100);
		end(5);
		assert_int_equal(check.n_supers, 0);
		begin(kind[v]);
		for (int i = 0; i < 5; i++)
			add(&f, 100);
		end(1);
	}
}

static uint32_t dice(uint32_t n)
{
	static uint64_t s = 99;

	s = s * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(s >> 33) % n;
}

/* Any mixture: sizes, flags, losses, repetitions, reordering, bit errors, cut packets. */
TEST(any_traffic_comes_out_as_it_went_in)
{
	for (int round = 0; round < 400; round++) {
		struct packet_form f[6];
		begin(dice(8));
		for (size_t i = 0; i < N_ELEM(f); i++) {
			f[i] = form(dice(2), dice(4) == 0);
			f[i].port = (uint16_t)i;
			f[i].tcp_options = (uint8_t)(dice(2) * 12);
		}
		for (int k = 0; k < 200; k++) {
			struct packet_form *g = &f[dice(N_ELEM(f))];
			uint8_t *p = slot[check.n_in];
			size_t payload = dice(6) ? 700 : dice(1400);
			g->flags = dice(10) ? 0x10 : dice(2) ? 0x18 : (uint8_t)dice(256);
			g->ack += dice(20) == 0;
			g->window ^= dice(20) == 0;
			g->tos = dice(30) == 0;
			if (dice(20) == 0)
				g->seq += dice(3) * 700 - 700;
			size_t n = packet_make(p, g, payload, (uint8_t)k);
			g->seq += (uint32_t)payload;
			g->id += dice(40) != 0;
			if (dice(20) == 0)
				p[dice((uint32_t)n)] ^= (uint8_t)(1 << dice(8));
			if (dice(40) == 0)
				n = dice((uint32_t)n + 1);
			check_add(&check, &co, p, n);
			if (dice(40) == 0)
				coalesce_flush(&co);
		}
		check_end(&check, &co);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(trains_become_one_write),
	        cmocka_unit_test(short_ones_and_pushes_end_a_train),
	        cmocka_unit_test(what_differs_is_not_joined),
	        cmocka_unit_test(order_within_a_flow_is_kept),
	        cmocka_unit_test(many_flows_at_once),
	        cmocka_unit_test(only_what_the_device_takes),
	        cmocka_unit_test(any_traffic_comes_out_as_it_went_in),
	};
	return RUN(tests);
}

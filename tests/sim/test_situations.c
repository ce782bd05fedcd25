/* Each situation of the promise "UDP may come and go" once, with its bound. The bounds are half of what the
 * lab allows where they depend on our timers only. */
#include "../unit/unit.h"

#include <stdio.h>

#include "sim.h"

static const struct sim_setup own = {.seed = 1, .owd_up_ms = 10, .owd_down_ms = 10};
static const struct sim_setup stock_client = {
        .seed = 1, .client = SIM_STOCK_OPENCONNECT, .owd_up_ms = 10, .owd_down_ms = 10};
static const struct sim_setup stock_gateway = {
        .seed = 1, .gateway = SIM_STOCK_OCSERV, .owd_up_ms = 10, .owd_down_ms = 10};

static struct sim s;

static void report(const char *what)
{
	print_message("    %s: longest silence %u ms, switches %zu/%zu, limit %u/%u, duplicates %llu/%llu\n",
	        what, (unsigned)sim_longest_gap_ms(&s), s.end[GW].n_switches, s.end[CL].n_switches,
	        s.end[GW].link.pmtu.limit_bytes, s.end[CL].link.pmtu.limit_bytes,
	        (unsigned long long)s.end[GW].link.choice.counts.duplicates,
	        (unsigned long long)s.end[CL].link.choice.counts.duplicates);
	for (unsigned e = 0; e < N_ENDS; e++)
		print_message("        %s: %s (%s), life %s, pmtu %s, hold %u\n", e ? "client" : "gateway",
		        choice_mode_name(s.end[e].link.choice.mode), link_why(&s.end[e].link),
		        liveness_state_name(s.end[e].link.channels[LINK_DTLS].life.state),
		        pmtu_state_name(s.end[e].link.pmtu.state), (unsigned)s.end[e].link.choice.hold_ms);
	if (s.complaint)
		print_message("    %s\n", s.complaint);
	assert_null(s.complaint);
}

static void begin_with_ping(const struct sim_setup *c, unsigned bytes)
{
	sim_begin(&s, c);
	sim_run(&s, 500);
	sim_ping(&s, bytes);
	sim_run(&s, 8000);
	sim_measure(&s);
}

static enum choice_mode mode(unsigned e)
{
	return s.end[e].link.choice.mode;
}

TEST(data_moves_to_dtls_when_it_is_proven)
{
	begin_with_ping(&own, 84);
	report("healthy");
	assert_int_equal(mode(GW), CHOICE_DTLS);
	assert_int_equal(mode(CL), CHOICE_DTLS);
	assert_int_equal(s.end[CL].link.pmtu.state, PMTU_COMPLETE);
	assert_int_equal(link_path_limit_bytes(&s.end[GW].link), 1434);
	assert_true(link_rtt_ms(&s.end[CL].link, LINK_DTLS) == 20);
	sim_end(&s);
}

TEST(udp_dies_in_mid_session)
{
	begin_with_ping(&own, 84);
	sim_block_udp(&s, true);
	sim_run(&s, 5000);
	report("UDP dies");
	assert_true(sim_longest_gap_ms(&s) <= 240);
	assert_int_equal(mode(GW), CHOICE_TLS);
	assert_int_equal(mode(CL), CHOICE_TLS);
	assert_int_equal(s.end[CL].switches[s.end[CL].n_switches - 1].s.cause, CAUSE_NO_ANSWER);
	sim_end(&s);
}

static void udp_dies_one_way(unsigned from)
{
	begin_with_ping(&own, 84);
	s.path[from].is_udp_blocked = true;
	sim_run(&s, 5000);
	report(from == GW ? "UDP dies downward" : "UDP dies upward");
	assert_true(sim_longest_gap_ms(&s) <= 300);
	assert_int_equal(mode(from), CHOICE_TLS);
	sim_end(&s);
}

TEST(udp_dies_in_one_direction)
{
	udp_dies_one_way(GW);
	udp_dies_one_way(CL);
}

TEST(udp_returns)
{
	begin_with_ping(&own, 84);
	sim_block_udp(&s, true);
	sim_run(&s, 12000);
	uint64_t reordered = s.flow[0].n_reordered + s.flow[1].n_reordered;
	sim_block_udp(&s, false);
	sim_measure(&s);
	sim_run(&s, 30000);
	report("UDP returns");
	assert_true(sim_longest_gap_ms(&s) <= 50);
	assert_int_equal(mode(GW), CHOICE_DTLS);
	assert_int_equal(mode(CL), CHOICE_DTLS);
	assert_true(s.flow[0].n_reordered + s.flow[1].n_reordered - reordered <= 2);
	sim_end(&s);
}

TEST(udp_blocked_from_the_start)
{
	struct sim_setup c = own;
	c.is_udp_blocked = true;
	sim_begin(&s, &c);
	sim_ping(&s, 84);
	sim_run(&s, 10000);
	sim_measure(&s);
	sim_run(&s, 60000);
	report("UDP blocked from the start");
	assert_true(sim_longest_gap_ms(&s) <= 50);
	assert_int_equal(s.end[CL].n_switches, 0);
	sim_end(&s);
}

static void path_shrinks(const struct sim_setup *c, unsigned mtu, ms_t bound_ms)
{
	begin_with_ping(c, 1400);
	uint64_t lost = s.flow[0].n_size_lost + s.flow[1].n_size_lost;
	assert_int_equal(lost, 0);
	sim_set_mtu(&s, mtu);
	ms_t at_ms = s.now_ms;
	sim_run(&s, 10000);
	report("path shrinks");
	assert_true(sim_longest_gap_ms(&s) <= bound_ms);
	for (unsigned f = 0; f < 2; f++)
		assert_true(s.flow[f].last_size_lost_ms <= at_ms + 300);
	for (unsigned e = 0; e < N_ENDS; e++) {
		if (s.end[e].kind != SIM_OWN)
			continue;
		assert_in_range(link_path_limit_bytes(&s.end[e].link),
		        mtu - SIM_OUTER_OVERHEAD - PMTU_GRAIN_BYTES, mtu - SIM_OUTER_OVERHEAD);
		assert_int_equal(s.end[e].told_limit, link_path_limit_bytes(&s.end[e].link));
	}
	sim_end(&s);
}

TEST(path_shrinks_silently)
{
	path_shrinks(&own, 1300, 350);
	path_shrinks(&own, 1000, 350);
	path_shrinks(&own, 600, 350);
}

TEST(path_shrinks_with_foreign_peers)
{
	/* large packets by TLS, whose TCP has to find the new size as well */
	path_shrinks(&stock_gateway, 1300, 2 * SIM_STALL_MS + 500);
}

TEST(path_grows_after_ten_minutes)
{
	struct sim_setup c = own;
	c.mtu = 1300;
	begin_with_ping(&c, 1400);
	assert_in_range(link_path_limit_bytes(&s.end[CL].link), 1230, 1234);
	assert_int_equal(s.flow[0].n_size_lost + s.flow[1].n_size_lost, 0);
	sim_set_mtu(&s, 1400);
	sim_run(&s, PMTU_RAISE_MS + 20000);
	report("path grows");
	assert_in_range(link_path_limit_bytes(&s.end[CL].link), 1330, 1334);
	assert_in_range(link_path_limit_bytes(&s.end[GW].link), 1330, 1334);
	assert_int_equal(s.flow[0].n_size_lost + s.flow[1].n_size_lost, 0);
	sim_end(&s);
}

TEST(tcp_reset_under_live_dtls)
{
	begin_with_ping(&own, 84);
	sim_reset_tcp(&s);
	sim_run(&s, 5000);
	report("TCP reset");
	assert_true(sim_longest_gap_ms(&s) <= 25);
	assert_int_equal(s.flow[0].n_sent - s.flow[0].n_seen, 1);
	assert_int_equal(mode(CL), CHOICE_DTLS);
	sim_end(&s);
}

TEST(network_changes)
{
	begin_with_ping(&own, 84);
	sim_change_network(&s);
	sim_run(&s, 3000);
	report("network change");
	assert_true(sim_longest_gap_ms(&s) <= 50);
	assert_int_equal(mode(CL), CHOICE_DTLS);
	sim_end(&s);
}

TEST(flapping_is_held_down)
{
	begin_with_ping(&own, 84);
	for (int i = 0; i < 60; i++) {
		sim_block_udp(&s, i % 2 == 0);
		sim_run(&s, 3000);
	}
	report("flapping");
	assert_true(sim_longest_gap_ms(&s) <= 300);
	assert_true(s.end[CL].n_switches <= 14);
	assert_int_equal(s.end[CL].link.choice.hold_ms, CHOICE_HOLD_MAX_MS);
	sim_end(&s);
}

TEST(idle_sends_nothing_but_dpd)
{
	sim_begin(&s, &own);
	sim_run(&s, 5000);
	uint64_t before[N_ENDS] = {s.end[0].n_dpd[LINK_DTLS], s.end[1].n_dpd[LINK_DTLS]};
	sim_run(&s, 600000);
	report("idle");
	for (unsigned e = 0; e < N_ENDS; e++) /* the configured DPD: 30 s, on either side at most */
		assert_true(s.end[e].n_dpd[LINK_DTLS] - before[e] <= 20);
	assert_true(before[0] <= 4);
	sim_end(&s);
}

TEST(one_way_flow_makes_no_duplicates)
{
	sim_begin(&s, &own);
	sim_run(&s, 500);
	sim_stream(&s, 0, CL, 1400, 2);
	sim_run(&s, 60000);
	report("one way");
	assert_int_equal(s.end[CL].link.choice.counts.suspicions, 0);
	assert_int_equal(mode(CL), CHOICE_DTLS);
	assert_true(s.end[CL].n_dpd[LINK_DTLS] < 60 * 30);
	sim_measure(&s);
	sim_block_udp(&s, true);
	sim_run(&s, 3000);
	report("one way, UDP dies");
	assert_true(sim_longest_gap_ms(&s) <= 240);
	sim_end(&s);
}

/* A stock client notices dead UDP after minutes: it is nudged, and the gateway's own data goes by TLS. */
TEST(stock_client_udp_dies)
{
	begin_with_ping(&stock_client, 84);
	assert_int_equal(mode(GW), CHOICE_DTLS);
	sim_block_udp(&s, true);
	sim_run(&s, 20000);
	report("openconnect, UDP dies");
	assert_int_equal(s.end[GW].n_nudges, 1);
	assert_true(sim_longest_gap_ms(&s) <= 2000);
	sim_run(&s, 120000);
	assert_int_equal(s.end[GW].n_nudges, 1);
	sim_block_udp(&s, false);
	sim_measure(&s);
	sim_run(&s, 20000);
	report("openconnect, UDP returns");
	assert_true(sim_longest_gap_ms(&s) <= 100);
	assert_int_equal(mode(GW), CHOICE_DTLS);
	sim_end(&s);
}

TEST(stock_client_large_packets)
{
	begin_with_ping(&stock_client, 1400);
	sim_set_mtu(&s, 1300);
	sim_stream(&s, 2, GW, 1400, 20);
	sim_run(&s, 10000);
	assert_in_range(link_path_limit_bytes(&s.end[GW].link), 1230, 1234);
	/* what the client itself sends is lost until it finds out; our own data passes */
	assert_int_equal(s.flow[2].n_sent - s.flow[2].n_seen <= 30, 1);
	report("openconnect, path shrinks");
	sim_end(&s);
}

TEST(stock_gateway_gets_data_on_one_tunnel)
{
	begin_with_ping(&stock_gateway, 84);
	assert_int_equal(mode(CL), CHOICE_DTLS);
	sim_block_udp(&s, true);
	sim_run(&s, 10000);
	report("ocserv, UDP dies");
	assert_true(sim_longest_gap_ms(&s) <= 240);
	assert_int_equal(s.end[CL].link.choice.counts.duplicates, 0);
	sim_block_udp(&s, false);
	sim_measure(&s);
	sim_run(&s, 30000);
	report("ocserv, UDP returns");
	assert_true(sim_longest_gap_ms(&s) <= 50);
	assert_int_equal(mode(CL), CHOICE_DTLS);
	sim_end(&s);
}

TEST(the_clock_jumps)
{
	begin_with_ping(&own, 84);
	s.end[CL].clock_ms += 3600000;
	sim_run(&s, 2000);
	s.end[CL].clock_ms -= 50;
	sim_run(&s, 2000);
	report("clock jumps");
	assert_true(sim_longest_gap_ms(&s) <= 100);
	assert_int_equal(mode(CL), CHOICE_DTLS);
	sim_end(&s);
}

TEST(both_tunnels_die_and_tls_is_dialled_again)
{
	begin_with_ping(&own, 84);
	sim_block_udp(&s, true);
	sim_reset_tcp(&s);
	sim_run(&s, 5000);
	report("both die");
	assert_true(sim_longest_gap_ms(&s) <= 300);
	sim_end(&s);
}

TEST(round_trip_of_two_seconds)
{
	struct sim_setup c = own;
	c.owd_up_ms = 1500;
	c.owd_down_ms = 500;
	sim_begin(&s, &c);
	sim_run(&s, 10000);
	sim_ping(&s, 84);
	sim_run(&s, 30000);
	sim_measure(&s);
	report("2 s");
	assert_int_equal(mode(CL), CHOICE_DTLS);
	assert_int_equal(s.end[CL].n_switches, 0); /* DTLS came up first, and stayed */
	sim_block_udp(&s, true);
	sim_run(&s, 30000);
	report("2 s, UDP dies");
	assert_true(sim_longest_gap_ms(&s) <= 10000);
	sim_end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(data_moves_to_dtls_when_it_is_proven),
	        cmocka_unit_test(udp_dies_in_mid_session),
	        cmocka_unit_test(udp_dies_in_one_direction),
	        cmocka_unit_test(udp_returns),
	        cmocka_unit_test(udp_blocked_from_the_start),
	        cmocka_unit_test(path_shrinks_silently),
	        cmocka_unit_test(path_shrinks_with_foreign_peers),
	        cmocka_unit_test(path_grows_after_ten_minutes),
	        cmocka_unit_test(tcp_reset_under_live_dtls),
	        cmocka_unit_test(network_changes),
	        cmocka_unit_test(flapping_is_held_down),
	        cmocka_unit_test(idle_sends_nothing_but_dpd),
	        cmocka_unit_test(one_way_flow_makes_no_duplicates),
	        cmocka_unit_test(stock_client_udp_dies),
	        cmocka_unit_test(stock_client_large_packets),
	        cmocka_unit_test(stock_gateway_gets_data_on_one_tunnel),
	        cmocka_unit_test(the_clock_jumps),
	        cmocka_unit_test(both_tunnels_die_and_tls_is_dialled_again),
	        cmocka_unit_test(round_trip_of_two_seconds),
	};
	return RUN(tests);
}

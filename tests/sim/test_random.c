/* Thousands of sessions on networks drawn by lot. Whatever happens: no packet is lost for its size once that
 * could be known, duplicates are bounded, data flows while either tunnel works, and data does not come and go
 * faster than the hold-down. A failure prints its seed: SIM_SEED=n runs that one alone. */
#include "../unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "sim.h"

#define N_RUNS   3000
#define PHASES   6
#define PHASE_MS 4000

static struct sim s;

static unsigned pick(const unsigned *of, size_t n)
{
	return of[sim_random(&s, (uint32_t)n)];
}
#define PICK(...) pick((const unsigned[]){__VA_ARGS__}, sizeof((unsigned[]){__VA_ARGS__}) / sizeof(unsigned))

static void draw(struct sim_setup *c, uint64_t seed)
{
	*c = (struct sim_setup){.seed = seed};
	s.rng = seed * 0x2545f4914f6cdd1du | 1;
	sim_random(&s, 2);
	c->owd_up_ms = PICK(0, 1, 5, 10, 10, 25, 50, 150, 1000);
	c->owd_down_ms = PICK(0, 1, 1, 1) ? c->owd_up_ms : PICK(1, 5, 20, 100, 300);
	c->loss_pct = PICK(0, 0, 0, 1, 5, 10, 30);
	c->dup_pct = PICK(0, 0, 0, 2);
	c->jitter_ms = PICK(0, 0, 0, 3, 20);
	c->mtu = PICK(1500, 1500, 1500, 1400, 1300, 1000, 600);
	c->is_udp_blocked = PICK(0, 0, 0, 0, 1);
	c->is_dtls_first = PICK(0, 0, 0, 1);
	c->has_no_pieces = PICK(0, 0, 0, 1);
	unsigned kind = PICK(0, 0, 0, 0, 1, 2);
	c->client = kind == 1 ? SIM_STOCK_OPENCONNECT : SIM_OWN;
	c->gateway = kind == 2 ? SIM_STOCK_OCSERV : SIM_OWN;
}

static void draw_traffic(void)
{
	unsigned bytes = PICK(84, 84, 600, 1400);
	switch (PICK(0, 0, 1, 2, 3)) {
	case 0:
		sim_ping(&s, bytes);
		break;
	case 1: /* both ways */
		sim_stream(&s, 0, CL, 1400, 5);
		sim_stream(&s, 1, GW, 1400, 5);
		break;
	case 2: /* one way, 5 Mbit/s */
		sim_stream(&s, 0, PICK(GW, CL), 1250, 2);
		break;
	default: /* ping beside one way */
		sim_ping(&s, 84);
		sim_stream(&s, 2, PICK(GW, CL), 1400, 4);
		break;
	}
}

/* What a phase does to the path; true when it is a shrink. */
static bool disturb(void)
{
	switch (PICK(0, 0, 1, 1, 2, 3, 4, 5, 6)) {
	case 1:
		sim_block_udp(&s, !s.path[0].is_udp_blocked);
		return false;
	case 2:
		s.path[PICK(GW, CL)].is_udp_blocked ^= true;
		return false;
	case 3:
		sim_set_mtu(&s, PICK(1500, 1400, 1300, 1000, 600));
		return true;
	case 4:
		sim_reset_tcp(&s);
		return false;
	case 5:
		s.end[PICK(GW, CL)].clock_ms += PICK(100, 1000, 100000);
		return false;
	case 6:
		sim_change_network(&s);
		return false;
	default:
		return false;
	}
}

struct verdict {
	const char *what;
	uint64_t got, bound;
};

static bool breaks(struct verdict *v, const char *what, uint64_t got, uint64_t bound)
{
	if (got <= bound || v->what)
		return v->what != NULL;
	*v = (struct verdict){what, got, bound};
	return true;
}

/* How much of the end's time the network has not seen. */
static ms_t clock_slack_ms(const struct sim_end *e)
{
	return e->clock_ms > 0 ? (ms_t)e->clock_ms : 0;
}

/* From a switch to TLS to the return at least the shortest hold-down; not after a closed tunnel or a change
 * of network. */
static void check_switches(struct verdict *v, const struct sim_end *e)
{
	for (size_t i = 1; i < e->n_switches; i++) {
		const struct sim_switch *a = &e->switches[i - 1], *b = &e->switches[i];
		if (a->s.to != CHOICE_TLS || b->s.cause != CAUSE_PROVEN || a->s.cause == CAUSE_CLOSED ||
		        a->s.cause == CAUSE_NETWORK)
			continue;
		if (a->n_changes != b->n_changes)
			continue;
		breaks(v, "time of hold-down missing", CHOICE_HOLD_MIN_MS,
		        b->at_ms - a->at_ms + clock_slack_ms(e));
	}
}

static ms_t rtt_ms(const struct sim_setup *c)
{
	return c->owd_up_ms + c->owd_down_ms + 2 * c->jitter_ms;
}

static void check_flows(struct verdict *v, const struct sim_setup *c, ms_t shrunk_ms)
{
	ms_t notice_ms = PMTU_VERIFY_MS + 200 + 12 * rtt_ms(c);
	if (c->client == SIM_STOCK_OPENCONNECT)
		notice_ms *= 5; /* an answer without an id may be counted for another size: one more round of
		                   looks */
	for (unsigned i = 0; i < SIM_FLOWS; i++) {
		const struct sim_flow *f = &s.flow[i];
		if (!f->is_on || s.end[f->from].kind != SIM_OWN)
			continue;
		if (f->last_size_lost_ms > shrunk_ms)
			breaks(v, "ms after a shrink a packet was still lost for its size",
			        f->last_size_lost_ms - shrunk_ms, notice_ms);
	}
}

static void check_ends(struct verdict *v)
{
	for (unsigned e = 0; e < N_ENDS; e++) {
		const struct choice_counts *k = &s.end[e].link.choice.counts;
		if (s.end[e].kind != SIM_OWN)
			continue;
		breaks(v, "duplicates", k->duplicates, k->suspicions * CHOICE_DUP_MAX);
		breaks(v, "nudges", s.end[e].n_nudges,
		        1 + (s.now_ms + clock_slack_ms(&s.end[e])) / LINK_NUDGE_EVERY_MS);
		check_switches(v, &s.end[e]);
	}
}

static ms_t gap_bound_ms(const struct sim_setup *c)
{
	ms_t bound_ms = 250 + 10 * rtt_ms(c) + 3 * s.max_tls_delay_ms;
	return c->loss_pct ? bound_ms + 30 * c->loss_pct : bound_ms;
}

/* For the one run asked for. */
static void tell(const struct sim_setup *c)
{
	print_message("%u ms: owd %u/%u loss %u dup %u jitter %u kinds %u/%u pieces %u gap %u\n",
	        (unsigned)s.now_ms, (unsigned)c->owd_up_ms, (unsigned)c->owd_down_ms, c->loss_pct, c->dup_pct,
	        (unsigned)c->jitter_ms, c->gateway, c->client, !c->has_no_pieces,
	        (unsigned)sim_longest_gap_ms(&s));
	for (unsigned e = 0; e < N_ENDS; e++) {
		const struct link *l = &s.end[e].link;
		print_message("    end %u: udp blocked %u, mtu %u, tls %u, %s (%s), life %s, pmtu %s %u, "
		              "hold %u ret %u tlslife %s\n",
		        e, s.path[e].is_udp_blocked, s.path[e].mtu, s.end[e].is_tls_up,
		        choice_mode_name(l->choice.mode), link_why(l),
		        liveness_state_name(l->channels[LINK_DTLS].life.state),
		        pmtu_state_name(l->pmtu.state), l->pmtu.safe_bytes, (unsigned)l->choice.hold_ms,
		        (unsigned)l->choice.return_at_ms,
		        liveness_state_name(l->channels[LINK_TLS].life.state));
	}
	for (unsigned i = 0; i < SIM_FLOWS; i++) {
		const struct sim_flow *f = &s.flow[i];
		if (f->is_on)
			print_message("    flow %u from %u: %u bytes, sent %llu seen %llu, lost for size "
			              "%llu, last at %u\n",
			        i, f->from, f->bytes, (unsigned long long)f->n_sent,
			        (unsigned long long)f->n_seen, (unsigned long long)f->n_size_lost,
			        (unsigned)f->last_size_lost_ms);
	}
}

static void tell_switches(void)
{
	for (unsigned e = 0; e < N_ENDS; e++) {
		for (size_t i = 0; i < s.end[e].n_switches; i++) {
			const struct sim_switch *w = &s.end[e].switches[i];
			print_message("    end %u at %u: %s to %s, %s, gap %u\n", e, (unsigned)w->at_ms,
			        choice_mode_name(w->s.from), choice_mode_name(w->s.to),
			        choice_cause_name(w->s.cause), (unsigned)w->s.gap_ms);
		}
	}
}

static struct verdict run(uint64_t seed)
{
	struct sim_setup c;
	struct verdict v = {0};
	draw(&c, seed);
	sim_begin(&s, &c);
	sim_run(&s, 3000 + 10 * rtt_ms(&c));
	draw_traffic();
	sim_run(&s, 6000 + 10 * rtt_ms(&c));
	bool is_own = c.client == SIM_OWN && c.gateway == SIM_OWN;
	ms_t shrunk_ms = 0;
	for (int i = 0; i < PHASES && v.what == NULL; i++) {
		sim_measure(&s);
		if (disturb())
			shrunk_ms = s.now_ms;
		if (getenv("SIM_SEED"))
			tell(&c);
		for (ms_t t = 0; t < PHASE_MS; t += PHASE_MS / 20) {
			sim_run(&s, PHASE_MS / 20);
			if (getenv("SIM_TRACE"))
				tell(&c);
		}
		sim_run(&s, 10 * rtt_ms(&c));
		if (is_own)
			breaks(&v, "ms of silence", sim_longest_gap_ms(&s), gap_bound_ms(&c));
		check_flows(&v, &c, shrunk_ms);
	}
	check_ends(&v);
	if (getenv("SIM_SEED"))
		tell_switches();
	if (s.complaint)
		v = (struct verdict){s.complaint, 0, 0};
	sim_end(&s);
	return v;
}

TEST(whatever_the_network_does)
{
	const char *only = getenv("SIM_SEED");
	unsigned n_bad = 0;
	uint64_t n_runs = getenv("SIM_RUNS") ? strtoull(getenv("SIM_RUNS"), NULL, 10) : N_RUNS;
	for (uint64_t seed = 1; seed <= n_runs; seed++) {
		if (only && strtoull(only, NULL, 10) != seed)
			continue;
		struct verdict v = run(seed);
		if (v.what && n_bad++ < 20)
			print_message("seed %llu: %llu %s (at most %llu)\n", (unsigned long long)seed,
			        (unsigned long long)v.got, v.what, (unsigned long long)v.bound);
	}
	assert_int_equal(n_bad, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(whatever_the_network_does),
	};
	return RUN(tests);
}

#include "sim.h"

#include <stdlib.h>

#include "wire/cstp.h"
#include "wire/pieces.h"

#define MAX_STEPS_NOW 40 /* without a round trip a whole search takes no time */

enum { PIECE = DTLS_PIECE };

/* ---- chance ---- */

uint32_t sim_random(struct sim *s, uint32_t below)
{
	s->rng ^= s->rng << 13;
	s->rng ^= s->rng >> 7;
	s->rng ^= s->rng << 17;
	return below ? (uint32_t)((s->rng >> 16) % below) : 0;
}

static bool happens(struct sim *s, unsigned pct)
{
	return pct > 0 && sim_random(s, 100) < pct;
}

/* ---- events: a heap by time, then order ---- */

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
	return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void push(struct sim *s, struct sim_event e)
{
	if (s->n_events == s->cap_events) {
		s->cap_events = s->cap_events ? s->cap_events * 2 : 256;
		s->heap = realloc(s->heap, s->cap_events * sizeof(*s->heap));
		if (s->heap == NULL)
			abort();
	}
	size_t i = s->n_events++;
	e.order = s->order++;
	for (; i > 0 && is_before(&e, &s->heap[(i - 1) / 2]); i = (i - 1) / 2)
		s->heap[i] = s->heap[(i - 1) / 2];
	s->heap[i] = e;
}

static struct sim_event pop(struct sim *s)
{
	struct sim_event top = s->heap[0], last = s->heap[--s->n_events];
	size_t i = 0, child;
	while ((child = 2 * i + 1) < s->n_events) {
		if (child + 1 < s->n_events && is_before(&s->heap[child + 1], &s->heap[child]))
			child++;
		if (!is_before(&s->heap[child], &last))
			break;
		s->heap[i] = s->heap[child];
		i = child;
	}
	s->heap[i] = last;
	return top;
}

/* ---- the network ---- */

static ms_t end_now(const struct sim *s, unsigned e)
{
	return (ms_t)((int64_t)s->now_ms + s->end[e].clock_ms);
}

static bool is_data(uint8_t type)
{
	return type == CSTP_DATA || type == PIECE;
}

static void send_udp(struct sim *s, unsigned from, struct sim_event e)
{
	struct sim_path *p = &s->path[from];
	e.epoch = s->dtls_epoch;
	e.record = s->n_records[from]++;
	if (e.bytes + (unsigned)SIM_OUTER_OVERHEAD > p->mtu) {
		/* without TLS and without pieces there is no other way: that does not count */
		if (is_data(e.type) && !e.is_copy && (s->end[from].is_tls_up || e.type == PIECE) &&
		        !p->is_udp_blocked) {
			s->flow[e.flow].n_size_lost++;
			s->flow[e.flow].last_size_lost_ms = s->now_ms;
		}
		return;
	}
	unsigned copies = 1 + happens(s, p->dup_pct);
	for (unsigned i = 0; i < copies; i++) {
		if (p->is_udp_blocked || happens(s, p->loss_pct))
			continue;
		e.at_ms = s->now_ms + p->owd_ms + sim_random(s, (uint32_t)p->jitter_ms + 1);
		push(s, e);
	}
}

/* In order, nothing lost; loss and a shrunken path cost time. */
static void send_tls(struct sim *s, unsigned from, struct sim_event e)
{
	struct sim_path *p = &s->path[from];
	ms_t rtt_ms = s->path[0].owd_ms + s->path[1].owd_ms, rto_ms = rtt_ms * 2 < 200 ? 200 : rtt_ms * 2;
	ms_t at_ms = s->now_ms + p->owd_ms;
	for (; happens(s, p->loss_pct); rto_ms *= 2)
		at_ms += rto_ms > 2000 ? 2000 : rto_ms;
	if (!p->has_stalled && e.bytes + (unsigned)SIM_OUTER_OVERHEAD > p->mtu) {
		p->has_stalled = true;
		at_ms += SIM_STALL_MS;
	}
	if (at_ms < p->tls_last_ms)
		at_ms = p->tls_last_ms;
	p->tls_last_ms = at_ms;
	if (at_ms - s->now_ms > s->max_tls_delay_ms)
		s->max_tls_delay_ms = at_ms - s->now_ms;
	e.at_ms = at_ms;
	e.epoch = s->tls_epoch;
	push(s, e);
}

static void transmit(struct sim *s, unsigned from, enum link_channel ch, struct sim_event e)
{
	struct sim_end *end = &s->end[from];
	e.to = (uint8_t)!from;
	e.ch = (uint8_t)ch;
	if (!(ch == LINK_TLS ? end->is_tls_up : end->is_dtls_up))
		return;
	if (end->kind == SIM_OWN)
		link_on_tx(&end->link, ch, is_data(e.type), e.bytes, end_now(s, from));
	if (ch == LINK_TLS)
		send_tls(s, from, e);
	else
		send_udp(s, from, e);
}

/* ---- tunnels come and go ---- */

static const struct link_timers timers = {.dpd_ms = 30000};

static void tunnel_up(struct sim *s, unsigned e, enum link_channel ch)
{
	struct sim_end *end = &s->end[e];
	*(ch == LINK_TLS ? &end->is_tls_up : &end->is_dtls_up) = true;
	if (ch == LINK_DTLS)
		end->is_dtls_used = true;
	end->stock_dtls_rx_ms = s->now_ms;
	if (end->kind == SIM_OWN)
		link_up(&end->link, ch, &timers, end_now(s, e));
}

static void tunnel_down(struct sim *s, unsigned e, enum link_channel ch)
{
	struct sim_end *end = &s->end[e];
	*(ch == LINK_TLS ? &end->is_tls_up : &end->is_dtls_up) = false;
	if (ch == LINK_DTLS)
		end->is_dtls_used = false;
	if (end->kind == SIM_OWN)
		link_down(&end->link, ch, end_now(s, e));
}

void sim_reset_tcp(struct sim *s)
{
	s->tls_epoch++;
	tunnel_down(s, GW, LINK_TLS);
	tunnel_down(s, CL, LINK_TLS);
	s->path[0].tls_last_ms = s->path[1].tls_last_ms = 0;
	s->dial_wait_ms = 100;
	s->dial_at_ms = s->now_ms + s->dial_wait_ms;
}

static void dial(struct sim *s)
{
	ms_t rtt_ms = s->path[0].owd_ms + s->path[1].owd_ms;
	if (s->is_tcp_blocked) {
		s->dial_wait_ms = s->dial_wait_ms >= 5000 ? 10000 : s->dial_wait_ms * 2;
		s->dial_at_ms = s->now_ms + s->dial_wait_ms;
		return;
	}
	s->dial_at_ms = MS_NEVER;
	for (unsigned e = 0; e < N_ENDS; e++)
		push(s, (struct sim_event){.at_ms = s->now_ms + 3 * rtt_ms,
		                .to = (uint8_t)e,
		                .ch = LINK_TLS,
		                .type = 0xff});
	/* a stock client renews DTLS with TLS */
	if (s->end[CL].kind == SIM_STOCK_OPENCONNECT) {
		tunnel_down(s, CL, LINK_DTLS);
		tunnel_down(s, GW, LINK_DTLS);
		s->handshake_at_ms = s->now_ms + 4 * rtt_ms;
	}
}

static void handshake(struct sim *s)
{
	ms_t rtt_ms = s->path[0].owd_ms + s->path[1].owd_ms;
	if (s->path[0].is_udp_blocked || s->path[1].is_udp_blocked) {
		s->handshake_at_ms = s->now_ms + 5000;
		return;
	}
	s->handshake_at_ms = MS_NEVER;
	s->dtls_epoch++; /* new keys: what is under way is lost */
	for (unsigned e = 0; e < N_ENDS; e++)
		push(s, (struct sim_event){.at_ms = s->now_ms + 2 * rtt_ms,
		                .to = (uint8_t)e,
		                .ch = LINK_DTLS,
		                .type = 0xff});
}

/* ---- data ---- */

static void send_pieces(struct sim *s, unsigned from, struct sim_event e, const struct link_route *r)
{
	unsigned room = (unsigned)(r->piece_bytes - PIECE_HEADER_BYTES) / PIECE_UNIT_BYTES * PIECE_UNIT_BYTES;
	unsigned total = e.bytes;
	e.type = PIECE;
	e.n_pieces = (uint8_t)((total + room - 1) / room);
	for (e.index = 0; e.index < e.n_pieces; e.index++) {
		unsigned left = total - e.index * room;
		e.bytes = (uint16_t)((left < room ? left : room) + PIECE_HEADER_BYTES);
		transmit(s, from, LINK_DTLS, e);
	}
}

static void send_stock(struct sim *s, unsigned from, struct sim_event e)
{
	transmit(s, from, s->end[from].is_dtls_used ? LINK_DTLS : LINK_TLS, e);
}

static void send_data(struct sim *s, unsigned flow)
{
	struct sim_flow *f = &s->flow[flow];
	struct sim_end *end = &s->end[f->from];
	struct sim_event e = {
	        .type = CSTP_DATA, .bytes = (uint16_t)f->bytes, .flow = (uint8_t)flow, .seq = f->n_sent++};
	f->seen[e.seq % SIM_SEQS] = 0;
	f->n_pieces[e.seq % SIM_SEQS] = 0;
	if (end->kind != SIM_OWN) {
		send_stock(s, f->from, e);
		return;
	}
	struct link_route r = link_route(&end->link, f->bytes, end_now(s, f->from));
	end->n_told_too_big += r.tell_too_big;
	if (r.tls)
		transmit(s, f->from, LINK_TLS, e);
	if (r.dtls && r.in_pieces)
		send_pieces(s, f->from, e, &r);
	e.is_copy = r.tls;
	if (r.dtls && !r.in_pieces)
		transmit(s, f->from, LINK_DTLS, e);
}

static void see_data(struct sim *s, const struct sim_event *e)
{
	struct sim_flow *f = &s->flow[e->flow];
	size_t at = e->seq % SIM_SEQS;
	if (e->type == PIECE && f->n_pieces[at] != UINT8_MAX && ++f->n_pieces[at] < e->n_pieces)
		return;
	f->n_pieces[at] = UINT8_MAX;
	if (f->n_sent - e->seq > SIM_SEQS)
		return;
	if (f->seen[at]) {
		f->n_dup++;
		return;
	}
	f->seen[at] = 1;
	f->n_seen++;
	f->n_reordered += e->seq < f->last_seq;
	if (e->seq > f->last_seq)
		f->last_seq = e->seq;
	if (s->now_ms - f->last_seen_ms > f->gap_ms)
		f->gap_ms = s->now_ms - f->last_seen_ms;
	f->last_seen_ms = s->now_ms;
	if (f->is_echoed)
		send_data(s, e->flow + 1u);
}

/* ---- receiving ---- */

/* DTLS takes a record once (RFC 6347 4.1.2.6). */
static bool is_replay(struct sim *s, const struct sim_event *e)
{
	uint32_t *slot = &s->replay[e->to][e->record % SIM_SEQS];
	bool is_old = *slot == e->record + 1;
	*slot = e->record + 1;
	return is_old;
}

static void on_stock_rx(struct sim *s, const struct sim_event *e)
{
	struct sim_end *end = &s->end[e->to];
	if (e->ch == LINK_DTLS && end->is_dtls_up) {
		end->stock_dtls_rx_ms = s->now_ms;
		end->is_dtls_used = true;
	}
	if (e->ch == LINK_TLS && e->type == CSTP_DATA && end->kind == SIM_STOCK_OCSERV)
		end->is_dtls_used = false; /* until the next UDP packet */
}

static void answer_dpd(struct sim *s, const struct sim_event *e)
{
	struct sim_event a = {.type = CSTP_DPD_RESPONSE, .bytes = e->bytes, .id = e->id};
	if (s->end[e->to].kind == SIM_STOCK_OPENCONNECT)
		a.bytes = 0;
	transmit(s, e->to, e->ch, a);
}

static void on_answer(struct sim *s, const struct sim_event *e)
{
	uint8_t payload[LINK_DPD_ID_BYTES];
	struct link_action a = {.id = e->id, .bytes = LINK_DPD_ID_BYTES};
	struct span p =
	        link_dpd_payload(&a, payload, e->bytes < sizeof(payload) ? e->bytes : sizeof(payload));
	link_on_dpd_answer(&s->end[e->to].link, e->ch, p, end_now(s, e->to));
}

static void deliver(struct sim *s, const struct sim_event *e)
{
	struct sim_end *end = &s->end[e->to];
	if (e->type == 0xff) {
		tunnel_up(s, e->to, e->ch);
		return;
	}
	if (e->ch == LINK_TLS ? !end->is_tls_up || e->epoch != s->tls_epoch
	                      : !end->is_dtls_up || e->epoch != s->dtls_epoch)
		return;
	if (e->ch == LINK_DTLS && is_replay(s, e))
		return;
	if (end->kind == SIM_OWN)
		link_on_rx(&end->link, e->ch, is_data(e->type), e->bytes, end_now(s, e->to));
	else
		on_stock_rx(s, e);
	if (is_data(e->type))
		see_data(s, e);
	else if (e->type == CSTP_DPD_REQUEST)
		answer_dpd(s, e);
	else if (e->type == CSTP_DPD_RESPONSE && end->kind == SIM_OWN)
		on_answer(s, e);
}

/* ---- time ---- */

static void note_switch(struct sim *s, struct sim_end *end, const struct choice_switch *c)
{
	if (end->n_switches < SIM_MAX_SWITCHES)
		end->switches[end->n_switches++] = (struct sim_switch){s->now_ms, s->n_changes, *c};
}

static void obey(struct sim *s, unsigned e, const struct link_action *a)
{
	struct sim_end *end = &s->end[e];
	switch (a->act) {
	case LINK_SEND_DPD:
		end->n_dpd[a->channel]++;
		transmit(s, e, a->channel,
		        (struct sim_event){.type = CSTP_DPD_REQUEST, .bytes = a->bytes, .id = a->id});
		break;
	case LINK_DEAD:
		tunnel_down(s, e, a->channel);
		if (a->channel == LINK_TLS)
			sim_reset_tcp(s);
		else if (e == CL)
			s->handshake_at_ms = s->now_ms + 4000;
		break;
	case LINK_NUDGE:
		end->n_nudges++;
		sim_reset_tcp(s);
		break;
	case LINK_SWITCHED:
		note_switch(s, end, &a->change);
		break;
	case LINK_PATH_LIMIT:
		end->told_limit = a->limit.new_bytes;
		break;
	case LINK_SEND_KEEPALIVE:
	case LINK_REKEY:
	case LINK_IDLE_TIMEOUT:
		break;
	}
}

static void step_end(struct sim *s, unsigned e)
{
	struct link_action acts[LINK_MAX_ACTIONS];
	struct sim_end *end = &s->end[e];
	if (end->kind != SIM_OWN || link_due_ms(&end->link) > end_now(s, e))
		return;
	size_t n = link_step(&end->link, end_now(s, e), acts);
	for (size_t i = 0; i < n; i++)
		obey(s, e, &acts[i]);
	if (++end->n_steps_now > MAX_STEPS_NOW)
		s->complaint = "link_due_ms() stands still";
}

/* openconnect: two DPD intervals of silence, then TLS and a new handshake. */
static void step_stock(struct sim *s)
{
	struct sim_end *c = &s->end[CL];
	if (c->kind != SIM_STOCK_OPENCONNECT || !c->is_dtls_up || s->now_ms < c->stock_dtls_rx_ms + 60000)
		return;
	tunnel_down(s, CL, LINK_DTLS);
	s->handshake_at_ms = s->now_ms + 5000;
}

static ms_t next_ms(const struct sim *s)
{
	ms_t at_ms = ms_min(s->dial_at_ms, s->handshake_at_ms);
	if (s->n_events > 0)
		at_ms = ms_min(at_ms, s->heap[0].at_ms);
	for (unsigned i = 0; i < SIM_FLOWS; i++) {
		if (s->flow[i].is_on && s->flow[i].every_ms > 0)
			at_ms = ms_min(at_ms, s->flow[i].next_ms);
	}
	for (unsigned e = 0; e < N_ENDS; e++) {
		ms_t due_ms = s->end[e].kind == SIM_OWN ? link_due_ms(&s->end[e].link) : MS_NEVER;
		if (due_ms == MS_NEVER)
			continue;
		int64_t due = (int64_t)due_ms - s->end[e].clock_ms;
		at_ms = ms_min(at_ms, due < (int64_t)s->now_ms ? s->now_ms : (ms_t)due);
	}
	return at_ms;
}

void sim_run(struct sim *s, ms_t ms)
{
	ms_t end_ms = s->now_ms + ms, at_ms;
	while ((at_ms = next_ms(s)) <= end_ms && s->complaint == NULL) {
		if (at_ms > s->now_ms)
			s->end[0].n_steps_now = s->end[1].n_steps_now = 0;
		s->now_ms = at_ms;
		while (s->n_events > 0 && s->heap[0].at_ms <= s->now_ms) {
			struct sim_event e = pop(s);
			deliver(s, &e);
		}
		for (unsigned i = 0; i < SIM_FLOWS; i++) {
			struct sim_flow *f = &s->flow[i];
			if (!f->is_on || f->every_ms == 0 || s->now_ms < f->next_ms)
				continue;
			f->next_ms += f->every_ms;
			send_data(s, i);
		}
		if (s->now_ms >= s->dial_at_ms)
			dial(s);
		if (s->now_ms >= s->handshake_at_ms)
			handshake(s);
		step_stock(s);
		step_end(s, GW);
		step_end(s, CL);
	}
	s->now_ms = end_ms;
}

/* ---- setting up ---- */

static enum peer_kind kind_of_peer(enum sim_kind k)
{
	return k == SIM_OWN ? PEER_OWN : k == SIM_STOCK_OCSERV ? PEER_OCSERV : PEER_OPENCONNECT;
}

void sim_begin(struct sim *s, const struct sim_setup *c)
{
	*s = (struct sim){.seed = c->seed, .rng = c->seed * 0x9e3779b97f4a7c15u | 1, .now_ms = 1000};
	s->dial_at_ms = MS_NEVER;
	s->handshake_at_ms = MS_NEVER;
	s->end[GW].kind = c->gateway;
	s->end[CL].kind = c->client;
	for (unsigned e = 0; e < N_ENDS; e++) {
		s->path[e] = (struct sim_path){
		        .is_udp_blocked = c->is_udp_blocked,
		        .loss_pct = c->loss_pct,
		        .dup_pct = c->dup_pct,
		        .owd_ms = e == GW ? c->owd_down_ms : c->owd_up_ms,
		        .jitter_ms = c->jitter_ms,
		        .mtu = c->mtu ? c->mtu : 1500,
		        .has_stalled = true, /* TCP knows the path as it is */
		};
		struct link_config cfg = {
		        .policy = LINK_SEAMLESS,
		        .peer = kind_of_peer(s->end[!e].kind),
		        .is_gateway = e == GW,
		        .has_steer = true,
		        .has_pieces = !c->has_no_pieces,
		        .dtls_max_bytes = 1500 - SIM_OUTER_OVERHEAD,
		};
		link_init(&s->end[e].link, s->now_ms);
		link_configure(&s->end[e].link, &cfg, s->now_ms);
		s->end[e].stock_dtls_rx_ms = s->now_ms;
	}
	for (unsigned i = 0; i < SIM_FLOWS; i++) {
		s->flow[i].seen = calloc(1, SIM_SEQS);
		s->flow[i].n_pieces = calloc(1, SIM_SEQS);
		if (s->flow[i].seen == NULL || s->flow[i].n_pieces == NULL)
			abort();
	}
	s->handshake_at_ms = s->now_ms + (c->is_dtls_first ? 0 : 50);
	s->dial_at_ms = s->now_ms + (c->is_dtls_first ? 200 : 0);
}

void sim_end(struct sim *s)
{
	for (unsigned i = 0; i < SIM_FLOWS; i++) {
		free(s->flow[i].seen);
		free(s->flow[i].n_pieces);
	}
	free(s->heap);
}

void sim_change_network(struct sim *s)
{
	s->n_changes++;
	link_on_network_change(&s->end[CL].link, end_now(s, CL));
}

void sim_block_udp(struct sim *s, bool is_blocked)
{
	s->path[0].is_udp_blocked = s->path[1].is_udp_blocked = is_blocked;
}

void sim_set_mtu(struct sim *s, unsigned mtu)
{
	for (unsigned e = 0; e < N_ENDS; e++) {
		if (mtu < s->path[e].mtu)
			s->path[e].has_stalled = false;
		s->path[e].mtu = mtu;
	}
}

void sim_measure(struct sim *s)
{
	for (unsigned i = 0; i < SIM_FLOWS; i++) {
		s->flow[i].gap_ms = 0;
		s->flow[i].last_seen_ms = s->now_ms;
	}
}

ms_t sim_longest_gap_ms(const struct sim *s)
{
	ms_t gap_ms = 0;
	for (unsigned i = 0; i < SIM_FLOWS; i++) {
		const struct sim_flow *f = &s->flow[i];
		ms_t open_ms = f->is_on ? s->now_ms - f->last_seen_ms : 0;
		ms_t flow_ms = f->gap_ms > open_ms ? f->gap_ms : open_ms;
		if (f->is_on && flow_ms > gap_ms)
			gap_ms = flow_ms;
	}
	return gap_ms;
}

static struct sim_flow *flow_on(struct sim *s, unsigned flow, unsigned from, unsigned bytes)
{
	struct sim_flow *f = &s->flow[flow];
	f->is_on = true;
	f->from = from;
	f->bytes = bytes;
	f->last_seen_ms = s->now_ms;
	return f;
}

void sim_stream(struct sim *s, unsigned flow, unsigned from, unsigned bytes, ms_t every_ms)
{
	struct sim_flow *f = flow_on(s, flow, from, bytes);
	f->every_ms = every_ms;
	f->next_ms = s->now_ms + every_ms;
}

void sim_ping(struct sim *s, unsigned bytes)
{
	sim_stream(s, 0, CL, bytes, 20);
	s->flow[0].is_echoed = true;
	flow_on(s, 1, GW, bytes)->every_ms = 0;
}

void sim_quiet(struct sim *s)
{
	for (unsigned i = 0; i < SIM_FLOWS; i++)
		s->flow[i].is_on = false;
}

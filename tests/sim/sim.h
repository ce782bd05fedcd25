/* Two ends of a session in one process, with a virtual clock and a network between them that loses, repeats,
 * reorders, blocks and shrinks. End 0 is the gateway, end 1 the client; a path is named by its sender. */
#ifndef SIM_H
#define SIM_H

#include <stdbool.h>

#include "tunnel/link.h"

#define SIM_OUTER_OVERHEAD 66 /* IPv4, UDP, DTLS 1.2 record with AES-GCM, type byte */
#define SIM_FLOWS          4
#define SIM_SEQS           8192
#define SIM_MAX_SWITCHES   64
#define SIM_STALL_MS       3000 /* TCP, once, after a path has shrunk silently (kernel MTU probing) */

enum { GW, CL, N_ENDS };
enum sim_kind { SIM_OWN, SIM_STOCK_OPENCONNECT, SIM_STOCK_OCSERV };

/* One direction; what may differ between the two. */
struct sim_path {
	bool is_udp_blocked;
	unsigned loss_pct, dup_pct; /* UDP; TCP pays for loss with time */
	ms_t owd_ms, jitter_ms;
	unsigned mtu; /* outer */
	ms_t tls_last_ms;
	bool has_stalled;
};

/* What one end sends as inner packets, and what the other saw of it. */
struct sim_flow {
	bool is_on;
	unsigned from, bytes;
	ms_t every_ms, next_ms;
	bool is_echoed; /* a ping: the other end answers with the next flow */
	uint64_t n_sent, n_seen, n_dup, n_reordered, n_size_lost;
	uint64_t last_seq;
	ms_t last_seen_ms, gap_ms; /* longest silence since sim_measure() */
	ms_t last_size_lost_ms;
	uint8_t *seen;     /* per sequence number modulo SIM_SEQS */
	uint8_t *n_pieces; /* seen of a packet in pieces */
};

struct sim_switch {
	ms_t at_ms;
	unsigned n_changes; /* of the network so far */
	struct choice_switch s;
};

struct sim_end {
	enum sim_kind kind;
	struct link link;
	int64_t clock_ms;  /* ahead of the network's */
	bool is_dtls_used; /* stock: sends by DTLS */
	bool is_dtls_up, is_tls_up;
	ms_t stock_dtls_rx_ms;
	uint64_t n_dpd[LINK_N_CHANNELS], n_nudges;
	struct sim_switch switches[SIM_MAX_SWITCHES];
	size_t n_switches;
	uint16_t told_limit;
	uint64_t n_told_too_big;
	unsigned n_steps_now; /* in this millisecond */
};

struct sim_event {
	ms_t at_ms;
	uint64_t order, seq, id;
	uint16_t bytes;
	uint8_t to, ch, type, flow, index, n_pieces;
	bool is_copy; /* it goes by TLS as well */
	uint32_t epoch, record;
};

struct sim {
	uint64_t seed, rng, order;
	uint32_t n_records[N_ENDS], replay[N_ENDS][SIM_SEQS];
	ms_t now_ms;
	struct sim_path path[N_ENDS];
	struct sim_end end[N_ENDS];
	struct sim_flow flow[SIM_FLOWS];
	struct sim_event *heap;
	size_t n_events, cap_events;
	uint32_t tls_epoch, dtls_epoch;
	bool is_tcp_blocked;
	ms_t dial_at_ms, handshake_at_ms; /* the client's next tries */
	ms_t dial_wait_ms;
	ms_t max_tls_delay_ms;
	unsigned n_changes;
	const char *complaint; /* an invariant that broke; constant text */
};

struct sim_setup {
	uint64_t seed;
	enum sim_kind gateway, client;
	ms_t owd_up_ms, owd_down_ms;
	unsigned loss_pct, dup_pct;
	ms_t jitter_ms;
	unsigned mtu; /* 0: 1500 */
	bool is_udp_blocked, is_dtls_first;
	bool has_no_pieces;
};

void sim_begin(struct sim *s, const struct sim_setup *c);
void sim_end(struct sim *s);
void sim_run(struct sim *s, ms_t ms);
/* Both directions. */
void sim_block_udp(struct sim *s, bool is_blocked);
void sim_set_mtu(struct sim *s, unsigned mtu);
void sim_change_network(struct sim *s); /* the client notices */
void sim_reset_tcp(struct sim *s);
/* Gaps are counted from here. */
void sim_measure(struct sim *s);
ms_t sim_longest_gap_ms(const struct sim *s);
uint32_t sim_random(struct sim *s, uint32_t below);

void sim_ping(struct sim *s, unsigned bytes); /* 20 ms, client to gateway and back */
void sim_stream(struct sim *s, unsigned flow, unsigned from, unsigned bytes, ms_t every_ms);
void sim_quiet(struct sim *s); /* all traffic ends */

#endif

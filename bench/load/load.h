/* The load generator: many sessions of the real protocol in one process with one loop. Each member logs in
 * over TLS, asks for the tunnel, brings up DTLS if it is among the first --dtls, answers probes, and stays
 * until the end. There is no TUN: what the gateway sends is counted and dropped. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include "base/option_table.h"
#include "client/conn.h"
#include "client/https.h"
#include "client/watch.h"
#include "io/dtls.h"
#include "io/sock.h"
#include "io/udp.h"
#include "tunnel/login.h"
#include "wire/params.h"

#define LOAD_SOURCES_MAX 256
#define LOAD_MEMBERS_MAX 100000u
#define LOAD_ERRORS_MAX  8 /* different texts that are counted */
#define LOAD_ERROR_BYTES 160
#define LOAD_USER_BYTES  64
#define LOAD_TICK_MS     50
#define LOAD_USER_AGENT  "Open AnyConnect VPN Agent v9.12"

struct load_options {
	struct ip_addr gateway;
	uint32_t port; /* 1..65535 */
	const char *pin;
	const char *user; /* name, or with n_users what stands before the number */
	const char *password;
	uint32_t n_users; /* 0: one user for all; else members take turns as user0, user1, ... */
	uint32_t n_members, n_parallel, n_dtls;
	struct ip_addr sources[LOAD_SOURCES_MAX]; /* members take turns */
	size_t n_sources;
	uint32_t timeout_s; /* of one login, DTLS included */
	bool is_once;       /* a session ends as soon as it is up, and the program with the last one */
};

/* As option_table_parse(). */
enum options_verdict load_options_parse(int argc, char **argv, struct load_options *ret, struct text *say);

/* What a member does until it is up, in the order of the report's columns. */
enum load_step { STEP_TCP, STEP_TLS, STEP_LOGIN, STEP_CONNECT, STEP_TOTAL, STEP_DTLS, LOAD_N_STEPS };

struct load_error {
	char text[LOAD_ERROR_BYTES];
	uint32_t n;
};

struct load_counts {
	uint32_t n_begun, n_settled; /* settled: up with all it wants, or failed */
	uint32_t n_up, n_failed;
	uint32_t n_dtls_up, n_dtls_failed;
	uint32_t n_lost; /* ended by the gateway after they were up */
	uint64_t n_dpd_answers, n_rx_packets;
	uint64_t begun_ns, settled_ns;
	struct load_error errors[LOAD_ERRORS_MAX];
	uint32_t n_other_errors;
	float *samples_ms[LOAD_N_STEPS]; /* one for each member that came so far */
	uint32_t n_samples[LOAD_N_STEPS];
};

struct member;

struct load {
	struct load_options options;
	uv_loop_t loop;
	struct loop_timer tick; /* while something is under way: timeouts and DTLS retransmissions */
	struct tls_client_ctx *tls;
	struct dtls_ctx *dtls_ctx;
	/* shared by all members, each of which empties them before it returns to the loop */
	struct dtls_out dtls_out;
	struct udp_rx *udp_rx;
	uint8_t *udp_buf, *record, *rx;
	ms_t scan_at_ms;        /* when timeouts are looked for next */
	struct member *members; /* n_members of them */
	struct load_counts count;
	bool is_ending;
};

/* Gathers what the whole needs; the members begin with load_begin(). */
MUST_USE int load_init(struct load *l, const struct load_options *o);
void load_done(struct load *l);
/* Begins as many members as may run in parallel. */
void load_begin(struct load *l);
/* A member is up with all it wants, or has failed: the next one may begin. */
void load_settled(struct load *l);
/* Ends every session and, with them, the loop. */
void load_end(struct load *l);

void load_sample(struct load *l, enum load_step step, uint64_t from_ns, uint64_t to_ns);
void load_note_error(struct load *l, const char *what, const char *detail);
uint64_t load_now_ns(void);

/* One line of JSON on standard output. */
void report_settled(struct load *l);
void report_end(const struct load *l);

#endif

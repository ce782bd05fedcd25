#include "load/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "load/member.h"

#define DTLS_OUT_BYTES 65536
#define UDP_SLOTS      4

uint64_t load_now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- life ---- */

static void on_tick(struct loop_timer *t, ms_t now_ms);

static int tls_init(struct load *l)
{
	struct text why = {0};
	struct tls_client_opts opts = {.pin = &l->options.pin, .n_pin = 1};
	int err = tls_client_ctx_new(&opts, &why, &l->tls);
	if (err)
		fprintf(stderr, "loadgen: %s\n", text_cstr(&why));
	text_done(&why);
	return err;
}

static int dtls_init(struct load *l)
{
	l->udp_buf = malloc((size_t)UDP_SLOTS * UDP_SLOT_BYTES);
	if (l->udp_buf == NULL)
		return -ENOMEM;
	int err = udp_rx_new(l->udp_buf, UDP_SLOTS, UDP_SLOT_BYTES, &l->udp_rx);
	if (err == 0)
		err = dtls_out_init(&l->dtls_out, DTLS_OUT_BYTES, UDP_GSO_SEGMENTS_MAX);
	return err ? err : dtls_ctx_new(&l->dtls_ctx);
}

static int members_init(struct load *l)
{
	uint32_t n = l->options.n_members;
	l->record = malloc(TLS_RECORD_MAX);
	l->rx = malloc(CONN_RX_BYTES);
	l->members = calloc(n, sizeof(*l->members));
	for (int i = 0; i < LOAD_N_STEPS; i++) {
		l->count.samples_ms[i] = calloc(n, sizeof(float));
		if (l->count.samples_ms[i] == NULL)
			return -ENOMEM;
	}
	if (l->record == NULL || l->rx == NULL || l->members == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		l->members[i] = (struct member){.load = l, .number = i, .conn.fd = -1, .dtls.udp.fd = -1};
	return 0;
}

int load_init(struct load *l, const struct load_options *o)
{
	l->options = *o;
	int err = members_init(l);
	if (err == 0)
		err = tls_init(l);
	if (err == 0)
		err = dtls_init(l);
	if (err == 0)
		err = uv_loop_init(&l->loop);
	return err ? err : loop_timer_open(&l->tick, &l->loop, on_tick, l);
}

void load_done(struct load *l)
{
	for (uint32_t i = 0; i < l->options.n_members; i++)
		member_free(&l->members[i]);
	for (int i = 0; i < LOAD_N_STEPS; i++)
		free(l->count.samples_ms[i]);
	free(l->members);
	free(l->record);
	free(l->rx);
	free(l->udp_buf);
	udp_rx_free(l->udp_rx);
	dtls_out_done(&l->dtls_out);
	dtls_ctx_free(l->dtls_ctx);
	tls_client_ctx_put(l->tls);
}

/* ---- who runs ---- */

static uint32_t n_running(const struct load *l)
{
	return l->count.n_begun - l->count.n_settled;
}

void load_begin(struct load *l)
{
	if (l->count.begun_ns == 0)
		l->count.begun_ns = load_now_ns();
	while (!l->is_ending && n_running(l) < l->options.n_parallel &&
	        l->count.n_begun < l->options.n_members)
		member_begin(&l->members[l->count.n_begun++]);
	if (n_running(l) > 0)
		loop_timer_set(&l->tick, loop_now() + LOAD_TICK_MS);
}

/* The next one begins from the timer, not from inside a member's function; at once, because the timer is
 * moved to now. */
void load_settled(struct load *l)
{
	l->count.n_settled++;
	if (l->count.n_settled == l->options.n_members) {
		l->count.settled_ns = load_now_ns();
		report_settled(l);
		if (l->options.is_once)
			load_end(l);
	} else if (!l->is_ending) {
		loop_timer_set(&l->tick, loop_now());
	}
}

static void on_tick(struct loop_timer *t, ms_t now_ms)
{
	struct load *l = t->ctx;
	uint32_t n = l->count.n_begun;
	for (uint32_t i = 0; i < n && now_ms >= l->scan_at_ms; i++)
		if (!l->members[i].is_settled)
			member_on_time(&l->members[i], now_ms);
	if (now_ms >= l->scan_at_ms)
		l->scan_at_ms = now_ms + LOAD_TICK_MS;
	if (!l->is_ending)
		load_begin(l);
}

void load_end(struct load *l)
{
	if (l->is_ending)
		return;
	l->is_ending = true;
	for (uint32_t i = 0; i < l->count.n_begun; i++)
		member_end(&l->members[i]);
	loop_timer_close(&l->tick, NULL);
}

/* ---- counts ---- */

void load_sample(struct load *l, enum load_step step, uint64_t from_ns, uint64_t to_ns)
{
	if (l->count.n_samples[step] < l->options.n_members)
		l->count.samples_ms[step][l->count.n_samples[step]++] =
		        (float)((double)(to_ns - from_ns) / 1e6);
}

void load_note_error(struct load *l, const char *what, const char *detail)
{
	char text[LOAD_ERROR_BYTES];
	(void)snprintf(text, sizeof(text), "%s: %s", what, detail);
	for (int i = 0; i < LOAD_ERRORS_MAX; i++) {
		struct load_error *e = &l->count.errors[i];
		if (e->n == 0)
			memcpy(e->text, text, sizeof(text));
		if (strcmp(e->text, text) == 0) {
			e->n++;
			return;
		}
	}
	l->count.n_other_errors++;
}

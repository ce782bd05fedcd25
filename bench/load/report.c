#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "load/load.h"

static const char *const step_names[LOAD_N_STEPS] = {
        [STEP_TCP] = "tcp",
        [STEP_TLS] = "tls",
        [STEP_LOGIN] = "login",
        [STEP_CONNECT] = "connect",
        [STEP_TOTAL] = "total",
        [STEP_DTLS] = "dtls",
};

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return x < y ? -1 : x > y;
}

static double rounded(double v)
{
	return (double)(long)(v * 1000 + 0.5) / 1000;
}

/* Sorts the samples. */
static json_t *steps_json(struct load_counts *c)
{
	json_t *all = json_object();
	for (int i = 0; i < LOAD_N_STEPS; i++) {
		uint32_t n = c->n_samples[i];
		float *v = c->samples_ms[i];
		if (n == 0)
			continue;
		qsort(v, n, sizeof(*v), by_value);
		json_object_set_new(all, step_names[i],
		        json_pack("{sf sf sf}", "p50", rounded(v[n / 2]), "p99",
		                rounded(v[(size_t)n * 99 / 100]), "max", rounded(v[n - 1])));
	}
	return all;
}

static json_t *errors_json(const struct load_counts *c)
{
	json_t *all = json_object();
	for (int i = 0; i < LOAD_ERRORS_MAX && c->errors[i].n > 0; i++)
		json_object_set_new(all, c->errors[i].text, json_integer(c->errors[i].n));
	if (c->n_other_errors)
		json_object_set_new(all, "others", json_integer(c->n_other_errors));
	return all;
}

static void print(json_t *line)
{
	json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(8));
	json_decref(line);
	putchar('\n');
	fflush(stdout);
}

void report_settled(struct load *l)
{
	struct load_counts *c = &l->count;
	double seconds = (double)(c->settled_ns - c->begun_ns) / 1e9;
	print(json_pack("{ss si si si si sf sf so so}", "event", "settled", "up", (int)c->n_up, "failed",
	        (int)c->n_failed, "dtls_up", (int)c->n_dtls_up, "dtls_failed", (int)c->n_dtls_failed,
	        "seconds", rounded(seconds), "per_second", rounded(seconds > 0 ? c->n_up / seconds : 0), "ms",
	        steps_json(c), "errors", errors_json(c)));
}

void report_end(const struct load *l)
{
	const struct load_counts *c = &l->count;
	print(json_pack("{ss si si si sI sI so}", "event", "end", "up", (int)c->n_up, "failed",
	        (int)c->n_failed, "lost", (int)c->n_lost, "dpd_answers", (json_int_t)c->n_dpd_answers,
	        "rx_packets", (json_int_t)c->n_rx_packets, "errors", errors_json(c)));
}

/* Timing of one operation on one core: the median of several rounds, ns per operation. */
#ifndef MICRO_H
#define MICRO_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/util.h"

#define MICRO_ROUNDS 9

static inline double micro_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline int micro_by_size(const void *a, const void *b)
{
	double d = *(const double *)a - *(const double *)b;
	return d < 0 ? -1 : d > 0;
}

static inline double micro_ns(void (*op)(void *ctx), void *ctx, unsigned n)
{
	double round[MICRO_ROUNDS];

	op(ctx); /* warm */
	for (int i = 0; i < MICRO_ROUNDS; i++) {
		double start = micro_now_ns();
		for (unsigned k = 0; k < n; k++)
			op(ctx);
		round[i] = (micro_now_ns() - start) / n;
	}
	qsort(round, MICRO_ROUNDS, sizeof(round[0]), micro_by_size);
	return round[MICRO_ROUNDS / 2];
}

/* For what must not fail in a benchmark. */
static inline void micro_must(int r, const char *what)
{
	if (r < 0) {
		fprintf(stderr, "%s: %d\n", what, r);
		exit(1);
	}
}

#endif

/* How far `culvert diagnose` is, as one line of a terminal that is written over. */
#ifndef CLIENT_DIAGNOSE_PROGRESS_H
#define CLIENT_DIAGNOSE_PROGRESS_H

#include <stdbool.h>

#include "base/util.h"

struct diagnose_progress {
	uint64_t total_bytes; /* 0: not known */
	ms_t shown_at_ms;
	bool is_on, has_shown;
};

/* On a terminal only. */
void diagnose_progress_init(struct diagnose_progress *p, char *const *files, size_t n);
/* As intake_progress_fn. */
void diagnose_progress_show(void *p, const char *name, uint64_t bytes);
/* The line goes. */
void diagnose_progress_done(struct diagnose_progress *p);

#endif

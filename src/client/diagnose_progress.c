#include "client/diagnose_progress.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "diagnose/source.h"

#define PERIOD_MS    200
#define NAME_COLUMNS 50

static ms_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (ms_t)t.tv_sec * 1000 + (ms_t)t.tv_nsec / 1000000;
}

void diagnose_progress_init(struct diagnose_progress *p, char *const *files, size_t n)
{
	*p = (struct diagnose_progress){.is_on = isatty(STDERR_FILENO) == 1, .shown_at_ms = now_ms()};
	for (size_t i = 0; p->is_on && i < n; i++)
		p->total_bytes += source_size(files[i]);
}

/* The end of a long name tells more than its beginning; not cut within a character of UTF-8. */
static const char *tail_of(const char *name)
{
	size_t n = strlen(name);
	if (n <= NAME_COLUMNS)
		return name;
	name += n - NAME_COLUMNS;
	while (((uint8_t)*name & 0xc0) == 0x80)
		name++;
	return name;
}

void diagnose_progress_show(void *arg, const char *name, uint64_t bytes)
{
	struct diagnose_progress *p = arg;
	ms_t now = p->is_on ? now_ms() : 0;
	if (!p->is_on || now - p->shown_at_ms < PERIOD_MS)
		return;
	p->shown_at_ms = now;
	p->has_shown = true;
	if (p->total_bytes >= bytes)
		fprintf(stderr, "\r\033[K%3u %% of %.1f MB  %s", (unsigned)(bytes * 100 / p->total_bytes),
		        (double)p->total_bytes / 1e6, tail_of(name));
	else
		fprintf(stderr, "\r\033[K%.1f MB  %s", (double)bytes / 1e6, tail_of(name));
	fflush(stderr);
}

void diagnose_progress_done(struct diagnose_progress *p)
{
	if (p->has_shown)
		fprintf(stderr, "\r\033[K");
	p->is_on = p->has_shown = false;
}

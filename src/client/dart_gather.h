/* What `culvert dart` gathers on this machine: texts, each bounded. */
#ifndef CLIENT_DART_GATHER_H
#define CLIENT_DART_GATHER_H

#include "base/text.h"
#include "base/util.h"

#define DART_OUTPUT_MAX (1u << 20) /* bytes kept of one program's output or one file */
#define DART_EVENTS_MAX (8u << 20) /* bytes read of an event log, its newest */
#define DART_RUN_MS     10000

/* What `ip ARGS...` prints, with a line that names the command. argv ends with NULL, without the program. */
void dart_run_ip(const char *const *argv, struct text *out);
/* A file's beginning under a line that names it; nothing when it cannot be read. */
void dart_put_file(const char *path, struct text *out);
/* The events of a log as DART text. 0 or -errno. */
MUST_USE int dart_put_log(const char *path, struct text *out);

#endif

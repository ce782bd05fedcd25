/* The process's log: one line per message to standard error, syslog, a file or the caller's function.
 *
 * Log at the edges only (style 8.1.16). Bytes of a peer go through text_escaped() (base/text.h) before they
 * become an argument here; as a last defence control characters in a finished line are shown as '?', so one
 * call is always one line. Lines are cut at LOG_LINE_MAX. All functions except log_open() and log_close()
 * may be called from any thread; none of them allocates in text mode and none changes errno. */
#ifndef IO_LOG_H
#define IO_LOG_H

#include <stdbool.h>
#include <stdarg.h>
#include <syslog.h> /* LOG_EMERG 0 .. LOG_DEBUG 7: the levels, equal to the ASA's severities */

#include "base/util.h"

#define LOG_LINE_MAX 2048 /* bytes of one text, longer ones are cut */

enum log_target {
	LOG_TO_STDERR,
	LOG_TO_SYSLOG,
	LOG_TO_FILE,
	LOG_TO_SINK,
};

/* A finished line without a newline; lives until the return. Called by the thread that logs. */
typedef void log_sink_fn(void *ctx, int level, const char *line);

struct log_config {
	enum log_target target;
	const char *file;    /* LOG_TO_FILE: appended to, made with mode 0640 */
	const char *program; /* "culvertd"; must live until log_close() */
	int max_level;       /* lines above are dropped; 0..7 */
	bool is_json;        /* `logging format json` */
	bool has_no_time;    /* no time and program in front (stderr and sink, e.g. below a journal) */
	log_sink_fn *sink;
	void *ctx;
};

/* Before the first log_open() lines of level 0..5 (notice) go to standard error. A second call replaces the
 * first; on failure the former target stays. syslog and the file are opened here, so that they still work
 * after a chroot. -errno. */
MUST_USE int log_open(const struct log_config *config);
/* Opens the file again under its name (after rotation). 0 also when the target is no file. */
MUST_USE int log_reopen(void);
void log_close(void);

void log_set_level(int max_level);
bool log_wants(int level); /* to skip costly arguments */

/* A line without a message id; level 0..7. */
void log_line(int level, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "%ASA-6-722022: text" (contract.md section 2): severity 0..7, prefix "ASA" for the ASA's own messages and
 * "CULVERT" for ours, id the number. As JSON: {"t","program","severity","id":"%ASA-6-722022","text"}. */
void log_msg(unsigned severity, const char *prefix, unsigned id, const char *fmt, ...) PRINTF_LIKE(4, 5);
void log_vmsg(unsigned severity, const char *prefix, unsigned id, const char *fmt, va_list args)
        PRINTF_LIKE(4, 0);

#endif

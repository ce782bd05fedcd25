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
#include <stddef.h>
#include <stdint.h>
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
void log_set_json(bool is_json);
bool log_wants(int level); /* to skip costly arguments; any destination counts */
/* The same of a message whose severity a rule may change. */
bool log_wants_msg(unsigned severity, unsigned id);

/* What `logging message` says about the messages of one id; holds for every destination. */
struct log_rule {
	uint32_t id;
	uint8_t severity; /* 0..7; LOG_RULE_KEEP: its own */
	bool is_off;      /* never written */
};
#define LOG_RULE_KEEP 8
#define LOG_RULES_MAX 256

/* Replaces all rules; copied. Sorted by id, each id once; what is beyond LOG_RULES_MAX is left out. */
void log_set_rules(const struct log_rule *rules, size_t n);

/* A finished message beside the process's own target: to the log hosts and the buffer (gateway/log_relay.h).
 */
struct log_record {
	uint8_t severity;
	bool is_asa;      /* a message of the ASA; else one of ours, "CULVERT" */
	uint32_t id;      /* 0: a line without an id */
	const char *text; /* one line, without the id; lives until the return */
};
/* Called by the thread that logs. What it logs itself is not relayed. */
typedef void log_relay_fn(void *ctx, const struct log_record *r);
/* Messages of these levels go to fn as well, whatever the level of the own target is; -1: none do. */
void log_set_relay(int max_level, log_relay_fn *fn, void *ctx);

/* Control characters become '?', in place: a message is one line. is_ascii_only: all that is not ASCII does.
 */
void log_text_clean(char *s, bool is_ascii_only);

/* A line without a message id; level 0..7. */
void log_line(int level, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "%ASA-6-722022: text" (contract.md section 2): severity 0..7, prefix "ASA" for the ASA's own messages and
 * "CULVERT" for ours, id the number. As JSON: {"t","program","severity","id":"%ASA-6-722022","text"}. */
void log_msg(unsigned severity, const char *prefix, unsigned id, const char *fmt, ...) PRINTF_LIKE(4, 5);

#endif

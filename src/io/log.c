#include "io/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#define LOG_ID_MAX   32
#define LOG_HEAD_MAX 96

/* The log belongs to the process, hence the one global of this folder. The lock covers the target: a reopened
 * file must not be closed under a writer. */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_config log_config = {.target = LOG_TO_STDERR, .program = "culvert", .has_no_time = true};
static atomic_int log_max_level = LOG_NOTICE; /* of the own target */
static atomic_int log_relay_level = -1;
static log_relay_fn *log_relay;
static void *log_relay_ctx;
static struct log_rule log_rules[LOG_RULES_MAX];
static atomic_size_t log_n_rules;
static int log_fd = STDERR_FILENO;
static char *log_path; /* copy of config.file: the caller's may change at a reload */

static int log_file_open(const char *path, int *ret_fd)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW, 0640);
	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

/* Takes the new target's descriptor and path; the lock is held. */
static void log_target_put(int fd, char *path)
{
	if (log_fd != STDERR_FILENO)
		close(log_fd);
	free(log_path);
	log_fd = fd;
	log_path = path;
}

int log_open(const struct log_config *config)
{
	int fd = STDERR_FILENO, r;
	char *path = NULL;
	if (config->max_level < LOG_EMERG || config->max_level > LOG_DEBUG ||
	        (config->target == LOG_TO_SINK && config->sink == NULL) ||
	        (config->target == LOG_TO_FILE && config->file == NULL))
		return -EINVAL;
	if (config->target == LOG_TO_FILE) {
		if ((path = strdup(config->file)) == NULL)
			return -ENOMEM;
		if ((r = log_file_open(path, &fd)) < 0) {
			free(path);
			return r;
		}
	}
	pthread_mutex_lock(&log_lock);
	log_target_put(fd, path);
	log_config = *config;
	if (log_config.program == NULL)
		log_config.program = "culvert";
	if (config->target == LOG_TO_SYSLOG) {
		tzset(); /* syslog(3) writes local time: read the zone while its file can still be seen */
		openlog(log_config.program, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	}
	atomic_store(&log_max_level, config->max_level);
	pthread_mutex_unlock(&log_lock);
	return 0;
}

int log_reopen(void)
{
	int fd = -1, r = 0;
	pthread_mutex_lock(&log_lock);
	if (log_config.target == LOG_TO_FILE && (r = log_file_open(log_path, &fd)) == 0) {
		close(log_fd);
		log_fd = fd;
	}
	pthread_mutex_unlock(&log_lock);
	return r;
}

void log_close(void)
{
	pthread_mutex_lock(&log_lock);
	if (log_config.target == LOG_TO_SYSLOG)
		closelog();
	log_target_put(STDERR_FILENO, NULL);
	log_config = (struct log_config){.target = LOG_TO_STDERR, .program = "culvert", .has_no_time = true};
	atomic_store(&log_max_level, LOG_NOTICE);
	pthread_mutex_unlock(&log_lock);
}

void log_set_level(int max_level)
{
	atomic_store(&log_max_level, max_level);
}

void log_set_json(bool is_json)
{
	pthread_mutex_lock(&log_lock);
	log_config.is_json = is_json;
	pthread_mutex_unlock(&log_lock);
}

bool log_wants(int level)
{
	return level <= atomic_load_explicit(&log_max_level, memory_order_relaxed) ||
	       level <= atomic_load_explicit(&log_relay_level, memory_order_relaxed);
}

/* ---- rules ---- */

void log_set_rules(const struct log_rule *rules, size_t n)
{
	n = n < LOG_RULES_MAX ? n : LOG_RULES_MAX;
	pthread_mutex_lock(&log_lock);
	if (n > 0)
		memcpy(log_rules, rules, n * sizeof(*rules));
	atomic_store(&log_n_rules, n);
	pthread_mutex_unlock(&log_lock);
}

static int rule_order(const void *key, const void *rule)
{
	uint32_t id = *(const uint32_t *)key, other = ((const struct log_rule *)rule)->id;
	return id < other ? -1 : id > other;
}

/* The severity that counts; LOG_DEBUG + 1: the message is off. */
static unsigned rule_apply(unsigned severity, uint32_t id)
{
	if (atomic_load_explicit(&log_n_rules, memory_order_relaxed) == 0)
		return severity;
	pthread_mutex_lock(&log_lock);
	const struct log_rule *r =
	        bsearch(&id, log_rules, atomic_load(&log_n_rules), sizeof(*log_rules), rule_order);
	if (r != NULL && r->is_off)
		severity = LOG_DEBUG + 1;
	else if (r != NULL && r->severity <= LOG_DEBUG)
		severity = r->severity;
	pthread_mutex_unlock(&log_lock);
	return severity;
}

bool log_wants_msg(unsigned severity, unsigned id)
{
	severity = rule_apply(severity, id);
	return severity <= LOG_DEBUG && log_wants((int)severity);
}

/* ---- relay ---- */

void log_set_relay(int max_level, log_relay_fn *fn, void *ctx)
{
	pthread_mutex_lock(&log_lock);
	log_relay = fn;
	log_relay_ctx = ctx;
	atomic_store(&log_relay_level, fn != NULL ? max_level : -1);
	pthread_mutex_unlock(&log_lock);
}

static void relay_pass(const struct log_record *r)
{
	static _Thread_local bool is_relaying;
	if (is_relaying || r->severity > atomic_load_explicit(&log_relay_level, memory_order_relaxed))
		return;
	pthread_mutex_lock(&log_lock);
	log_relay_fn *fn = log_relay;
	void *ctx = log_relay_ctx;
	pthread_mutex_unlock(&log_lock);
	if (fn == NULL)
		return;
	is_relaying = true;
	fn(ctx, r);
	is_relaying = false;
}

/* ---- lines ---- */

/* "2026-11-24T00:46:48.123Z" (RFC 3339, UTC). */
static void log_time_format(char *buf, size_t cap)
{
	struct timespec now;
	struct tm tm;
	char day[32];
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, cap, "%s.%03uZ", day, (unsigned)(now.tv_nsec / 1000000) % 1000);
}

void log_text_clean(char *s, bool is_ascii_only)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f || (is_ascii_only && (unsigned char)*s >= 0x80))
			*s = '?';
}

/* The JSON text of one message, to be freed; NULL when out of memory. */
static char *log_json(int level, const char *id, char *text)
{
	char at[48];
	char *line = NULL;
	log_time_format(at, sizeof(at));
	json_t *body = json_string(text);
	if (body == NULL) { /* not UTF-8 */
		log_text_clean(text, true);
		body = json_string(text);
	}
	json_t *o = json_pack("{s:s, s:s, s:i, s:o*}", "t", at, "program", log_config.program, "severity",
	        level, "text", body);
	if (o != NULL && id[0] != '\0' && json_object_set_new(o, "id", json_string(id)) < 0)
		goto out;
	if (o != NULL)
		line = json_dumps(o, JSON_COMPACT);
out:
	json_decref(o);
	return line;
}

/* One write: lines of several processes in one file do not mix. */
static void log_put_fd(const char *line)
{
	char at[48], head[LOG_HEAD_MAX] = "", out[LOG_HEAD_MAX + LOG_ID_MAX + 6 * LOG_LINE_MAX];
	if (!log_config.is_json && !log_config.has_no_time) {
		log_time_format(at, sizeof(at));
		snprintf(head, sizeof(head), "%s %.24s[%d]: ", at, log_config.program, (int)getpid());
	}
	int n = snprintf(out, sizeof(out), "%s%s\n", head, line);
	if (n >= (int)sizeof(out)) {
		n = sizeof(out);
		out[n - 1] = '\n';
	}
	ssize_t done = write(log_fd, out, (size_t)n);
	(void)done; /* nobody left to tell */
}

static void log_deliver(int level, const char *line)
{
	switch (log_config.target) {
	case LOG_TO_SYSLOG:
		syslog(level, "%s", line);
		break;
	case LOG_TO_SINK:
		log_config.sink(log_config.ctx, level, line);
		break;
	case LOG_TO_STDERR:
	case LOG_TO_FILE:
		log_put_fd(line);
		break;
	}
}

static void own_target_put(const struct log_record *r, const char *id, char *text)
{
	char line[LOG_ID_MAX + LOG_LINE_MAX + 4];
	if (r->severity > atomic_load_explicit(&log_max_level, memory_order_relaxed))
		return;
	pthread_mutex_lock(&log_lock);
	char *json = log_config.is_json ? log_json(r->severity, id, text) : NULL;
	if (json == NULL)
		snprintf(line, sizeof(line), "%s%s%s", id, id[0] != '\0' ? ": " : "", text);
	log_deliver(r->severity, json != NULL ? json : line);
	pthread_mutex_unlock(&log_lock);
	free(json);
}

/* id: "%ASA-6-722022", or "". */
static void log_emit(const struct log_record *r, const char *id, char *text)
{
	int saved = errno;
	log_text_clean(text, false);
	own_target_put(r, id, text);
	relay_pass(r);
	errno = saved;
}

void log_line(int level, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list args;
	if (level < LOG_EMERG || level > LOG_DEBUG || !log_wants(level))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_emit(&(struct log_record){.severity = (uint8_t)level, .text = text}, "", text);
}

static void vmsg(unsigned severity, const char *prefix, unsigned id, const char *fmt, va_list args)
{
	char text[LOG_LINE_MAX], name[LOG_ID_MAX];
	severity = rule_apply(severity, id);
	if (severity > LOG_DEBUG || !log_wants((int)severity))
		return;
	snprintf(name, sizeof(name), "%%%.10s-%u-%06u", prefix, severity, id);
	vsnprintf(text, sizeof(text), fmt, args);
	const struct log_record r = {
	        .severity = (uint8_t)severity, .is_asa = strcmp(prefix, "ASA") == 0, .id = id, .text = text};
	log_emit(&r, name, text);
}

void log_msg(unsigned severity, const char *prefix, unsigned id, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vmsg(severity, prefix, id, fmt, args);
	va_end(args);
}

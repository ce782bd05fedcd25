#include "client/events.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static const char *const type_names[] = {"Information", "Warning", "Error"};

int events_open(struct events *ev, const char *path, unsigned verbosity)
{
	*ev = (struct events){.verbosity = verbosity};
	if (path == NULL)
		return 0;
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0)
		return -errno;
	ev->file = fdopen(fd, "a");
	if (ev->file == NULL) {
		int err = -errno;
		close(fd);
		return err;
	}
	return 0;
}

void events_close(struct events *ev)
{
	if (ev->file != NULL)
		fclose(ev->file);
	ev->file = NULL;
	for (size_t i = 0; i < EVENTS_KEEP_MAX; i++) {
		free(ev->kept[i]);
		ev->kept[i] = NULL;
	}
}

uint64_t events_first(const struct events *ev)
{
	return ev->n_seen > EVENTS_KEEP_MAX ? ev->n_seen - EVENTS_KEEP_MAX : 0;
}

const char *events_kept(const struct events *ev, uint64_t number)
{
	if (number < events_first(ev) || number >= ev->n_seen)
		return NULL;
	return ev->kept[number % EVENTS_KEEP_MAX];
}

/* Takes the line over. */
static void event_keep(struct events *ev, char *line)
{
	char **slot = &ev->kept[ev->n_seen++ % EVENTS_KEEP_MAX];
	free(*slot);
	*slot = strlen(line) <= EVENTS_KEEP_LINE_BYTES ? line : NULL;
	if (*slot == NULL)
		free(line);
}

static void time_format(char *buf, size_t cap)
{
	struct timespec now;
	struct tm tm;
	char day[32];
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf, cap, "%s.%03ldZ", day, now.tv_nsec / 1000000);
}

/* A peer's text that is not UTF-8 must not cost the event. */
static json_t *text_json(const char *text)
{
	json_t *j = json_string(text);
	char *ascii = j == NULL ? strdup(text) : NULL;
	for (char *p = ascii; p != NULL && *p != '\0'; p++)
		*p = (uint8_t)*p < 0x80 ? *p : '?';
	if (ascii != NULL)
		j = json_string(ascii);
	free(ascii);
	return j;
}

static void event_write(struct events *ev, enum event_type type, unsigned code, const char *text)
{
	char now[48];
	time_format(now, sizeof(now));
	json_t *o = json_pack("{s:s, s:s, s:s, s:i, s:o}", "t", now, "type", type_names[type], "source",
	        "culvert", "code", (int)code, "text", text_json(text));
	char *line = o != NULL ? json_dumps(o, JSON_COMPACT) : NULL;
	json_decref(o);
	if (line == NULL)
		return;
	if (ev->file != NULL) {
		fprintf(ev->file, "%s\n", line);
		fflush(ev->file);
	}
	event_keep(ev, line);
}

void events_say(struct events *ev, const char *fmt, ...)
{
	struct text line = {0}, event = {0};
	va_list ap;
	va_start(ap, fmt);
	text_vfmt(&line, fmt, ap);
	va_end(ap);
	if (!ev->is_silent) {
		printf("%s\n", text_cstr(&line));
		fflush(stdout);
	}
	text_fmt(&event, "Message type information sent to the user: %s", text_cstr(&line));
	event_write(ev, EVENT_INFO, 0, text_cstr(&event));
	text_done(&event);
	text_done(&line);
}

void events_fail(struct events *ev, const char *fmt, ...)
{
	struct text line = {0};
	va_list ap;
	va_start(ap, fmt);
	text_vfmt(&line, fmt, ap);
	va_end(ap);
	if (!ev->is_silent)
		fprintf(stderr, "culvert: %s\n", text_cstr(&line));
	event_write(ev, EVENT_ERROR, 0, text_cstr(&line));
	text_done(&line);
}

void events_note(struct events *ev, enum event_type type, unsigned code, const char *fmt, ...)
{
	struct text line = {0};
	va_list ap;
	va_start(ap, fmt);
	text_vfmt(&line, fmt, ap);
	va_end(ap);
	if (!ev->is_silent && ev->verbosity > 0)
		fprintf(stderr, "culvert: %s: %s\n", type_names[type], text_cstr(&line));
	event_write(ev, type, code, text_cstr(&line));
	text_done(&line);
}

void events_clean(struct text *out, struct span in, size_t max)
{
	if (in.n > max)
		in.n = max;
	for (size_t i = 0; i < in.n; i++) {
		uint8_t c = in.p[i];
		if (out->n > 0 && text_makes_c1(out->p[out->n - 1], c))
			out->p[out->n - 1] = '?';
		else if (c == '\n' || c == '\r' || c == '\t')
			text_str(out, " ");
		else if (c >= ' ' && c != 0x7f)
			text_put(out, span_of(&in.p[i], 1));
	}
}

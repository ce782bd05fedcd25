#include "gateway/log_frame.h"

#include <stdio.h>
#include <time.h>

#define TIME_TEXT_MAX 64

/* "Nov 26 2026 09:00:00", UTC. */
static void time_format(uint64_t at_s, char *buf, size_t cap)
{
	static const char months[12][4] = {
	        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	const time_t t = (time_t)at_s;
	struct tm tm;
	if (gmtime_r(&t, &tm) == NULL)
		tm = (struct tm){.tm_mday = 1, .tm_year = 70};
	char rest[TIME_TEXT_MAX / 2];
	strftime(rest, sizeof(rest), "%d %Y %H:%M:%S", &tm);
	snprintf(buf, cap, "%s %s", months[tm.tm_mon], rest);
}

static size_t line_format(
        const struct log_item *i, bool has_timestamp, const char *device_id, char *buf, size_t cap)
{
	char at[TIME_TEXT_MAX] = "";
	const bool has_device = device_id[0] != '\0';
	if (has_timestamp)
		time_format(i->at_s, at, sizeof(at));
	int n = snprintf(buf, cap, "%s%s%.*s%s%%%s-%u-%06u: %s", at, has_timestamp && has_device ? " " : "",
	        (int)LOG_DEVICE_MAX, device_id,
	        has_device      ? " : "
	        : has_timestamp ? ": "
	                        : "",
	        i->is_asa ? "ASA" : "CULVERT", i->severity, i->id ? i->id : LOG_ID_GENERAL, i->text);
	return n < 0 ? 0 : (size_t)n < cap ? (size_t)n : cap - 1;
}

size_t log_frame_line(const struct log_item *i, bool has_timestamp, char *buf, size_t cap)
{
	return line_format(i, has_timestamp, "", buf, cap);
}

size_t log_frame_make(const struct log_item *i, const struct log_frame *f, char buf[static LOG_FRAME_MAX + 1])
{
	int pri = snprintf(buf, LOG_FRAME_MAX, "<%u>", f->facility * 8 + i->severity);
	size_t n = pri < 0 ? 0 : (size_t)pri;
	n += line_format(i, f->has_timestamp, f->device_id, buf + n, LOG_FRAME_MAX - n);
	if (f->is_stream)
		buf[n++] = '\n';
	buf[n] = '\0';
	return n;
}

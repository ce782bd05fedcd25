/* The part of a syslog line before the message: who said it, when, and which message it is. Collectors write
 * this part in many ways; the message itself always has "%ASA-6-722036:" or its likes in front. */
#ifndef DIAGNOSE_SYSLOG_HEAD_H
#define DIAGNOSE_SYSLOG_HEAD_H

#include "diagnose/event.h"

#define SYSLOG_REPEATS_MAX 1000 /* of "repeated N times": more are counted as so many */

enum syslog_family { SYSLOG_ASA, SYSLOG_CULVERT };

struct syslog_head {
	struct span before; /* of the line: all in front of the '%' */
	struct span text;   /* of the line: the message; may be empty when a collector broke the line there */
	struct span after;  /* syslog_head_trim(): of the line: behind the quote that ends the message */
	uint32_t id;        /* six digits */
	uint8_t family;     /* SYSLOG_ASA: ASA, FTD, PIX, FWSM */
	bool is_cef; /* in a record of CEF: after has its extension ("rt=... dvchost=..."), '=' is escaped */
	bool is_quoted; /* syslog_head_trim(): the message is a field in quotes, perhaps with escapes in it */
};

struct syslog_origin {
	struct span device; /* empty: not said */
	int64_t at_ms;      /* TIME_NONE: not said */
	bool has_zone;      /* as in struct event */
};

/* Quick, for every line of a gigabyte: is there a message, and which? */
bool syslog_head_find(struct span line, struct syslog_head *ret);

/* Cuts off what a collector put around the message (quotes of CSV and JSON, "]" of "message repeated"), and
 * says how often the line stands for it: 1, or N of "message repeated N times: [". */
uint32_t syslog_head_trim(struct syslog_head *h);

/* written_at_ms: for lines without a year, see when_bsd(). The last time in front of the message counts,
 * which is the device's own; when it names no zone and a relay's time in front of it does, that offset is
 * taken. Where no time stands in front, one behind the message counts (JSON, CSV). */
struct syslog_origin syslog_head_origin(const struct syslog_head *h, int64_t written_at_ms);

/* "... last message repeated 3 times": N, at most SYSLOG_REPEATS_MAX; 0: not such a line. *ret_before: what
 * stands in front of it. */
uint32_t syslog_head_repeats(struct span line, struct span *ret_before);

#endif

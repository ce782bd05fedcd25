/* One message of the log as text: a line of `show logging`, or what a log host gets (RFC 3164 as the ASA does
 * it, cisco-facts.md section 3): "<166>Nov 26 2026 09:00:00 gw1 : %ASA-6-722022: text". Pure. */
#ifndef GATEWAY_LOG_FRAME_H
#define GATEWAY_LOG_FRAME_H

#include "gateway/log_ring.h"

#define LOG_FRAME_MAX  1400u   /* bytes; a datagram that no path need fragment */
#define LOG_ID_GENERAL 100000u /* of a line without an id: every line to a host has one */
#define LOG_DEVICE_MAX 64u

struct log_frame {
	uint32_t facility; /* 0..23; 20 is local4 */
	bool has_timestamp;
	const char *device_id; /* "": none */
	bool is_stream;        /* TCP: a newline ends it */
};

/* Without PRI and device id; bytes written without the NUL, cut at cap. */
size_t log_frame_line(const struct log_item *i, bool has_timestamp, char *buf, size_t cap);
/* For a log host: at most LOG_FRAME_MAX bytes. */
size_t log_frame_make(
        const struct log_item *i, const struct log_frame *f, char buf[static LOG_FRAME_MAX + 1]);

#endif

/* The form of a line of openconnect's: plain, with --timestamp, by way of syslog, of those who start it
 * (NetworkManager, OpenWrt's netifd), and of the window of openconnect-gui. */
#ifndef DIAGNOSE_OPENCONNECT_LINE_H
#define DIAGNOSE_OPENCONNECT_LINE_H

#include "diagnose/when.h"

struct openconnect_line {
	struct span message, device;
	struct when when;
	bool is_named;       /* the program's name stood there */
	struct span service; /* another name with its process stood there: "vpn-up[123" */
};

/* line is not empty; the spans are parts of it. */
struct openconnect_line openconnect_line_cut(struct span line, int64_t written_at_ms);

#endif

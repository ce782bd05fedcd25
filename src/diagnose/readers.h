/* The readers by name, for the list in readers.c and for tests. */
#ifndef DIAGNOSE_READERS_H
#define DIAGNOSE_READERS_H

#include "diagnose/reader.h"

extern const struct reader reader_client_syslog;
extern const struct reader reader_config;
extern const struct reader reader_culvert_client;
extern const struct reader reader_culvert_events;
extern const struct reader reader_dart;
extern const struct reader reader_debug;
extern const struct reader reader_drops;
extern const struct reader reader_ocserv;
extern const struct reader reader_openconnect;
extern const struct reader reader_sessions;
extern const struct reader reader_syslog;
extern const struct reader reader_windows;

#endif

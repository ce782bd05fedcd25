#include "diagnose/readers.h"

#include <stddef.h>

/* The most frequent first: all are asked when a line is foreign to the one that took the last. */
const struct reader *const readers[] = {
        &reader_syslog,
        &reader_config,
        &reader_debug,
        &reader_sessions,
        &reader_drops,
        &reader_client_syslog,
        &reader_dart,
        &reader_windows,
        &reader_openconnect,
        &reader_ocserv,
        &reader_culvert_events,
        &reader_culvert_client,
        NULL,
};

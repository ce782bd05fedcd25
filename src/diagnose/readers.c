#include "diagnose/readers.h"

#include <stddef.h>

/* Cheap and frequent ones first: each line that its file's last reader does not take is offered to all. */
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

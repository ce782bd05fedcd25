#include "diagnose/readers.h"

#include <stddef.h>

/* A reader is in the list when its file exists (meson.build): for the time in which they are written. */
const struct reader *const readers[] = {
#ifdef HAS_READER_SYSLOG
        &reader_syslog,
#endif
#ifdef HAS_READER_CONFIG
        &reader_config,
#endif
#ifdef HAS_READER_DEBUG
        &reader_debug,
#endif
#ifdef HAS_READER_SESSIONS
        &reader_sessions,
#endif
#ifdef HAS_READER_DROPS
        &reader_drops,
#endif
#ifdef HAS_READER_CLIENT_SYSLOG
        &reader_client_syslog,
#endif
#ifdef HAS_READER_DART
        &reader_dart,
#endif
#ifdef HAS_READER_WINDOWS
        &reader_windows,
#endif
#ifdef HAS_READER_OPENCONNECT
        &reader_openconnect,
#endif
#ifdef HAS_READER_OCSERV
        &reader_ocserv,
#endif
#ifdef HAS_READER_CULVERT
        &reader_culvert_events,
        &reader_culvert_client,
#endif
        NULL,
};

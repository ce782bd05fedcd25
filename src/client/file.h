/* A whole file as text. */
#ifndef CLIENT_FILE_H
#define CLIENT_FILE_H

#include "base/text.h"

/* Appends it to out. -errno; ERR_TOO_LARGE: over max_bytes. Leaves no copy behind when out is secret. */
MUST_USE int file_read(const char *path, size_t max_bytes, struct text *out);

#endif

/* The configuration file of the gateway: read, checked, handed over to the other processes. */
#ifndef GATEWAY_CONF_FILE_H
#define GATEWAY_CONF_FILE_H

#include "base/text.h"
#include "policy/model.h"

#define CONF_FILE_MAX_BYTES (4u << 20)

/* Reads a whole file of at most max bytes. -errno, ERR_TOO_LARGE. */
MUST_USE int conf_file_slurp(const char *path, size_t max, struct text *ret);
/* Reads and parses. Messages, one line each (FILE:LINE:COLUMN: error|warning|ignored: text), are appended to
 * messages, also on success. 0; ERR_CONFIG, -errno. */
MUST_USE int conf_file_load(const char *path, struct text *messages, struct config **ret);
/* May a gateway run with it? 0, or ERR_CONFIG and one line in messages; warnings where it serves nobody. */
MUST_USE int conf_file_check(const struct config *c, const char *path, struct text *messages);
/* What the process that gets it needs of it, as a sealed memfd; secrets only when wanted. */
MUST_USE int conf_file_memfd(const struct config *c, bool has_secrets, int *ret_fd);
/* Any bytes as a sealed memfd. name is for /proc only. */
MUST_USE int conf_file_memfd_bytes(const char *name, struct span bytes, int *ret_fd);

#endif

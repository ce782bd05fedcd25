/* Gateways that name no device in their logs. Files of one gateway follow each other in time (rotation); two
 * that tell of logins at the same time are of two gateways, whose users and addresses have nothing to do with
 * each other. */
#ifndef DIAGNOSE_ORIGIN_H
#define DIAGNOSE_ORIGIN_H

#include "diagnose/store.h"

#define ORIGIN_FIRST (1u << 20) /* greater than any word */

/* A device for each file: 0 where there is only one such gateway, else ORIGIN_FIRST and up, and 0 for files
 * without logins. NULL: no memory. To be freed. */
word_t *origins_make(const struct store *s, size_t n_files);

#endif

/* Names of files as people want to read them: without the folder that all of them are in. */
#ifndef DIAGNOSE_PLACE_H
#define DIAGNOSE_PLACE_H

#include "base/text.h"
#include "diagnose/report.h"

/* Bytes of the folder that all files are in; 0: none, or merely the root. For report.n_folder_bytes. */
size_t place_common_bytes(const struct report *r);

/* "/var/log/asa/", escaped; nothing when the files have none in common. */
void place_put_folder(struct text *t, const struct report *r);
/* The name below that folder, escaped. */
void place_put_file(struct text *t, const struct report *r, uint32_t file);
/* "asa.log:13": without any folder when no other file has that name. */
void place_put(struct text *t, const struct report *r, uint32_t file, uint32_t line);

#endif

/* All files of a run: unpacked, cut into lines, given to the readers, and listed with what they are. */
#ifndef DIAGNOSE_INTAKE_H
#define DIAGNOSE_INTAKE_H

#include "base/util.h"
#include "diagnose/reader.h"
#include "diagnose/report.h"

#define INTAKE_FILES_MAX 20000 /* members of archives counted each; what comes after is not read */

struct intake;

/* Bytes read of those that lie on disk, and the name of the file being read. */
typedef void intake_progress_fn(void *ctx, const char *name, uint64_t bytes);

/* list: the readers, sink: where events and facts go, now_ms: the time of standard input. NULL: no memory. */
struct intake *intake_new(const struct reader *const *list, const struct sink *sink, int64_t now_ms);
void intake_free(struct intake *in);
void intake_set_progress(struct intake *in, intake_progress_fn *f, void *ctx);

/* One FILE of the command line: a file, a folder, "-". What went wrong stands in the list. */
void intake_read(struct intake *in, const char *path);
/* The same from memory. */
void intake_read_bytes(struct intake *in, const char *name, struct span bytes);

/* The list so far, borrowed. */
const struct report_file *intake_files(const struct intake *in, size_t *ret_n);

#endif

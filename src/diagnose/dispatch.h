/* Lines of one file to the readers that understand them (reader.h), and what was recognised. */
#ifndef DIAGNOSE_DISPATCH_H
#define DIAGNOSE_DISPATCH_H

#include "base/util.h"
#include "diagnose/reader.h"

struct dispatch;

/* What is known of a file when it has ended. */
struct dispatch_result {
	uint32_t kinds;             /* bits 1 << enum source_kind of the readers that recognised it */
	uint64_t n_taken[SOURCE_N]; /* lines, by the reader that took them; SOURCE_NONE: nobody did */
};

/* list: as readers[] of reader.h, borrowed. Events and facts go to sink with the file's number. NULL: no
 * memory. */
struct dispatch *dispatch_new(const struct reader *const *list, const struct sink *sink);
void dispatch_free(struct dispatch *d);

/* Each file begins, has its lines, and ends. hint is borrowed until the end. */
void dispatch_begin(struct dispatch *d, const struct file_hint *hint, uint32_t file);
void dispatch_line(struct dispatch *d, struct span line, uint32_t number);
void dispatch_end(struct dispatch *d, struct dispatch_result *ret);

#endif

/* The three forms of a report. Everything that comes from files is escaped here. */
#ifndef DIAGNOSE_REPORT_H
#define DIAGNOSE_REPORT_H

#include <stdio.h>

#include "diagnose/finding.h"

/* A file that was named by the user, or a member of a bundle. Its place in the list is record.file. */
struct report_file {
	const char *name;
	uint32_t kinds;    /* bits 1 << enum source_kind of all readers that took lines; 0: not recognised */
	uint64_t n_lines;  /* read */
	uint64_t n_taken;  /* of these, understood by a reader */
	const char *note;  /* what was odd: cut lines, limits, junk; NULL: nothing */
	const char *error; /* why it could not be read (at all, or to its end); NULL: it was */
};

struct report {
	const struct store *store;
	const struct findings *findings;
	const struct report_file *files;
	size_t n_files;
	size_t n_folder_bytes; /* of the names, which reports for people leave out: place_common_bytes(); 0 */
};

/* columns: of the terminal; 0: none, as wide as is good to read. */
void report_text(FILE *out, const struct report *r, int columns);
/* 0, or -ENOMEM. */
MUST_USE int report_json(FILE *out, const struct report *r);
/* One page without any reference to the outside. */
void report_html(FILE *out, const struct report *r);

/* By contract: 2 when a file could not be read, 10 with findings, else 0. */
int report_exit_status(const struct report *r);

#endif

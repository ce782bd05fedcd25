/* Runs one reader over lines and writes down what it makes of them, one line for each event and fact. */
#ifndef READER_LINES_H
#define READER_LINES_H

#include "base/text.h"
#include "diagnose/reader.h"

/* Claims as one letter a line (S, W, -), and everything that was told. Both are cut off from the input at its
 * newlines. Each line is copied into memory of its own size, so that sanitizers see a read beyond it. */
struct reader_lines {
	struct text claims, told;
};

void reader_lines_run(
        const struct reader *r, const char *input, int64_t written_at_ms, struct reader_lines *ret);
void reader_lines_done(struct reader_lines *l);

/* Fails the test when what the reader tells is not this. */
void reader_lines_check(const struct reader *r, const char *input, const char *want);
/* The same with claims. */
void reader_lines_check_claims(const struct reader *r, const char *input, const char *want);

/* 2013-11-17 00:00:00: lines without a year are of 2013 */
#define READER_LINES_WRITTEN_MS INT64_C(1384646400000)

#endif

/* Where the parser's messages go, with the counting. */
#ifndef POLICY_REPORT_H
#define POLICY_REPORT_H

#include "policy/diag.h"

struct reporter {
	struct diag_sink sink;
	const char *filename;
	size_t n_errors, n_warnings;
};

/* Words of the file must go through text_escaped(). column 1-based. */
void report(struct reporter *r, enum diag_severity severity, uint32_t line, uint32_t column, const char *fmt,
        ...) PRINTF_LIKE(5, 6);

#endif

/* What the parser says about a file, one message at a time: FILE:LINE:COLUMN: error|warning|ignored: text. */
#ifndef POLICY_DIAG_H
#define POLICY_DIAG_H

#include "base/text.h"

enum diag_severity { DIAG_ERROR, DIAG_WARNING, DIAG_IGNORED };

struct diag {
	enum diag_severity severity;
	const char *filename;
	uint32_t line, column; /* 1-based */
	const char *text;      /* printable ASCII, lives during the call */
};

struct diag_sink {
	void (*put)(void *arg, const struct diag *d); /* NULL: messages are dropped */
	void *arg;
};

/* The message as the contract writes it, without a line end. */
void diag_format(const struct diag *d, struct text *out);

#endif

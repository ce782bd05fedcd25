#include "policy/report.h"

#include <stdarg.h>
#include <stdio.h>

#define MESSAGE_MAX_BYTES 1024

void report(
        struct reporter *r, enum diag_severity severity, uint32_t line, uint32_t column, const char *fmt, ...)
{
	char text[MESSAGE_MAX_BYTES];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r->n_errors += severity == DIAG_ERROR;
	r->n_warnings += severity == DIAG_WARNING;
	struct diag d = {severity, r->filename, line, column, text};
	if (r->sink.put != NULL)
		r->sink.put(r->sink.arg, &d);
}

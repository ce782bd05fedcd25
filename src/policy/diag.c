#include "policy/diag.h"

void diag_format(const struct diag *d, struct text *out)
{
	static const char *const names[] = {"error", "warning", "ignored"};
	text_fmt(out, "%s:%u:%u: %s: %s", d->filename, d->line, d->column, names[d->severity], d->text);
}

/* Urlencoded forms, and escaping that must be undone exactly. */
#include <stdlib.h>

#include "wire/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {"username", "password", "group_list", "a", ""};
	struct span in = span_of(data, size);
	struct text t = {0}, field = {0}, back = {0};
	for (size_t i = 0; i < N_ELEM(names); i++) {
		if (form_get(in, names[i], &t) == 0 && t.n > 0 && memchr(t.p, '\0', t.n) != NULL)
			abort();
		text_done(&t);
	}
	form_unescape(&t, in);
	if (t.n > size)
		abort();
	text_done(&t);
	form_escape(&t, in);
	form_unescape(&back, span_of(t.p, t.n));
	if (!span_eq(span_of(back.p, back.n), in))
		abort();
	/* the same as a field's value, where NUL is refused */
	text_str(&field, "a=");
	text_put(&field, span_of(t.p, t.n));
	text_done(&back);
	int r = form_get(span_of(field.p, field.n), "a", &back);
	bool has_nul = size > 0 && memchr(data, '\0', size) != NULL;
	if ((r == 0) == has_nul || (r == 0 && !span_eq(span_of(back.p, back.n), in)))
		abort();
	text_done(&t);
	text_done(&field);
	text_done(&back);
	return 0;
}

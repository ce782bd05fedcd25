/* Server documents; what was read must be writable and readable again. */
#include <stdlib.h>

#include "wire/auth_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct auth_server_doc d, again;
	if (auth_server_doc_parse(span_of(data, size), &d) != 0)
		return 0;
	struct text t = {0};
	auth_server_doc_format(&d, &t);
	if (!text_ok(&t) || auth_server_doc_parse(span_of(t.p, t.n), &again) != 0)
		abort();
	if (d.type != again.type || strcmp(d.opaque, again.opaque) != 0)
		abort();
	if (d.type == AUTH_DOC_REQUEST && (d.n_inputs != again.n_inputs || d.n_options != again.n_options))
		abort();
	text_done(&t);
	return 0;
}

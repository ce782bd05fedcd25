/* Client documents in both dialects; what was read must be writable and readable again. */
#include <stdlib.h>

#include "wire/auth_xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct auth_client_doc *d)
{
	static struct auth_client_doc again;
	struct text t = {0};
	auth_client_doc_format(d, &t);
	if (!text_ok(&t) || auth_client_doc_parse(span_of(t.p, t.n), &again) != 0)
		abort();
	if (strcmp(d->opaque, again.opaque) != 0)
		abort();
	if (d->type == AUTH_DOC_REPLY && d->has_username && strcmp(d->username, again.username) != 0)
		abort();
	text_done(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct auth_client_doc d;
	if (auth_client_doc_parse(span_of(data, size), &d) == 0)
		check_again(&d);
	if (auth_client_form_parse(span_of(data, size), &d) == 0)
		auth_client_doc_wipe(&d);
	return 0;
}

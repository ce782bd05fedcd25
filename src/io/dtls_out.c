#include <errno.h>
#include <stdlib.h>

#include "io/dtls.h"

int dtls_out_init(struct dtls_out *o, size_t cap_bytes, size_t cap_dgram)
{
	struct dtls_out new = {.cap = cap_bytes, .cap_dgram = cap_dgram};

	if (cap_bytes == 0 || cap_bytes > UINT32_MAX || cap_dgram == 0)
		return -EINVAL;
	new.p = malloc(cap_bytes);
	new.dgram = calloc(cap_dgram, sizeof(new.dgram[0]));
	if (new.p == NULL || new.dgram == NULL) {
		dtls_out_done(&new);
		return -ENOMEM;
	}
	*o = new;
	return 0;
}

void dtls_out_done(struct dtls_out *o)
{
	free(o->p);
	free(o->dgram);
	*o = (struct dtls_out){0};
}
